/*
 * init_cgroup.c - init enters its cgroups, where it could not be born in them.
 *
 * It goes in by itself, as "0", and not as a pid that the host writes: from Linux 5.19 on the
 * kernel then knows that nothing can happen to the process meanwhile and does not stop the forks of
 * the whole machine, which takes 5 ms on an idle host. That holds for single threads, which v1
 * moves by the file `tasks`.
 *
 * Must: use sys/ only. Mustn't: allocate, lock, log, or decide (tools/check-init).
 */
#include "ops/init_cgroup.h"

#include <errno.h>

#include "sys/sys.h"

int init_cgroup_join(const struct step *s, struct op_ctx *ctx)
{
	int dir = ctx->fd[s->cgroup.slot], fd;
	ssize_t r;

	if (dir < 0 && s->cgroup.optional)
		return 0;
	fd = sys_openat(dir, s->cgroup.v1 ? "tasks" : "cgroup.procs",
			O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0);
	if (fd < 0)
		return op_note(ctx, PHASE_OPEN, fd, s->cgroup.path);
	r = sys_write(fd, "0", 1);
	(void)sys_close(fd);
	return r < 0 ? op_note(ctx, PHASE_WRITE, (int)r, s->cgroup.path) : 0;
}
