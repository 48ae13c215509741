/*
 * verdict.h - what a profile says of one system call, in words: for tables, differences and checks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "seccomp/decide.h"

struct call_verdict {
	bool exists;               /* the architecture has the call */
	uint32_t action;           /* with its data; where none of the conditions holds */
	const struct chain *chain; /* the conditions; NULL: none */
};

/* `row` is that of the call's name (syscalls.h). */
struct call_verdict verdict_of(const struct decision *d, const struct decided_arch *a, int row);

/* Calls that are newer than all that the profile mentions. */
uint32_t verdict_newer(const struct decision *d, const struct decided_arch *a);

/* Whether the kernel carries such a call out: ALLOW and LOG; TRACE and USER_NOTIF may. */
bool verdict_passes(uint32_t action);
bool verdict_always_passes(const struct call_verdict *v);
bool verdict_never_passes(const struct call_verdict *v);

/* "allowed", "EPERM", "allowed if arg0 = 1, 2, 10, else EPERM" */
void verdict_say_action(uint32_t action, struct buf *out);
void verdict_say(const struct call_verdict *v, struct buf *out);

/* ---- with all capabilities that matter ---------------------------------------------------- */

/* One profile, decided for each set of capabilities that its rules tell apart. */
struct survey {
	size_t n;
	uint64_t *caps;      /* what is added to the set of survey_make(); caps[0]: nothing */
	struct decision **d; /* all with the same architectures */
};

/* -E2BIG: the profile tells too many sets of capabilities apart to say it in words. */
int survey_make(const struct spec_seccomp *spec, const struct seccomp_env *env, struct arena *arena,
		struct survey *ret, struct err *err);

/* Says the whole verdict on a call, "EPERM; with CAP_BPF or CAP_SYS_ADMIN: allowed". */
void survey_say(const struct survey *s, size_t arch, int row, struct buf *out);
