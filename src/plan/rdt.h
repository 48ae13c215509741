/*
 * rdt.h - the container's share of cache and memory bandwidth (linux.intelRdt).
 */
#pragma once

#include "plan/plan.h"

/* After init is there: a host step needs its pid. */
void add_intel_rdt(struct planner *p);

/* For the state: the directory that `delete` has to remove, or NULL. */
const char *plan_intel_rdt_path(struct planner *p);
