/*
 * output.h - what a detached container says, kept in ROOT/ID/ctr.log: the lines of the Kubernetes
 * container runtime interface, which crictl and podman write as well.
 *
 *	2026-01-31T12:00:00.123456789Z stdout F a line
 *	2026-01-31T12:00:00.123456789Z stderr P the beginning of a line, to be continued
 *
 * A container may say as much as it likes: at `max_size` the file becomes ctr.log.1, that
 * ctr.log.2, and so on; of `max_files` the oldest goes. What cannot be written (a full disk) is
 * dropped, for a container must not stand still because nobody keeps its output.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define OUTPUT_SOURCES  2
#define OUTPUT_MIN_SIZE (64 * 1024)

struct output_options {
	bool keep; /* else what it says is not even looked at */
	uint64_t max_size;
	unsigned int max_files;
};

struct output {
	struct output_options options;
	int dir, file; /* of the container's state; the log in it, -1: none */
	uint64_t size; /* of that */
	struct output_source {
		int fd; /* -1: ended */
		const char *stream;
	} sources[OUTPUT_SOURCES];
	bool terminal;  /* sources[0] is its master, sources[1] its other end, which is only held */
	size_t pending; /* lines in `text` that are not written yet, in bytes */
	char text[16 * 1024];
};

/* Nothing is open yet; `o` is large, so it is filled in place. */
void output_init(struct output *o, const struct output_options *options);

/* Makes pipes for the program's output: ends for it in `ret`, close-on-exec. */
int output_pipes(struct output *o, int ret[OUTPUT_SOURCES], struct err *err);

/* Reads a terminal's master in the place of pipes; takes it over. */
int output_terminal(struct output *o, int master, struct err *err);

/* Begins the log below `dir`, which stays the caller's. */
int output_open(struct output *o, int dir, struct err *err);

void output_poll_fds(const struct output *o, struct pollfd fds[OUTPUT_SOURCES]);
void output_handle(struct output *o, const struct pollfd fds[OUTPUT_SOURCES]);

/* After the end of the program: keeps what is under way, and waits for nobody. */
void output_finish(struct output *o);

void output_done(struct output *o);
