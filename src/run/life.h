/*
 * life.h - what the commands about a container that is there have in common.
 */
#pragma once

#include "run/run.h"

struct life {
	int dir; /* of its state */
	struct arena arena;
	struct state state;
};

#define LIFE_NONE                                                                                  \
	(struct life)                                                                              \
	{                                                                                          \
		.dir = -1                                                                          \
	}

/*
 * Opens and reads a container; life_done() closes, and gives up the lock. -ENOENT "does not exist"
 * also where a creator was killed before it wrote what it was about to make, unless `claimed` asks
 * for that, too.
 */
int life_open(struct life *l, const char *root, const char *id, bool lock, bool claimed,
	      struct err *err);
void life_done(struct life *l);

/* A descriptor of its process, or -ESRCH: it has ended, or another process has its number. */
int life_process(const struct life *l);

/* Its status, `paused` included. */
enum state_status life_status(const struct life *l);

/* Its configuration, as it was when it was created. */
int life_spec(struct life *l, struct spec *ret, struct err *err);

/* The hooks of its configuration, as it was when it was created. */
int life_hooks(struct life *l, struct spec_hooks *ret, struct err *err);

/* The state as JSON for hooks, up to its pid; without one for a container that has stopped. */
void life_hook_state(const struct life *l, enum state_status status, struct buf *out);

/*
 * The error for a process that was killed during the start: `what`, and whether it was for want of
 * memory. -ECHILD.
 */
int life_oom(const struct spec_strings *cgroups, const char *what, struct err *err);

/*
 * What whoever watches writes a moment after the end; `record` is the open file, `watcher` his
 * pidfd or -1. 1: here it is, 0: he has ended without it, or it takes too long, or a negative
 * errno.
 */
int life_await_record(int record, int watcher, struct state_exit *ret);

/* Kills a process and waits for its end. */
int life_end_process(int pidfd, const char *id, struct err *err);
