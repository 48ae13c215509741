#include "base/json.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct parsed {
	struct arena arena;
	struct json_doc doc;
	struct err err;
	int result;
};

static struct parsed parse_bytes(const char *text, size_t len)
{
	struct parsed p = { 0 };

	p.result = json_parse(&p.doc, "f", text, len, &p.arena, &p.err);
	return p;
}

static struct parsed parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static void done(struct parsed *p)
{
	arena_done(&p->arena);
}

static void reads_every_kind_of_value(void **state)
{
	struct parsed p =
	    parse(" { \"a\" : [ 1 , -2.5e+3, \"x\", true, false, null ], \"b\":{} ,\"c\":[]}\n");
	const struct json *root = p.doc.values, *a = json_get(root, "a"), *item = json_first(a);
	static const enum json_type types[] = {
		JSON_TYPE_NUMBER, JSON_TYPE_NUMBER, JSON_TYPE_STRING,
		JSON_TYPE_TRUE,   JSON_TYPE_FALSE,  JSON_TYPE_NULL,
	};

	(void)state;
	assert_int_equal(p.result, 0);
	assert_int_equal(root->type, JSON_TYPE_OBJECT);
	assert_int_equal(root->len, 3);
	assert_int_equal(a->len, 6);
	for (size_t i = 0; i < 6; i++, item = json_next(a, item))
		assert_int_equal(item->type, types[i]);
	assert_null(item);
	assert_string_equal(a[2].text, "-2.5e+3");
	assert_null(json_first(json_get(root, "b")));
	assert_null(json_first(json_get(root, "c")));
	assert_null(json_get(root, "d"));
	done(&p);
}

