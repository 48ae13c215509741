/*
 * dbus_wire.h - D-Bus messages as bytes: what we send is built here, what a peer sends is taken
 * apart. No input or output, no memory but the caller's.
 *
 * The peer is not trusted: whatever it sends, a message is either understood as a whole or refused,
 * and nothing beyond its end is looked at (D-Bus specification, "Message Protocol").
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define DBUS_HEAD 16 /* bytes after which a message's size is known */

/* Far more than systemd ever tells us; the protocol would allow 128 MiB. */
#define DBUS_MAX_MESSAGE (256 * 1024)

enum dbus_kind { DBUS_CALL = 1, DBUS_REPLY = 2, DBUS_ERROR = 3, DBUS_SIGNAL = 4 };

/* A number of any type (signed ones and booleans too), a double, or a text. */
union dbus_basic {
	uint64_t number;
	double real;
	const char *text;
};

/* One value of a basic type, or a list of them. */
struct dbus_value {
	const char *type; /* a signature: "b", "t", "s", "as", "ay" */
	size_t n;         /* 1, or the length of the list */
	const union dbus_basic *v;
};

struct dbus_property {
	const char *name;
	struct dbus_value value;
	const char *text; /* the value for people */
};

/* ---- building --------------------------------------------------------------------------------
 *
 * A body begins at offset 0 of its buf: alignment is counted from there.
 */

void dbus_put_u32(struct buf *body, uint32_t value);
void dbus_put_bool(struct buf *body, bool value);
void dbus_put_text(struct buf *body, const char *text); /* a string or an object path */
void dbus_put_variant(struct buf *body, const struct dbus_value *value);

/* A list whose elements are aligned to `align`: begins it, and once they are there, ends it. */
size_t dbus_open_array(struct buf *body, size_t align, size_t *ret_start);
void dbus_close_array(struct buf *body, size_t at, size_t start);

/* An item of a list a(sv). */
void dbus_put_property(struct buf *body, const char *name, const struct dbus_value *value);

/* The call of a method; `signature` is that of the body, "" for none. */
struct dbus_call {
	const char *destination, *path, *interface, *member, *signature;
};

void dbus_build(const struct dbus_call *call, uint32_t serial, const struct buf *body,
		struct buf *ret);

/* "/org/freedesktop/systemd1/unit/" and a name in which only letters and digits stay. */
void dbus_escape_path(const char *name, struct buf *ret);

/* ---- taking apart ----------------------------------------------------------------------------
 */

struct dbus_message {
	enum dbus_kind kind;
	uint32_t serial, reply_serial;                      /* 0: none */
	const char *interface, *member, *error, *signature; /* "" where there is none */
	const uint8_t *body;
	size_t body_len;
};

/* From its first DBUS_HEAD bytes: how long it is. -EBADMSG, or -EMSGSIZE beyond our limit. */
int dbus_size(const uint8_t head[DBUS_HEAD], size_t *ret);

/* A whole message. Its texts point into `data`. 0 or -EBADMSG. */
int dbus_parse(const uint8_t *data, size_t len, struct dbus_message *ret);

/* What is read from a body, item by item. Once `bad`, all that follows is 0 or "". */
struct dbus_reader {
	const uint8_t *data;
	size_t len, at;
	bool bad;
};

uint32_t dbus_get_u32(struct dbus_reader *r);
const char *dbus_get_text(struct dbus_reader *r); /* a string or an object path */

/* The string in the variant that is the whole body of a reply to Properties.Get. */
const char *dbus_get_text_variant(struct dbus_reader *r);
