/*
 * spawn.h - makes the process that becomes the container. Safe after clone().
 *
 * Where we stay until it executes the program (run, exec), init shares our memory (CLONE_VM): no
 * page tables are copied, which is a tenth of a start. Where it outlives us (create), it has a
 * copy. In both cases it has a stack of its own, no signal handlers, all signals blocked, and runs
 * nothing that touches thread-local storage (sys/raw.h).
 */
#pragma once

#include "run/walk.h"

#define SPAWN_STACK (56 * 1024)

struct spawn_birth {
	struct walk *parent;
	const pid_t *pid; /* of init, as the host sees it */
	int *fd;          /* init's own slots */
	int baton;        /* init's end */
	int baton_host;   /* to be closed in init */
	size_t at;        /* number of the spawn step */
	void (*main)(struct spawn_birth *birth);
};

/* Fills ctx.pid and ctx.pidfd, and sets the baton: 0 or a negative errno. */
int spawn_init(struct walk *w, size_t at, void (*main)(struct spawn_birth *birth));

/* Once init executes its program, or is gone, its stack can go. */
void spawn_done(struct walk *w);
