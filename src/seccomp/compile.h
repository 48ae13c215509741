/*
 * compile.h - from a seccomp profile to the classic BPF program that the kernel runs.
 *
 * Verdicts are those of runc with libseccomp, which profiles are written for:
 *  - of several rules for a call, the first one without conditions decides; rules with conditions
 *    matter only where there is none. Where conditions of several rules hold, the strictest action
 *    wins, as between several filters of a process (libseccomp leaves that to chance);
 *  - a rule that has the default action is skipped, also where it would contradict another;
 *  - a rule with two conditions on the same argument means either of them;
 *  - calls above the newest one that the profile mentions get ENOSYS unless the default lets calls
 *    pass, so that the C library falls back to an older call (glibc's clone3; moby#42681);
 *  - processes of an architecture that is not listed are killed at their first call;
 *  - socket calls and System V IPC also apply to socketcall(2) and ipc(2) where these exist; there
 *    the conditions on the first argument are lost, because that says which call is meant.
 */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "seccomp/arch.h"
#include "spec/spec.h"

struct seccomp_env {
	uint64_t caps; /* the container's bounding set, for includes and excludes */
	unsigned int kernel_major, kernel_minor; /* for minKernel */
	const struct seccomp_arch *native;       /* NULL: what this program was built for */

	/* Called for each name that no architecture has; may be NULL. Such names are ignored. */
	void (*unknown)(void *data, const char *name);
	void *unknown_data;
};

struct seccomp_program {
	size_t n;
	struct sock_filter *insns;
	uint32_t flags;      /* for seccomp(2); with SECCOMP_FILTER_FLAG_NEW_LISTENER if needed */
	bool needs_listener; /* a rule notifies: the call returns a listener */
};

/*
 * Everything in *ret comes from `arena`. -EINVAL: the profile cannot be compiled as it is; -E2BIG:
 * it needs more than the kernel's 4096 instructions; -ENOMEM.
 */
int seccomp_compile(const struct spec_seccomp *spec, const struct seccomp_env *env,
		    struct arena *arena, struct seccomp_program *ret, struct err *err);
