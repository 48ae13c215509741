/*
 * json_out.h - JSON piece by piece. Each function puts a comma before what it adds where the text
 * so far asks for one, so pieces can be written in any order and place. A key of NULL: an item of
 * an array.
 */
#pragma once

#include <inttypes.h>
#include <stdbool.h>

#include "base/buf.h"

static inline void out_key(struct buf *b, const char *key)
{
	char last = b->len > 0 ? b->data[b->len - 1] : '{';

	if (last != '{' && last != '[' && last != ':')
		buf_str(b, ",");
	if (!key)
		return;
	buf_json_str(b, key);
	buf_str(b, ":");
}

static inline void out_open(struct buf *b, const char *key, char bracket)
{
	out_key(b, key);
	buf_add(b, &bracket, 1);
}

static inline void out_close(struct buf *b, char bracket)
{
	buf_add(b, &bracket, 1);
}

static inline void out_str(struct buf *b, const char *key, const char *value)
{
	out_key(b, key);
	buf_json_str(b, value);
}

static inline void out_num(struct buf *b, const char *key, int64_t value)
{
	out_key(b, key);
	buf_printf(b, "%" PRId64, value);
}

static inline void out_unsigned(struct buf *b, const char *key, uint64_t value)
{
	out_key(b, key);
	buf_printf(b, "%" PRIu64, value);
}

static inline void out_bool(struct buf *b, const char *key, bool value)
{
	out_key(b, key);
	buf_str(b, value ? "true" : "false");
}

/* What was written apart: members between braces, or items between brackets. */
static inline void out_part(struct buf *b, const char *key, char bracket, const struct buf *part)
{
	out_open(b, key, bracket);
	buf_add(b, buf_text(part), part->len);
	out_close(b, bracket == '{' ? '}' : ']');
}
