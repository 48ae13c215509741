/*
 * subid.h - /etc/subuid and /etc/subgid: the ids that an ordinary user may map besides his own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define SUBID_USUAL 65536U /* ids that images expect: 65534 is nobody */

struct subid_range {
	const char *owner; /* a name, or digits */
	uint32_t first, size;
	unsigned int line;
};

struct subid {
	const char *path;
	bool missing; /* there is no such file, or not for us */
	size_t n;
	struct subid_range *v; /* in the order of the file */
	size_t n_wrong;
	unsigned int *wrong; /* lines that newuidmap(1) does not understand and skips */
};

/* All lines of a file; one that is not there has none. -ENOMEM with a message. */
int subid_read(const char *path, struct arena *arena, struct subid *ret, struct err *err);

/* The same of a text. */
int subid_parse(const char *path, const char *text, struct arena *arena, struct subid *ret,
		struct err *err);

/* Does the range belong to the user? `name` NULL: nobody knows it. */
bool subid_is_of(const struct subid_range *range, const char *name, uint32_t id);

/* How many ids a user has. */
uint64_t subid_total(const struct subid *file, const char *name, uint32_t id);

/*
 * What is wrong with the file, each beginning with PATH:LINE and separated by "; ": lines in
 * another form, empty ranges, ranges that share ids, and ids that belong to users of the host.
 */
void subid_check(const struct subid *file, struct buf *out);
