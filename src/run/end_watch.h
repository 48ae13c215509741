/*
 * end_watch.h - what the cgroups know of a container's end, read before somebody else removes them.
 *
 * systemd removes the cgroup of a scope as soon as nobody is in it, which may be before we hear
 * that the program has ended. So the counters are read whenever the kernel says that they, or who
 * is in the cgroup, changed: it tells those that poll before those that have a watch, as systemd
 * does. That is a race which we win only if we get a processor in time. Nothing keeps a cgroup
 * without processes, and its open files end with it; but what it counted is part of what the one
 * above counts, which stays. So that is read before the container is made and each time that the
 * container's own is, and tells how many processes were killed since.
 */
#pragma once

#include <poll.h>

#include "ops/cgroup_end.h"

#define END_WATCH_FDS 3

struct end_watch {
	const struct spec_strings *cgroups; /* borrowed; NULL: they are not watched */
	struct cgroup_dirs dirs;
	int fds[END_WATCH_FDS]; /* cgroup.events, memory.events, pids.events; -1: none */
	uint64_t above;         /* processes killed there, when `last` was read */
	uint64_t limit;         /* of memory, then */
	bool empty;             /* nobody was inside then: nothing can follow */
	struct cgroup_end last;
};

#define END_WATCH_NONE                                                                             \
	{                                                                                          \
		.fds = { -1, -1, -1 }                                                              \
	}

/* Before the container is made; `limit` is the one that its memory will have. */
void end_watch_begin(struct end_watch *w, const struct spec_strings *cgroups, uint64_t limit);

/* Once it is made. Of v2 alone: others are read when it has ended, if they are still there. */
void end_watch_open(struct end_watch *w);

void end_watch_poll_fds(const struct end_watch *w, struct pollfd fds[END_WATCH_FDS]);
void end_watch_handle(struct end_watch *w, const struct pollfd fds[END_WATCH_FDS]);

/* After its end: what is there still, and what is not from what was seen and the one above. */
void end_watch_read(const struct end_watch *w, const struct spec_strings *cgroups,
		    struct cgroup_end *ret);

void end_watch_done(struct end_watch *w);
