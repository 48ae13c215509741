/*
 * host_rdt.h - Intel's and AMD's allocation of cache and memory bandwidth: groups of resctrl
 * (runtime-spec 1.3, config-linux.md, "IntelRdt"; the kernel's
 * Documentation/filesystems/resctrl.rst).
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "ops/ops.h"

/* Puts init into its group; refuses when resctrl is not mounted where the step says. */
int host_intel_rdt(const struct step *s, struct op_ctx *ctx);
void host_intel_rdt_undo(const struct step *s, struct op_ctx *ctx);

/* The part below the mount point, for which `root` is open. */
int rdt_join(int root, const struct step_intel_rdt *rdt, struct op_ctx *ctx);
void rdt_leave(int root, const struct step_intel_rdt *rdt, struct op_ctx *ctx);

/*
 * For `delete`: removes the group that the state names (intel_rdt). Nothing there is no error, and
 * what is not resctrl is left alone.
 */
int rdt_remove(const char *path);

/*
 * For `update`: changes the schemata of the group that the state names; *old gets what they were.
 */
int rdt_change(const char *path, const char *schemata, struct buf *old, struct err *err);
