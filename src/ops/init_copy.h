/*
 * init_copy.h - what an image has in a directory, copied into the tmpfs that will cover it.
 */
#pragma once

#include "ops/ops.h"

/*
 * Copies directories, files, links and FIFOs with owners, permissions and times from the directory
 * `from` (O_PATH) into the mount `to`. Links are copied, not followed; other mounts are not
 * entered; devices and sockets are left out. -E2BIG beyond what the limits in init_copy.c allow,
 * and -ENOSPC when the tmpfs is full; the note of ctx names the entry.
 */
int copy_tree(int from, int to, struct op_ctx *ctx);
