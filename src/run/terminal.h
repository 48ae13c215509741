/*
 * terminal.h - our caller's terminal and the container's, joined: for `run -t` and `exec -t` in the
 * foreground.
 *
 * It has no loop of its own but plugs into that of the supervisor:
 *
 *	_cleanup_(terminal_detach) struct terminal t = TERMINAL_NONE;
 *	terminal_attach(&t, terminal_receive(socket, err), err);
 *	for (;;) {
 *		terminal_poll_fds(&t, fds + 2);          // two of them are the loop's own
 *		poll(fds, 2 + TERMINAL_FDS, -1);
 *		terminal_handle(&t, fds + 2);
 *		…                                         // SIGWINCH: terminal_resize(&t)
 *	}
 *	terminal_finish(&t, signals);                    // the process has ended: the rest of the
 *output
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

#include "base/err.h"

#define TERMINAL_FDS 4

struct terminal_buffer {
	size_t at, len; /* what is left to be written */
	char data[4096];
};

struct terminal {
	int master;   /* of the container's terminal; -1: none */
	int peer;     /* its other end: kept open, so that a program may close and open it */
	int in, out;  /* where input comes from and output goes to; -1: ended */
	bool own_out; /* out is ours to close */
	int caller;   /* our caller's terminal, or -1 */
	bool raw;     /* … was made raw, */
	struct termios saved;            /* … and was like this before */
	struct terminal_buffer up, down; /* to the container, from it */
};

#define TERMINAL_NONE                                                                              \
	{                                                                                          \
		.master = -1, .peer = -1, .in = -1, .out = -1, .caller = -1                        \
	}

/* The terminal's master, which init sends over `socket`: a descriptor, or a negative errno. */
int terminal_receive(int socket, struct err *err);

/*
 * Takes `master` over, a descriptor or the error of terminal_receive(). Gives it the size of our
 * caller's terminal and makes that raw; where standard input is no terminal, it is read as it is.
 */
int terminal_attach(struct terminal *t, int master, struct err *err);

/* What to wait for now; entries without use have a negative descriptor. */
void terminal_poll_fds(const struct terminal *t, struct pollfd fds[TERMINAL_FDS]);

/* Carries what can be carried without waiting. */
void terminal_handle(struct terminal *t, const struct pollfd fds[TERMINAL_FDS]);

/* The size of our caller's terminal has changed. */
void terminal_resize(struct terminal *t);

/*
 * After the end of the process: writes what it still said, down to the last byte, however long our
 * caller takes to read it. A signal that asks us to end, by the signalfd `signals`, ends this, too.
 */
void terminal_finish(struct terminal *t, int signals);

/* Gives our caller his terminal back as it was. */
void terminal_detach(struct terminal *t);
