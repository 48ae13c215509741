/*
 * init_cgroup.h - the operation of init on cgroups, see step_cgroup.h.
 */
#pragma once

#include "ops/ops.h"

int init_cgroup_join(const struct step *s, struct op_ctx *ctx);
