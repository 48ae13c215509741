/*
 * baton.c - see baton.h. Must: stay safe between clone() and execve() (tools/check-init).
 */
#include "run/baton.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>

#include "sys/sys.h"

int baton_send(int fd, const struct report *r)
{
	/* The kernel only reads it; msghdr has no const form. */
	struct iovec part = { .iov_base = (void *)(uintptr_t)r, .iov_len = sizeof(*r) };
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t n;

	do
		n = sys_sendmsg(fd, &msg);
	while (n == -EINTR);
	return n < 0 ? (int)n : 0;
}

int baton_recv(int fd, struct report *r)
{
	struct iovec part = { .iov_base = r, .iov_len = sizeof(*r) };
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t n;

	do
		n = sys_recvmsg(fd, &msg);
	while (n == -EINTR);
	if (n == 0 || n == -ECONNRESET)
		return 0;
	if (n < 0)
		return (int)n;
	return (size_t)n == sizeof(*r) ? 1 : -EPROTO;
}
