/*
 * checkpoint.h - the plans of checkpoint and restore. In both, init's lane is not the container's
 * but criu's: init becomes criu, in a mount namespace of its own, and the host talks to it
 * afterwards.
 */
#pragma once

#include "plan/plan.h"

/* What both have in common. */
struct plan_criu {
	const char *program; /* absolute */
	const struct criu_options *options;
	const char *images, *work; /* directories, absolute; work NULL: that of the images */
	struct criu_said *said;    /* the step fills it in */
};

/* What is known of the container that runs. */
struct plan_checkpoint {
	struct plan_criu criu;
	bool pre_dump;
	pid_t pid;
	const struct spec_strings *cgroups; /* its directories */
	/* Inodes of namespaces that it joined by path: 0: it did not. */
	uint64_t net_inode, pid_inode;
	/* Where the mounts of the spec really are, by index: behind links of the image. */
	const char *const *mount_points;
	/* For each masked path: is it a file, covered by /dev/null? */
	const bool *masked_files;
	const char *descriptors; /* text of descriptors.json */
};

/* What the images tell that a plan depends on. */
struct plan_restore {
	struct plan_criu criu;
	const char *pipes[3]; /* what 0, 1 and 2 were, "pipe:[1234]"; NULL: no pipe */
	/* The directory that has the images and the earlier ones that they need, and theirs from
	 * there. */
	const char *top, *below;
};

int plan_build_checkpoint(struct plan *plan, const struct spec *spec,
			  const struct plan_options *options, const struct facts *facts,
			  const struct plan_checkpoint *checkpoint, struct err *err);

/* options->run is set: there is no `start` to wait for. */
int plan_build_restore(struct plan *plan, const struct spec *spec,
		       const struct plan_options *options, const struct facts *facts,
		       const struct plan_restore *restore, struct err *err);
