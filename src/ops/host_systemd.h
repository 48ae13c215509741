/*
 * host_systemd.h - a scope of systemd for the container: asked for, waited for, stopped.
 */
#pragma once

#include "base/err.h"
#include "ops/ops.h"

int host_scope(const struct step *s, struct op_ctx *ctx);
void host_scope_undo(const struct step *s, struct op_ctx *ctx);
int host_scope_await(const struct step *s, struct op_ctx *ctx);

/* exec: init goes into a scope that is there. */
int host_scope_attach(const struct step *s, struct op_ctx *ctx);

/* `update`: tells systemd of new limits, so that it does not set the old ones again. */
int scope_update(const struct step_scope *scope, struct err *err);
