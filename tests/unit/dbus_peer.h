/*
 * dbus_peer.h - the other end of a connection, played by a test: what systemd or a bus would send,
 * and what neither would.
 */
#pragma once

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "host/dbus.h"

/*
 * A message of any kind, made of a call: the kind is a byte, and the fields of an answer go where a
 * call has its destination. `text` is the error's name, or the signal's member.
 */
static inline void peer_message(struct buf *out, enum dbus_kind kind, uint32_t reply_to,
				const char *text, const char *signature, const struct buf *body)
{
	static const char manager[] = "org.freedesktop.systemd1.Manager";
	const struct dbus_call call = { "", "", kind == DBUS_SIGNAL ? manager : "",
					kind == DBUS_SIGNAL ? text : "", signature };
	struct buf fields = { 0 };
	uint32_t len;

	dbus_build(&call, 7, body, out);
	assert_false(out->failed);
	out->data[1] = (char)kind;
	if (kind == DBUS_SIGNAL)
		return;
	/* Field by field, behind those that are there: the array's length, then padding, then body.
	 */
	memcpy(&len, out->data + 12, sizeof(len));
	buf_add(&fields, out->data, DBUS_HEAD + len);
	while (fields.len % 8)
		buf_add(&fields, "", 1);
	buf_add(&fields, "\5\1u\0", 4);
	buf_add(&fields, &reply_to, 4);
	if (kind == DBUS_ERROR) {
		buf_add(&fields, "\4\1s\0", 4);
		dbus_put_text(&fields, text);
	}
	len = (uint32_t)(fields.len - DBUS_HEAD);
	memcpy(fields.data + 12, &len, sizeof(len));
	while (fields.len % 8)
		buf_add(&fields, "", 1);
	buf_add(&fields, body->data, body->len);
	out->len = 0;
	buf_add(out, fields.data, fields.len);
	buf_done(&fields);
}

/* A connected pair: what is written to *ret_peer arrives at the bus that is returned. */
static inline struct dbus peer_pair(int *ret_peer)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	*ret_peer = pair[1];
	return (struct dbus){ .fd = pair[0] };
}

static inline void peer_send(int peer, const struct buf *message)
{
	assert_int_equal(send(peer, message->data, message->len, MSG_NOSIGNAL), message->len);
}
