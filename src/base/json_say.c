/*
 * json_say.c - the messages of json.h: where a value is, what it is called, what it looks like.
 * All of it is worked out from the document when there is something to tell, never before.
 *
 * What a message shows comes from a file that somebody else may have written, and the message may
 * go to a terminal: control characters are escaped.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"

struct json_place json_place(const struct json_doc *doc, const struct json *value)
{
	/* A string is kept at its first character; its place is that of the quote before it. */
	size_t offset =
	    (size_t)(value->text - doc->copy) - (value->type == JSON_TYPE_STRING ? 1 : 0);
	struct json_place place = { .line = 1, .column = 1 };

	for (size_t i = 0; i < offset && i < doc->len; i++) {
		if (doc->source[i] == '\n') {
			place.line++;
			place.column = 1;
		} else if (((unsigned char)doc->source[i] & 0xc0) != 0x80) {
			place.column++;
		}
	}
	return place;
}

/* ---- text of limited length --------------------------------------------------------------- */

struct line {
	char *at, *end; /* one byte is kept for the NUL */
};

static struct line line_on(char *text, size_t size)
{
	return (struct line){ .at = text, .end = text + size - 1 };
}

static void put(struct line *line, const char *s, size_t len)
{
	if ((size_t)(line->end - line->at) < len)
		len = 0; /* too long: left out whole, never half a character */
	memcpy(line->at, s, len);
	line->at += len;
	*line->at = '\0';
}

/* One character of at least one byte, made harmless; returns how many bytes it took. */
static size_t put_character(struct line *line, const char *s, size_t left)
{
	size_t len = utf8_len((const unsigned char *)s, left);
	unsigned char c = (unsigned char)*s;
	char escape[8];

	if (len > 1 && c == 0xc2 && (unsigned char)s[1] < 0xa0) {
		put(line, "?", 1); /* C1 controls, U+0080 to U+009F, move cursors too */
	} else if (len > 1) {
		put(line, s, len);
	} else if (c == '"' || c == '\\') {
		put(line, (const char[]){ '\\', *s }, 2);
	} else if (c < 0x20 || c >= 0x7f) {
		(void)snprintf(escape, sizeof(escape), "\\u%04x", c);
		put(line, escape, 6);
	} else {
		put(line, s, 1);
	}
	return len > 0 ? len : 1;
}

/* At most `max` bytes of s in quotes, escaped; what is cut off leaves dots. */
static void put_quoted(struct line *line, const char *s, size_t max)
{
	size_t room = (size_t)(line->end - line->at), left = strlen(s);
	const char *stop;

	/* Twelve bytes for what ends it: the longest escape, dots, quote and bracket. */
	if (room < max + 12)
		max = room > 12 ? room - 12 : 0;
	stop = line->at + max;
	put(line, "\"", 1);
	while (left > 0 && line->at < stop) {
		size_t len = put_character(line, s, left);

		s += len;
		left -= len;
	}
	put(line, left > 0 ? "...\"" : "\"", left > 0 ? 4 : 1);
}

void json_show_text(const char *text, char shown[JSON_SHOWN_SIZE])
{
	struct line line = line_on(shown, JSON_SHOWN_SIZE);

	put_quoted(&line, text, JSON_SHOWN_SIZE - 20);
}

void json_show(const struct json *value, char shown[JSON_SHOWN_SIZE])
{
	struct line line = line_on(shown, JSON_SHOWN_SIZE);

	switch ((enum json_type)value->type) {
	case JSON_TYPE_NULL:
		put(&line, "null", 4);
		break;
	case JSON_TYPE_FALSE:
		put(&line, "false", 5);
		break;
	case JSON_TYPE_TRUE:
		put(&line, "true", 4);
		break;
	case JSON_TYPE_NUMBER:
		put(&line, value->text, value->len < 40 ? value->len : 40);
		if (value->len > 40)
			put(&line, "...", 3);
		break;
	case JSON_TYPE_STRING:
		put_quoted(&line, value->text, JSON_SHOWN_SIZE - 20);
		break;
	case JSON_TYPE_ARRAY:
		put(&line, value->len > 0 ? "[...]" : "[]", value->len > 0 ? 5 : 2);
		break;
	case JSON_TYPE_OBJECT:
		put(&line, value->len > 0 ? "{...}" : "{}", value->len > 0 ? 5 : 2);
		break;
	}
}

