/*
 * baton.c - see baton.h. Must: stay safe between clone() and execve() (tools/check-init).
 */
#include "run/baton.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "sys/sys.h"

union control {
	struct cmsghdr head;
	char data[CMSG_SPACE(BATON_MAX_FDS * sizeof(int))];
};

int baton_send(int fd, const struct report *r, const struct baton_fds *fds)
{
	/* The kernel only reads it; an iovec has no const form. */
	struct iovec part = { .iov_base = (void *)(uintptr_t)r, .iov_len = sizeof(*r) };
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1 };
	union control control;
	ssize_t n;

	if (fds && fds->n > 0) {
		/* musl has a 32-bit length and padding where the kernel reads 64 bits. */
		memset(&control.head, 0, sizeof(control.head));
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = (socklen_t)CMSG_LEN(fds->n * sizeof(int));
		memcpy(CMSG_DATA(&control.head), fds->v, fds->n * sizeof(int));
		msg.msg_control = &control;
		msg.msg_controllen = (socklen_t)CMSG_SPACE(fds->n * sizeof(int));
	}
	do
		n = sys_sendmsg(fd, &msg);
	while (n == -EINTR);
	return n < 0 ? (int)n : 0;
}

static void take_fds(struct msghdr *msg, struct baton_fds *fds)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(msg);

	fds->n = 0;
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return;
	fds->n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fds->v, CMSG_DATA(c), fds->n * sizeof(int));
}

static int receive(int fd, struct report *r, struct baton_fds *fds, int flags)
{
	struct iovec part = { .iov_base = r, .iov_len = sizeof(*r) };
	union control control;
	struct msghdr msg = { .msg_iov = &part,
			      .msg_iovlen = 1,
			      .msg_control = fds ? &control : NULL,
			      .msg_controllen = fds ? sizeof(control) : 0 };
	ssize_t n;

	/*
	 * A peer that ended with our last message unread resets the connection, and the kernel says
	 * so once, before it hands out what that peer had sent: its error, most likely.
	 */
	do
		n = sys_recvmsg(fd, &msg, flags);
	while (n == -EINTR || n == -ECONNRESET);
	if (n == 0)
		return 0;
	if (n < 0)
		return (int)n;
	if ((size_t)n != sizeof(*r) || (fds && (msg.msg_flags & MSG_CTRUNC)))
		return -EPROTO;
	if (fds)
		take_fds(&msg, fds);
	return 1;
}

int baton_recv(int fd, struct report *r, struct baton_fds *fds)
{
	return receive(fd, r, fds, 0);
}

int baton_look(int fd, struct report *r)
{
	return receive(fd, r, NULL, MSG_DONTWAIT);
}
