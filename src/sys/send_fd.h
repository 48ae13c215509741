/*
 * send_fd.h - a descriptor that goes over a Unix socket (unix(7), SCM_RIGHTS). Fit for init.
 */
#pragma once

#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "sys/sys.h"

/* Sends the parts as one message, with the descriptor. 0 or a negative errno. */
static inline int sys_send_fd(int socket, int fd, struct iovec *parts, uint16_t n_parts)
{
	union {
		struct cmsghdr align;
		char data[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr msg = { .msg_iov = parts,
			      .msg_iovlen = n_parts,
			      .msg_control = control.data,
			      .msg_controllen = sizeof(control.data) };
	ssize_t n;

	memset(&control, 0, sizeof(control));
	control.align.cmsg_level = SOL_SOCKET;
	control.align.cmsg_type = SCM_RIGHTS;
	control.align.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.align), &fd, sizeof(int));
	n = sys_sendmsg(socket, &msg);
	return n < 0 ? (int)n : 0;
}
