/*
 * dbus.h - a connection to a D-Bus peer: a bus, or the private socket of a service. Small on
 * purpose: one message at a time, no queue, no dispatch (docs/adr has why there is no libsystemd).
 *
 * All of the state is the descriptor and a counter: what was received was taken whole, so that
 * nothing is left in a buffer, and a connection can be handed on as its descriptor.
 *
 * Nothing here waits longer than DBUS_PATIENCE_MS, whatever the peer does.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "host/dbus_wire.h"

#define DBUS_PATIENCE_MS 30000 /* systemd may be busy with the start of a whole machine */

struct dbus {
	int fd;          /* -1: none */
	uint32_t serial; /* of the last message that we sent */
};

#define DBUS_NONE ((struct dbus){ .fd = -1 })

/* When something that begins now has to be over: milliseconds of CLOCK_MONOTONIC. */
int64_t dbus_deadline(void);

/*
 * Connects to a Unix socket and says who we are, which the kernel confirms (SASL EXTERNAL). A path
 * that begins with '@' is an abstract one. A bus wants to be greeted before anything else.
 * 0 or a negative errno without a message; -EACCES: the peer does not accept us.
 */
int dbus_connect(const char *path, bool bus, struct dbus *ret);

void dbus_close(struct dbus *bus);

/* Sends a call; its number is bus->serial from then on. */
int dbus_send(struct dbus *bus, const struct dbus_call *call, const struct buf *body);

/* The next message, whichever it is; its texts are in `ret`. -ETIMEDOUT, -EBADMSG, -ECONNRESET. */
int dbus_receive(struct dbus *bus, int64_t deadline, struct buf *ret, struct dbus_message *message);

/*
 * Sends a call and waits for its answer, which may be DBUS_ERROR; other messages are dropped.
 * 0 or a negative errno without a message.
 */
int dbus_ask(struct dbus *bus, const struct dbus_call *call, const struct buf *body,
	     struct buf *ret, struct dbus_message *message);

#define _cleanup_dbus_ __attribute__((cleanup(dbus_close)))
