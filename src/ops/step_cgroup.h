/*
 * step_cgroup.h - what steps about cgroups carry.
 */
#pragma once

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct step_cgroup {
	const char *path;  /* of the directory, absolute */
	const char *mount; /* where its hierarchy is mounted: a leading part of path */
	int slot;      /* the directory's descriptor: made or opened into it, then used from it */
	bool v1;       /* of cgroup v1, else of v2 */
	bool optional; /* nobody asked for it: goes without where we have no permission */

	/*
	 * STEP_CGROUP_OPEN, v2: who is inside may have moved all processes into cgroups below, for
	 * one that gives controllers on takes no process (cgroup-v2.rst, "No Internal Process
	 * Constraint"). Then the cgroup of this process is taken, if it is below. 0: not.
	 */
	pid_t init;

	/* STEP_CGROUP_MAKE, and STEP_CGROUP_OPEN of update */
	const char *controllers; /* v2: those that limits need, "memory pids", or NULL */
	const char *limit; /* for messages: one that is to be set here, "memory.limit", or NULL */

	/* STEP_CGROUP_OPEN of a start: systemd made it for us, so that it is ours */
	bool scope;

	/* STEP_CGROUP_MAKE, and STEP_CGROUP_OPEN of a start */
	bool inherit;  /* v1 cpuset: starts with the parent's CPUs and memory nodes */
	bool delegate; /* v2: `owner` may make cgroups below */
	uid_t owner;

	/* STEP_CGROUP_WRITE: each line of the value is one write */
	const char *file, *value;
	const char *other_file, *other_value; /* where the kernel has no such file, or NULL */

	/* STEP_CGROUP_DEVICES */
	const struct bpf_insn *devices;
	size_t n_devices;
};
