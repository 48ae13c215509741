/*
 * host_fuse.h - overlays that an ordinary user's helper process makes; see host_fuse.c.
 */
#pragma once

#include "ops/ops.h"

/* STEP_OVERLAY with `apart`: while our memory is dumpable still, for the user namespace is opened.
 */
int host_overlay_apart(const struct step *s, struct op_ctx *ctx);
