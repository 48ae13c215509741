/*
 * attempt.h - trying something in a child process, whose namespaces and mounts go with it: the only
 * answer to "would it work here" that is not a guess.
 */
#pragma once

#include <stdbool.h>

/* How far an attempt came. */
enum attempt_stage {
	ATTEMPT_NAMESPACE, /* making namespaces */
	ATTEMPT_MAP,       /* mapping our own id in the user namespace */
	ATTEMPT_ACTION,    /* what was to be tried */
};

struct attempt {
	int err; /* 0 or a negative errno; -ETIMEDOUT after ten seconds, -ECHILD if it was killed */
	enum attempt_stage stage; /* at which it failed */
};

/* Runs fn in a child; what it returns, 0 or a negative errno, is the result. */
struct attempt attempt_run(int (*fn)(void *data, enum attempt_stage *stage), void *data);

/*
 * For fn: enters new namespaces (CLONE_NEW*). `ordinary`: below a new user namespace, in which our
 * own id is that of root. A new mount namespace sends nothing back to the host. A new pid namespace
 * begins with the next child.
 */
int attempt_enter(int flags, bool ordinary, enum attempt_stage *stage);

/*
 * A child that waits in a new user namespace without any id, until it is ended by the second
 * function: its pid, or a negative errno.
 */
int attempt_userns_begin(void);
void attempt_userns_end(int pid);
