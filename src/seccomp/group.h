/*
 * group.h - system calls that go together: for edits of a profile ("-@clock"), and what the C
 * libraries do when one is missing.
 */
#pragma once

#include <stddef.h>

struct syscall_group {
	const char *name;    /* "clock" */
	const char *summary; /* one line */
	const char *calls;   /* names, separated by spaces */
};

/* All of them in turn, by name; NULL after the last one. */
const struct syscall_group *group_at(unsigned int i);
const struct syscall_group *group_find(const char *name, size_t len); /* NULL: none */

/*
 * Who tries this call first and falls back to an older one, or does without, only if it gets
 * ENOSYS; NULL if nobody does. With EPERM it fails.
 */
const char *group_prober(const char *call);
const char *group_probed(unsigned int i); /* all such calls in turn; NULL after the last one */

/*
 * The i-th name under which 32-bit architectures have the same call, with another width of ids,
 * sizes or times; NULL after the last one.
 */
const char *group_variant(const char *call, unsigned int i);
