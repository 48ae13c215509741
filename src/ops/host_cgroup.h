/*
 * host_cgroup.h - the operations of the host on cgroups, see step_cgroup.h.
 */
#pragma once

#include "ops/ops.h"

int host_cgroup_make(const struct step *s, struct op_ctx *ctx);
void host_cgroup_make_undo(const struct step *s, struct op_ctx *ctx);
int host_cgroup_open(const struct step *s, struct op_ctx *ctx);
int host_cgroup_write(const struct step *s, struct op_ctx *ctx);
int host_cgroup_devices(const struct step *s, struct op_ctx *ctx);
