#include "base/json.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

/* Below this, comparing each key with each is quicker than sorting them. */
#define FEW_KEYS 16

#define SPAN_MAX ((1U << 29) - 1) /* more than JSON_MAX_SIZE bytes can hold */

struct parser {
	struct json_doc *doc;
	const char *at, *end;
	char *copy;
	size_t room; /* in doc->values */
	unsigned int depth;
	struct arena *arena;
	struct err *err;
};

static int parse_value(struct parser *p);

/* ---- errors and values -------------------------------------------------------------------- */

static int no_memory(struct parser *p)
{
	return err_set(p->err, -ENOMEM, "read %s", p->doc->name);
}

static int refuse_at(struct parser *p, const char *at, const char *what)
{
	struct json here = { .text = p->copy + (at - p->doc->source) };
	struct json_place place = json_place(p->doc, &here);

	return err_say(p->err, -EINVAL, "%s:%u:%u: %s", p->doc->name, place.line, place.column,
		       what);
}

/* "expected WHAT, found 'x'": the place is where the reader stands. */
static int expected(struct parser *p, const char *what)
{
	char text[128];
	unsigned char c;

	if (p->at == p->end) {
		(void)snprintf(text, sizeof(text), "expected %s, found the end of the file", what);
		return refuse_at(p, p->at, text);
	}
	c = (unsigned char)*p->at;
	if (c > 0x20 && c < 0x7f)
		(void)snprintf(text, sizeof(text), "expected %s, found '%c'", what, c);
	else
		(void)snprintf(text, sizeof(text), "expected %s, found the byte 0x%02x", what, c);
	return refuse_at(p, p->at, text);
}

static int grow(struct parser *p)
{
	size_t room = p->room * 2;
	struct json *values = arena_array(p->arena, room, sizeof(*values));

	if (!values)
		return no_memory(p);
	memcpy(values, p->doc->values, p->doc->n * sizeof(*values));
	p->doc->values = values;
	p->room = room;
	return 0;
}

/* Adds a value that begins at `at`. Its index stays true when the array moves, its address does
 * not. */
static int add_value(struct parser *p, enum json_type type, const char *at, size_t *ret_index)
{
	struct json_doc *doc = p->doc;
	int r = doc->n == p->room ? grow(p) : 0;

	if (r < 0)
		return r;
	doc->values[doc->n] = (struct json){
		.text = p->copy + (at - doc->source),
		.type = (unsigned int)type & 7U,
		.span = 1,
	};
	*ret_index = doc->n++;
	return 0;
}

