/*
 * host_netns.c - the network namespace, made while init is busy with its mounts.
 *
 * It is the dearest of all namespaces, a fifth of a start. A helper that shares our memory and our
 * descriptors is born into a new one, brings the loopback device up, says so in a shared word, and
 * waits until init has joined through its pidfd (init_join_netns). It dies with us.
 */
#include <errno.h>
#include <linux/futex.h>
#include <linux/if.h>
#include <linux/sockios.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "ops/host_process.h"
#include "ops/init_process.h"
#include "sys/sys.h"

#define STACK_SIZE 8192

/* At the top of the helper's stack, and shared with init. */
struct netns {
	uint32_t word;
	pid_t parent;
};

static int loopback_up(void)
{
	return init_loopback(NULL, NULL);
}

static void helper_main(void *arg)
{
	struct netns *net = arg;
	uint32_t now = NET_READY;
	int r = sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);

	/* Our parent may have died before it was to kill us. */
	if (r == 0 && (pid_t)sys_call_0(SYS_getppid) != net->parent)
		sys_exit(0);
	if (r == 0)
		r = loopback_up();
	if (r < 0)
		now = (uint32_t)r;
	__atomic_store_n(&net->word, now, __ATOMIC_RELEASE);
	(void)sys_futex(&net->word, FUTEX_WAKE, 1);
	while (now == NET_READY) {
		(void)sys_futex(&net->word, FUTEX_WAIT, NET_READY);
		now = __atomic_load_n(&net->word, __ATOMIC_ACQUIRE);
	}
	sys_exit(0);
}

int host_netns(const struct step *s, struct op_ctx *ctx)
{
	const uint64_t all = ~0ULL;
	struct clone_args args = { .flags = CLONE_VM | CLONE_FILES | CLONE_NEWNET | CLONE_PIDFD |
					    CLONE_CLEAR_SIGHAND,
				   .pidfd = (uintptr_t)&ctx->net_pidfd,
				   .stack_size = STACK_SIZE };
	struct netns *net;
	uint64_t mask = 0;
	char *stack;
	long pid;

	(void)s;
	stack = mmap(NULL, STACK_SIZE + sizeof(*net), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return -ENOMEM;
	net = (void *)(stack + STACK_SIZE);
	net->parent = sys_getpid();
	args.stack = (uintptr_t)stack;
	(void)sys_sigprocmask(SIG_SETMASK, &all, &mask);
	pid = sys_spawn(&args, sizeof(args), helper_main, net);
	(void)sys_sigprocmask(SIG_SETMASK, &mask, NULL);
	if (pid < 0) {
		(void)munmap(stack, STACK_SIZE + sizeof(*net));
		return (int)pid;
	}
	ctx->net_pid = (pid_t)pid;
	ctx->net_word = &net->word;
	return 0;
}

/* The helper of a start that worked has ended by itself; of another one it is ended here. */
void host_netns_undo(const struct step *s, struct op_ctx *ctx)
{
	char *stack = (char *)ctx->net_word - STACK_SIZE;

	(void)s;
	if (ctx->net_pid <= 0)
		return;
	(void)sys_pidfd_send_signal(ctx->net_pidfd, SIGKILL);
	(void)sys_wait4(ctx->net_pid, NULL, __WALL);
	(void)sys_close(ctx->net_pidfd);
	(void)munmap(stack, STACK_SIZE + sizeof(struct netns));
	ctx->net_pid = 0;
}
