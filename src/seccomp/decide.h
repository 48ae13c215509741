/*
 * decide.h - what a profile says about each call of each architecture, as an array by number.
 */
#pragma once

#include "seccomp/compile.h"
#include "seccomp/tree.h"

/* The calls of one architecture; several share one audit value (x86_64 and x32). */
struct decided_arch {
	const struct seccomp_arch *arch;
	struct target **slots; /* by offset, private ones from syscall_span() on; NULL: default */
	uint32_t known; /* one more than the newest call that the profile mentions; 0: none */
	uint32_t known_private;
};

#define DECIDE_MAX_ARCHES 24

struct decision {
	struct arena *arena;
	size_t n_arches;
	struct decided_arch arches[DECIDE_MAX_ARCHES]; /* the native one first */
	struct target *by_default;                     /* calls that no rule matches */
	struct target *unknown;                        /* calls newer than the profile */
	struct target *bad_arch;
	size_t n_returns, room;
	struct target **returns; /* one for each action */
	bool notifies;
	uint32_t *named; /* by row: the last rule that named the call, counted from 1 */
};

int decide(const struct spec_seccomp *spec, const struct seccomp_env *env, struct decision *d,
	   struct err *err);

/* Whether all of the rule's `includes` and none of its `excludes` hold: 1, 0 or an error. */
int decide_applies(const struct spec_seccomp_rule *rule, const struct seccomp_env *env,
		   const struct seccomp_arch *native, struct err *err);
