/*
 * host_netns.c - the network namespace, made beside all else.
 *
 * It is the dearest of all namespaces, a fifth of a start, and nothing but sysfs depends on it. So
 * the first thing the host does is to start a process that makes one, brings its loopback device up
 * and then does nothing but keep it until init has joined it by that process's pidfd. The process
 * borrows our memory, as init does, and is killed once it is of no more use, or when the start has
 * failed.
 */
#include <errno.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "ops/host_process.h"
#include "ops/init_netns.h"
#include "sys/sys.h"

/* Shared with init, too, which may have a copy of all else. */
struct net_area {
	char stack[NET_STACK];
	struct net_maker maker;
};

int host_netns(const struct step *s, struct op_ctx *ctx)
{
	const uint64_t all_signals = ~0ULL;
	struct net_area *area;
	struct clone_args args = {
		/* Not CLONE_FILES: init knows our end by that of our descriptors. */
		.flags = CLONE_VM | CLONE_PIDFD | CLONE_CHILD_CLEARTID,
		.pidfd = (uintptr_t)&ctx->fd[SLOT_NETNS],
		.stack_size = NET_STACK,
	};
	uint64_t mask = 0;
	long pid;
	int r = sys_map(sizeof(*area), MAP_SHARED | MAP_NORESERVE, (void **)&area);

	(void)s;
	if (r < 0)
		return r;
	area->maker = (struct net_maker){ .word = NET_AT_WORK,
					  .host = sys_getpid(),
					  .view = ctx->fd[SLOT_VIEW] };
	args.stack = (uintptr_t)area->stack;
	args.child_tid = (uintptr_t)&area->maker.word;
	(void)sys_sigprocmask(SIG_SETMASK, &all_signals, &mask);
	pid = sys_spawn(&args, sizeof(args), init_make_netns, &area->maker);
	(void)sys_sigprocmask(SIG_SETMASK, &mask, NULL);
	if (pid < 0) {
		(void)sys_munmap(area, sizeof(*area));
		return (int)pid;
	}
	area->maker.pid = (pid_t)pid;
	ctx->net = &area->maker;
	return 0;
}

/* Init waits for all of the host's steps before anybody else runs in there. */
int host_netns_up(const struct step *s, struct op_ctx *ctx)
{
	(void)s;
	return init_await_netns(ctx->net, NET_UP);
}

void host_netns_end(struct op_ctx *ctx)
{
	if (!ctx->net)
		return;
	/* A child that was not waited for keeps its pid; and it would keep us waiting for ever. */
	if (sys_pidfd_send_signal(ctx->fd[SLOT_NETNS], SIGKILL) < 0)
		(void)sys_kill(ctx->net->pid, SIGKILL);
	(void)sys_wait4(ctx->net->pid, NULL, __WALL);
	(void)sys_munmap((char *)ctx->net - offsetof(struct net_area, maker),
			 sizeof(struct net_area));
	ctx->net = NULL;
}

void host_netns_undo(const struct step *s, struct op_ctx *ctx)
{
	(void)s;
	host_netns_end(ctx);
}
