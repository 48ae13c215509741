/*
 * json.h - a strict reader of JSON (RFC 8259) for files that decide what a process may do.
 *
 * Refused, although other readers take some of it: duplicate keys (two readers could see different
 * values), a NUL in a string (it would end a path early), bytes that are not UTF-8, lone
 * surrogates, comments, trailing commas, a byte order mark, more than JSON_MAX_DEPTH levels or
 * JSON_MAX_SIZE bytes. Numbers are kept as they are written; only whole ones without fraction or
 * exponent can be taken as integers ("1.0" and "1e3" cannot), and then exactly.
 *
 * A document is one array of values, parents before their members; a member's key is a value of
 * type JSON_TYPE_STRING directly before what it names. Strings are decoded into a copy of the text,
 * each at its old place, so a value's address is also its position: line, column and path cost
 * nothing until there is an error to tell.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

#define JSON_MAX_DEPTH 64
#define JSON_MAX_SIZE  (16UL * 1024 * 1024)

enum json_type {
	JSON_TYPE_NULL,
	JSON_TYPE_FALSE,
	JSON_TYPE_TRUE,
	JSON_TYPE_NUMBER,
	JSON_TYPE_STRING,
	JSON_TYPE_ARRAY,
	JSON_TYPE_OBJECT,
};

struct json {
	const char *text; /* of a string or number, NUL-terminated; else only a position */
	uint32_t len; /* of the text in bytes; of an array or object: how many items or members */
	uint32_t type : 3;  /* enum json_type */
	uint32_t span : 29; /* values from this one to the end of all that is below it */
};

struct json_doc {
	const char *name; /* of the file, for messages */
	const char *source;
	size_t len;
	const char *copy;    /* where the strings live */
	struct json *values; /* values[0] is the root */
	size_t n;
};

/*
 * Reads `len` bytes. Values and strings belong to the arena; `name` and `source` must stay as long
 * as the functions below are used that tell a position. 0, -EINVAL, -EFBIG or -ENOMEM, and a
 * message "NAME:LINE:COLUMN: what is wrong".
 */
int json_parse(struct json_doc *ret, const char *name, const char *source, size_t len,
	       struct arena *arena, struct err *err);

/*
 * The items of an array or the keys of an object, in the order of the file:
 *	for (item = json_first(array); item; item = json_next(array, item))
 */
static inline const struct json *json_next(const struct json *parent, const struct json *item)
{
	const struct json *next = item + item->span;

	return next < parent + parent->span ? next : NULL;
}

static inline const struct json *json_first(const struct json *parent)
{
	return parent->span > 1 ? parent + 1 : NULL;
}

/* What a key of an object names. */
static inline const struct json *json_value(const struct json *key)
{
	return key + 1;
}

/* The member of an object, or NULL. */
const struct json *json_get(const struct json *object, const char *key);

/* 0, -EINVAL (not a whole number) or -ERANGE; *ret is untouched on failure. */
int json_u64(const struct json *number, uint64_t max, uint64_t *ret);
int json_i64(const struct json *number, int64_t min, int64_t max, int64_t *ret);

/* ---- messages about a document ------------------------------------------------------------ */

struct json_place {
	unsigned int line, column; /* from 1; columns count characters */
};

struct json_place json_place(const struct json_doc *doc, const struct json *value);

/* "process.env[3]"; "" for the root. Long paths and odd keys are shortened and escaped. */
#define JSON_PATH_SIZE 256
void json_path(const struct json_doc *doc, const struct json *value, char path[JSON_PATH_SIZE]);

/* The value as a message shows it: shortened, control characters escaped, "{...}" for an object. */
#define JSON_SHOWN_SIZE 80
void json_show(const struct json *value, char shown[JSON_SHOWN_SIZE]);

/* The same for text that is not in a document: with quotes, shortened, escaped. */
void json_show_text(const char *text, char shown[JSON_SHOWN_SIZE]);

/* The deepest value on the way that `path` describes; what follows the path in it is ignored. */
const struct json *json_locate(const struct json_doc *doc, const char *path);

/* Fills err with "NAME:LINE:COLUMN: PATH: message"; returns -EINVAL. */
int json_refuse(const struct json_doc *doc, const struct json *value, struct err *err,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));
