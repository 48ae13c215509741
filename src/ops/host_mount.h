/*
 * host_mount.h - the operations of the host's lane on file systems. They leave nothing behind: what
 * they make is held by descriptors only, so they need no undo.
 */
#pragma once

#include "ops/ops.h"

int host_tree(const struct step *s, struct op_ctx *ctx);
int host_overlay(const struct step *s, struct op_ctx *ctx);
int host_id_mapped(const struct step *s, struct op_ctx *ctx);
