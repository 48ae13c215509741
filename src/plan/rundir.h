/*
 * rundir.h - parts of the sequence about what the host keeps and tells: the run directory, sockets,
 * the pid file; their order is in sequence.c.
 */
#pragma once

#include "plan/plan.h"

void add_rundir(struct planner *p);
void add_copies(struct planner *p); /* what exec and hooks will want to read */
void add_sockets(struct planner *p);
void add_record_init(struct planner *p);
/* Who is inside already must not see init before that; in a pid namespace of its own nobody is. */
void add_view(struct planner *p);
void add_late_view(struct planner *p);
void add_terminal(struct planner *p);
void add_created(struct planner *p);
void add_wait_start(struct planner *p);

/* When all steps are known: the text of state.json, which tells of them. */
void finish_rundir(struct planner *p);