static void decodes_strings(void **state)
{
	struct parsed p =
	    parse("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\", \"\\u00e9\\u20AC\\ud83d\\uDE00\", "
		  "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\x7f\", \"\"]");
	const struct json *first = p.doc.values + 1;

	(void)state;
	assert_int_equal(p.result, 0);
	assert_string_equal(first[0].text, "\"\\/\b\f\n\r\t");
	assert_string_equal(first[1].text, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	assert_int_equal(first[1].len, 9);
	assert_string_equal(first[2].text, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\x7f");
	assert_string_equal(first[3].text, "");
	done(&p);
}

static void takes_integers_exactly(void **state)
{
	struct parsed p =
	    parse("[18446744073709551615, -9223372036854775808, 18446744073709551616, "
		  "1.0, 1e3, \"1\", -0]");
	const struct json *v = p.doc.values + 1;
	uint64_t u = 7;
	int64_t i = 7;

	(void)state;
	assert_int_equal(json_u64(&v[0], UINT64_MAX, &u), 0);
	assert_true(u == UINT64_MAX);
	assert_int_equal(json_i64(&v[1], INT64_MIN, INT64_MAX, &i), 0);
	assert_true(i == INT64_MIN);
	u = 7;
	assert_int_equal(json_u64(&v[2], UINT64_MAX, &u), -ERANGE);
	for (int k = 3; k < 6; k++)
		assert_int_equal(json_u64(&v[k], UINT64_MAX, &u), -EINVAL);
	assert_int_equal(json_u64(&v[0], 10, &u), -ERANGE);
	assert_true(u == 7);
	assert_int_equal(json_i64(&v[6], 0, 0, &i), 0);
	done(&p);
}

static void refuses_and_says_where(void **state)
{
	static const struct {
		const char *text, *message;
	} bad[] = {
		{ "", "f:1:1: expected a value, found the end of the file" },
		{ "  ", "f:1:3: expected a value, found the end of the file" },
		{ "{", "f:1:2: expected a key in double quotes, found the end of the file" },
		{ "[1,\n 2,]", "f:2:4: a comma before ]: JSON has none after the last item" },
		{ "{\"a\":1,}", "f:1:8: a comma before }: JSON has none after the last member" },
		{ "[1 2]", "f:1:4: expected a comma or ], found '2'" },
		{ "{\"a\" 1}", "f:1:6: expected a colon after the key, found '1'" },
		{ "{a:1}", "f:1:2: expected a key in double quotes, found 'a'" },
		{ "{'a':1}", "f:1:2: expected a key in double quotes, found '''" },
		{ "{\"a\":1 // no\n}", "f:1:8: expected a comma or }, found '/'" },
		{ "1 1", "f:1:3: expected the end of the file after the value, found '1'" },
		{ "01", "f:1:1: a number with a leading 0" },
		{ "-", "f:1:2: expected a digit after -, found the end of the file" },
		{ "[-a]", "f:1:3: expected a digit after -, found 'a'" },
		{ "1.", "f:1:3: expected a digit after the decimal point" },
		{ ".5", "f:1:1: expected a value" },
		{ "1e", "f:1:3: expected a digit in the exponent" },
		{ "+1", "f:1:1: expected a value" },
		{ "NaN", "f:1:1: expected a value" },
		{ "tru", "f:1:1: expected a value" },
		{ "True", "f:1:1: expected a value" },
		{ "\"a", "f:1:1: a string without its closing quote" },
		{ "\"a\nb\"", "f:1:3: a line ends inside a string" },
		{ "\"a\tb\"", "f:1:3: a control character in a string" },
		{ "\"\\x\"",
		  "f:1:3: expected one of \" \\ / b f n r t u after a backslash, found 'x'" },
		{ "\"\\", "f:1:3: expected one of" },
		{ "\"\\u12g4\"", "f:1:6: expected four hexadecimal digits after \\u, found 'g'" },
		{ "\"\\u12", "f:1:6: expected four hexadecimal digits after \\u, found the end" },
		{ "\"\\u0000\"", "f:1:2: a string with \\u0000" },
		{ "\"\\ud800\"", "f:1:2: the first half of a surrogate pair without the second" },
		{ "\"\\ud800\\u0041\"",
		  "f:1:2: the first half of a surrogate pair without the second" },
		{ "\"\\udc00\"", "f:1:2: the second half of a surrogate pair without the first" },
		{ "\"\xff\"", "f:1:2: bytes in a string that are not UTF-8" },
		{ "\"\xc0\x80\"", "f:1:2: bytes in a string that are not UTF-8" },
		{ "\"\xed\xa0\x80\"", "f:1:2: bytes in a string that are not UTF-8" },
		{ "\"\xf4\x90\x80\x80\"", "f:1:2: bytes in a string that are not UTF-8" },
		{ "\"\xe2\x82", "f:1:2: bytes in a string that are not UTF-8" },
		{ "\xef\xbb\xbf{}", "f:1:1: expected a value" },
		{ "{\"a\":1,\"b\":2,\"\\u0061\":3}", "f:1:14: a: the key is given twice" },
		{ "[0,{\"b\":{\"c\":1,\"c\":1}}]", "f:1:16: [1].b.c: the key is given twice" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct parsed p = parse(bad[i].text);

		assert_int_equal(p.result, -EINVAL);
		if (strncmp(p.err.msg, bad[i].message, strlen(bad[i].message)) != 0)
			fail_msg("%s: got \"%s\", expected \"%s\"", bad[i].text, p.err.msg,
				 bad[i].message);
		done(&p);
	}
}

static void a_nul_byte_ends_nothing(void **state)
{
	struct parsed p = parse_bytes("[1]\0", 4), q = parse_bytes("\"a\0b\"", 5);

	(void)state;
	assert_string_equal(
	    p.err.msg, "f:1:4: expected the end of the file after the value, found the byte 0x00");
	assert_string_equal(q.err.msg,
			    "f:1:3: a control character in a string: write it as \\u00XX");
	done(&p);
	done(&q);
}

static void depth_is_bounded(void **state)
{
	char text[2 * 65 + 1];
	struct parsed p;

	(void)state;
	for (unsigned int depth = 64; depth <= 65; depth++) {
		memset(text, '[', depth);
		memset(text + depth, ']', depth);
		p = parse_bytes(text, (size_t)depth * 2);
		assert_int_equal(p.result, depth == 64 ? 0 : -EINVAL);
		done(&p);
	}
	assert_string_equal(p.err.msg, "f:1:65: more than 64 levels of arrays and objects");
}

static void size_is_bounded(void **state)
{
	char *text = malloc(JSON_MAX_SIZE + 1);
	struct parsed p;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', JSON_MAX_SIZE + 1);
	text[0] = '1';
	p = parse_bytes(text, JSON_MAX_SIZE + 1);
	assert_int_equal(p.result, -EFBIG);
	done(&p);
	p = parse_bytes(text, JSON_MAX_SIZE);
	assert_int_equal(p.result, 0);
	done(&p);
	free(text);
}

/* Twice the keys must not take four times as long: the file may be hostile. */
static void finds_duplicates_among_many_keys(void **state)
{
	enum { KEYS = 100000 };
	char *text = malloc((size_t)KEYS * 16), *at = text;
	struct parsed p;

	(void)state;
	assert_non_null(text);
	at += sprintf(at, "{");
	for (int i = 0; i < KEYS; i++)
		at += sprintf(at, "\"%x\":1,\n", (unsigned int)i * 2654435761U);
	p = parse_bytes(text, (size_t)(sprintf(at, "\"last\":1}") + (at - text)));
	assert_int_equal(p.result, 0);
	assert_int_equal(p.doc.values[0].len, KEYS + 1);
	done(&p);
	p = parse_bytes(text, (size_t)(sprintf(at, "\"0\":1}") + (at - text)));
	assert_string_equal(p.err.msg, "f:100001:1: 0: the key is given twice");
	done(&p);
	free(text);
}

static void grows_with_small_values(void **state)
{
	enum { ITEMS = 5000 };
	char text[2 * ITEMS + 2] = "[";
	struct parsed p;

	(void)state;
	for (size_t i = 0; i < ITEMS; i++)
		memcpy(text + 1 + 2 * i, i + 1 < ITEMS ? "7," : "7]", 2);
	p = parse_bytes(text, 2 * ITEMS + 1);
	assert_int_equal(p.result, 0);
	assert_int_equal(p.doc.values[0].len, ITEMS);
	assert_int_equal(p.doc.n, ITEMS + 1);
	assert_string_equal(p.doc.values[ITEMS].text, "7");
	done(&p);
}

static void tells_paths_and_places(void **state)
{
	struct parsed p =
	    parse("{\"a\":{\"b\":[0,\n[1,{\"c.d\":\"\xc3\xa9\"}]],\n\t\"e\\n\\\"\":2}}");
	const struct json *a = json_get(p.doc.values, "a"), *b = json_get(a, "b");
	const struct json *inner = json_next(b, json_first(b)) + 2;
	char path[JSON_PATH_SIZE];

	(void)state;
	json_path(&p.doc, p.doc.values, path);
	assert_string_equal(path, "");
	json_path(&p.doc, json_get(inner, "c.d"), path);
	assert_string_equal(path, "a.b[1][1][\"c.d\"]");
	assert_ptr_equal(json_locate(&p.doc, "a.b[1][1][\"c.d\"]: is wrong"),
			 json_get(inner, "c.d"));
	assert_ptr_equal(json_locate(&p.doc, "a.b[1][7].x"), json_next(b, json_first(b)));
	assert_ptr_equal(json_locate(&p.doc, "nothing"), p.doc.values);
	assert_int_equal(json_place(&p.doc, json_get(inner, "c.d")).line, 2);
	assert_int_equal(json_place(&p.doc, json_get(inner, "c.d")).column, 11);
	/* A line's end or an escape sequence in a key must not reach a terminal. */
	json_path(&p.doc, a + a->span - 1, path);
	assert_string_equal(path, "a[\"e\\u000a\\\"\"]");
	assert_int_equal(json_place(&p.doc, a + a->span - 1).line, 3);
	done(&p);
}

static void shows_values_short_and_harmless(void **state)
{
	struct parsed p =
	    parse("[\"\\u001b[2J\\u009b1m\\u007f\", \"0123456789012345678901234567890123456789"
		  "012345678901234567890123456789\", {}, {\"a\":1}, [], [1], null, 12]");
	static const char *const expected[] = {
		"\"\\u001b[2J?1m\\u007f\"",
		"\"012345678901234567890123456789012345678901234567890123456789...\"",
		"{}",
		"{...}",
		"[]",
		"[...]",
		"null",
		"12",
	};
	const struct json *item = json_first(p.doc.values);
	char shown[JSON_SHOWN_SIZE];

	(void)state;
	for (size_t i = 0; item; i++, item = json_next(p.doc.values, item)) {
		json_show(item, shown);
		if (strncmp(shown, expected[i], 40) != 0)
			fail_msg("%s is not %s", shown, expected[i]);
	}
	done(&p);
}

/* Long paths are cut, never overflow: each level adds a long key. */
static void long_paths_fit(void **state)
{
	char text[64 * 160], path[JSON_PATH_SIZE];
	char *at = text;
	struct parsed p;

	(void)state;
	for (int i = 0; i < 60; i++)
		at += sprintf(at, "{\"%0100d\\u0001\":", i);
	at += sprintf(at, "1");
	for (int i = 0; i < 60; i++)
		at += sprintf(at, "}");
	p = parse(text);
	assert_int_equal(p.result, 0);
	json_path(&p.doc, p.doc.values + p.doc.n - 1, path);
	assert_true(strlen(path) < JSON_PATH_SIZE);
	done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_kind_of_value),
		cmocka_unit_test(decodes_strings),
		cmocka_unit_test(takes_integers_exactly),
		cmocka_unit_test(refuses_and_says_where),
		cmocka_unit_test(a_nul_byte_ends_nothing),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(size_is_bounded),
		cmocka_unit_test(finds_duplicates_among_many_keys),
		cmocka_unit_test(grows_with_small_values),
		cmocka_unit_test(tells_paths_and_places),
		cmocka_unit_test(shows_values_short_and_harmless),
		cmocka_unit_test(long_paths_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
