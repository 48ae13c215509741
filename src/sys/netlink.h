/*
 * netlink.h - requests to the kernel's network configuration (rtnetlink(7)), one at a time: what is
 * needed to look at a network device, move it, and give it addresses.
 */
#pragma once

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

struct netlink_request {
	struct nlmsghdr head;
	char body[240]; /* all that we ask fits; netlink_call() refuses what did not */
};

/* Called for each message of an answer, head included. Returns 0 or a negative errno. */
typedef int (*netlink_answer)(const struct nlmsghdr *message, void *data);

/* A socket in our own network namespace, or a negative errno. */
int netlink_open(void);

/*
 * A socket in the network namespace `netns` (a descriptor). A helper process opens it, so that no
 * thread of ours ever leaves its own namespace. It keeps the namespace alive.
 */
int netlink_open_at(int netns);

/* Starts a request with the fixed part of its type, such as struct ifinfomsg. */
void netlink_begin(struct netlink_request *r, uint16_t type, uint16_t flags, const void *fixed,
		   size_t len);
void netlink_add(struct netlink_request *r, uint16_t type, const void *data, size_t len);

/* Sends it and reads the answer to its end; `answer` may be NULL. 0 or a negative errno. */
int netlink_call(int fd, struct netlink_request *r, netlink_answer answer, void *data);

/* The value of an attribute behind the fixed part of a message, or NULL. */
const void *netlink_find(const struct nlmsghdr *message, size_t fixed, uint16_t type,
			 size_t *ret_len);
