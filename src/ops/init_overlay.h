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

/*
 * The two halves of it, for who has a mount namespace to himself. The layers of a tmpfs at `at`,
 * which becomes the current directory: "lower" is the tree, "upper" and "work" are empty. And an
 * overlay, detached, of those in the current directory.
 */
int overlay_lay_out(struct op_ctx *ctx, int tree, int at);
int overlay_here(struct op_ctx *ctx, bool userxattr);

/* Room for the name of a descriptor in procfs. */
#define OVERLAY_FD_SIZE 28

/* Appends the name of a descriptor in procfs to a text that has the room; the new length. */
size_t overlay_put_fd(char *text, size_t at, int fd);
