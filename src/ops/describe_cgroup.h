/*
 * describe_cgroup.h - what a person can do when a step on a cgroup failed.
 */
#pragma once

#include "base/err.h"
#include "ops/ops.h"

/* Sets the hint, where there is something to say. */
void cgroup_hint(const struct step *step, int code, enum phase phase, struct err *err);
