/*
 * walk.h - carries out one lane of a plan, handing the baton over where the lane changes.
 */
#pragma once

#include "ops/ops.h"
#include "plan/plan.h"
#include "run/baton.h"

struct walk {
	const struct plan *plan;
	enum lane lane;
	size_t end; /* the lane's work is done here: host leaves at the gate of create */
	int baton;  /* -1 while alone */
	struct op_ctx ctx;
	size_t taken;       /* descriptors of steps before this one have travelled */
	struct report last; /* where it stopped, and why */
	uint64_t *times; /* when each step was through, CLOCK_MONOTONIC in ns; NULL: not wanted */
	struct spawn_area *area; /* what init shares with us while it lasts */
};

/* Walks from step `from` to the end of the lane, or to the first failure in any lane. */
int walk(struct walk *w, size_t from);

/* Kills what was spawned and undoes the host steps before `end`, last first. */
void walk_back(struct walk *w, size_t end);

/* Undoes the host steps before `end` of a container whose process has ended. */
void walk_undo(struct walk *w, size_t end);
