/*
 * subid.c - see subid.h. The form of a line is subuid(5)'s, NAME:FIRST:COUNT.
 */
#include "host/subid.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"

#define FILE_CAP   (4 * 1024 * 1024)
#define HOST_USERS 65536U /* distributions keep the ids below for users of their own */
#define MAX_SAID   8

/* 0, or -EINVAL: not in that form. */
static int parse_line(struct arena *arena, char *line, struct subid_range *ret)
{
	char *first = strchr(line, ':');
	char *size = first ? strchr(first + 1, ':') : NULL;
	uint64_t a, n;

	if (!size || first == line)
		return -EINVAL;
	*first++ = '\0';
	*size++ = '\0';
	if (num_u64(first, UINT32_MAX - 1, &a) < 0 || num_u64(size, UINT32_MAX - a, &n) < 0)
		return -EINVAL;
	ret->owner = arena_strndup(arena, line, strlen(line));
	ret->first = (uint32_t)a;
	ret->size = (uint32_t)n;
	return 0;
}

static size_t count_lines(const char *text)
{
	size_t n = 1;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

int subid_parse(const char *path, const char *text, struct arena *arena, struct subid *ret,
		struct err *err)
{
	const size_t lines = count_lines(text);
	struct subid file = {
		.path = path,
		.v = arena_array(arena, lines, sizeof(*file.v)),
		.wrong = arena_array(arena, lines, sizeof(*file.wrong)),
	};
	unsigned int number = 0;

	if (!file.v || !file.wrong)
		return err_set(err, -ENOMEM, "read %s", path);
	for (size_t len; *text; text += len + (text[len] == '\n')) {
		char *line;

		len = strcspn(text, "\n");
		number++;
		if (len == 0 || *text == '#')
			continue;
		line = arena_strndup(arena, text, len);
		if (line && parse_line(arena, line, &file.v[file.n]) == 0)
			file.v[file.n++].line = number;
		else
			file.wrong[file.n_wrong++] = number;
	}
	if (arena_failed(arena))
		return err_set(err, -ENOMEM, "read %s", path);
	*ret = file;
	return 0;
}

int subid_read(const char *path, struct arena *arena, struct subid *ret, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	_cleanup_buf_ struct buf text = { 0 };
	const bool missing = fd < 0 || buf_read_fd(&text, fd, FILE_CAP) < 0;
	int r = subid_parse(path, missing ? "" : buf_text(&text), arena, ret, err);

	if (r == 0)
		ret->missing = missing;
	return r;
}

bool subid_is_of(const struct subid_range *range, const char *name, uint32_t id)
{
	uint64_t number;

	if (name && strcmp(range->owner, name) == 0)
		return true;
	return num_u64(range->owner, UINT32_MAX, &number) == 0 && number == id;
}

uint64_t subid_total(const struct subid *file, const char *name, uint32_t id)
{
	uint64_t total = 0;

	for (size_t i = 0; i < file->n; i++)
		if (subid_is_of(&file->v[i], name, id))
			total += file->v[i].size;
	return total;
}

/* ---- what is wrong --------------------------------------------------------------------------- */

static int by_first(const void *a, const void *b)
{
	const struct subid_range *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return x->line < y->line ? -1 : 1;
}

static void begin(const struct subid *file, unsigned int line, size_t *said, struct buf *out)
{
	buf_printf(out, "%s%s:%u: ", *said > 0 ? "; " : "", file->path, line);
	(*said)++;
}

static void check_range(const struct subid *file, const struct subid_range *r, size_t *said,
			struct buf *out)
{
	if (r->size == 0) {
		begin(file, r->line, said, out);
		buf_printf(out, "the range of %s is empty", r->owner);
	} else if (r->first < HOST_USERS) {
		begin(file, r->line, said, out);
		buf_printf(out, "%s gets ids from %u on, which users of the host have", r->owner,
			   r->first);
	}
}

/* `last` reaches furthest of those before. */
static void check_overlap(const struct subid *file, const struct subid_range *last,
			  const struct subid_range *r, size_t *said, struct buf *out)
{
	if (!last || r->size == 0 || r->first >= (uint64_t)last->first + last->size)
		return;
	begin(file, r->line, said, out);
	buf_printf(out, "the ids of %s from %u on are those of %s (line %u), too", r->owner,
		   r->first, last->owner, last->line);
}

void subid_check(const struct subid *file, struct buf *out)
{
	_cleanup_free_ struct subid_range *sorted = calloc(file->n + 1, sizeof(*sorted));
	const struct subid_range *last = NULL;
	size_t said = 0;

	for (size_t i = 0; i < file->n_wrong && said < MAX_SAID; i++) {
		begin(file, file->wrong[i], &said, out);
		buf_str(out, "is not in the form NAME:FIRST:COUNT");
	}
	for (size_t i = 0; i < file->n && said < MAX_SAID; i++)
		check_range(file, &file->v[i], &said, out);
	if (!sorted)
		return;
	if (file->n > 0)
		memcpy(sorted, file->v, file->n * sizeof(*sorted));
	qsort(sorted, file->n, sizeof(*sorted), by_first);
	for (size_t i = 0; i < file->n && said < MAX_SAID; i++) {
		const struct subid_range *r = &sorted[i];

		check_overlap(file, last, r, &said, out);
		if (!last || (uint64_t)r->first + r->size > (uint64_t)last->first + last->size)
			last = r;
	}
}
