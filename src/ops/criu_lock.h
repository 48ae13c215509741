/*
 * criu_lock.h - the network of a container that criu did not checkpoint after all.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "ops/step_criu.h"

struct criu_lock {
	int netns;    /* in which criu has all packets dropped, or -1 */
	bool own_net; /* the container has a network namespace */
};

#define CRIU_LOCK_NONE                                                                             \
	{                                                                                          \
		-1, false                                                                          \
	}

/* criu is about to lock the network namespace of a process, or has unlocked it. */
int criu_lock_begun(struct criu_lock *lock, pid_t pid);
void criu_lock_ended(struct criu_lock *lock);

/*
 * Ends the state of repair that criu has put connections of the namespace into: who reads from one
 * gets an error. To be called while criu still has stopped them, if that can be.
 */
void criu_lock_end_repairs(const struct criu_lock *lock);

/*
 * Takes away what is locked and criu, which is gone, did not unlock. What stays is added to
 * said->text; so are, with `connections`, those of a container in the host's network, each of which
 * has rules of its own.
 */
void criu_lock_remove(const struct criu_lock *lock, bool connections, struct criu_said *said);