/* ---- paths -------------------------------------------------------------------------------- */

#define KEY_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

/* A key reads as in JavaScript: a.b, and ["a.b"] where it is not a plain word. */
static void put_key(struct line *line, const char *start, const struct json *key)
{
	if (key->len == 0 || key->len > 64 || strspn(key->text, KEY_CHARACTERS) != key->len) {
		put(line, "[", 1);
		put_quoted(line, key->text, 64);
		put(line, "]", 1);
		return;
	}
	if (line->at > start)
		put(line, ".", 1);
	put(line, key->text, key->len);
}

/* The item of a container that `value` is or is below; the container may still be open. */
static const struct json *child_with(const struct json *parent, const struct json *value,
				     size_t *ret_index)
{
	const struct json *child = parent + 1;

	*ret_index = 0;
	while ((size_t)(value - child) >= child->span) {
		child += child->span;
		(*ret_index)++;
	}
	return child;
}

void json_path(const struct json_doc *doc, const struct json *value, char path[JSON_PATH_SIZE])
{
	struct line line = line_on(path, JSON_PATH_SIZE);
	const struct json *at = doc->values;

	*path = '\0';
	while (at < value) {
		size_t index;
		const struct json *child = child_with(at, value, &index);
		char number[32];

		if (at->type == JSON_TYPE_OBJECT) {
			put_key(&line, path, child);
			at = child == value ? value : json_value(child);
			continue;
		}
		(void)snprintf(number, sizeof(number), "[%zu]", index);
		put(&line, number, strlen(number));
		at = child;
	}
}

/* One step of json_locate(): "[3]". */
static const struct json *locate_item(const struct json *array, const char **path)
{
	char *end;
	unsigned long index = strtoul(*path + 1, &end, 10);
	const struct json *item = json_first(array);

	if (end == *path + 1 || *end != ']')
		return NULL;
	while (item && index > 0) {
		item = json_next(array, item);
		index--;
	}
	*path = end + 1;
	return item;
}

/* One step of json_locate(): "key", ".key" or "[\"key\"]". */
static const struct json *locate_member(const struct json *object, const char **path)
{
	for (const struct json *key = json_first(object); key; key = json_next(object, key)) {
		char segment[JSON_PATH_SIZE];
		struct line line = line_on(segment, sizeof(segment));
		size_t len;

		put_key(&line, segment, key);
		len = (size_t)(line.at - segment);
		if (strncmp(*path, segment, len) != 0 ||
		    (*segment != '[' && strspn(*path, KEY_CHARACTERS) != len))
			continue;
		*path += len;
		return json_value(key);
	}
	return NULL;
}

const struct json *json_locate(const struct json_doc *doc, const char *path)
{
	const struct json *at = doc->values;

	for (;;) {
		const struct json *next = NULL;

		if (*path == '.' && at > doc->values)
			path++;
		if (at->type == JSON_TYPE_OBJECT)
			next = locate_member(at, &path);
		else if (at->type == JSON_TYPE_ARRAY && *path == '[')
			next = locate_item(at, &path);
		if (!next)
			return at;
		at = next;
	}
}

int json_refuse(const struct json_doc *doc, const struct json *value, struct err *err,
		const char *fmt, ...)
{
	struct json_place place = json_place(doc, value);
	char path[JSON_PATH_SIZE], what[sizeof(err->msg)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	json_path(doc, value, path);
	return err_say(err, -EINVAL, "%s:%u:%u: %s%s%s", doc->name, place.line, place.column, path,
		       *path ? ": " : "", what);
}
