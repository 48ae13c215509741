/*
 * cgroup_update.h - changes limits of a container that is there: all of them, or none.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "ops/ops.h"

/*
 * Carries out the steps of a plan for update. When the kernel refuses one of them, what was set
 * before is put back; the message says so, or what could not be put back.
 */
int cgroup_update(const struct step *steps, size_t n, struct op_ctx *ctx, struct arena *arena,
		  struct err *err);
