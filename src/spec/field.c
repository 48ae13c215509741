#include "spec/field.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static_assert(offsetof(struct opt_u64, value) == offsetof(struct opt_i64, value),
	      "FIELD_OPT_NUMBER stores both in the same way");
static_assert(sizeof(struct opt_u64) == sizeof(struct opt_i64), "the same");

/* What struct spec_strings, struct spec_hook_list and "size_t n_x; struct x *x" have in common. */
struct list {
	size_t n;
	void *v;
};

static_assert(sizeof(struct list) == sizeof(struct spec_strings), "a pointer is a pointer");

static int no_memory(const struct reader *r)
{
	return err_set(r->err, -ENOMEM, "read %s", r->source->name);
}

/* ---- single values ------------------------------------------------------------------------ */

static int check_type(const struct reader *r, const struct json *value, enum json_type type,
		      const char *expected)
{
	return value->type == type ? 0 : field_wrong(r, value, expected);
}

/* Integers of the sizes that struct spec has, cut to size; the caller has checked the range. */
static void store(void *to, size_t size, uint64_t bits)
{
	if (size == sizeof(uint8_t))
		*(uint8_t *)to = (uint8_t)bits;
	else if (size == sizeof(uint16_t))
		*(uint16_t *)to = (uint16_t)bits;
	else if (size == sizeof(uint32_t))
		*(uint32_t *)to = (uint32_t)bits;
	else
		*(uint64_t *)to = bits;
}

static int take_number(const struct reader *r, const struct field *field, const struct json *value,
		       uint64_t *ret_bits)
{
	char expected[96];
	int64_t negative;
	int result;

	if (value->type == JSON_TYPE_NUMBER && *value->text == '-') {
		result = json_i64(value, field->min, 0, &negative);
		if (result == 0)
			*ret_bits =
			    (uint64_t)negative; /* two's complement, cut to size when stored */
	} else {
		result = json_u64(value, field->max, ret_bits);
		if (result == 0 && field->min > 0 && *ret_bits < (uint64_t)field->min)
			result = -ERANGE;
	}
	if (result == 0)
		return 0;
	field_expect_number(field, expected, sizeof(expected));
	if (value->type != JSON_TYPE_NUMBER)
		return field_wrong(r, value, expected);
	return field_not_allowed(
	    r, value, result == -ERANGE ? "is out of range" : "is not a whole number", expected);
}

static int read_number(const struct reader *r, const struct field *field, const struct json *value,
		       void *to)
{
	struct opt_u64 number = { .has = true };
	int result = take_number(r, field, value, &number.value);

	if (result < 0)
		return result;
	if (field->kind == FIELD_NUMBER)
		store(to, field->size, number.value);
	else
		memcpy(to, &number, sizeof(number));
	return 0;
}

static int read_bool(const struct reader *r, const struct field *field, const struct json *value,
		     void *to)
{
	struct opt_bool answer = { .has = true, .value = value->type == JSON_TYPE_TRUE };

	if (value->type != JSON_TYPE_TRUE && value->type != JSON_TYPE_FALSE)
		return field_wrong(r, value, field_expect_kind(field->kind));
	if (field->kind == FIELD_BOOL)
		*(bool *)to = answer.value;
	else
		*(struct opt_bool *)to = answer;
	return 0;
}

static int read_string(const struct reader *r, const struct field *field, const struct json *value,
		       void *to)
{
	int result = check_type(r, value, JSON_TYPE_STRING, "a string");

	if (result < 0)
		return result;
	if (value->len == 0 && field->required)
		return field_not_allowed(r, value, "is empty", "a text");
	*(const char **)to = value->len > 0 ? value->text : NULL;
	return 0;
}

static int find_name(const struct reader *r, const struct spec_name *names,
		     const struct json *value, const struct spec_name **ret)
{
	const struct spec_name *name = NULL;
	char expected[768];

	if (value->type == JSON_TYPE_STRING)
		name = spec_name_find(names, value->text);
	if (name) {
		*ret = name;
		return 0;
	}
	field_expect_name(names, expected, sizeof(expected));
	if (value->type != JSON_TYPE_STRING)
		return field_wrong(r, value, expected);
	return field_not_allowed(r, value, "is unknown", expected);
}

static int read_name(const struct reader *r, const struct field *field, const struct json *value,
		     char *base)
{
	const struct spec_name *name;
	int result;

	if (value->type == JSON_TYPE_STRING && value->len == 0 && !field->required)
		return 0;
	result = find_name(r, field->names, value, &name);
	if (result < 0)
		return result;
	store(base + field->offset, field->size, name->value);
	if (field->text_offset > 0)
		memcpy(base + field->text_offset, &name->name, sizeof(name->name));
	return 0;
}

