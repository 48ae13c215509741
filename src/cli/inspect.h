/*
 * inspect.h - the parts of `containr inspect`: each adds members to an object.
 */
#pragma once

#include "cli/containers.h"

/* inspect_force.c: what the kernel says is in force now, not what was asked for. */
void inspect_in_force(struct cli *cli, const struct container *c, struct buf *out);

/* The limits as they are read from the cgroups. */
void inspect_limits(const struct container *c, struct buf *out);
