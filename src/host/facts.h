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
#include "host/lsm.h"
#include "host/systemd.h"

struct facts {
	unsigned int kernel_major, kernel_minor;
	uid_t euid;
	gid_t egid;
	bool in_userns; /* we are not in the first user namespace: root here is not the host's */
	uint64_t caps;  /* our effective capabilities */
	uint64_t known_caps;  /* those that the kernel knows */
	int oom_score_adj;    /* ours, which the container would inherit */
	struct lsm_facts lsm; /* AppArmor, SELinux, Landlock */
	bool has_seed; /* a tiny mount namespace of the kernel's own is there to start from */
	int seed_fd;   /* it, or -1; owned by whoever read the facts */
	struct cgroup_facts cgroup;
	struct systemd_facts systemd;
	const char *fuse_overlayfs; /* the program, or NULL: it is not installed, or not wanted */
};

enum {
	FACTS_LSM = 1,          /* lsm without Landlock */
	FACTS_SEED = 2,         /* has_seed, seed_fd */
	FACTS_CGROUP = 4,       /* cgroup */
	FACTS_LANDLOCK = 8,     /* lsm.landlock_abi */
	FACTS_CONTROLLERS = 16, /* with FACTS_CGROUP: cgroup.v2_controllers */
	FACTS_OOM_SCORE = 32,   /* oom_score_adj */
	FACTS_SYSTEMD = 64,     /* systemd, connected */
	FACTS_FUSE = 128,       /* fuse_overlayfs */
};

int facts_read(unsigned int wanted, struct arena *arena, struct facts *ret, struct err *err);
