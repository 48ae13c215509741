/*
 * table.h - profiles for people: a table of all calls, and what differs between two profiles.
 */
#pragma once

#include "seccomp/verdict.h"

/* Calls of the first architecture by verdict, then those of the others that differ. */
int profile_table(const struct survey *s, struct arena *arena, struct buf *out, struct err *err);

struct profile_difference {
	const char *arch; /* "x86_64" */
	const char *call; /* its name, or "newer calls", or "every call" */
	const char *a, *b;
};

struct profile_diff {
	size_t n;
	struct profile_difference *v;
};

/*
 * What one of them says differently. Of the further architectures only what differs in another way
 * than on the first one. Both surveys must be for the same host.
 */
int profile_compare(const struct survey *a, const struct survey *b, struct arena *arena,
		    struct profile_diff *ret, struct err *err);

/* "x86_64" for SCMP_ARCH_X86_64. */
const char *profile_arch_label(const struct seccomp_arch *arch, struct arena *arena);
