/*
 * baton.h - one message type between the processes that share a plan: "I am through up to step N",
 * or "step N failed". Both hold the same plan, so a number says everything. Safe after clone().
 */
#pragma once

#include <stdint.h>

#include "ops/ops.h"

struct report {
	uint32_t next;  /* the first step not yet done */
	int32_t err;    /* negative errno of that step, or 0 */
	uint32_t phase; /* enum phase: where in the step */
	char note[NOTE_SIZE];
};

/* Sends the whole report; -EPIPE when the peer is gone. */
int baton_send(int fd, const struct report *r);

/* 1: a report, 0: the peer is gone, or a negative errno. */
int baton_recv(int fd, struct report *r);
