/*
 * step_mount.h - what steps about file systems carry. All paths below the root file system are
 * resolved when the step is done, with openat2(RESOLVE_IN_ROOT) on the root's descriptor.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mount_option {
	const char *key, *value; /* value NULL: a flag */
};

/* A copy of a piece of the host's tree, detached, taken while the host's mounts are in sight. */
struct step_tree {
	int slot;
	const char *path;
	bool recursive;
};

struct step_mount {
	const char *source, *destination, *type;
	int tree; /* slot of the detached tree to attach, or SLOT_NONE: a new file system of `type`
		   */
	int userns; /* slot of the user namespace for an id-mapped mount, or SLOT_NONE */
	uint64_t attr_set, attr_clear; /* MOUNT_ATTR_* of this mount */
	uint64_t rec_set, rec_clear;   /* MOUNT_ATTR_* of all mounts below, too */
	uint64_t propagation;          /* MS_SHARED, … or 0 */
	bool propagation_recursive;
	bool id_map_recursive;
	bool is_file; /* the mount point to be made, if missing, is a file */
	bool copy_up; /* tmpfs that starts with what is below it */
	size_t n_options;
	const struct mount_option *options; /* for fsconfig */
};

struct step_device {
	const char *path;
	uint32_t mode; /* type and permissions */
	uint32_t major, minor;
	uint32_t uid, gid;
	int bind; /* slot of the host's device to bind, or SLOT_NONE: make it */
};
