/*
 * mount_options.h - the options of a mount: what the kernel keeps per mount, what concerns the
 * mounts below, and what is for the file system.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "ops/step.h"
#include "spec/spec.h"

struct mount_options {
	bool bind;                     /* a piece of the host's tree, not a new file system */
	bool recursive;                /* rbind */
	bool remount;                  /* changes what is mounted there already */
	bool id_map, id_map_recursive; /* idmap, ridmap */
	bool copy_up;                  /* tmpcopyup */
	bool in_memory; /* "tmpoverlay": what is changed in the tree is kept in memory */
	bool source_no_follow, destination_no_follow;
	uint64_t attr_set, attr_clear; /* MOUNT_ATTR_* */
	uint64_t rec_set, rec_clear;
	uint64_t propagation; /* MS_SHARED, … or 0 */
	bool propagation_recursive;
	size_t n_data;
	struct mount_option *data;
};

/*
 * Reads the options of mount number `index`, which is for messages. Later options win over earlier
 * ones. Strings of the result are those of the spec or lie in the arena.
 */
int mount_options_parse(const struct spec_mount *m, size_t index, struct arena *arena,
			struct mount_options *ret, struct err *err);

/* The value of an option for the file system, "" for a flag, NULL if it is not there. */
const char *mount_options_find(const struct mount_options *o, const char *key);

/*
 * The names of the options that are not passed to the file system, in turn; NULL after the last
 * one. *ret_recursive: there is the same with "r" in front, for all mounts below.
 */
const char *mount_options_name(size_t i, bool *ret_recursive);

/* "lowerdir", "upperdir", "workdir": their values may be longer than the kernel takes. */
bool mount_options_is_overlay_path(const char *key);
