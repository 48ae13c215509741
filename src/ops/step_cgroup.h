/*
 * step_cgroup.h - what steps about cgroups carry.
 */
#pragma once

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

struct step_cgroup {
	const char *path;               /* of the directory, absolute */
	const char *file, *value;       /* for a write; file also names the setting in messages */
	int slot;                       /* where the directory's descriptor goes, or SLOT_NONE */
	const struct bpf_insn *devices; /* device program of v2 */
	size_t n_devices;
};
