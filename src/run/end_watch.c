/*
 * end_watch.c - see end_watch.h.
 */
#include "run/end_watch.h"

#include <unistd.h>

#include "base/cleanup.h"
#include "sys/sys.h"

void end_watch_open(struct end_watch *w, const struct spec_strings *cgroups)
{
	static const char *const files[END_WATCH_FDS] = { "cgroup.events", "memory.events" };
	_cleanup_(cgroup_dirs_done) struct cgroup_dirs dirs = { 0 };
	const struct cgroup_dir *dir;
	struct err ignored;

	if (cgroup_dirs_open(cgroups, NULL, &dirs, &ignored) < 0)
		return;
	dir = cgroup_dirs_v2(&dirs);
	for (size_t i = 0; dir && i < END_WATCH_FDS; i++) {
		int fd = sys_openat(dir->fd, files[i], O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);

		w->fds[i] = fd < 0 ? -1 : fd;
	}
	w->cgroups = cgroups;
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
		/* A read rearms poll, and fails once the cgroup is gone: nothing more will come. */
		if (sys_call_4(SYS_pread64, w->fds[i], text, sizeof(text), 0) < 0) {
			(void)close(w->fds[i]);
			w->fds[i] = -1;
		}
	}
	if (changed) {
		struct cgroup_end now;

		cgroup_end_read(w->cgroups, &now);
		end_watch_complete(w, &now);
		w->last = now;
	}
}

void end_watch_complete(const struct end_watch *w, struct cgroup_end *end)
{
	const struct cgroup_end *last = &w->last;

	/* Counters never go down, but where their files are gone. */
	if (last->oom_kills > end->oom_kills || last->pids_refused > end->pids_refused ||
	    last->memory_high > end->memory_high || last->cpu_periods > end->cpu_periods)
		*end = *last;
}

void end_watch_done(struct end_watch *w)
{
	for (size_t i = 0; i < END_WATCH_FDS; i++) {
		if (w->fds[i] >= 0)
			(void)close(w->fds[i]);
		w->fds[i] = -1;
	}
}
