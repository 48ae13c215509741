/*
 * supervise.c - see supervise.h.
 *
 * One poll loop: signals come by a signalfd and go on to the program; its end comes by its pidfd;
 * the terminal and the notification socket are carried beside.
 */
#include "run/supervise.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/sys.h"

int supervise_begin(struct supervise *s, struct err *err)
{
	const uint64_t all = ~0ULL;
	sigset_t set;

	/* What the kernel raises for our own mistakes stays as it is. */
	(void)sigfillset(&set);
	(void)sigdelset(&set, SIGSEGV);
	(void)sigdelset(&set, SIGBUS);
	(void)sigdelset(&set, SIGFPE);
	(void)sigdelset(&set, SIGILL);
	(void)sys_sigprocmask(SIG_SETMASK, &all, &s->old_mask);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signals >= 0)
		return 0;
	return err_set(err, -errno, "receive signals by descriptor");
}

void supervise_end(struct supervise *s)
{
	if (s->signals < 0)
		return;
	(void)close(s->signals);
	(void)sys_sigprocmask(SIG_SETMASK, &s->old_mask, NULL);
	s->signals = -1;
}

/* All of them go on to the program, but for those that tell us of ourselves. */
static void forward_signals(const struct supervise *s, struct walk *w)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		int sig = (int)info.ssi_signo;

		if (sig != SIGCHLD && sig != SIGPIPE && sig != SIGTTOU && sig != SIGTTIN)
			(void)sys_pidfd_send_signal(w->ctx.pidfd, sig);
	}
}

static int exit_status(struct walk *w, struct err *err)
{
	int status = 0, r;

	do
		r = sys_wait4(w->ctx.pid, &status, __WALL);
	while (r == -EINTR);
	if (r < 0)
		return err_set(err, r, "wait for the container's process %d", w->ctx.pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int supervise_wait(struct supervise *s, struct walk *w, struct err *err)
{
	struct pollfd fds[] = {
		{ .fd = w->ctx.pidfd, .events = POLLIN },
		{ .fd = s->signals, .events = POLLIN },
	};

	for (;;) {
		if (poll(fds, sizeof(fds) / sizeof(fds[0]), -1) < 0 && errno != EINTR)
			return err_set(err, -errno, "wait for the container");
		if (fds[1].revents)
			forward_signals(s, w);
		if (fds[0].revents)
			return exit_status(w, err);
	}
}
