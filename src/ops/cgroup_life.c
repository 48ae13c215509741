/*
 * cgroup_life.c - see cgroup_life.h.
 *
 * On v2, and on hybrid hosts through their v2 hierarchy, the kernel does the work: cgroup.kill,
 * cgroup.freeze, and cgroup.events, which tells by poll when something has changed. On v1 processes
 * are frozen before they are signalled, so that none forks on and no pid is given away meanwhile.
 *
 * Every directory is verified to be of a cgroup file system and not the root of one.
 */
#include "ops/cgroup_life.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ops/cgroup_tree.h"
#include "sys/sys.h"

/* How long a kernel may take for what it normally does in a millisecond. */
#define PATIENCE_MS 10000

/* For what nothing tells us about: 20 us, and twice as long each time, up to 20 ms. */
static void back_off(long *ns)
{
	const struct timespec wait = { .tv_nsec = *ns };

	(void)nanosleep(&wait, NULL);
	*ns = *ns < 20000000 ? *ns * 2 : *ns;
}

/*
 * The directory to work with: that of v2, which has everything, else that of the freezer, else any.
 * -ENOENT: none is left.
 */
static int open_best(const struct spec_strings *dirs, struct cgroup_dir *ret, struct err *err)
{
	struct cgroup_dir best = { .fd = -ENOENT };
	int r = 0;

	/* From the end, where that of v2 is: `state` would else look at a dozen directories. */
	for (size_t i = 0; i < dirs->n && r >= 0 && !best.v2; i++) {
		struct cgroup_dir dir;

		r = cgroup_dir_open(dirs->v[dirs->n - 1 - i], &dir, err);
		if (r == -ENOENT)
			r = 0;
		else if (r == 0 && (best.fd < 0 || dir.v2 || (dir.freezer && !best.freezer))) {
			cgroup_dir_close(&best);
			best = dir;
		} else if (r == 0)
			cgroup_dir_close(&dir);
	}
	if (r < 0) {
		cgroup_dir_close(&best);
		return r;
	}
	if (best.fd < 0)
		return -ENOENT;
	*ret = best;
	return 0;
}

/* ---- freezing ---------------------------------------------------------------------------------
 */

/*
 * Waits until `line` stands in cgroup.events. The kernel tells of changes at most every 10 ms, so
 * it is also looked at when the process of `init`, a pidfd or -1, has ended, and after that soon.
 */
static int await_event(const struct cgroup_dir *dir, const char *line, int init, int64_t end)
{
	_cleanup_close_ int fd = sys_openat(dir->fd, "cgroup.events", O_RDONLY | O_CLOEXEC, 0);
	struct pollfd events[] = { { .fd = fd, .events = POLLPRI },
				   { .fd = init, .events = POLLIN } };
	char text[256];
	int wait = 1;

	if (fd < 0)
		return fd;
	for (;;) {
		ssize_t n = sys_call_4(SYS_pread64, fd, text, sizeof(text) - 1, 0);
		int64_t left = end - clock_ms();

		if (n < 0)
			return (int)n;
		text[n] = '\0';
		if (strstr(text, line))
			return 0;
		if (left <= 0)
			return -ETIMEDOUT;
		(void)poll(events, 2, events[1].fd < 0 && wait < left ? wait : (int)left);
		wait *= events[1].fd < 0 ? 2 : 1;
		if (events[1].revents)
			events[1].fd = -1;
	}
}

/* v1 tells by its file alone how far it is; writing again helps it past tasks that just forked. */
static int await_freezer(const struct cgroup_dir *dir, int64_t end)
{
	char text[32];
	long ns = 20000;

	for (;;) {
		ssize_t n = cgroup_read(dir->fd, "freezer.state", text, sizeof(text));

		if (n < 0)
			return (int)n;
		if (strncmp(text, "FROZEN", 6) == 0)
			return 0;
		if (clock_ms() >= end)
			return -ETIMEDOUT;
		back_off(&ns);
		(void)cgroup_write(dir->fd, "freezer.state", "FROZEN");
	}
}

