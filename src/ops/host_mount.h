/*
 * host_mount.h - the operations of the host's lane on file systems. They leave nothing behind: what
 * they make is held by descriptors only, so they need no undo.
 */
#pragma once

#include "ops/ops.h"

/* What the step opens or takes, as init's mount namespace has it: a descriptor, or an error. */
int host_take_in_init(struct op_ctx *ctx, const struct step *step);

int host_tree(const struct step *s, struct op_ctx *ctx);
int host_overlay(const struct step *s, struct op_ctx *ctx);
int host_id_mapped(const struct step *s, struct op_ctx *ctx);
