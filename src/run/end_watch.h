/*
 * end_watch.h - what the cgroups know of a container's end, read before somebody else removes them.
 *
 * systemd removes the cgroup of a scope as soon as nobody is in it, which may be before we hear
 * that the program has ended. So the counters are read whenever the kernel says that they, or who
 * is in the cgroup, changed: it tells those that poll before those that have a watch, as systemd
 * does.
 */
#pragma once

#include <poll.h>

#include "ops/cgroup_end.h"

#define END_WATCH_FDS 2

struct end_watch {
	const struct spec_strings *cgroups; /* borrowed; NULL: nobody but us removes them */
	int fds[END_WATCH_FDS];             /* cgroup.events and memory.events, -1: none */
	struct cgroup_end last;
};

#define END_WATCH_NONE                                                                             \
	{                                                                                          \
		.fds = { -1, -1 }                                                                  \
	}

/* Of v2 alone. What cannot be watched is read when it has ended, if it is still there. */
void end_watch_open(struct end_watch *w, const struct spec_strings *cgroups);

void end_watch_poll_fds(const struct end_watch *w, struct pollfd fds[END_WATCH_FDS]);
void end_watch_handle(struct end_watch *w, const struct pollfd fds[END_WATCH_FDS]);

/* Fills what is read too late, and so 0, from what was seen. */
void end_watch_complete(const struct end_watch *w, struct cgroup_end *end);

void end_watch_done(struct end_watch *w);
