/*
 * terminal.c - see terminal.h.
 *
 * Two buffers of one page, one each way; a side is read only when its buffer is empty and written
 * only when the kernel has room, so that neither side can hold up the other, or a signal.
 */
#include "run/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { FD_IN, FD_OUT, FD_MASTER_IN, FD_MASTER_OUT };

/* ---- beginning --------------------------------------------------------------------------------
 */

static int find_fd(struct msghdr *msg)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int fd;

	/* There is room for one; the kernel has closed what did not fit. */
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(sizeof(fd)))
		return -EPROTO;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

int terminal_receive(int socket, struct err *err)
{
	char name[256];
	struct iovec part = { name, sizeof(name) };
	union {
		struct cmsghdr align;
		char data[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr msg = { .msg_iov = &part,
			      .msg_iovlen = 1,
			      .msg_control = control.data,
			      .msg_controllen = sizeof(control.data) };
	ssize_t n;
	int fd;

	do
		n = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_set(err, -errno, "receive the container's terminal");
	fd = n == 0 ? -ECONNRESET : find_fd(&msg);
	if (fd < 0)
		return err_set(err, fd, "receive the container's terminal");
	if (!isatty(fd)) {
		(void)close(fd);
		return err_say(err, -ENOTTY, "receive the container's terminal: it is no terminal");
	}
	return fd;
}

/*
 * Output without waiting: a blocking write would hold up signals when our caller has stopped his
 * terminal. O_NONBLOCK belongs to the open file, which the caller's shell shares, so it is opened
 * once more; what cannot be (a socket, another user's terminal) is used as it is.
 */
static int open_output(bool *ret_own)
{
	char path[32];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", STDOUT_FILENO);
	/* A regular file must not be opened at its beginning; it never makes us wait either. */
	fd = isatty(STDOUT_FILENO) ? open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC) : -1;
	*ret_own = fd >= 0;
	return fd >= 0 ? fd : STDOUT_FILENO;
}

static int find_caller(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (isatty(fd))
			return fd;
	return -1;
}

static int make_raw(struct terminal *t, struct err *err)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO)) /* then keys do not come by it */
		return 0;
	if (tcgetattr(STDIN_FILENO, &t->saved) < 0)
		return err_set(err, -errno, "read the settings of the terminal");
	raw = t->saved;
	cfmakeraw(&raw);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
		return err_set(err, -errno, "make the terminal raw");
	t->raw = true;
	return 0;
}

