/*
 * init_process.h - the operations of init that concern the process: what it sees, who it is, what
 * it may do. One function a kind of step, in the order of enum step_kind.
 */
#pragma once

#include "ops/ops.h"

int init_open(const struct step *s, struct op_ctx *ctx);
int init_die_with_parent(const struct step *s, struct op_ctx *ctx);
int init_set_ns(const struct step *s, struct op_ctx *ctx);
int init_unshare(const struct step *s, struct op_ctx *ctx);
int init_root_of_userns(const struct step *s, struct op_ctx *ctx);
int init_hostname(const struct step *s, struct op_ctx *ctx);
int init_domainname(const struct step *s, struct op_ctx *ctx);
int init_proc_text(const struct step *s, struct op_ctx *ctx);

int init_hooks(const struct step *s, struct op_ctx *ctx);
int init_rlimit(const struct step *s, struct op_ctx *ctx);
int init_session(const struct step *s, struct op_ctx *ctx);
int init_terminal(const struct step *s, struct op_ctx *ctx);

/* Sends the master of a terminal over a socket, as engines expect it. */
int send_master(int socket, int master);

int init_personality(const struct step *s, struct op_ctx *ctx);
int init_scheduler(const struct step *s, struct op_ctx *ctx);
int init_io_priority(const struct step *s, struct op_ctx *ctx);
int init_affinity(const struct step *s, struct op_ctx *ctx);
int init_memory_policy(const struct step *s, struct op_ctx *ctx);

int init_keyring(const struct step *s, struct op_ctx *ctx);
int init_landlock_rules(const struct step *s, struct op_ctx *ctx);
int init_groups(const struct step *s, struct op_ctx *ctx);
int init_bounding(const struct step *s, struct op_ctx *ctx);
/* Makes the pipes among descriptors 0 to 2 belong to uid, as this process counts users. */
void give_streams(uint32_t uid);
int init_streams(const struct step *s, struct op_ctx *ctx);
int init_ids(const struct step *s, struct op_ctx *ctx);
int init_capabilities(const struct step *s, struct op_ctx *ctx);
int init_ambient(const struct step *s, struct op_ctx *ctx);
int init_home(const struct step *s, struct op_ctx *ctx);
int init_cwd(const struct step *s, struct op_ctx *ctx);
int init_lookup(const struct step *s, struct op_ctx *ctx);
int init_outlive_parent(const struct step *s, struct op_ctx *ctx);
int init_close_fds(const struct step *s, struct op_ctx *ctx);
int init_keep_fds(const struct step *s, struct op_ctx *ctx);
int init_mount_point(const struct step *s, struct op_ctx *ctx);
int init_sources(const struct step *s, struct op_ctx *ctx);
int init_signals(const struct step *s, struct op_ctx *ctx);
int init_no_new_privs(const struct step *s, struct op_ctx *ctx);
int init_landlock(const struct step *s, struct op_ctx *ctx);
int init_seccomp(const struct step *s, struct op_ctx *ctx);
int init_exec(const struct step *s, struct op_ctx *ctx);
