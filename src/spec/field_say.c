/*
 * field_say.c - what the reader of fields tells people: what was found, where, and what would fit.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "spec/field.h"

static const char *type_name(const struct json *value)
{
	switch ((enum json_type)value->type) {
	case JSON_TYPE_NULL:
		return "no value";
	case JSON_TYPE_FALSE:
	case JSON_TYPE_TRUE:
		return "a boolean";
	case JSON_TYPE_NUMBER:
		return "a number";
	case JSON_TYPE_STRING:
		return "a string";
	case JSON_TYPE_ARRAY:
		return "an array";
	case JSON_TYPE_OBJECT:
		return "an object";
	}
	return "unknown";
}

int field_wrong(const struct reader *r, const struct json *value, const char *expected)
{
	char shown[JSON_SHOWN_SIZE];

	json_show(value, shown);
	(void)json_refuse(r->doc, value, r->err, "%s is %s, expected %s", shown, type_name(value),
			  expected);
	if (value->type == JSON_TYPE_NULL)
		(void)err_hint(r->err, "leave the key out to get its default");
	return -EINVAL;
}

/* The right type, but not allowed. */
int field_not_allowed(const struct reader *r, const struct json *value, const char *why,
		      const char *expected)
{
	char shown[JSON_SHOWN_SIZE];

	json_show(value, shown);
	return json_refuse(r->doc, value, r->err, "%s %s, expected %s", shown, why, expected);
}

void field_expect_number(const struct field *field, char *text, size_t size)
{
	(void)snprintf(text, size, "a whole number from %" PRId64 " to %" PRIu64, field->min,
		       field->max);
}

void field_expect_name(const struct spec_name *names, char *text, size_t size)
{
	size_t len = (size_t)snprintf(text, size, "one of");

	for (const struct spec_name *name = names; name->name && len < size; name++)
		len += (size_t)snprintf(text + len, size - len, "%s \"%s\"",
					name == names ? "" : ",", name->name);
}

const char *field_expect_kind(enum field_kind kind)
{
	switch (kind) {
	case FIELD_BOOL:
	case FIELD_OPT_BOOL:
		return "true or false";
	case FIELD_NUMBER:
	case FIELD_OPT_NUMBER:
		return "a whole number";
	case FIELD_STRING:
	case FIELD_NAME:
		return "a string";
	case FIELD_STRINGS:
	case FIELD_FLAGS:
		return "an array of strings";
	case FIELD_CAPABILITIES:
		return "an array of capability names";
	case FIELD_NUMBERS:
		return "an array of whole numbers";
	case FIELD_LIST:
		return "an array of objects";
	case FIELD_PAIRS:
		return "an object whose values are strings";
	case FIELD_OBJECT:
		return "an object";
	case FIELD_MAP:
		return "an object of objects";
	case FIELD_IGNORED:
	case FIELD_CUSTOM:
		break;
	}
	return "something else";
}

void field_expect(const struct field *field, char *text, size_t size)
{
	if (field->names)
		field_expect_name(field->names, text, size);
	else if (field->kind == FIELD_NUMBER || field->kind == FIELD_OPT_NUMBER)
		field_expect_number(field, text, size);
	else
		(void)snprintf(text, size, "%s", field_expect_kind(field->kind));
}

int field_missing(const struct reader *r, const struct json *object, const struct field *field)
{
	char path[JSON_PATH_SIZE], expected[512];
	struct json_place place = json_place(r->doc, object);

	json_path(r->doc, object, path);
	field_expect(field, expected, sizeof(expected));
	return err_say(r->err, -EINVAL, "%s:%u:%u: %s%s%s: is missing, expected %s", r->doc->name,
		       place.line, place.column, path, *path ? "." : "", field->key, expected);
}

void field_report(const struct reader *r, const struct json *at, const char *value, const char *why)
{
	char path[JSON_PATH_SIZE], text[JSON_PATH_SIZE + JSON_SHOWN_SIZE], shown[JSON_SHOWN_SIZE];
	struct json_place place;

	if (!r->source->unknown)
		return;
	json_path(r->doc, at, path);
	(void)snprintf(text, sizeof(text), "%s", path);
	if (value) {
		json_show_text(value, shown);
		(void)snprintf(text, sizeof(text), "%s=%s", path, shown);
	}
	place = json_place(r->doc, at);
	r->source->unknown(r->source->unknown_data, text, why, place.line, place.column);
}

int field_unknown(const struct reader *r, const struct field_table *table, const struct json *key)
{
	char known[256];
	size_t len = 0;

	for (size_t i = 0; i < table->n && len < sizeof(known); i++)
		len += (size_t)snprintf(known + len, sizeof(known) - len, "%s\"%s\"",
					i == 0 ? "" : ", ", table->fields[i].key);
	return json_refuse(r->doc, key, r->err, "the key is unknown, expected one of %s", known);
}
