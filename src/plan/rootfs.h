/*
 * rootfs.h - the root file system and everything mounted in it.
 *
 * Who copies the pieces of the host's tree that the container gets (the root, bind mounts) decides
 * between two ways to start:
 *
 * - The host before init is born, where no user namespace is in play. The copies are detached
 * mounts held by descriptors, so init needs nothing of the host's mounts and may start from a tiny
 * mount namespace (rootfs_wants_seed): the time of a start does not depend on how much is mounted.
 * - From init's own mount namespace, where there is a user namespace: there the kernel has locked
 *   the flags of the host's mounts, so that the container cannot make a read-only one writable. A
 *   privileged host does it with its own rights, through a helper that enters that namespace, since
 *   the container's root may not be able to reach a bundle in a directory such as /root. An
 *   ordinary user's runtime leaves it to init, which is the same user to the host.
 */
#pragma once

#include "plan/plan.h"

/*
 * To be called in this order. What must lie between them: add_mount_sources after the cgroup is
 * made; add_late_mount_sources after init has its mount namespace, in a host lane; sysctl steps
 * between add_rootfs and add_restricted_paths, because SLOT_PROC is the procfs of the container
 * where it has one, and /proc/sys is usually among the read-only paths.
 *
 * From STEP_ROOT_TREE on init's umask is 0.
 */
void add_rootfs_handle(struct planner *p);
void add_mount_sources(struct planner *p);
void add_user_overlays(struct planner *p); /* in a host lane, while we are dumpable still */
void add_late_mount_sources(struct planner *p);
void add_rootfs(struct planner *p);
void add_pivot(struct planner *p);

/* Masked and read-only paths, the root read-only; before or after add_pivot. */
void add_restricted_paths(struct planner *p);

/* Is there an overlay to be made? Asked before there are facts. */
bool rootfs_has_overlay(const struct spec *spec, const struct plan_options *options);

/* May init start from SLOT_SEED's mount namespace? After add_rootfs_handle. */
bool rootfs_wants_seed(const struct planner *p);
