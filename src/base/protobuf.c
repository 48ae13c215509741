/*
 * protobuf.c - see protobuf.h.
 *
 * What is read may come from a program that went wrong, so each length is compared with what is
 * left before it is believed, and whatever this format knows but criu never sends (groups, numbers
 * of more than 64 bits) is an error.
 */
#include "base/protobuf.h"

#include <errno.h>
#include <string.h>

#define MAX_NUMBER_LEN 10 /* 64 bits, seven a byte */
#define MAX_FIELD      ((1U << 29) - 1)

static void add_varint(struct buf *b, uint64_t value)
{
	uint8_t bytes[MAX_NUMBER_LEN];
	size_t n = 0;

	do {
		bytes[n] = (uint8_t)(value & 0x7f);
		value >>= 7;
		if (value)
			bytes[n] |= 0x80;
		n++;
	} while (value);
	buf_add(b, bytes, n);
}

void protobuf_number(struct buf *b, uint32_t field, uint64_t value)
{
	add_varint(b, (uint64_t)field << 3 | PROTOBUF_NUMBER);
	add_varint(b, value);
}

void protobuf_bytes(struct buf *b, uint32_t field, const void *data, size_t len)
{
	add_varint(b, (uint64_t)field << 3 | PROTOBUF_BYTES);
	add_varint(b, len);
	buf_add(b, data, len);
}

void protobuf_text(struct buf *b, uint32_t field, const char *text)
{
	protobuf_bytes(b, field, text, strlen(text));
}

static int read_varint(struct protobuf_reader *r, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned int n = 0; n < MAX_NUMBER_LEN && r->at < r->end; n++) {
		uint8_t byte = *r->at++;

		/* Of the tenth byte there is room for one bit. */
		if (n == MAX_NUMBER_LEN - 1 && byte > 1)
			return -EBADMSG;
		value |= (uint64_t)(byte & 0x7f) << (7 * n);
		if (byte < 0x80) {
			*ret = value;
			return 0;
		}
	}
	return -EBADMSG;
}

/* Of little endian, as all machines are that we run on. */
static int read_fixed(struct protobuf_reader *r, size_t len, uint64_t *ret)
{
	uint64_t value = 0;

	if ((size_t)(r->end - r->at) < len)
		return -EBADMSG;
	memcpy(&value, r->at, len);
	r->at += len;
	*ret = value;
	return 0;
}

static int read_bytes(struct protobuf_reader *r, struct protobuf_field *field)
{
	uint64_t len;
	int result = read_varint(r, &len);

	if (result < 0)
		return result;
	if (len > (uint64_t)(r->end - r->at))
		return -EBADMSG;
	field->data = r->at;
	field->len = (size_t)len;
	r->at += len;
	return 0;
}

int protobuf_next(struct protobuf_reader *r, struct protobuf_field *ret)
{
	struct protobuf_field field = { 0 };
	uint64_t key;
	int result;

	if (r->at == r->end)
		return 0;
	if (read_varint(r, &key) < 0 || key >> 3 == 0 || key >> 3 > MAX_FIELD)
		return -EBADMSG;
	field.number = (uint32_t)(key >> 3);
	switch (key & 7) {
	case PROTOBUF_NUMBER:
		field.type = PROTOBUF_NUMBER;
		result = read_varint(r, &field.value);
		break;
	case PROTOBUF_FIXED64:
		field.type = PROTOBUF_FIXED64;
		result = read_fixed(r, sizeof(uint64_t), &field.value);
		break;
	case PROTOBUF_BYTES:
		field.type = PROTOBUF_BYTES;
		result = read_bytes(r, &field);
		break;
	case PROTOBUF_FIXED32:
		field.type = PROTOBUF_FIXED32;
		result = read_fixed(r, sizeof(uint32_t), &field.value);
		break;
	default:
		result = -EBADMSG;
	}
	if (result < 0)
		return result;
	*ret = field;
	return 1;
}
