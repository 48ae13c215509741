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

/*
 * STEP_TREE: a copy of a piece of the host's tree, detached, taken while the host's mounts are in
 * sight. STEP_ROOT_TREE: the tree of `slot` is attached at `path`.
 */
struct step_tree {
	int slot;
	const char *path;
	const char *otherwise; /* taken if that one is not there, or NULL */
	bool recursive;
	bool no_follow;       /* a symbolic link at the end of path is itself the source */
	bool in_init;         /* host lane: with the host's rights, but of init's mount namespace */
	uint64_t propagation; /* STEP_ROOT_TREE: MS_* of the mounts below the root's own */
	bool in_memory, userxattr; /* STEP_ROOT_TREE: as in step_mount */
};

/* STEP_ID_MAPPED: the mounts of a detached tree show other owners. */
struct step_id_mapped {
	int slot;
	bool recursive;
	const char *uid_map, *gid_map; /* NULL: as in the container's user namespace */
};

/* STEP_OVERLAY: an overlay of directories of the host, detached, into `slot`. */
struct step_overlay {
	int slot;
	size_t n_lower;
	const char *const *lower; /* the topmost first */
	const char *upper, *work; /* NULL: read-only */
	bool in_init;             /* as in step_tree */
	size_t n_options;         /* without those */
	const struct mount_option *options;

	/* Host lane, of an ordinary user: in a process that is root in the user namespace. */
	bool apart;
	const char *fuse; /* fuse-overlayfs, for layers that the kernel refuses, or NULL */

	/* What is changed is kept in memory: there is one lower layer and nothing else. */
	const struct step_tree *in_memory;
	const char *place; /* directory of the host that is mounted on in the process's own view */
};

enum {
	OVERLAY_LIST = 13, /* more lower layers go to the kernel one by one, from Linux 6.7 on */
	OVERLAY_MAX_LOWER = 64, /* the kernel takes 500 */
};

/* STEP_PROPAGATION: of every mount that init starts with. */
struct step_propagation {
	uint64_t type; /* MS_PRIVATE or MS_SLAVE */
};

struct step_mount {
	const char *source, *destination, *type;
	int tree; /* slot of the detached tree to attach; SLOT_NONE: a new file system of `type` */
	int keep; /* slot that keeps the attached mount's descriptor, or SLOT_NONE */
	int dir;  /* slot of the directory in which the destination is a name, or SLOT_NONE */
	uint64_t attr_set, attr_clear; /* MOUNT_ATTR_* of this mount */
	uint64_t rec_set, rec_clear;   /* MOUNT_ATTR_* of all mounts below, too */
	uint64_t propagation;          /* MS_SHARED, … or 0 */
	bool propagation_recursive;
	bool remount;      /* changes the mount that is there: attributes only */
	bool no_symlinks;  /* the destination is an ordinary directory and no link leads to it */
	bool in_proc;      /* the destination is one of the files of /proc that may be replaced */
	bool must_be_proc; /* what is attached is the root of a procfs */
	bool copy_up;      /* tmpfs that starts with what is below it */
	bool inherit_mode; /* tmpfs with the permissions of the directory below it */
	bool in_memory;    /* the tree gets an overlay: what is changed is kept in memory */
	bool userxattr;    /* … of somebody without rights over the host */
	const char *fallback; /* bound when the kernel does not let us make the file system */
	const char *label;    /* SELinux label of the root, for file systems without context= */
	size_t n_options;
	const struct mount_option *options; /* for fsconfig */
};

struct step_device {
	const char *path;
	int dir;       /* slot of the mounted directory that it is in, or SLOT_NONE: look it up */
	uint32_t mode; /* type and permissions */
	uint32_t major, minor;
	uint32_t uid, gid;
	int bind; /* slot of the host's device to bind, or SLOT_NONE: make it */
};

struct step_link {
	const char *target, *path;
	int dir;      /* as for a device */
	bool replace; /* what is there already goes */
};

/* STEP_MASK and STEP_READONLY. */
struct step_paths {
	size_t n;
	const char *const *v;
	int proc;          /* slot of the procfs that is mounted at /proc, or SLOT_NONE */
	int null;          /* STEP_MASK: slot of the host's /dev/null */
	const char *label; /* STEP_MASK: SELinux label of the empty directory, or NULL */
};

struct step_pivot {
	bool no_pivot;        /* chroot, for a host that runs from its initramfs */
	uint64_t propagation; /* MS_* of the new root, or 0 */
};
