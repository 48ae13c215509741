/*
 * init_mount.h - the operations of init on file systems, one function a kind of step.
 */
#pragma once

#include "ops/ops.h"

int init_tree(const struct step *s, struct op_ctx *ctx);
int init_propagation(const struct step *s, struct op_ctx *ctx);
int init_root_new(const struct step *s, struct op_ctx *ctx);
int init_root_tree(const struct step *s, struct op_ctx *ctx);
int init_root_file(const struct step *s, struct op_ctx *ctx);
int init_mount(const struct step *s, struct op_ctx *ctx);
int init_proc(const struct step *s, struct op_ctx *ctx);
int init_device(const struct step *s, struct op_ctx *ctx);
int init_link(const struct step *s, struct op_ctx *ctx);
int init_mask(const struct step *s, struct op_ctx *ctx);
int init_readonly(const struct step *s, struct op_ctx *ctx);
int init_root_readonly(const struct step *s, struct op_ctx *ctx);
int init_pivot(const struct step *s, struct op_ctx *ctx);

/* Detached, for mount points; with an SELinux label, or NULL: a descriptor or a negative errno. */
int make_small_tmpfs(const char *label);

/* The copy of a tree as the caller's mount namespace has it: a descriptor or a negative errno. */
int take_host_tree(const struct step_tree *t);
