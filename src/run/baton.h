/*
 * baton.h - one message type between the processes that share a plan: "I am through up to step N",
 * or "step N failed". Both hold the same plan, so a number says everything; what one lane has
 * opened for the other since its birth travels along. Safe after clone().
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "ops/ops.h"

struct report {
	uint32_t next;  /* the first step not yet done */
	int32_t err;    /* negative errno of that step, or 0 */
	uint32_t phase; /* enum phase: where in the step */
	char note[NOTE_SIZE];
};

/* What the kernel lets travel with one message (SCM_MAX_FD). */
#define BATON_MAX_FDS 253

struct baton_fds {
	size_t n;
	int v[BATON_MAX_FDS];
};

/* Sends the whole report, with descriptors if `fds` is not NULL; -EPIPE when the peer is gone. */
int baton_send(int fd, const struct report *r, const struct baton_fds *fds);

/*
 * 1: a report, 0: the peer is gone, or a negative errno. The descriptors are the receiver's; with
 * `fds` NULL none are taken.
 */
int baton_recv(int fd, struct report *r, struct baton_fds *fds);

/* The same without waiting and without descriptors; -EAGAIN: there is nothing yet. */
int baton_look(int fd, struct report *r);
