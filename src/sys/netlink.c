#include "sys/netlink.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "sys/sys.h"

/* The kernel fills dumps in pieces of at most this size, if the reader has room (netlink(7)). */
#define ANSWER_SIZE 32768

int netlink_open(void)
{
	return sys_socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
}

struct visit {
	int netns, result;
};

static void visit_main(void *arg)
{
	struct visit *visit = arg;
	int r = sys_setns(visit->netns, CLONE_NEWNET);

	visit->result = r < 0 ? r : netlink_open();
	sys_exit(0);
}

int netlink_open_at(int netns)
{
	struct visit visit = { .netns = netns, .result = -ECHILD };
	_Alignas(16) char stack[8192];
	const uint64_t all = ~0ULL;
	/* It shares our descriptors, and we wait until it has ended. */
	struct clone_args args = { .flags =
				       CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_CLEAR_SIGHAND,
				   .stack = (uintptr_t)stack,
				   .stack_size = sizeof(stack) };
	uint64_t mask = 0;
	long pid;

	(void)sys_sigprocmask(SIG_SETMASK, &all, &mask);
	pid = sys_spawn(&args, sizeof(args), visit_main, &visit);
	(void)sys_sigprocmask(SIG_SETMASK, &mask, NULL);
	if (pid < 0)
		return (int)pid;
	while (sys_wait4((pid_t)pid, NULL, __WALL) == -EINTR)
		;
	return visit.result;
}

/* ---- requests ---------------------------------------------------------------------------------
 */

static void append(struct netlink_request *r, const void *data, size_t len)
{
	size_t at = r->head.nlmsg_len - sizeof(r->head);

	if (len > sizeof(r->body) || at > sizeof(r->body) - len)
		r->head.nlmsg_len = sizeof(*r) + 1; /* netlink_call() tells */
	if (r->head.nlmsg_len > sizeof(*r) || len == 0)
		return;
	memcpy(r->body + at, data, len);
	r->head.nlmsg_len += (uint32_t)NLMSG_ALIGN(len);
}

void netlink_begin(struct netlink_request *r, uint16_t type, uint16_t flags, const void *fixed,
		   size_t len)
{
	memset(r, 0, sizeof(*r));
	r->head.nlmsg_len = sizeof(r->head);
	r->head.nlmsg_type = type;
	r->head.nlmsg_flags = flags | NLM_F_REQUEST | NLM_F_ACK;
	append(r, fixed, len);
}

void netlink_add(struct netlink_request *r, uint16_t type, const void *data, size_t len)
{
	const struct rtattr attr = { .rta_len = (uint16_t)RTA_LENGTH(len), .rta_type = type };

	append(r, &attr, sizeof(attr));
	append(r, data, len);
}

/* ---- answers ----------------------------------------------------------------------------------
 */

/* 1: that was the end of the answer. */
static int read_message(const struct nlmsghdr *message, netlink_answer answer, void *data)
{
	if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR) {
		int code = 0;

		/* Both begin with a negative errno, or 0. */
		if (message->nlmsg_len >= NLMSG_LENGTH(sizeof(code)))
			memcpy(&code, NLMSG_DATA(message), sizeof(code));
		return code < 0 ? code : 1;
	}
	return answer ? answer(message, data) : 0;
}

/* After an error of ours the rest is read all the same: the socket is used again. */
static int read_messages(const char *data, size_t len, netlink_answer answer, void *context,
			 int *result)
{
	const struct nlmsghdr *message = (const void *)data; /* aligned by our caller */

	for (; NLMSG_OK(message, len); message = NLMSG_NEXT(message, len)) {
		bool own = *result < 0;
		int r = read_message(message, own ? NULL : answer, context);

		if (r < 0 && !own)
			*result = r;
		if (r == 1 || message->nlmsg_type == NLMSG_ERROR ||
		    message->nlmsg_type == NLMSG_DONE)
			return 1;
	}
	return 0;
}

static int receive(int fd, netlink_answer answer, void *context)
{
	_Alignas(struct nlmsghdr) char data[ANSWER_SIZE];
	struct sockaddr_nl from = { 0 };
	struct iovec part = { data, sizeof(data) };
	int result = 0, end = 0;

	while (!end) {
		struct msghdr msg = { .msg_name = &from,
				      .msg_namelen = sizeof(from),
				      .msg_iov = &part,
				      .msg_iovlen = 1 };
		ssize_t n = sys_recvmsg(fd, &msg, 0);

		if (n == -EINTR || (n >= 0 && from.nl_pid != 0))
			continue; /* only the kernel has an answer */
		if (n < 0)
			return (int)n;
		if (msg.msg_flags & MSG_TRUNC)
			return -EMSGSIZE;
		end = read_messages(data, (size_t)n, answer, context, &result);
	}
	return result;
}

int netlink_call(int fd, struct netlink_request *r, netlink_answer answer, void *data)
{
	struct iovec part = { r, r->head.nlmsg_len };
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	const struct msghdr msg = { .msg_name = &kernel,
				    .msg_namelen = sizeof(kernel),
				    .msg_iov = &part,
				    .msg_iovlen = 1 };
	ssize_t n;

	if (r->head.nlmsg_len > sizeof(*r))
		return -EMSGSIZE;
	do
		n = sys_sendmsg(fd, &msg);
	while (n == -EINTR);
	return n < 0 ? (int)n : receive(fd, answer, data);
}

const void *netlink_find(const struct nlmsghdr *message, size_t fixed, uint16_t type,
			 size_t *ret_len)
{
	size_t left = NLMSG_PAYLOAD(message, fixed);
	const struct rtattr *attr =
	    (const void *)((const char *)NLMSG_DATA(message) + NLMSG_ALIGN(fixed));

	if (message->nlmsg_len < NLMSG_LENGTH(fixed))
		return NULL;
	for (; RTA_OK(attr, left); attr = RTA_NEXT(attr, left)) {
		if ((attr->rta_type & NLA_TYPE_MASK) != type)
			continue;
		*ret_len = RTA_PAYLOAD(attr);
		return RTA_DATA(attr);
	}
	return NULL;
}
