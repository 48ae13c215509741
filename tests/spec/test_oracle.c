/*
 * Two readers of JSON see the same: ours and jansson, over handmade texts, the files of tests/data
 * and some ten thousand random mutations of them (the same ones each time).
 *
 * Where we are stricter or keep more, the comparison says so: depth beyond 64, and numbers that do
 * not fit jansson's types.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/json.h"
#include "data.h"

#define MUTATIONS 3000

static bool same(const struct json *ours, const json_t *theirs);

static bool same_object(const struct json *ours, const json_t *theirs)
{
	if (ours->len != json_object_size(theirs))
		return false;
	for (const struct json *key = json_first(ours); key; key = json_next(ours, key)) {
		const json_t *value = json_object_get(theirs, key->text);

		if (!value || !same(json_value(key), value) ||
		    json_get(ours, key->text) != json_value(key))
			return false;
	}
	return true;
}

static bool same_array(const struct json *ours, const json_t *theirs)
{
	size_t i = 0;

	if (ours->len != json_array_size(theirs))
		return false;
	for (const struct json *item = json_first(ours); item; item = json_next(ours, item))
		if (!same(item, json_array_get(theirs, i++)))
			return false;
	return true;
}

static bool same_number(const struct json *ours, const json_t *theirs)
{
	int64_t number;

	if (json_is_integer(theirs))
		return json_i64(ours, INT64_MIN, INT64_MAX, &number) == 0 &&
		       number == json_integer_value(theirs);
	return json_is_real(theirs) &&
	       fabs(strtod(ours->text, NULL) - json_real_value(theirs)) == 0;
}

static bool same(const struct json *ours, const json_t *theirs)
{
	switch ((enum json_type)ours->type) {
	case JSON_TYPE_NULL:
		return json_is_null(theirs);
	case JSON_TYPE_FALSE:
		return json_is_false(theirs);
	case JSON_TYPE_TRUE:
		return json_is_true(theirs);
	case JSON_TYPE_NUMBER:
		return same_number(ours, theirs);
	case JSON_TYPE_STRING:
		return json_is_string(theirs) && ours->len == json_string_length(theirs) &&
		       strcmp(ours->text, json_string_value(theirs)) == 0;
	case JSON_TYPE_ARRAY:
		return json_is_array(theirs) && same_array(ours, theirs);
	case JSON_TYPE_OBJECT:
		return json_is_object(theirs) && same_object(ours, theirs);
	}
	return false;
}

static bool is_known_difference(const struct err *ours, const json_error_t *theirs)
{
	return strstr(ours->msg, "more than 64 levels") || strstr(theirs->text, "too big") ||
	       strstr(theirs->text, "overflow");
}

static void compare(const char *text, size_t len)
{
	struct arena arena = { 0 };
	struct json_doc doc;
	struct err err = { 0 };
	json_error_t error = { 0 };
	json_t *theirs = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	int r = json_parse(&doc, "f", text, len, &arena, &err);

	if ((r == 0) != (theirs != NULL) && !is_known_difference(&err, &error))
		fail_msg("ours: %s; jansson: %s (%d:%d); text: %.*s", r == 0 ? "accepts" : err.msg,
			 theirs ? "accepts" : error.text, error.line, error.column, (int)len, text);
	if (r == 0 && theirs && !same(doc.values, theirs))
		fail_msg("different values of: %.*s", (int)len, text);
	json_decref(theirs);
	arena_done(&arena);
}

static const char *const texts[] = {
	"",
	"0",
	"-0",
	"-0.0",
	"00",
	"1.",
	".1",
	"1e5",
	"1E+5",
	"1e-5",
	"1e",
	"-",
	"[]",
	"[1,]",
	"[,1]",
	"[1 2]",
	"[",
	"]",
	"{}",
	"{,}",
	"{\"a\"}",
	"{\"a\":}",
	"{\"a\":1,}",
	"{1:1}",
	"true",
	"TRUE",
	"nul",
	"nulll",
	"\"\"",
	"\"",
	"\"\\\"",
	"\"\\u00\"",
	"\"\\u0000\"",
	"\"\\/\"",
	"\"\\'\"",
	"'a'",
	"\"\t\"",
	"\"\x7f\"",
	"\"\x1f\"",
	"\"\x80\"",
	"\"\xc3\"",
	"\"\xc3\xa9\"",
	"\"\\ud83d\\ude00\"",
	"\"\\ude00\\ud83d\"",
	"\"\\ud83d\"",
	"\"\\ud83dx\"",
	"\"\\ud83d\\n\"",
	"\"\\uD83D\\uDE00\"",
	"\"\\udfff\"",
	"\"\\ud83d\\ud83d\"",
	"\"\xed\xa0\x80\"",
	"\"\xf0\x80\x80\x80\"",
	"\"\xf4\x8f\xbf\xbf\"",
	"\"\xf8\x88\x80\x80\x80\"",
	"\xef\xbb\xbf[]",
	"[] []",
	"[]x",
	"/**/[]",
	"[1//\n]",
	"{\"a\":1,\"a\":1}",
	"{\"a\":1,\"\\u0061\":1}",
	"{\"\":1}",
	"{\"\":1,\"\":2}",
	"\r\n\t [ ] \r\n",
	"\f[]",
	"\v[]",
	"[\xc2\xa0]",
	"9223372036854775807",
	"9223372036854775808",
	"-9223372036854775808",
	"1e400",
	"1.7976931348623157e308",
	"[[[[[[]]]]]]",
	"{\"a\":{\"b\":[{\"c\":{}}]}}",
	"[1.5,2.25e-3,-7]",
	"Infinity",
	"[NaN]",
	"0x10",
	"+1",
};

static void on_handmade_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		compare(texts[i], strlen(texts[i]));
}

/* xorshift64: small, and the same everywhere. */
static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* One to four changes: a byte, a structural character, a stretch removed or doubled. */
static size_t mutate(char *text, size_t len, size_t room, uint64_t *seed)
{
	static const char pieces[] = "{}[]\",:\\0123456789-+.eEtfnu \n\t\x01\xc3\xa9\xed\xff/d8";

	for (uint64_t n = next_random(seed) % 4 + 1; n > 0 && len > 1; n--) {
		size_t at = next_random(seed) % len, size = next_random(seed) % 24 + 1;

		if (size > len - at)
			size = len - at;
		switch (next_random(seed) % 4) {
		case 0:
			text[at] = (char)next_random(seed);
			break;
		case 1:
			text[at] = pieces[next_random(seed) % (sizeof(pieces) - 1)];
			break;
		case 2:
			memmove(text + at, text + at + size, len - at - size);
			len -= size;
			break;
		default:
			if (len + size > room)
				break;
			memmove(text + at + size, text + at, len - at);
			len += size;
		}
	}
	return len;
}

static void on_mutations(void **state)
{
	static const char *const files[] = { "full.json", "runc-spec.json", "profile.json",
					     "podman.json" };
	uint64_t seed = 0x9e3779b97f4a7c15;

	(void)state;
	for (size_t f = 0; f < sizeof(files) / sizeof(files[0]); f++) {
		size_t len, room;
		char *text = data_read(files[f], &len), *copy;

		room = len + 4096;
		copy = malloc(room);
		assert_non_null(copy);
		compare(text, len);
		for (int i = 0; i < MUTATIONS; i++) {
			memcpy(copy, text, len);
			compare(copy, mutate(copy, len, room, &seed));
		}
		free(copy);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_handmade_texts),
		cmocka_unit_test(on_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