static int set_frozen(const struct cgroup_dir *dir, bool frozen)
{
	int64_t end = clock_ms() + PATIENCE_MS;
	int r;

	if (!dir->v2 && !dir->freezer)
		return -ENOENT;
	if (dir->v2)
		r = cgroup_write(dir->fd, "cgroup.freeze", frozen ? "1" : "0");
	else
		r = cgroup_write(dir->fd, "freezer.state", frozen ? "FROZEN" : "THAWED");
	if (r < 0 || !frozen)
		return r;
	return dir->v2 ? await_event(dir, "frozen 1", -1, end) : await_freezer(dir, end);
}

static int is_frozen(const struct cgroup_dir *dir)
{
	char text[32];
	const char *file = dir->v2 ? "cgroup.freeze" : "freezer.state";

	if (!dir->v2 && !dir->freezer)
		return 0;
	if (cgroup_read(dir->fd, file, text, sizeof(text)) < 0)
		return 0;
	return text[0] == '1' || strncmp(text, "FR", 2) == 0;
}

static int freeze_or_thaw(const struct spec_strings *dirs, bool frozen, struct err *err)
{
	_cleanup_(cgroup_dir_close) struct cgroup_dir dir = { .fd = -EBADF };
	int r = open_best(dirs, &dir, err);

	if (r == -ENOENT)
		return err_say(err, r, "the container has no cgroup");
	if (r < 0)
		return r;
	r = set_frozen(&dir, frozen);
	if (r == -ENOENT) {
		(void)err_say(err, r, "cgroup %s has no freezer", dir.path);
		return err_hint(err, "pause needs cgroup v2 (Linux 5.2) or the freezer of v1");
	}
	if (r == -ETIMEDOUT) {
		(void)set_frozen(&dir, false);
		return err_say(err, r, "cgroup %s was not frozen within %d seconds", dir.path,
			       PATIENCE_MS / 1000);
	}
	return r < 0 ? err_set(err, r, "%s cgroup %s", frozen ? "freeze" : "thaw", dir.path) : 0;
}

int cgroup_freeze(const struct spec_strings *dirs, struct err *err)
{
	return freeze_or_thaw(dirs, true, err);
}

int cgroup_thaw(const struct spec_strings *dirs, struct err *err)
{
	return freeze_or_thaw(dirs, false, err);
}

int cgroup_frozen(const struct spec_strings *dirs)
{
	_cleanup_(cgroup_dir_close) struct cgroup_dir dir = { .fd = -EBADF };
	struct err err;
	int r = open_best(dirs, &dir, &err);

	return r < 0 ? 0 : is_frozen(&dir);
}

/* ---- signals ----------------------------------------------------------------------------------
 */

static int list_pids(const struct cgroup_dir *dir, struct pid_list *list, struct err *err)
{
	int r = cgroup_list_pids(dir->fd, list);

	return r < 0 ? err_set(err, r, "list the processes of cgroup %s", dir->path) : 0;
}

/* Signals all that are there now; returns how many. They must not come and go meanwhile. */
static int signal_now(const struct cgroup_dir *dir, int sig, struct err *err)
{
	_cleanup_(pid_list_done) struct pid_list list = { 0 };
	int r = list_pids(dir, &list, err);

	for (size_t i = 0; i < list.n && r == 0; i++) {
		r = sys_kill(list.v[i], sig);
		if (r == -ESRCH)
			r = 0;
		if (r < 0)
			r = err_set(err, r, "send signal %d to process %d of cgroup %s", sig,
				    list.v[i], dir->path);
	}
	return r < 0 ? r : (int)list.n;
}

int cgroup_signal_all(const struct spec_strings *dirs, int sig, struct err *err)
{
	_cleanup_(cgroup_dir_close) struct cgroup_dir dir = { .fd = -EBADF };
	int r = open_best(dirs, &dir, err);
	bool thaw;

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	thaw = !is_frozen(&dir);
	if (thaw) /* without a freezer it is still worth trying */
		(void)set_frozen(&dir, true);
	r = signal_now(&dir, sig, err);
	if (thaw)
		(void)set_frozen(&dir, false);
	return r < 0 ? r : 0;
}

