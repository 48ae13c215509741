/*
 * document.c - see document.h. The depth is limited by the reader (JSON_MAX_DEPTH).
 */
#include "api/document.h"

#include <string.h>

static void write_items(const struct json *array, struct buf *out)
{
	for (const struct json *item = json_first(array); item; item = json_next(array, item)) {
		buf_str(out, item == json_first(array) ? "" : ",");
		document_write_value(item, out);
	}
}

static void write_members(const struct json *object, struct buf *out)
{
	for (const struct json *key = json_first(object); key; key = json_next(object, key)) {
		buf_str(out, key == json_first(object) ? "" : ",");
		buf_json_str(out, key->text);
		buf_str(out, ":");
		document_write_value(json_value(key), out);
	}
}

void document_write_value(const struct json *value, struct buf *out)
{
	switch ((enum json_type)value->type) { /* it is a bit field */
	case JSON_TYPE_NULL:
		buf_str(out, "null");
		break;
	case JSON_TYPE_FALSE:
		buf_str(out, "false");
		break;
	case JSON_TYPE_TRUE:
		buf_str(out, "true");
		break;
	case JSON_TYPE_NUMBER:
		buf_str(out, value->text);
		break;
	case JSON_TYPE_STRING:
		buf_json_str(out, value->text);
		break;
	case JSON_TYPE_ARRAY:
		buf_str(out, "[");
		write_items(value, out);
		buf_str(out, "]");
		break;
	case JSON_TYPE_OBJECT:
		buf_str(out, "{");
		write_members(value, out);
		buf_str(out, "}");
		break;
	}
}

static bool is_key(const struct json *key, const char *path, size_t len)
{
	return key->len == len && memcmp(key->text, path, len) == 0;
}

static void write_target(const struct json *old, const struct document_edit *edit, struct buf *out)
{
	bool has_items = edit->append && old && old->type == JSON_TYPE_ARRAY && old->len > 0;

	if (!edit->append) {
		buf_str(out, edit->value);
		return;
	}
	buf_str(out, "[");
	if (has_items)
		write_items(old, out);
	buf_str(out, has_items ? "," : "");
	buf_str(out, edit->value);
	buf_str(out, "]");
}

/* The part of the document at which `path`, the rest of the edit's, begins. */
static void write_part(const struct json *old, const char *path, const struct document_edit *edit,
		       struct buf *out)
{
	size_t len = strcspn(path, "/");
	const char *rest = path + len + (path[len] == '/');
	const char *comma = "";
	bool found = false;

	if (*path == '\0') {
		write_target(old, edit, out);
		return;
	}
	buf_str(out, "{");
	if (old && old->type != JSON_TYPE_OBJECT)
		old = NULL;
	for (const struct json *key = old ? json_first(old) : NULL; key;
	     key = json_next(old, key)) {
		bool here = is_key(key, path, len);

		found |= here;
		if (here && *rest == '\0' && !edit->value)
			continue;
		buf_str(out, comma);
		buf_json_str(out, key->text);
		buf_str(out, ":");
		if (here)
			write_part(json_value(key), rest, edit, out);
		else
			document_write_value(json_value(key), out);
		comma = ",";
	}
	if (!found && edit->value) {
		buf_printf(out, "%s\"%.*s\":", comma, (int)len, path);
		write_part(NULL, rest, edit, out);
	}
	buf_str(out, "}");
}

void document_write(const struct json *root, const struct document_edit *edit, struct buf *out)
{
	write_part(root, edit->path, edit, out);
}

const struct json *document_get(const struct json *root, const char *path)
{
	while (root && *path) {
		size_t len = strcspn(path, "/");
		const struct json *key = root->type == JSON_TYPE_OBJECT ? json_first(root) : NULL;

		while (key && !is_key(key, path, len))
			key = json_next(root, key);
		root = key ? json_value(key) : NULL;
		path += len + (path[len] == '/');
	}
	return root;
}
