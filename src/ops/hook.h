/*
 * hook.h - starting a hook, on the host and in the container. Safe after clone().
 */
#pragma once

#include <sys/types.h>

#include "spec/spec.h"

#define HOOK_STACK (16 * 1024)

struct hook_run {
	const struct spec_hook *hook;
	const char *cwd;       /* to start in, "/" if it is not there; NULL: where we are */
	int in, out, messages; /* the hook's standard input, output and error output */
	pid_t parent;          /* who waits for it; set when it is started */
	int error;             /* why it could not be started, by the memory that it shares */
	char stack[HOOK_STACK] __attribute__((aligned(16)));
};

/*
 * Starts the hook in a session of its own, so that a kill of its process group reaches all that it
 * started. It has those three descriptors and no other, exactly the environment of the
 * configuration, and a fresh process's signals, and does not outlive who started it. Returns its
 * pid, or a negative errno.
 */
pid_t hook_start(struct hook_run *run, int *ret_pidfd);
