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

#include "run/notify.h"
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
	terminal_detach(&s->terminal);
	end_watch_done(&s->end);
	if (s->signals < 0)
		return;
	(void)close(s->signals);
	(void)sys_sigprocmask(SIG_SETMASK, &s->old_mask, NULL);
	s->signals = -1;
}

/* All of them go on to the program, but for those that tell us of ourselves. */
static void forward_signals(struct supervise *s, const struct walk *w)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		int sig = (int)info.ssi_signo;

		if (sig == SIGWINCH)
			terminal_resize(&s->terminal);
		else if (sig != SIGCHLD && sig != SIGPIPE && sig != SIGTTOU && sig != SIGTTIN)
			(void)sys_pidfd_send_signal(w->ctx.pidfd, sig);
	}
}

/* As a subreaper we get the orphans of the program, too. */
static bool reap(struct supervise *s, const struct walk *w, int *ret_status)
{
	pid_t whom = s->reaps_all ? -1 : w->ctx.pid;
	bool ended = false;
	int status, r;

	while ((r = sys_wait4(whom, &status, __WALL | WNOHANG)) > 0 || r == -EINTR) {
		if (r != w->ctx.pid)
			continue;
		s->signal = WIFEXITED(status) ? 0 : WTERMSIG(status);
		*ret_status = s->signal ? 128 + s->signal : WEXITSTATUS(status);
		ended = true;
	}
	return ended;
}

static int take_terminal(struct supervise *s, struct walk *w, struct err *err)
{
	int peer = w->ctx.fd[SLOT_CONSOLE_PEER];

	if (peer < 0)
		return 0;
	if (s->output)
		return output_terminal(s->output, terminal_receive(peer, err), err);
	return terminal_attach(&s->terminal, terminal_receive(peer, err), err);
}

static void forward_readiness(const struct supervise *s, struct walk *w)
{
	struct err ignored; /* a manager that does not listen is no reason to end the container */
	int *fd = &w->ctx.fd[SLOT_NOTIFY];

	if (notify_handle(*fd, s->notify_socket, getpid(), &ignored) == 0)
		return;
	(void)close(*fd);
	*fd = -1;
}

/* A terminal has more descriptors to wait for than output that is kept. */
static void carried_fds(const struct supervise *s, struct pollfd fds[TERMINAL_FDS])
{
	terminal_poll_fds(&s->terminal, fds);
	if (s->output)
		output_poll_fds(s->output, fds);
}

static void carry(struct supervise *s, const struct pollfd fds[TERMINAL_FDS])
{
	if (s->output)
		output_handle(s->output, fds);
	else
		terminal_handle(&s->terminal, fds);
}

int supervise_wait(struct supervise *s, struct walk *w, struct err *err)
{
	enum {
		PROCESS,
		SIGNALS,
		NOTIFY,
		ENDING,
		CARRIED = ENDING + END_WATCH_FDS,
		N = CARRIED + TERMINAL_FDS
	};
	struct pollfd fds[N] = {
		[PROCESS] = { .fd = w->ctx.pidfd, .events = POLLIN },
		[SIGNALS] = { .fd = s->signals, .events = POLLIN },
	};
	int r = take_terminal(s, w, err), status = 0;
	bool ended = false;

	while (r == 0 && !ended) {
		fds[NOTIFY] = (struct pollfd){ .fd = w->ctx.fd[SLOT_NOTIFY], .events = POLLIN };
		end_watch_poll_fds(&s->end, fds + ENDING);
		carried_fds(s, fds + CARRIED);
		if (poll(fds, N, -1) < 0 && errno != EINTR)
			return err_set(err, -errno, "wait for the container");
		end_watch_handle(&s->end, fds + ENDING);
		if (fds[SIGNALS].revents)
			forward_signals(s, w);
		if (fds[NOTIFY].revents)
			forward_readiness(s, w);
		carry(s, fds + CARRIED);
		if (fds[PROCESS].revents || fds[SIGNALS].revents)
			ended = reap(s, w, &status);
	}
	if (r < 0)
		return r;
	if (s->output)
		output_finish(s->output);
	else
		terminal_finish(&s->terminal, s->signals);
	return status;
}
