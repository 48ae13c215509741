/*
 * init_overlay.h - overlays; see init_overlay.c.
 */
#pragma once

#include "ops/ops.h"

int init_overlay(const struct step *s, struct op_ctx *ctx);

/* The overlay of a step, detached, as the caller's mount namespace has its directories. */
int overlay_of_dirs(const struct step_overlay *o, struct op_ctx *ctx);

/*
 * An overlay, detached, over the detached tree, with what is changed in memory. In between the
 * mount point `at` is used. `userxattr`: we have no rights over the host.
 */
int overlay_in_memory(struct op_ctx *ctx, int tree, int at, bool userxattr);
