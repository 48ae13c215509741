/*
 * events.c - what happens to a container: its use of resources now and then, and when it runs out
 * of memory.
 */
#include <errno.h>
#include <poll.h>
#include <time.h>

#include "base/cleanup.h"
#include "ops/cgroup_oom.h"
#include "run/life.h"

struct watched {
	struct life life;
	struct cgroup_dirs dirs;
	int pidfd;
};

static void watched_done(struct watched *w)
{
	if (w->pidfd >= 0)
		(void)close(w->pidfd);
	cgroup_dirs_done(&w->dirs);
	life_done(&w->life);
}

#define WATCHED_NONE                                                                               \
	{                                                                                          \
		.life.dir = -1, .pidfd = -1                                                        \
	}

static int watched_open(struct watched *w, const char *root, const char *id, struct err *err)
{
	int r = life_open(&w->life, root, id, false, false, err);

	if (r < 0)
		return r;
	w->pidfd = life_process(&w->life);
	if (w->pidfd < 0)
		return err_say(err, -ESRCH, "container with id %s is not running", id);
	return cgroup_dirs_open(&w->life.state.cgroups, NULL, &w->dirs, err);
}

static int64_t now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * A shortage is often what ends it, so that is told first, also where the kernel has not come to
 * notify us: it does so for one file of v2 at most every 10 ms.
 */
static int watch(struct watched *w, struct cgroup_oom *oom, int interval,
		 const struct events_listener *listener, struct err *err)
{
	struct pollfd fds[] = { { .fd = w->pidfd, .events = POLLIN },
				{ .fd = oom->fd, .events = oom->events } };
	int64_t next = now_ms() + interval;
	int r = 0;

	while (r == 0) {
		int64_t left = next - now_ms();

		if (poll(fds, 2, left > 0 ? (int)left : 0) < 0 && errno != EINTR)
			return err_set(err, -errno, "wait for events of container %s",
				       w->life.state.id);
		if ((fds[0].revents || fds[1].revents) && cgroup_oom_happened(oom))
			r = listener->oom(listener->data, err);
		if (fds[0].revents)
			break;
		if (r < 0 || now_ms() < next)
			continue;
		next += interval;
		r = listener->stats(listener->data, &w->dirs, err);
	}
	return r;
}

int run_events(const char *root, const char *id, int interval,
	       const struct events_listener *listener, struct err *err)
{
	_cleanup_(watched_done) struct watched w = WATCHED_NONE;
	_cleanup_(cgroup_oom_done) struct cgroup_oom oom = CGROUP_OOM_NONE;
	int r = watched_open(&w, root, id, err);

	if (r == 0)
		r = cgroup_oom_watch(&w.dirs, &oom, err);
	return r < 0 ? r : watch(&w, &oom, interval, listener, err);
}

int run_stats(const char *root, const char *id, const struct events_listener *listener,
	      struct err *err)
{
	_cleanup_(watched_done) struct watched w = WATCHED_NONE;
	int r = watched_open(&w, root, id, err);

	return r < 0 ? r : listener->stats(listener->data, &w.dirs, err);
}
