#include "run/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "ops/host_notify.h"
#include "sys/send_fd.h"

#define MAX_DATAGRAM    4096
#define BARRIER_SECONDS 30

int notify_open(int run_dir, struct err *err)
{
	int fd = notify_bind(run_dir);

	return fd < 0 ? err_set(err, fd, "make the container's notify socket") : fd;
}

/* ---- what the container says -------------------------------------------------------------------
 */

/* The assignment may stand in any line of the datagram. */
static bool says_ready(const char *text, size_t len)
{
	static const char ready[] = "READY=1";

	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t line = end ? (size_t)(end - text) : len;

		if (line == sizeof(ready) - 1 && memcmp(text, ready, line) == 0)
			return true;
		line += end ? 1 : 0;
		text += line;
		len -= line;
	}
	return false;
}

/* 1: it is ready, 0: something else or nothing. Descriptors that came along are dropped unseen. */
static int hear(int fd)
{
	char text[MAX_DATAGRAM];
	ssize_t n = recv(fd, text, sizeof(text), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	return says_ready(text, (size_t)n);
}

/* ---- what the manager is told ------------------------------------------------------------------
 */

static int manager_address(const char *name, struct sockaddr_un *ret, socklen_t *ret_len,
			   struct err *err)
{
	size_t len = strlen(name);

	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if ((name[0] != '/' && name[0] != '@') || len < 2) {
		(void)err_say(err, -EINVAL, "NOTIFY_SOCKET is \"%.100s\", expected /path or @name",
			      name);
		return err_hint(err, "unset NOTIFY_SOCKET if no service manager is to be told");
	}
	if (len >= sizeof(ret->sun_path))
		return err_say(err, -ENAMETOOLONG,
			       "NOTIFY_SOCKET is \"%.100s…\", longer than %zu bytes", name,
			       sizeof(ret->sun_path) - 1);
	memcpy(ret->sun_path, name, len);
	if (name[0] == '@')
		ret->sun_path[0] = '\0';
	/* An abstract name ends where the address ends, not at a zero byte. */
	*ret_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (name[0] == '/'));
	return 0;
}

static int manager_connect(const char *name, struct err *err)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;
	socklen_t len = 0;
	int r;

	if (fd < 0)
		return err_set(err, -errno, "make a socket");
	r = manager_address(name, &address, &len, err);
	if (r < 0)
		return r;
	if (connect(fd, (struct sockaddr *)&address, len) < 0)
		return err_set(err, -errno, "connect to NOTIFY_SOCKET %s", name);
	return take_fd(&fd);
}

static int send_barrier(int manager, int fd)
{
	char text[] = "BARRIER=1";
	struct iovec part = { text, sizeof(text) - 1 };

	return sys_send_fd(manager, fd, &part, 1);
}

/*
 * The manager finds out by our pid which service a message is from, so we must still be there when
 * it reads it. It closes the descriptor that comes with BARRIER=1 when it has come to that message;
 * one that does not know the message drops the descriptor all the same (sd_notify_barrier(3)).
 */
static int wait_until_heard(int manager)
{
	int64_t end = clock_ms() + BARRIER_SECONDS * 1000, left;
	_cleanup_close_ int ours = -1;
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	ours = ends[0];
	r = send_barrier(manager, ends[1]);
	(void)close(ends[1]);
	if (r < 0)
		return r;
	while ((left = end - clock_ms()) > 0) {
		struct pollfd fds = { .fd = ours };

		if (poll(&fds, 1, (int)left) >= 0 || errno != EINTR)
			break;
	}
	return 0;
}

/* MAINPID comes first: it is one datagram, so the manager sees both at once. */
static int tell_ready(const char *host_socket, pid_t main_pid, struct err *err)
{
	_cleanup_close_ int manager = manager_connect(host_socket, err);
	char text[64];
	int len, r;

	if (manager < 0)
		return manager;
	len = snprintf(text, sizeof(text), "MAINPID=%d\nREADY=1\n", main_pid);
	if (send(manager, text, (size_t)len, MSG_NOSIGNAL) < 0)
		return err_set(err, -errno, "send READY=1 to NOTIFY_SOCKET %s", host_socket);
	r = wait_until_heard(manager);
	return r < 0 ? err_set(err, r, "wait for NOTIFY_SOCKET %s", host_socket) : 1;
}

int notify_handle(int fd, const char *host_socket, pid_t main_pid, struct err *err)
{
	int r = hear(fd);

	if (r < 0)
		return err_set(err, r, "read from the container's notify socket");
	return r == 0 ? 0 : tell_ready(host_socket, main_pid, err);
}

int notify_forward(int fd, const char *host_socket, pid_t main_pid, int pidfd, struct err *err)
{
	for (;;) {
		struct pollfd fds[] = { { .fd = fd, .events = POLLIN },
					{ .fd = pidfd, .events = POLLIN } };
		int r;

		if (poll(fds, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return err_set(err, -errno, "wait for the container to be ready");
		}
		/* What it said before it ended still counts, so the socket comes first. */
		r = fds[0].revents ? notify_handle(fd, host_socket, main_pid, err) : 0;
		if (r != 0 || (!fds[0].revents && fds[1].revents))
			return r;
	}
}
