/*
 * host_criu.h - the conversation with criu, and the directories that it works in.
 */
#pragma once

#include "ops/ops.h"
#include "state/state.h"

/* Opens a directory of the host; one that it made is removed by undo, with the files in it. */
int host_directory(const struct step *s, struct op_ctx *ctx);
void host_directory_undo(const struct step *s, struct op_ctx *ctx);

/* host_images.c: SLOT_IMAGES is from here on the directory as it is in that tree. */
int host_images(const struct step *s, struct op_ctx *ctx);
int host_images_end(const struct step *s, struct op_ctx *ctx);
void host_images_undo(const struct step *s, struct op_ctx *ctx);

/*
 * For `delete`, after a restore that was cut off: the modes of the images that are on record in a
 * run directory. 0, also if there is nothing to do, or a negative errno; ret->path says of what.
 */
int host_images_put_back(int run_dir, struct state_images *ret);

/*
 * ctx->pid is criu, which waits for a request. Afterwards it is the container that was restored, or
 * 0 after a checkpoint, and criu is gone. On failure s->criu.said has criu's reason, and criu and
 * what it restored have ended.
 */
int host_criu(const struct step *s, struct op_ctx *ctx);
