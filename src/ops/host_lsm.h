/*
 * host_lsm.h - what the host does for AppArmor and SELinux.
 */
#pragma once

#include "ops/ops.h"

/* Loads a profile: our own, or that of a file. It stays: other containers may use it by then. */
int host_apparmor(const struct step *s, struct op_ctx *ctx);

/* The label of what this thread makes from here on; "" for the usual one. */
int host_label(const struct step *s, struct op_ctx *ctx);
void host_label_undo(const struct step *s, struct op_ctx *ctx);
