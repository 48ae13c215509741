/*
 * document.h - JSON text with one place in it changed; all else stays as it is, in its order.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

struct document_edit {
	const char *path;  /* keys of objects with "/" between them; those that are missing come */
	const char *value; /* JSON for that place; NULL: take the member away */
	bool append;       /* `value` is one more item of the array there */
};

/* Appends the changed text to `out`; `root` NULL is an empty object. */
void document_write(const struct json *root, const struct document_edit *edit, struct buf *out);

/* The value at such a path, or NULL. */
const struct json *document_get(const struct json *root, const char *path);

/* Appends a value as it was read. */
void document_write_value(const struct json *value, struct buf *out);
