/*
 * init_netns.c - the network namespace: made beside (host_netns.c), or init's own from birth.
 *
 * Must: use sys/ only. Mustn't: allocate, lock, log, or decide (tools/check-init).
 */
#include "ops/init_netns.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/if.h>
#include <linux/sockios.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>

#include "sys/sys.h"

static void say(struct net_maker *maker, uint32_t state)
{
	__atomic_store_n(&maker->word, state, __ATOMIC_RELEASE);
	/* Nobody may wait for ever: at our end the kernel wakes them. */
	if (sys_futex(&maker->word, FUTEX_WAKE, 2) < 0)
		sys_exit(1);
}

void init_make_netns(void *arg)
{
	struct net_maker *maker = arg;
	int r = sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);

	/* The signal does not come if the host died before we asked for it. */
	if (sys_getppid() != maker->host)
		sys_exit(0);
	if (maker->view >= 0)
		(void)sys_close(maker->view);
	if (r == 0)
		r = sys_unshare(CLONE_NEWNET);
	if (r == 0) {
		say(maker, NET_READY);
		r = init_loopback(NULL, NULL);
	}
	say(maker, r < 0 ? (uint32_t)r : NET_UP);
	for (;;)
		sys_pause();
}

int init_await_netns(struct net_maker *maker, uint32_t state)
{
	uint32_t now;

	while ((now = __atomic_load_n(&maker->word, __ATOMIC_ACQUIRE)) < state && now != NET_GONE)
		(void)sys_futex(&maker->word, FUTEX_WAIT, now);
	if (now == NET_GONE) {
		/* The kernel wakes one of two, which wakes the other. */
		(void)sys_futex(&maker->word, FUTEX_WAKE, 1);
		return -ECHILD;
	}
	return (int)now < 0 ? (int)now : 0;
}

int init_join_netns(const struct step *s, struct op_ctx *ctx)
{
	int r = init_await_netns(ctx->net, NET_READY);

	(void)s;
	return r < 0 ? r : sys_setns(ctx->fd[SLOT_NETNS], CLONE_NEWNET);
}

int init_loopback(const struct step *s, struct op_ctx *ctx)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = sys_socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), r;

	(void)s;
	(void)ctx;
	if (fd < 0)
		return fd;
	r = sys_ioctl(fd, SIOCSIFFLAGS, &request);
	(void)sys_close(fd);
	return r;
}
