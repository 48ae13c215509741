/*
 * host_process.h - the operations of the host that concern the run directory, sockets and the
 * process that becomes the container.
 */
#pragma once

#include "ops/ops.h"

int host_run_dir(const struct step *s, struct op_ctx *ctx);
void host_run_dir_undo(const struct step *s, struct op_ctx *ctx);
int host_file(const struct step *s, struct op_ctx *ctx);
int host_open(const struct step *s, struct op_ctx *ctx);
int host_connect(const struct step *s, struct op_ctx *ctx);
int host_socket_pair(const struct step *s, struct op_ctx *ctx);
int host_gate(const struct step *s, struct op_ctx *ctx);

int host_id_map(const struct step *s, struct op_ctx *ctx);
int host_id_map_helper(const struct step *s, struct op_ctx *ctx);
int host_proc_file(const struct step *s, struct op_ctx *ctx);
int host_clocks_open(const struct step *s, struct op_ctx *ctx);
int host_clocks(const struct step *s, struct op_ctx *ctx);
int host_rlimit(const struct step *s, struct op_ctx *ctx);
int host_streams(const struct step *s, struct op_ctx *ctx);
int host_undumpable(const struct step *s, struct op_ctx *ctx);
int host_record_init(const struct step *s, struct op_ctx *ctx);
int host_record_restorer(const struct step *s, struct op_ctx *ctx);
int host_record_server(const struct step *s, struct op_ctx *ctx);

/* Writes "PID STARTTIME" into a new file of the run directory. */
int host_record_process(const struct op_ctx *ctx, const char *name, pid_t pid);
/* The same, in a file with a number: `delete` ends it if it does not end with the container. */
int host_record_server_of(struct op_ctx *ctx, pid_t pid);

int host_view(const struct step *s, struct op_ctx *ctx);
int host_pid_file(const struct step *s, struct op_ctx *ctx);
void host_pid_file_undo(const struct step *s, struct op_ctx *ctx);
int host_send_pidfd(const struct step *s, struct op_ctx *ctx);
int host_created(const struct step *s, struct op_ctx *ctx);

/* host_netns.c */
int host_netns(const struct step *s, struct op_ctx *ctx);
void host_netns_undo(const struct step *s, struct op_ctx *ctx);
int host_netns_up(const struct step *s, struct op_ctx *ctx);
void host_netns_end(struct op_ctx *ctx); /* once init has joined it */
