/*
 * notify.h - tells the service manager that started us when the container is ready (sd_notify(3)).
 *
 * The container speaks to a socket of its own (ops/host_notify.h). Of what it says only "READY=1"
 * is passed on, in our own words and with MAINPID of our choice: a container is not to name a
 * process of the host, to stop the watchdog, or to store descriptors.
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"

/* The container's end, for `start`: a descriptor, or a negative errno with a message. */
int notify_open(int run_dir, struct err *err);

/*
 * Reads one datagram from `fd` (from notify_open() or SLOT_NOTIFY), for a loop that polls it. When
 * the container is ready, tells `host_socket`, the value of NOTIFY_SOCKET in our environment
 * ("/path" or "@abstract"), and waits until the manager has taken note, at most 30 seconds.
 * `main_pid` is what the manager shall watch: init when we end soon (start, run --detach), else
 * ourselves.
 *
 * Returns 1 when it was passed on and nothing more is to be done, 0 when not yet, or a negative
 * errno with a message.
 */
int notify_handle(int fd, const char *host_socket, pid_t main_pid, struct err *err);

/*
 * The loop itself, for `start` and `run --detach`: waits until the container is ready (returns 1)
 * or its process, to which `pidfd` refers, has ended (returns 0).
 */
int notify_forward(int fd, const char *host_socket, pid_t main_pid, int pidfd, struct err *err);