/* ---- arrays and maps ---------------------------------------------------------------------- */

/* Room for n elements of `size` bytes, zeroed; for none, nothing is stored and v stays NULL. */
static int new_list(const struct reader *r, size_t n, size_t size, struct list *ret)
{
	struct list list = { .n = n };

	if (n > 0) {
		list.v = arena_array(r->arena, n, size);
		if (!list.v)
			return no_memory(r);
	}
	*ret = list;
	return 0;
}

static int read_strings(const struct reader *r, const struct field *field, const struct json *value,
			void *to)
{
	struct spec_strings strings = { .n = value->len };
	const struct spec_name *name;
	size_t i = 0;
	int result = check_type(r, value, JSON_TYPE_ARRAY, field_expect_kind(field->kind));

	if (result < 0 || value->len == 0)
		return result;
	strings.v = arena_array(r->arena, strings.n + 1, sizeof(char *));
	if (!strings.v)
		return no_memory(r);
	for (const struct json *item = json_first(value); item; item = json_next(value, item)) {
		result = field->names ? find_name(r, field->names, item, &name)
				      : check_type(r, item, JSON_TYPE_STRING, "a string");
		if (result < 0)
			return result;
		/* The copy of the text is ours; spec_strings has char * because execve wants that.
		 */
		memcpy(&strings.v[i++], &item->text, sizeof(char *));
	}
	*(struct spec_strings *)to = strings;
	return 0;
}

static int read_pairs(const struct reader *r, const struct json *value, void *to)
{
	struct spec_pairs pairs = { .n = value->len };
	size_t i = 0;
	int result = check_type(r, value, JSON_TYPE_OBJECT, field_expect_kind(FIELD_PAIRS));

	if (result < 0 || value->len == 0)
		return result;
	pairs.v = arena_array(r->arena, pairs.n, sizeof(*pairs.v));
	if (!pairs.v)
		return no_memory(r);
	for (const struct json *key = json_first(value); key; key = json_next(value, key)) {
		if (key->len == 0)
			return json_refuse(r->doc, key, r->err, "the key is empty");
		result = check_type(r, json_value(key), JSON_TYPE_STRING, "a string");
		if (result < 0)
			return result;
		pairs.v[i++] = (struct spec_pair){ key->text, json_value(key)->text };
	}
	*(struct spec_pairs *)to = pairs;
	return 0;
}

static int read_numbers(const struct reader *r, const struct field *field, const struct json *value,
			void *to)
{
	struct list list = { 0 };
	uint32_t *at;
	int result = check_type(r, value, JSON_TYPE_ARRAY, field_expect_kind(field->kind));

	if (result == 0)
		result = new_list(r, value->len, sizeof(uint32_t), &list);
	if (result < 0 || !list.v)
		return result;
	at = list.v;
	for (const struct json *item = json_first(value); item; item = json_next(value, item)) {
		uint64_t number;

		result = take_number(r, field, item, &number);
		if (result < 0)
			return result;
		*at++ = (uint32_t)number; /* at most field->max */
	}
	memcpy(to, &list, sizeof(list));
	return 0;
}

static int read_flags(const struct reader *r, const struct field *field, const struct json *value,
		      void *to)
{
	const struct spec_name *name;
	uint64_t bits = 0;
	int result = check_type(r, value, JSON_TYPE_ARRAY, field_expect_kind(field->kind));

	if (result < 0)
		return result;
	for (const struct json *item = json_first(value); item; item = json_next(value, item)) {
		result = find_name(r, field->names, item, &name);
		if (result < 0)
			return result;
		bits |= name->value;
	}
	store(to, field->size, bits);
	return 0;
}

/*
 * A name that we do not know is reported and left out, as runc does: engines send what their host's
 * kernel has, which may be newer than we are. To have a capability less is safe. Where the set is a
 * condition, the row has `names` and an unknown one is refused.
 */
static int read_capabilities(const struct reader *r, const struct field *field,
			     const struct json *value, void *to)
{
	uint64_t bits = 0;
	int result = check_type(r, value, JSON_TYPE_ARRAY, field_expect_kind(field->kind));

	if (result < 0)
		return result;
	for (const struct json *item = json_first(value); item; item = json_next(value, item)) {
		const struct spec_name *name;

		result = check_type(r, item, JSON_TYPE_STRING,
				    "a capability's name such as \"CAP_CHOWN\"");
		if (result < 0)
			return result;
		name = spec_name_find(spec_capability_names, item->text);
		if (!name && field->names)
			return find_name(r, field->names, item, &name);
		if (name)
			bits |= UINT64_C(1) << name->value;
		else
			field_report(r, item, item->text, "is not known");
	}
	*(uint64_t *)to = bits;
	return 0;
}

