/*
 * dbus_wire.c - see dbus_wire.h.
 *
 * Both ends are on one machine, so messages are in its byte order; others are refused.
 */
#include "host/dbus_wire.h"

#include <errno.h>
#include <string.h>

#define ENDIAN (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 'l' : 'B')

/* Codes of header fields. */
enum {
	FIELD_PATH = 1,
	FIELD_INTERFACE,
	FIELD_MEMBER,
	FIELD_ERROR_NAME,
	FIELD_REPLY_SERIAL,
	FIELD_DESTINATION,
	FIELD_SENDER,
	FIELD_SIGNATURE,
};

#define MAX_FIELDS 65536 /* bytes of all header fields */

static size_t aligned(size_t at, size_t align)
{
	return (at + align - 1) / align * align;
}

/* How many bytes a type of fixed length has, which is its alignment, too; 0: no such type. */
static size_t fixed_size(char type)
{
	switch (type) {
	case 'y':
		return 1;
	case 'n':
	case 'q':
		return 2;
	case 'b':
	case 'i':
	case 'u':
	case 'h':
		return 4;
	case 'x':
	case 't':
	case 'd':
		return 8;
	default:
		return 0;
	}
}

static bool is_text(char type)
{
	return type == 's' || type == 'o';
}

/* ---- building --------------------------------------------------------------------------------
 */

static void put_padding(struct buf *b, size_t align)
{
	static const char zero[8];

	buf_add(b, zero, aligned(b->len, align) - b->len);
}

static void put_number(struct buf *b, uint64_t value, size_t size)
{
	const uint8_t one = (uint8_t)value;
	const uint16_t two = (uint16_t)value;
	const uint32_t four = (uint32_t)value;

	put_padding(b, size);
	buf_add(b,
		size == 1   ? (const void *)&one
		: size == 2 ? (const void *)&two
		: size == 4 ? (const void *)&four
			    : (const void *)&value,
		size);
}

void dbus_put_u32(struct buf *body, uint32_t value)
{
	put_number(body, value, 4);
}

void dbus_put_bool(struct buf *body, bool value)
{
	put_number(body, value, 4);
}

void dbus_put_text(struct buf *body, const char *text)
{
	size_t len = strlen(text);

	put_number(body, len, 4);
	buf_add(body, text, len + 1);
}

static void put_signature(struct buf *b, const char *signature)
{
	size_t len = strlen(signature);

	put_number(b, len, 1);
	buf_add(b, signature, len + 1);
}

static void put_basic(struct buf *b, char type, const union dbus_basic *value)
{
	if (is_text(type))
		dbus_put_text(b, value->text);
	else if (type == 'g')
		put_signature(b, value->text);
	else
		put_number(b, value->number, fixed_size(type)); /* a double's bits are there, too */
}

size_t dbus_open_array(struct buf *body, size_t align, size_t *ret_start)
{
	size_t at;

	put_padding(body, 4);
	at = body->len;
	put_number(body, 0, 4);
	put_padding(body, align);
	*ret_start = body->len;
	return at;
}

void dbus_close_array(struct buf *body, size_t at, size_t start)
{
	const uint32_t len = (uint32_t)(body->len - start);

	if (!body->failed)
		memcpy(body->data + at, &len, sizeof(len));
}

static size_t type_align(char type)
{
	return is_text(type) ? 4 : type == 'g' ? 1 : fixed_size(type);
}

void dbus_put_variant(struct buf *body, const struct dbus_value *value)
{
	size_t start, at;

	put_signature(body, value->type);
	if (value->type[0] != 'a') {
		put_basic(body, value->type[0], value->v);
		return;
	}
	at = dbus_open_array(body, type_align(value->type[1]), &start);
	for (size_t i = 0; i < value->n; i++)
		put_basic(body, value->type[1], &value->v[i]);
	dbus_close_array(body, at, start);
}

void dbus_put_property(struct buf *body, const char *name, const struct dbus_value *value)
{
	put_padding(body, 8);
	dbus_put_text(body, name);
	dbus_put_variant(body, value);
}

static void put_field(struct buf *b, uint8_t code, const char *type, const char *text)
{
	if (*text == '\0')
		return;
	put_padding(b, 8);
	put_number(b, code, 1);
	put_signature(b, type);
	if (*type == 'g')
		put_signature(b, text);
	else
		dbus_put_text(b, text);
}

void dbus_build(const struct dbus_call *call, uint32_t serial, const struct buf *body,
		struct buf *ret)
{
	const uint8_t head[] = { (uint8_t)ENDIAN, DBUS_CALL, 0, 1 };
	size_t start, at;

	buf_add(ret, head, sizeof(head));
	dbus_put_u32(ret, (uint32_t)body->len);
	dbus_put_u32(ret, serial);
	at = dbus_open_array(ret, 8, &start);
	put_field(ret, FIELD_PATH, "o", call->path);
	put_field(ret, FIELD_INTERFACE, "s", call->interface);
	put_field(ret, FIELD_MEMBER, "s", call->member);
	put_field(ret, FIELD_DESTINATION, "s", call->destination);
	put_field(ret, FIELD_SIGNATURE, "g", call->signature);
	dbus_close_array(ret, at, start);
	put_padding(ret, 8);
	buf_add(ret, body->data, body->len);
	ret->failed |= body->failed;
}

