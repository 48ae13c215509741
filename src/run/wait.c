/*
 * wait.c - the end of a container, for those who are not its parent.
 */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "run/life.h"

#define STEP_MS     2    /* where the kernel has no event for us */
#define PATIENCE_MS 3000 /* in which the record of an end is written */

/* 1: its process has ended, 0: not in time, or a negative errno. */
static int wait_for_process(const struct life *l, int ms)
{
	_cleanup_close_ int pidfd = life_process(l);
	struct pollfd end = { .fd = pidfd, .events = POLLIN };
	int n;

	if (pidfd < 0)
		return pidfd == -ESRCH ? 1 : pidfd;
	do
		n = poll(&end, 1, ms);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/*
 * Whether the watcher is gone is asked before the record is read, for he may have written it last
 * of all; and what is written after that wakes us.
 */
int life_await_record(int record, int watcher, struct state_exit *ret)
{
	_cleanup_close_ int changes = state_exit_watch(record);
	const int64_t end = clock_ms() + PATIENCE_MS;
	struct pollfd fds[] = { { .fd = watcher, .events = POLLIN },
				{ .fd = changes, .events = POLLIN } };

	for (;;) {
		bool last = watcher < 0 || poll(fds, 1, 0) != 0;
		int r = state_exit_read(record, ret);
		int64_t left = end - clock_ms();
		char events[256];

		if (r != 0 || last || left <= 0)
			return r;
		(void)poll(fds, 2, changes < 0 ? STEP_MS : (int)left);
		(void)!read(changes, events, sizeof(events));
	}
}

int run_wait(const char *root, const char *id, int ms, struct state_exit *ret, struct err *err)
{
	_cleanup_(life_done) struct life l = LIFE_NONE;
	_cleanup_close_ int record = -1, watcher = -1;
	/* Locked: the program runs before who started it has made the two files, and lets go. */
	int r = life_open(&l, root, id, true, false, err);

	if (r < 0)
		return r;
	/* Both are held from here on: somebody may remove the container meanwhile. */
	record = state_exit_open(l.dir);
	watcher = state_watcher_open(l.dir, NULL);
	state_unlock(l.dir);
	r = wait_for_process(&l, ms);
	if (r == 0)
		return err_say(err, -ETIMEDOUT, "container %s has not ended", id);
	if (r > 0)
		r = record < 0 ? 0 : life_await_record(record, watcher, ret);
	return r < 0 ? err_set(err, r, "wait for container %s", id) : r;
}