int terminal_attach(struct terminal *t, int master, struct err *err)
{
	int flags;

	if (master < 0)
		return master;
	*t = (struct terminal){ .master = master, .in = STDIN_FILENO };
	/* An init that opens /dev/console for each message must not end the session (EIO). */
	t->peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	t->out = open_output(&t->own_out);
	t->caller = find_caller();
	flags = fcntl(master, F_GETFL);
	if (flags < 0 || fcntl(master, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_set(err, -errno, "set up the container's terminal");
	terminal_resize(t);
	return make_raw(t, err);
}

void terminal_resize(struct terminal *t)
{
	struct winsize size;

	/* The kernel tells the container's foreground processes (SIGWINCH). A terminal that does
	 * not know its size (0 x 0) must not undo process.consoleSize. */
	if (t->caller >= 0 && t->master >= 0 && ioctl(t->caller, TIOCGWINSZ, &size) == 0 &&
	    size.ws_row > 0 && size.ws_col > 0)
		(void)ioctl(t->master, TIOCSWINSZ, &size);
}

/* ---- carrying ---------------------------------------------------------------------------------
 */

/* Fills an empty buffer: more than 0, 0 at the end, or a negative errno. */
static ssize_t fill(struct terminal_buffer *b, int fd)
{
	ssize_t n = read(fd, b->data, sizeof(b->data));

	if (n < 0)
		return -errno;
	b->at = 0;
	b->len = (size_t)n;
	return n;
}

/* Writes what it can; false when nobody reads any more. */
static bool empty(struct terminal_buffer *b, int fd)
{
	ssize_t n = write(fd, b->data + b->at, b->len);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	b->at += (size_t)n;
	b->len -= (size_t)n;
	return true;
}

/* 0 for now: a signal came, or there is nothing yet. */
static bool is_later(ssize_t code)
{
	return code == -EAGAIN || code == -EINTR;
}

/*
 * The end of a pipe or file on our side. A program that reads lines learns of it as it would at a
 * keyboard; one that has made its terminal raw has other plans for that character.
 */
static void end_input(struct terminal *t)
{
	struct termios mode;

	t->in = -1;
	if (isatty(STDIN_FILENO) || tcgetattr(t->master, &mode) < 0 || !(mode.c_lflag & ICANON))
		return;
	t->up.at = 0;
	t->up.len = 1;
	t->up.data[0] = (char)mode.c_cc[VEOF];
}

static void read_input(struct terminal *t)
{
	ssize_t n = fill(&t->up, t->in);

	if (n <= 0 && !is_later(n))
		end_input(t);
}

static void close_master(struct terminal *t)
{
	(void)close(t->master);
	t->master = -1;
	t->up.len = 0;
}

/* EIO: the terminal was hung up, and all that had been written has been read. */
static void read_output(struct terminal *t)
{
	ssize_t n = fill(&t->down, t->master);

	if (n <= 0 && !is_later(n))
		close_master(t);
	if (t->out < 0)
		t->down.len = 0;
}

/* Whoever reads our output has gone. What the container says goes nowhere, but it goes on. */
static void write_output(struct terminal *t)
{
	if (!empty(&t->down, t->out)) {
		if (t->own_out)
			(void)close(t->out);
		t->out = -1;
		t->own_out = false;
	}
	if (t->out < 0)
		t->down.len = 0;
}

void terminal_poll_fds(const struct terminal *t, struct pollfd fds[TERMINAL_FDS])
{
	bool joined = t->master >= 0;

	fds[FD_IN] = (struct pollfd){ joined && t->up.len == 0 ? t->in : -1, POLLIN, 0 };
	fds[FD_OUT] = (struct pollfd){ t->down.len > 0 ? t->out : -1, POLLOUT, 0 };
	fds[FD_MASTER_IN] = (struct pollfd){ t->down.len == 0 ? t->master : -1, POLLIN, 0 };
	fds[FD_MASTER_OUT] = (struct pollfd){ t->up.len > 0 ? t->master : -1, POLLOUT, 0 };
}

void terminal_handle(struct terminal *t, const struct pollfd fds[TERMINAL_FDS])
{
	if (fds[FD_IN].fd >= 0 && fds[FD_IN].revents)
		read_input(t);
	if (fds[FD_MASTER_IN].fd >= 0 && fds[FD_MASTER_IN].revents)
		read_output(t);
	if (fds[FD_OUT].fd >= 0 && fds[FD_OUT].revents)
		write_output(t);
	if (fds[FD_MASTER_OUT].fd >= 0 && fds[FD_MASTER_OUT].revents && t->master >= 0)
		(void)empty(&t->up, t->master);
}

/* ---- end --------------------------------------------------------------------------------------
 */

static bool asks_to_end(int signals)
{
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT ||
		    info.ssi_signo == SIGHUP || info.ssi_signo == SIGQUIT)
			return true;
	return false;
}

/* Waits until output can be written; false when it is to end. */
static bool wait_for_output(const struct terminal *t, int signals)
{
	for (;;) {
		struct pollfd fds[] = { { .fd = t->out, .events = POLLOUT },
					{ .fd = signals, .events = POLLIN } };

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return false;
		if (fds[1].revents && asks_to_end(signals))
			return false;
		if (fds[0].revents)
			return true;
	}
}

void terminal_finish(struct terminal *t, int signals)
{
	for (;;) {
		while (t->down.len > 0 && t->out >= 0) {
			if (!wait_for_output(t, signals))
				return;
			write_output(t);
		}
		if (t->master < 0)
			return;
		/* A read brings in what is under way in the kernel, so "nothing yet" is the end.
		 * Other processes of the container may still hold the terminal: they are not waited
		 * for. */
		read_output(t);
		if (t->down.len == 0)
			return;
	}
}

void terminal_detach(struct terminal *t)
{
	if (t->raw)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &t->saved);
	if (t->master >= 0)
		(void)close(t->master);
	if (t->peer >= 0)
		(void)close(t->peer);
	if (t->own_out)
		(void)close(t->out);
	*t = (struct terminal)TERMINAL_NONE;
}