static void skip_space(struct parser *p)
{
	const char *at = p->at;

	while (at < p->end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r'))
		at++;
	p->at = at;
}

static bool accept(struct parser *p, char c)
{
	if (p->at == p->end || *p->at != c)
		return false;
	p->at++;
	return true;
}

/* ---- strings ------------------------------------------------------------------------------ */

/* What needs no thought inside a string: ASCII without control characters, quote and backslash. */
static const bool is_plain[256] = {
	[0x20 ... 0x21] = true,
	[0x23 ... 0x5b] = true,
	[0x5d ... 0x7f] = true,
};

static int hex4(struct parser *p, unsigned int *ret)
{
	unsigned int value = 0;

	for (int i = 0; i < 4; i++, p->at++) {
		unsigned int c = p->at < p->end ? (unsigned char)*p->at : 0, low = c | 0x20;

		if (c >= '0' && c <= '9')
			value = value * 16 + (c - '0');
		else if (low >= 'a' && low <= 'f')
			value = value * 16 + (low - 'a' + 10);
		else
			return expected(p, "four hexadecimal digits after \\u");
	}
	*ret = value;
	return 0;
}

static char *put_utf8(char *out, unsigned int c)
{
	/* The casts cut out the bits that the byte has room for. */
	if (c < 0x80) {
		*out++ = (char)c;
	} else if (c < 0x800) {
		*out++ = (char)(0xc0 | (c >> 6));
		*out++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*out++ = (char)(0xe0 | (c >> 12));
		*out++ = (char)(0x80 | ((c >> 6) & 0x3f));
		*out++ = (char)(0x80 | (c & 0x3f));
	} else {
		*out++ = (char)(0xf0 | (c >> 18));
		*out++ = (char)(0x80 | ((c >> 12) & 0x3f));
		*out++ = (char)(0x80 | ((c >> 6) & 0x3f));
		*out++ = (char)(0x80 | (c & 0x3f));
	}
	return out;
}

static int parse_unicode(struct parser *p, char **out)
{
	const char *start = p->at - 2; /* the backslash */
	unsigned int c, low;
	int r = hex4(p, &c);

	if (r < 0)
		return r;
	if (c == 0)
		return refuse_at(p, start, "a string with \\u0000: C strings would end there");
	if (c >= 0xdc00 && c <= 0xdfff)
		return refuse_at(p, start, "the second half of a surrogate pair without the first");
	if (c >= 0xd800 && c <= 0xdbff) {
		if (!accept(p, '\\') || !accept(p, 'u'))
			return refuse_at(p, start,
					 "the first half of a surrogate pair without the second");
		r = hex4(p, &low);
		if (r < 0)
			return r;
		if (low < 0xdc00 || low > 0xdfff)
			return refuse_at(p, start,
					 "the first half of a surrogate pair without the second");
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	*out = put_utf8(*out, c);
	return 0;
}

static int parse_escape(struct parser *p, char **out)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *found;

	p->at++;
	if (accept(p, 'u'))
		return parse_unicode(p, out);
	found = p->at < p->end && *p->at ? strchr(names, *p->at) : NULL;
	if (!found)
		return expected(p, "one of \" \\ / b f n r t u after a backslash");
	*(*out)++ = values[found - names];
	p->at++;
	return 0;
}

/* A character that is neither plain nor an escape: beyond ASCII, or not allowed in a string. */
static int parse_odd(struct parser *p, char **out)
{
	unsigned char c = (unsigned char)*p->at;
	size_t len = utf8_len((const unsigned char *)p->at, (size_t)(p->end - p->at));

	if (c == '\n' || c == '\r')
		return refuse_at(p, p->at,
				 "a line ends inside a string: the closing quote is missing");
	if (c < 0x20)
		return refuse_at(p, p->at, "a control character in a string: write it as \\u00XX");
	if (len == 0)
		return refuse_at(p, p->at, "bytes in a string that are not UTF-8");
	memcpy(*out, p->at, len);
	*out += len;
	p->at += len;
	return 0;
}

/* A decoded string is never longer than its text, so it fits where the text was, NUL included. */
static int parse_string(struct parser *p)
{
	const char *start = p->at++;
	char *out = p->copy + (p->at - p->doc->source);
	size_t index;
	int r = add_value(p, JSON_TYPE_STRING, p->at, &index);

	while (r == 0) {
		const char *at = p->at;

		/* Runs are short: a call of memcpy() for each would cost more than its bytes. */
		while (at < p->end && is_plain[(unsigned char)*at])
			*out++ = *at++;
		p->at = at;
		if (at == p->end)
			return refuse_at(p, start, "a string without its closing quote");
		if (accept(p, '"'))
			break;
		r = *at == '\\' ? parse_escape(p, &out) : parse_odd(p, &out);
	}
	if (r < 0)
		return r;
	*out = '\0';
	/* Less than JSON_MAX_SIZE. */
	p->doc->values[index].len = (uint32_t)(out - p->doc->values[index].text);
	return 0;
}

/* ---- numbers and words -------------------------------------------------------------------- */

static bool skip_digits(struct parser *p)
{
	const char *start = p->at;

	while (p->at < p->end && *p->at >= '0' && *p->at <= '9')
		p->at++;
	return p->at > start;
}

static int parse_number(struct parser *p)
{
	const char *start = p->at;
	size_t index, len;
	char *copy;
	int r;

	(void)accept(p, '-');
	if (accept(p, '0')) {
		if (skip_digits(p))
			return refuse_at(p, start, "a number with a leading 0");
	} else if (!skip_digits(p)) {
		return expected(p, "a digit after -");
	}
	if (accept(p, '.') && !skip_digits(p))
		return expected(p, "a digit after the decimal point");
	if (accept(p, 'e') || accept(p, 'E')) {
		if (!accept(p, '+'))
			(void)accept(p, '-');
		if (!skip_digits(p))
			return expected(p, "a digit in the exponent");
	}
	r = add_value(p, JSON_TYPE_NUMBER, start, &index);
	if (r < 0)
		return r;
	len = (size_t)(p->at - start);
	copy = p->copy + (start - p->doc->source);
	memcpy(copy, start, len);
	copy[len] = '\0';
	p->doc->values[index].len = (uint32_t)len; /* less than JSON_MAX_SIZE */
	return 0;
}

static int parse_word(struct parser *p)
{
	static const struct {
		const char *text;
		enum json_type type;
	} words[] = { { "true", JSON_TYPE_TRUE },
		      { "false", JSON_TYPE_FALSE },
		      { "null", JSON_TYPE_NULL } };
	size_t index;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t len = strlen(words[i].text);

		if ((size_t)(p->end - p->at) < len || memcmp(p->at, words[i].text, len) != 0)
			continue;
		p->at += len;
		return add_value(p, words[i].type, p->at - len, &index);
	}
	return expected(p, "a value (an object, array, string, number, true, false or null)");
}

/* ---- arrays and objects ------------------------------------------------------------------- */

static int refuse_duplicate(struct parser *p, const struct json *key)
{
	return json_refuse(p->doc, key, p->err, "the key is given twice");
}

static int compare_keys(const void *a, const void *b)
{
	const struct json *x = *(const struct json *const *)a, *y = *(const struct json *const *)b;
	int order;

	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	order = memcmp(x->text, y->text, x->len);
	return order != 0 ? order : (x > y) - (x < y);
}

