/*
 * cgroup_oom.c - see cgroup_oom.h.
 *
 * v2 changes memory.events, which poll reports as POLLPRI, for much else, too: what counts is the
 * number of killed processes in it. v1 adds to an eventfd that is registered by its number, and
 * does so again when the cgroup is removed.
 */
#include "ops/cgroup_oom.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sys/sys.h"

static uint64_t killed(const struct cgroup_dir *dir)
{
	_cleanup_buf_ struct buf text = { 0 };

	cgroup_read_text(dir, "memory.events", &text);
	return cgroup_find_u64(buf_text(&text), "oom_kill", 0);
}

static int watch_v2(const struct cgroup_dir *dir, struct cgroup_oom *ret, struct err *err)
{
	int fd = sys_openat(dir->fd, "memory.events", O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);

	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return err_set(err, fd, "open memory.events of cgroup %s", dir->path);
	*ret = (struct cgroup_oom){ fd, POLLPRI, -1, killed(dir), dir };
	return 0;
}

static int watch_v1(const struct cgroup_dir *dir, struct cgroup_oom *ret, struct err *err)
{
	_cleanup_close_ int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	_cleanup_close_ int control =
	    sys_openat(dir->fd, "memory.oom_control", O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
	char text[32];
	int r = event < 0 ? -errno : control;

	if (r >= 0) {
		(void)snprintf(text, sizeof(text), "%d %d", event, control);
		r = cgroup_write(dir->fd, "cgroup.event_control", text);
	}
	if (r < 0)
		return err_set(err, r, "watch memory.oom_control of cgroup %s", dir->path);
	*ret = (struct cgroup_oom){ take_fd(&event), POLLIN, take_fd(&control), 0, dir };
	return 0;
}

int cgroup_oom_watch(const struct cgroup_dirs *dirs, struct cgroup_oom *ret, struct err *err)
{
	const struct cgroup_dir *dir = cgroup_dirs_find(dirs, "memory");

	if (!dir)
		return 0;
	return dir->v2 ? watch_v2(dir, ret, err) : watch_v1(dir, ret, err);
}

bool cgroup_oom_happened(struct cgroup_oom *oom)
{
	char text[64];
	uint64_t n = 0;

	if (oom->fd < 0)
		return false;
	if (oom->control >= 0)
		return read(oom->fd, &n, sizeof(n)) == (ssize_t)sizeof(n) &&
		       sys_faccessat(oom->dir->fd, "memory.oom_control", F_OK) == 0;
	/* A read rearms poll, but only through the descriptor that is polled; then look. */
	(void)sys_call_4(SYS_pread64, oom->fd, text, sizeof(text), 0);
	n = killed(oom->dir);
	if (n <= oom->seen)
		return false;
	oom->seen = n;
	return true;
}

void cgroup_oom_done(struct cgroup_oom *oom)
{
	if (oom->fd >= 0)
		(void)close(oom->fd);
	if (oom->control >= 0)
		(void)close(oom->control);
	*oom = (struct cgroup_oom)CGROUP_OOM_NONE;
}