/* Again and again, for there may be no freezer and what is killed may just have forked. */
static int kill_by_pid(const struct cgroup_dir *dir, struct err *err)
{
	int64_t end = clock_ms() + PATIENCE_MS;
	long ns = 20000;

	for (;;) {
		int n;

		(void)set_frozen(dir, true);
		n = signal_now(dir, SIGKILL, err);
		(void)set_frozen(dir, false); /* on v1 the frozen do not even die */
		if (n <= 0)
			return n;
		if (clock_ms() >= end)
			return err_say(err, -ETIMEDOUT, "%d processes of cgroup %s do not die", n,
				       dir->path);
		back_off(&ns);
	}
}

int cgroup_kill(const struct spec_strings *dirs, int init, struct err *err)
{
	_cleanup_(cgroup_dir_close) struct cgroup_dir dir = { .fd = -EBADF };
	int r = open_best(dirs, &dir, err);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = dir.v2 ? cgroup_write(dir.fd, "cgroup.kill", "1") : -ENOENT;
	if (r == -ENOENT) /* v1, or before Linux 5.14 */
		return kill_by_pid(&dir, err);
	if (r == 0)
		r = await_event(&dir, "populated 0", init, clock_ms() + PATIENCE_MS);
	/* systemd removes a scope's directory as soon as nobody is in it. */
	if (r == 0 || r == -ENODEV || r == -ENOENT)
		return 0;
	return err_set(err, r, "end all processes of cgroup %s", dir.path);
}

/* ---- processes --------------------------------------------------------------------------------
 */

int cgroup_pids(const struct spec_strings *dirs, struct arena *arena, size_t *ret_n,
		pid_t **ret_pids, struct err *err)
{
	_cleanup_(cgroup_dir_close) struct cgroup_dir dir = { .fd = -EBADF };
	_cleanup_(pid_list_done) struct pid_list list = { 0 };
	int r = open_best(dirs, &dir, err);
	pid_t *pids;

	if (r == 0)
		r = list_pids(&dir, &list, err);
	if (r < 0 && r != -ENOENT)
		return r;
	pid_list_sort(&list);
	pids = arena_copy(arena, list.v, list.n * sizeof(*list.v));
	if (!pids)
		return err_set(err, -ENOMEM, "list the processes of a cgroup");
	*ret_n = list.n;
	*ret_pids = pids;
	return 0;
}

/* ---- removal ----------------------------------------------------------------------------------
 */

/* The directory is busy: with cgroups inside, or with processes on their way out. */
static int remove_busy(const char *path, struct err *err)
{
	_cleanup_(cgroup_dir_close) struct cgroup_dir dir = { .fd = -EBADF };
	int64_t end = clock_ms() + PATIENCE_MS;
	long ns = 20000;
	int r = cgroup_dir_open(path, &dir, err);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (dir.v2)
		(void)await_event(&dir, "populated 0", -1, end);
	for (;;) {
		(void)cgroup_remove_inside(dir.fd);
		r = cgroup_rmdir(path);
		if (r != -EBUSY || clock_ms() >= end)
			return r;
		back_off(&ns);
	}
}

static int remove_one(const char *path, bool unborn, struct err *err)
{
	int r = cgroup_check_path(path, err);

	if (r < 0)
		return r;
	r = cgroup_rmdir(path);
	if (r == -EBUSY && unborn && !cgroup_may_be_ours(path))
		return 0;
	if (r == -EBUSY)
		r = remove_busy(path, err);
	if (r == -EBUSY) {
		(void)err_set(err, r, "remove cgroup %s", path);
		return err_hint(err, "processes are still in it: see %s/cgroup.procs", path);
	}
	if (r < 0 && r != -ENOENT)
		return err_set(err, r, "remove cgroup %s", path);
	r = cgroup_remove_parents(path);
	return r < 0 ? err_set(err, r, "remove the cgroups above %s", path) : 0;
}

static int remove_all(const struct spec_strings *dirs, bool unborn, struct err *err)
{
	int first = 0;

	for (size_t i = 0; i < dirs->n; i++) {
		struct err one;
		int r = remove_one(dirs->v[i], unborn, &one);

		if (r < 0 && first == 0) {
			first = r;
			*err = one;
		}
	}
	return first;
}

int cgroup_remove(const struct spec_strings *dirs, struct err *err)
{
	return remove_all(dirs, false, err);
}

int cgroup_remove_unborn(const struct spec_strings *dirs, struct err *err)
{
	return remove_all(dirs, true, err);
}
