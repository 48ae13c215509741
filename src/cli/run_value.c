/*
 * run_value.c - values of flags in the forms that docker takes them: sizes with units, fractions,
 * lists. Every message names the flag and what it was given.
 */
#include <errno.h>
#include <string.h>

#include "base/nearest.h"
#include "base/num.h"
#include "cli/people.h"

static int refuse(struct err *err, const char *flag, const char *text, const char *expected)
{
	return err_say(err, -EINVAL, "--%s %.200s: expected %s", flag, text, expected);
}

#define MAX_UNIT 1000000000 /* nine digits behind the point count */

/* Digits, maybe with a fraction. In units of 1/scale, what is below that cut off. */
static int decimal(const char *text, size_t len, uint64_t scale, uint64_t *ret)
{
	uint64_t whole = 0, part = 0, unit = 1;
	size_t i = 0, digits = 0;

	for (; i < len && text[i] >= '0' && text[i] <= '9'; i++, digits++)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(text[i] - '0'), &whole))
			return -ERANGE;
	if (i < len && text[i] == '.')
		for (i++; i < len && text[i] >= '0' && text[i] <= '9'; i++, digits++)
			if (unit < MAX_UNIT) {
				unit *= 10;
				part = part * 10 + (uint64_t)(text[i] - '0');
			}
	if (i < len || digits == 0)
		return -EINVAL;
	/* A part below 10^9 of a scale of up to 2^50: 80 bits. */
	part = (uint64_t)(__extension__((unsigned __int128)part * scale / unit));
	if (__builtin_mul_overflow(whole, scale, &whole) ||
	    __builtin_add_overflow(whole, part, &whole) || whole > INT64_MAX)
		return -ERANGE;
	*ret = whole;
	return 0;
}

/* "512m", "1.5g", "64kb", "100": powers of 1024, as docker has them. */
int value_size(struct err *err, const char *flag, const char *text, uint64_t *ret)
{
	static const char units[] = "bkmgtp";
	size_t len = strlen(text), number = strspn(text, "0123456789.");
	uint64_t scale = 1;

	if (number < len) {
		const char *unit = strchr(units, text[number] | 0x20);
		const char *rest = text + number + 1;

		if (!unit || (*rest != '\0' && strcmp(rest, "b") != 0 && strcmp(rest, "B") != 0 &&
			      strcmp(rest, "iB") != 0 && strcmp(rest, "ib") != 0))
			return refuse(err, flag, text, "a size such as 512m, 1.5g or 65536");
		scale <<= 10 * (unit - units);
	}
	if (decimal(text, number, scale, ret) < 0)
		return refuse(err, flag, text, "a size such as 512m, 1.5g or 65536");
	return 0;
}

int value_number(struct err *err, const char *flag, const char *text, int64_t min, int64_t max,
		 int64_t *ret)
{
	if (num_i64(text, min, max, ret) == 0)
		return 0;
	if (max == INT64_MAX)
		return err_say(err, -EINVAL, "--%s %.200s: expected a whole number from %lld on",
			       flag, text, (long long)min);
	return err_say(err, -EINVAL, "--%s %.200s: expected a whole number from %lld to %lld", flag,
		       text, (long long)min, (long long)max);
}

int value_decimal(struct err *err, const char *flag, const char *text, uint64_t scale,
		  uint64_t *ret)
{
	if (decimal(text, strlen(text), scale, ret) < 0)
		return refuse(err, flag, text, "a number such as 2 or 1.5");
	return 0;
}

int value_bool(struct err *err, const char *flag, const char *text, bool *ret)
{
	if (strcmp(text, "true") == 0 || strcmp(text, "1") == 0)
		*ret = true;
	else if (strcmp(text, "false") == 0 || strcmp(text, "0") == 0)
		*ret = false;
	else
		return refuse(err, flag, text, "true or false");
	return 0;
}

const char *value_part(struct arena *arena, const char *text, char separator, const char **rest)
{
	const char *end = strchr(text, separator);
	const char *part = arena_strndup(arena, text, end ? (size_t)(end - text) : strlen(text));

	*rest = end ? end + 1 : NULL;
	return part ? part : "";
}

bool value_has(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
		if (strncmp(at, word, len) == 0 && (at[len] == ',' || at[len] == '\0'))
			return true;
	return false;
}

const char *value_nearest(const char *const *words, const char *word)
{
	struct nearest nearest = nearest_to(word);

	for (; *words; words++)
		nearest_consider(&nearest, *words);
	return nearest.name;
}
