/*
 * identity.h - parts of a sequence about the process itself: of a container's start, and of exec.
 * Their order is in sequence.c.
 */
#pragma once

#include "plan/plan.h"

/* Where a process of exec runs until it is in its cgroup. */
void add_initial_affinity(struct planner *p);
/* Init itself sets its score: it is not in a user namespace, and it is another one than ours. */
bool init_sets_oom_score(const struct planner *p);
void add_process(struct planner *p);     /* limits, scheduler, score: while capabilities last */
void add_streams(struct planner *p);     /* to whom the caller's pipes belong */
void add_identity(struct planner *p);    /* keyring, label, groups, ids, capabilities, directory */
void add_lookup(struct planner *p);      /* HOME, the program */
void add_confinement(struct planner *p); /* descriptors, signals, no_new_privs, filter */
void add_exec(struct planner *p);
