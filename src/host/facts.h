/*
 * facts.h - what is true of this host and this caller, read once, before a plan is made.
 *
 * Cheap: only what the spec at hand can depend on is read. A test makes its own.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "host/cgroup.h"

struct facts {
	unsigned int kernel_major, kernel_minor;
	uid_t euid;
	gid_t egid;
	bool in_userns;         /* we are not in the first user namespace, or not as its root */
	uint64_t caps;          /* our effective capabilities */
	uint64_t known_caps;    /* those that the kernel knows */
	bool apparmor, selinux; /* active */
	int seed_pid;           /* kernel thread with a tiny mount namespace, 0: none in sight */
	struct cgroup_facts cgroup;
};

enum {
	FACTS_LSM = 1,    /* apparmor, selinux */
	FACTS_SEED = 2,   /* seed_pid */
	FACTS_CGROUP = 4, /* cgroup */
};

int facts_read(unsigned int wanted, struct arena *arena, struct facts *ret, struct err *err);
