/*
 * host_notify.h - the container's own end of NOTIFY_SOCKET.
 */
#pragma once

#include "ops/ops.h"

#define NOTIFY_DIR     "notify"      /* in the run directory; mounted read-only … */
#define NOTIFY_INSIDE  "/run/notify" /* … here */
#define NOTIFY_NAME    "notify.sock"
#define NOTIFY_SETTING "NOTIFY_SOCKET=" NOTIFY_INSIDE "/" NOTIFY_NAME

/*
 * A fresh datagram socket RUN_DIR/notify/notify.sock, in place of one that an earlier command left:
 * a non-blocking descriptor, or a negative errno.
 */
int notify_bind(int run_dir);

/* Puts it into SLOT_NOTIFY. */
int host_notify(const struct step *s, struct op_ctx *ctx);
