/*
 * supervise.h - the runtime beside the program: until that ends, its signals, its terminal and the
 * output that is to be kept are ours to carry.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "run/end_watch.h"
#include "run/output.h"
#include "run/terminal.h"
#include "run/walk.h"

struct supervise {
	uint64_t old_mask; /* of signals */
	int signals;       /* signalfd, -1: none */
	bool reaps_all;    /* as a subreaper; else other children are not ours to wait for */
	const char *notify_socket; /* NOTIFY_SOCKET of our environment, or NULL */
	struct terminal terminal;
	struct output *output; /* NULL: streams are our caller's, and so is a terminal */
	struct end_watch end;
	int signal; /* by which the program ended, or 0 */
};

#define SUPERVISE_NONE                                                                             \
	{                                                                                          \
		.signals = -1, .terminal = TERMINAL_NONE, .end = END_WATCH_NONE                    \
	}

/* Before init is made: from here on no signal is lost, and none kills us. */
int supervise_begin(struct supervise *s, struct err *err);

/*
 * Until the process of the walk ends: its exit status, 128 + n for signal n. Its terminal comes by
 * SLOT_CONSOLE_PEER, what it tells the service manager by SLOT_NOTIFY.
 */
int supervise_wait(struct supervise *s, struct walk *w, struct err *err);

void supervise_end(struct supervise *s);