void dbus_escape_path(const char *name, struct buf *ret)
{
	buf_str(ret, "/org/freedesktop/systemd1/unit/");
	for (const char *c = name; *c; c++) {
		bool digit = *c >= '0' && *c <= '9';
		bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');

		if (letter || (digit && c > name))
			buf_add(ret, c, 1);
		else
			buf_printf(ret, "_%02x", (unsigned char)*c);
	}
}

/* ---- taking apart ----------------------------------------------------------------------------
 */

/* The next `size` bytes after padding to `align`, or NULL. */
static const uint8_t *take(struct dbus_reader *r, size_t size, size_t align)
{
	size_t at = aligned(r->at, align);

	if (r->bad || at > r->len || size > r->len - at) {
		r->bad = true;
		return NULL;
	}
	r->at = at + size;
	return r->data + at;
}

uint32_t dbus_get_u32(struct dbus_reader *r)
{
	const uint8_t *bytes = take(r, 4, 4);
	uint32_t value = 0;

	if (bytes)
		memcpy(&value, bytes, sizeof(value));
	return value;
}

/* `len` bytes and the NUL behind them, with none before. */
static const char *take_text(struct dbus_reader *r, size_t len)
{
	const uint8_t *bytes = len < r->len ? take(r, len + 1, 1) : NULL;

	if (bytes && !memchr(bytes, 0, len) && bytes[len] == 0)
		return (const char *)bytes;
	r->bad = true;
	return "";
}

const char *dbus_get_text(struct dbus_reader *r)
{
	uint32_t len = dbus_get_u32(r);

	return r->bad ? "" : take_text(r, len);
}

static const char *get_signature(struct dbus_reader *r)
{
	const uint8_t *len = take(r, 1, 1);

	return len ? take_text(r, *len) : "";
}

const char *dbus_get_text_variant(struct dbus_reader *r)
{
	const char *type = get_signature(r);

	if (strcmp(type, "s") != 0)
		r->bad = true;
	return dbus_get_text(r);
}

int dbus_size(const uint8_t head[DBUS_HEAD], size_t *ret)
{
	uint32_t body, fields;
	size_t size;

	memcpy(&body, head + 4, sizeof(body));
	memcpy(&fields, head + 12, sizeof(fields));
	if (head[0] != ENDIAN || head[3] != 1)
		return -EBADMSG;
	if (fields > MAX_FIELDS || body > DBUS_MAX_MESSAGE)
		return -EMSGSIZE;
	size = aligned(DBUS_HEAD + (size_t)fields, 8) + body;
	if (size > DBUS_MAX_MESSAGE)
		return -EMSGSIZE;
	*ret = size;
	return 0;
}

/* A field that we know has the type that it should have; of others the value is stepped over. */
static void read_field(struct dbus_reader *r, struct dbus_message *m)
{
	const uint8_t *code = take(r, 1, 8);
	const char *type = get_signature(r), *text = "";
	uint32_t number = 0;

	if (!code || r->bad || *type == '\0' || type[1] != '\0') {
		r->bad = true;
		return;
	}
	if (is_text(*type))
		text = dbus_get_text(r);
	else if (*type == 'g')
		text = get_signature(r);
	else if (*type == 'u')
		number = dbus_get_u32(r);
	else if (fixed_size(*type) == 0 || !take(r, fixed_size(*type), fixed_size(*type)))
		r->bad = true;
	if (*code == FIELD_INTERFACE)
		m->interface = text;
	else if (*code == FIELD_MEMBER)
		m->member = text;
	else if (*code == FIELD_ERROR_NAME)
		m->error = text;
	else if (*code == FIELD_SIGNATURE)
		m->signature = text;
	else if (*code == FIELD_REPLY_SERIAL)
		m->reply_serial = number;
}

int dbus_parse(const uint8_t *data, size_t len, struct dbus_message *ret)
{
	struct dbus_message m = { .interface = "", .member = "", .error = "", .signature = "" };
	struct dbus_reader r = { .data = data, .at = DBUS_HEAD };
	uint32_t fields;
	size_t size;

	if (len < DBUS_HEAD || dbus_size(data, &size) < 0 || size != len)
		return -EBADMSG;
	if (data[1] < DBUS_CALL || data[1] > DBUS_SIGNAL)
		return -EBADMSG;
	m.kind = (enum dbus_kind)data[1]; /* checked above */
	memcpy(&m.serial, data + 8, sizeof(m.serial));
	memcpy(&fields, data + 12, sizeof(fields));
	r.len = DBUS_HEAD + (size_t)fields;
	while (r.at < r.len && !r.bad)
		read_field(&r, &m);
	if (r.bad || m.serial == 0)
		return -EBADMSG;
	if ((m.kind == DBUS_REPLY || m.kind == DBUS_ERROR) && m.reply_serial == 0)
		return -EBADMSG;
	m.body = data + aligned(r.len, 8);
	m.body_len = len - aligned(r.len, 8);
	*ret = m;
	return 0;
}
