/*
 * host_netns.c - the network namespace, made while init is busy with its mounts.
 *
 * It is the dearest of all namespaces, a fifth of a start. So the host enters a new one as soon as
 * init is born and says so in a word that init shares; init joins it through the host's pidfd,
 * while the host brings the loopback device up. The host goes back once init has, or when the start
 * has failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>

#include "ops/host_process.h"
#include "ops/init_process.h"
#include "sys/sys.h"

static int make(struct op_ctx *ctx)
{
	int fd = sys_openat(AT_FDCWD, "/proc/self/ns/net", O_RDONLY | O_CLOEXEC, 0), r;

	if (fd < 0)
		return fd;
	r = sys_unshare(CLONE_NEWNET);
	if (r < 0) {
		(void)sys_close(fd);
		return r;
	}
	ctx->fd[SLOT_OWN_NET] = fd;
	return 0;
}

int host_netns(const struct step *s, struct op_ctx *ctx)
{
	int r = make(ctx);

	(void)s;
	__atomic_store_n(ctx->net_word, r < 0 ? (uint32_t)r : NET_READY, __ATOMIC_RELEASE);
	(void)sys_futex(ctx->net_word, FUTEX_WAKE, 1);
	/* Init waits for all of the host's steps before anybody else runs in there. */
	return r < 0 ? r : init_loopback(NULL, ctx);
}

int host_netns_leave(const struct step *s, struct op_ctx *ctx)
{
	int fd = ctx->fd[SLOT_OWN_NET], r;

	(void)s;
	if (fd < 0)
		return 0;
	r = sys_setns(fd, CLONE_NEWNET);
	(void)sys_close(fd);
	ctx->fd[SLOT_OWN_NET] = -1;
	return r;
}

void host_netns_undo(const struct step *s, struct op_ctx *ctx)
{
	(void)host_netns_leave(s, ctx);
}
