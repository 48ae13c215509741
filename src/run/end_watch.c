/*
 * end_watch.c - see end_watch.h.
 */
#include "run/end_watch.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sys/sys.h"

enum { CGROUP_EVENTS, MEMORY_EVENTS, PIDS_EVENTS };

/* Of the cgroup above, all those below included. 0 where there is none, or it is not counted. */
static uint64_t kills_above(const struct end_watch *w)
{
	_cleanup_buf_ struct buf events = { 0 };
	struct cgroup_dir dir = { .fd = -1 };
	struct err ignored;
	char path[PATH_MAX];
	uint64_t kills;

	if (w->cgroups->n != 1 || strlen(w->cgroups->v[0]) >= sizeof(path))
		return 0;
	(void)snprintf(path, sizeof(path), "%s", w->cgroups->v[0]);
	*strrchr(path, '/') = '\0';
	if (cgroup_dir_open(path, &dir, &ignored) < 0)
		return 0;
	cgroup_read_text(&dir, "memory.events", &events);
	kills = cgroup_find_u64(buf_text(&events), "oom_kill", 0);
	cgroup_dir_close(&dir);
	return kills;
}

/* Also what makes poll wait for the next change. False: the cgroup is gone. */
static bool read_watched(const struct end_watch *w, size_t i, char text[256])
{
	long n = w->fds[i] < 0 ? -1 : sys_call_4(SYS_pread64, w->fds[i], text, 255, 0);

	text[n > 0 ? n : 0] = '\0';
	return n >= 0;
}

/* False: it is gone by now, so that anything may be missing. */
static bool read_counters(const struct end_watch *w, struct cgroup_end *ret)
{
	char ignored[256];

	cgroup_end_read_dirs(&w->dirs, ret);
	return read_watched(w, CGROUP_EVENTS, ignored);
}

static void complete_memory(const struct end_watch *w, struct cgroup_end *end)
{
	uint64_t above = w->empty ? w->above : kills_above(w);

	if (end->oom_kills <= w->last.oom_kills)
		end->oom_kills = w->last.oom_kills + (above > w->above ? above - w->above : 0);
	if (end->oom_kills == 0)
		return;
	if (end->memory_peak == 0)
		end->memory_peak = w->last.memory_peak;
	if (end->memory_limit == CGROUP_NO_LIMIT)
		end->memory_limit = w->limit;
	if (end->victim.pid == 0)
		end->victim = w->last.victim;
	if (end->victim.pid == 0)
		cgroup_victim_find(w->cgroups->v[0], &end->victim);
}

static void take_more(uint64_t *mine, uint64_t other)
{
	if (other > *mine)
		*mine = other;
}

/* Counters never go down, but where their files are gone. */
static void complete(const struct end_watch *w, struct cgroup_end *end)
{
	const struct cgroup_end *last = &w->last;

	complete_memory(w, end);
	take_more(&end->memory_high, last->memory_high);
	take_more(&end->pids_refused, last->pids_refused);
	if (last->pids_refused > 0 && end->pids_limit == CGROUP_NO_LIMIT)
		end->pids_limit = last->pids_limit;
	if (last->cpu_periods > end->cpu_periods) {
		end->cpu_periods = last->cpu_periods;
		end->cpu_throttled = last->cpu_throttled;
		end->cpu_throttled_ns = last->cpu_throttled_ns;
	}
}

/* A hybrid host has counters in several directories, and nothing above that would tell the rest. */
static void keep_what_was_there(struct end_watch *w, struct cgroup_end *now)
{
	if (w->cgroups->n == 1)
		return;
	complete(w, now);
	w->last = *now;
}

/* Again where somebody was killed meanwhile, for both are to know of the same ones. */
static void look(struct end_watch *w)
{
	uint64_t before, above = kills_above(w);
	int tries = 3;
	struct cgroup_end now;
	char events[256];
	bool empty =
	    read_watched(w, CGROUP_EVENTS, events) && cgroup_find_u64(events, "populated", 1) == 0;

	do {
		before = above;
		if (!read_counters(w, &now)) {
			keep_what_was_there(w, &now);
			return;
		}
		above = kills_above(w);
	} while (above != before && --tries > 0);
	w->last = now;
	w->empty = empty;
	w->above = before;
	w->limit = cgroup_read_u64(cgroup_dirs_v2(&w->dirs), "memory.max", w->limit);
}

void end_watch_begin(struct end_watch *w, const struct spec_strings *cgroups, uint64_t limit)
{
	w->cgroups = cgroups;
	w->limit = limit;
	w->above = kills_above(w);
}

void end_watch_open(struct end_watch *w)
{
	static const char *const files[END_WATCH_FDS] = {
		[CGROUP_EVENTS] = "cgroup.events",
		[MEMORY_EVENTS] = "memory.events",
		[PIDS_EVENTS] = "pids.events",
	};
	const struct cgroup_dir *dir;
	struct err ignored;
	char text[256];

	if (!w->cgroups || cgroup_dirs_open(w->cgroups, NULL, &w->dirs, &ignored) < 0 ||
	    w->dirs.n == 0)
		return;
	dir = cgroup_dirs_v2(&w->dirs);
	if (!dir)
		w->cgroups = NULL;
	for (size_t i = 0; dir && i < END_WATCH_FDS; i++) {
		int fd = sys_openat(dir->fd, files[i], O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);

		w->fds[i] = fd < 0 ? -1 : fd;
		(void)read_watched(w, i, text);
	}
	if (dir)
		look(w);
}

void end_watch_poll_fds(const struct end_watch *w, struct pollfd fds[END_WATCH_FDS])
{
	for (size_t i = 0; i < END_WATCH_FDS; i++)
		fds[i] = (struct pollfd){ .fd = w->fds[i], .events = POLLPRI };
}

void end_watch_handle(struct end_watch *w, const struct pollfd fds[END_WATCH_FDS])
{
	bool changed = false;

	for (size_t i = 0; i < END_WATCH_FDS; i++) {
		char text[256];

		if (fds[i].revents == 0 || w->fds[i] < 0)
			continue;
		changed = true;
		if (read_watched(w, i, text))
			continue;
		/* Nothing more will come. */
		(void)close(w->fds[i]);
		w->fds[i] = -1;
	}
	if (changed)
		look(w);
}

void end_watch_read(const struct end_watch *w, const struct spec_strings *cgroups,
		    struct cgroup_end *ret)
{
	if (!w->cgroups)
		cgroup_end_read(cgroups, ret);
	else if (!read_counters(w, ret))
		complete(w, ret);
}

void end_watch_done(struct end_watch *w)
{
	for (size_t i = 0; i < END_WATCH_FDS; i++) {
		if (w->fds[i] >= 0)
			(void)close(w->fds[i]);
		w->fds[i] = -1;
	}
	cgroup_dirs_done(&w->dirs);
}
