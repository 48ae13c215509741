/*
 * rootfs_plan.h - what the files about the root file system share while a plan is made.
 */
#pragma once

#include "plan/mount_options.h"
#include "plan/plan.h"

/* Who copies pieces of the host's tree, and when: see rootfs.h. */
enum tree_taker {
	TAKER_HOST,      /* before init is born */
	TAKER_HOST_LATE, /* out of init's mount namespace */
	TAKER_INIT,
};

/* One entry of `mounts`. */
struct rootfs_mount {
	const struct spec_mount *spec;
	size_t index;
	const char *destination;            /* clean */
	const char *source;                 /* of a bind mount, absolute */
	const struct step_overlay *overlay; /* of that type, or NULL */
	struct mount_options options;
	int tree;           /* slot, or SLOT_NONE */
	int late_read_only; /* slot that keeps a mount that becomes read-only at the end */
};

struct rootfs_plan {
	enum tree_taker taker;
	const char *root; /* of the host, absolute */
	struct rootfs_mount *mounts;
	const char *label; /* for context=, or NULL */
	int null;          /* slot of the host's /dev/null */
	int dev;           /* slot of a tmpfs that was mounted at /dev, or SLOT_NONE */
	const char *fuse;  /* fuse-overlayfs: a helper makes overlays, NULL: init or the host */
	bool has_proc;     /* there is a mount at /proc */
	bool bind_devices; /* devices cannot be made here */
	bool skip_devices; /* /dev is the host's */
	int *cgroup_trees; /* slots by hierarchy, where the host takes them */
	int *device_trees; /* slots by number of rootfs_device() */
};

/* ---- rootfs.c ------------------------------------------------------------------------------- */

/* A copy of the host's tree goes into `slot`: a step of this lane. */
void rootfs_add_tree(struct planner *p, enum lane lane, struct step_tree tree);

/* Does init do without rights over the host? */
bool rootfs_in_userns(const struct planner *p);

/* Of bind mounts that say nothing about propagation. */
uint64_t rootfs_default_propagation(const struct planner *p);

/* ---- rootfs_mounts.c ------------------------------------------------------------------------ */

/* Reads and checks what `mounts` says; 0 or the error's code. */
int rootfs_read_mounts(struct planner *p);

/* All but those that wait for the network namespace, and those. Devices may be made between. */
void rootfs_add_mounts(struct planner *p);
void rootfs_add_late_mounts(struct planner *p);
void rootfs_add_late_read_only(struct planner *p);

/* ---- rootfs_overlay.c ----------------------------------------------------------------------- */

/* Reads and checks a mount of type overlay; 0 or the error's code. */
int rootfs_read_overlay(struct planner *p, struct rootfs_mount *m);

/* Makes it, as a detached tree in m->tree: a step of this lane. */
void rootfs_add_overlay(struct planner *p, enum lane lane, const struct rootfs_mount *m,
			bool in_init);

/*
 * Those of an ordinary user, where fuse-overlayfs is there to serve what the kernel refuses: made
 * by a helper, before init does anything.
 */
void rootfs_choose_fuse(struct planner *p);
void rootfs_add_overlays_apart(struct planner *p);
bool rootfs_is_made_apart(const struct planner *p, const struct rootfs_mount *m);

/* Linux 5.11 lets user namespaces make overlays that keep their notes in "user." attributes. */
bool rootfs_needs_userxattr(const struct planner *p);

/* ---- rootfs_cgroup.c ------------------------------------------------------------------------ */

bool rootfs_is_cgroup(const struct rootfs_mount *m);
void rootfs_add_cgroup_sources(struct planner *p);
void rootfs_add_cgroup(struct planner *p, struct rootfs_mount *m);

/* ---- rootfs_dev.c --------------------------------------------------------------------------- */

void rootfs_add_device_sources(struct planner *p, enum lane lane);
void rootfs_add_devices(struct planner *p);

/* The devices by number; NULL: that one is left out. */
size_t rootfs_n_devices(const struct planner *p);
const char *rootfs_device_path(struct planner *p, size_t i);

/* ---- rootfs_path.c -------------------------------------------------------------------------- */

/* "/a//b/../c/" becomes "/a/c", "a" becomes "/a": without a look at the file system. */
const char *rootfs_clean_path(struct arena *arena, const char *path);

/* Is `path` below the directory `dir`, both clean, and not the same? */
bool rootfs_is_below(const char *path, const char *dir);
