/*
 * oracle.h - what runc and libseccomp make of a profile.
 */
#pragma once

#include "bpf.h"

#include "seccomp/compile.h"

/*
 * One architecture as libseccomp sees it, and the greatest number that the profile mentions for it
 * (runc's rule for ENOSYS), or -1.
 */
struct oracle_arch {
	const struct seccomp_arch *arch;
	int64_t newest, newest_private;
};

struct oracle {
	size_t n; /* 0: libseccomp was not asked */
	struct sock_filter insns[BPF_MAXINSNS * 2];
	size_t n_arches;
	struct oracle_arch arches[24]; /* the native one first */
	uint32_t default_action;
	bool enosys_above; /* numbers above the newest one get ENOSYS instead of the default */
};

/* Whether libseccomp has heard of the call. */
bool oracle_knows(const char *name);

/*
 * Rules must be free of includes and excludes. With tangles (several rules for a call that look at
 * different arguments) there is no program: libseccomp 2.5.4 loses some, or never returns.
 */
void oracle_compile(const struct spec_seccomp *spec, const struct seccomp_arch *native,
		    bool has_tangles, struct oracle *ret);

/* The architecture a call belongs to, or NULL; x32 by its number. */
const struct oracle_arch *oracle_arch_of(const struct oracle *o, const struct call *call);

/* A verdict as runc would have it: ENOSYS instead of the default for what is too new. */
uint32_t oracle_patched(const struct oracle *o, const struct call *call, uint32_t action);
