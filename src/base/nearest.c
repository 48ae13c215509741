#include "base/nearest.h"

#include <string.h>

#define LONGEST 40 /* words longer than that are not mistyped, but something else */

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* How many letters are to be changed, added or left out to make one word of the other. */
static size_t distance(const char *a, const char *b)
{
	size_t row[LONGEST + 1], len = strlen(b);

	if (strlen(a) > LONGEST || len > LONGEST)
		return LONGEST;
	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= len; j++) {
			size_t above = row[j];

			row[j] = min3(above + 1, row[j - 1] + 1, corner + (a[i - 1] != b[j - 1]));
			corner = above;
		}
	}
	return row[len];
}

void nearest_consider(struct nearest *n, const char *name)
{
	size_t d = distance(name, n->word);

	/* Of a short word everything is near. */
	if (d < n->distance && d < strlen(name)) {
		n->distance = d;
		n->name = name;
	}
}