static bool same_key(const struct json *a, const struct json *b)
{
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

/* Sorting keeps a hostile file with a million keys from costing a million times a million. */
static int check_many_keys(struct parser *p, const struct json *object)
{
	const struct json **keys = arena_array(p->arena, object->len, sizeof(void *));
	size_t n = 0;

	if (!keys)
		return no_memory(p);
	for (const struct json *key = json_first(object); key; key = json_next(object, key))
		keys[n++] = key;
	qsort(keys, n, sizeof(void *), compare_keys);
	for (size_t i = 1; i < n; i++)
		if (same_key(keys[i - 1], keys[i]))
			return refuse_duplicate(p, keys[i]);
	return 0;
}

static int check_keys(struct parser *p, const struct json *object)
{
	if (object->len > FEW_KEYS)
		return check_many_keys(p, object);
	for (const struct json *key = json_first(object); key; key = json_next(object, key))
		for (const struct json *old = object + 1; old < key; old += old->span)
			if (same_key(old, key))
				return refuse_duplicate(p, key);
	return 0;
}

static void close_span(struct parser *p, size_t index)
{
	p->doc->values[index].span = (uint32_t)(p->doc->n - index) & SPAN_MAX;
}

static int parse_item(struct parser *p)
{
	skip_space(p);
	if (p->at < p->end && *p->at == ']')
		return refuse_at(p, p->at, "a comma before ]: JSON has none after the last item");
	return parse_value(p);
}

static int parse_member(struct parser *p)
{
	size_t key = p->doc->n;
	int r;

	skip_space(p);
	if (p->at < p->end && *p->at == '}')
		return refuse_at(p, p->at, "a comma before }: JSON has none after the last member");
	if (p->at == p->end || *p->at != '"')
		return expected(p, "a key in double quotes");
	r = parse_string(p);
	if (r < 0)
		return r;
	p->doc->values[key].span = SPAN_MAX; /* open, as its value will be */
	skip_space(p);
	if (!accept(p, ':'))
		return expected(p, "a colon after the key");
	r = parse_value(p);
	if (r == 0)
		close_span(p, key);
	return r;
}

/* After the opening bracket: items or members up to the closing one. */
static int parse_inside(struct parser *p, size_t index, bool is_object)
{
	uint32_t n = 0;
	int r;

	skip_space(p);
	if (accept(p, is_object ? '}' : ']'))
		return 0;
	do {
		r = is_object ? parse_member(p) : parse_item(p);
		if (r < 0)
			return r;
		n++;
		skip_space(p);
	} while (accept(p, ','));
	if (!accept(p, is_object ? '}' : ']'))
		return expected(p, is_object ? "a comma or }" : "a comma or ]");
	p->doc->values[index].len = n;
	close_span(p, index);
	return 0;
}

static int parse_container(struct parser *p, bool is_object)
{
	size_t index;
	int r = add_value(p, is_object ? JSON_TYPE_OBJECT : JSON_TYPE_ARRAY, p->at, &index);

	if (r < 0)
		return r;
	if (p->depth == JSON_MAX_DEPTH)
		return refuse_at(p, p->at, "more than 64 levels of arrays and objects");
	/* An open container has no end yet, which is how a path to something inside it is found. */
	p->doc->values[index].span = SPAN_MAX;
	p->at++;
	p->depth++;
	r = parse_inside(p, index, is_object);
	p->depth--;
	if (r == 0 && p->doc->values[index].len == 0)
		p->doc->values[index].span = 1;
	if (r == 0 && is_object)
		r = check_keys(p, &p->doc->values[index]);
	return r;
}

static int parse_value(struct parser *p)
{
	skip_space(p);
	if (p->at == p->end)
		return expected(p, "a value");
	switch (*p->at) {
	case '{':
		return parse_container(p, true);
	case '[':
		return parse_container(p, false);
	case '"':
		return parse_string(p);
	case '-':
	case '0' ... '9':
		return parse_number(p);
	default:
		return parse_word(p);
	}
}

int json_parse(struct json_doc *ret, const char *name, const char *source, size_t len,
	       struct arena *arena, struct err *err)
{
	struct json_doc doc = { .name = name, .source = source, .len = len };
	struct parser p = {
		.doc = &doc,
		.at = source,
		.end = source + len,
		.arena = arena,
		.err = err,
	};
	int r;

	if (len > JSON_MAX_SIZE)
		return err_say(err, -EFBIG, "%s: %zu bytes, more than %lu", name, len,
			       JSON_MAX_SIZE);
	p.room = len / 16 + 16; /* what configurations need; doubled where that is too little */
	p.copy = arena_alloc(arena, len + 1);
	doc.copy = p.copy;
	doc.values = arena_array(arena, p.room, sizeof(*doc.values));
	if (!p.copy || !doc.values)
		return no_memory(&p);
	r = parse_value(&p);
	if (r < 0)
		return r;
	skip_space(&p);
	if (p.at < p.end)
		return expected(&p, "the end of the file after the value");
	*ret = doc;
	return 0;
}