int field_read_list(const struct reader *r, const struct field *field, const struct json *value,
		    void *to)
{
	const struct field_table *table = field->table;
	bool is_map = field->kind == FIELD_MAP;
	struct list list = { 0 };
	char *at;
	int result = check_type(r, value, is_map ? JSON_TYPE_OBJECT : JSON_TYPE_ARRAY,
				field_expect_kind(field->kind));

	if (result == 0)
		result = new_list(r, value->len, table->size, &list);
	if (result < 0 || !list.v)
		return result;
	at = list.v;
	for (const struct json *item = json_first(value); item; item = json_next(value, item)) {
		if (is_map && item->len == 0)
			return json_refuse(r->doc, item, r->err, "the key is empty");
		if (is_map)
			memcpy(at, &item->text, sizeof(item->text));
		result = field_read_object(r, table, is_map ? json_value(item) : item, at);
		if (result < 0)
			return result;
		at += table->size;
	}
	memcpy(to, &list, sizeof(list));
	return 0;
}

/* ---- objects ------------------------------------------------------------------------------ */

static int read_field(const struct reader *r, const struct field *field, const struct json *value,
		      char *base)
{
	void *to = base + field->offset;

	switch (field->kind) {
	case FIELD_IGNORED:
		return 0;
	case FIELD_BOOL:
	case FIELD_OPT_BOOL:
		return read_bool(r, field, value, to);
	case FIELD_NUMBER:
	case FIELD_OPT_NUMBER:
		return read_number(r, field, value, to);
	case FIELD_STRING:
		return read_string(r, field, value, to);
	case FIELD_STRINGS:
		return read_strings(r, field, value, to);
	case FIELD_PAIRS:
		return read_pairs(r, value, to);
	case FIELD_NUMBERS:
		return read_numbers(r, field, value, to);
	case FIELD_NAME:
		return read_name(r, field, value, base);
	case FIELD_FLAGS:
		return read_flags(r, field, value, to);
	case FIELD_CAPABILITIES:
		return read_capabilities(r, field, value, to);
	case FIELD_OBJECT:
		return field_read_object(r, field->table, value, to);
	case FIELD_LIST:
	case FIELD_MAP:
		return field_read_list(r, field, value, to);
	case FIELD_CUSTOM:
		return field->read(r, field, value, base);
	}
	return -EINVAL;
}

static const struct field *find_field(const struct field_table *table, const struct json *key)
{
	for (size_t i = 0; i < table->n; i++)
		if (table->fields[i].key_len == key->len &&
		    memcmp(table->fields[i].key, key->text, key->len) == 0)
			return &table->fields[i];
	return NULL;
}

static int read_member(const struct reader *r, const struct field_table *table,
		       const struct json *key, void *base)
{
	const struct field *field = find_field(table, key);
	const struct json *value = json_value(key);

	if (!field && table->closed)
		return field_unknown(r, table, key);
	if (!field) {
		field_report(r, key, NULL, "is not known");
		return 0;
	}
	/* Profiles are written by hand and by Go programs that leave null for an empty array. */
	if (value->type == JSON_TYPE_NULL &&
	    (field->kind == FIELD_IGNORED || (r->is_docker_profile && !field->required)))
		return 0;
	return read_field(r, field, value, base);
}

static int check_required(const struct reader *r, const struct field_table *table,
			  const struct json *object)
{
	for (size_t i = 0; i < table->n; i++)
		if (table->fields[i].required && !json_get(object, table->fields[i].key))
			return field_missing(r, object, &table->fields[i]);
	return 0;
}

int field_read_object(const struct reader *r, const struct field_table *table,
		      const struct json *object, void *base)
{
	int result = check_type(r, object, JSON_TYPE_OBJECT, field_expect_kind(FIELD_OBJECT));

	if (result == 0)
		result = check_required(r, table, object);
	if (result < 0)
		return result;
	if (table->has)
		*(bool *)base = true;
	for (const struct json *key = json_first(object); key; key = json_next(object, key)) {
		result = read_member(r, table, key, base);
		if (result < 0)
			return result;
	}
	return table->finish ? table->finish(r, object, base) : 0;
}
