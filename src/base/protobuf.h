/*
 * protobuf.h - the wire format of protocol buffers, as much of it as criu's RPC needs: fields of
 * numbers, and fields of bytes, which may be messages again. Source: protobuf.dev, "Encoding".
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* ---- writing ----------------------------------------------------------------------------- */

void protobuf_number(struct buf *b, uint32_t field, uint64_t value);
void protobuf_bytes(struct buf *b, uint32_t field, const void *data, size_t len);
void protobuf_text(struct buf *b, uint32_t field, const char *text);

/* An int32: negative ones are ten bytes long. */
static inline void protobuf_int(struct buf *b, uint32_t field, int32_t value)
{
	protobuf_number(b, field, (uint64_t)(int64_t)value);
}

/* ---- reading ----------------------------------------------------------------------------- */

enum protobuf_type {
	PROTOBUF_NUMBER = 0,
	PROTOBUF_FIXED64 = 1,
	PROTOBUF_BYTES = 2,
	PROTOBUF_FIXED32 = 5,
};

struct protobuf_field {
	uint32_t number;
	enum protobuf_type type;
	uint64_t value;      /* of all types but bytes */
	const uint8_t *data; /* of bytes: within the message */
	size_t len;
};

struct protobuf_reader {
	const uint8_t *at, *end;
};

/*
 * 1: the next field, 0: there is none, -EBADMSG: what follows is no field. Nothing outside of the
 * message is read, whatever is in it.
 */
int protobuf_next(struct protobuf_reader *r, struct protobuf_field *ret);
