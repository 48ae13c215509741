/*
 * test_subid.c - ranges of ids, as people and distributions write them into /etc/subuid.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "host/subid.h"

static struct arena arena;

static struct subid parse(const char *text)
{
	struct subid file;
	struct err err;

	assert_int_equal(subid_parse("/etc/subuid", text, &arena, &file, &err), 0);
	return file;
}

static int done(void **state)
{
	(void)state;
	arena_done(&arena);
	arena = (struct arena){ 0 };
	return 0;
}

static void finds_the_ranges_of_a_user(void **state)
{
	struct subid file =
	    parse("# comment\n\nann:100000:65536\n1000:300000:10\nbob:200000:65536\n"
		  "ann:400000:5");

	(void)state;
	assert_int_equal(file.n, 4);
	assert_int_equal(file.n_wrong, 0);
	assert_int_equal(subid_total(&file, "ann", 1000), 65536 + 10 + 5);
	assert_int_equal(subid_total(&file, NULL, 1000), 10);
	assert_int_equal(subid_total(&file, "bob", 1001), 65536);
	assert_int_equal(subid_total(&file, "eve", 1002), 0);
	/* The whole name counts, and none of its beginnings. */
	assert_false(subid_is_of(&file.v[0], "an", 5));
	assert_int_equal(file.v[3].line, 6);
}

static void says_what_is_wrong(void **state)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{ "", "" },
		{ "a:100000:65536\nb:165536:65536\n", "" },
		{ "a:4294967294:1\n", "" },
		{ "a:100000\n", "/etc/subuid:1: is not in the form NAME:FIRST:COUNT" },
		{ "\n:100000:5\n", "/etc/subuid:2: is not in the form NAME:FIRST:COUNT" },
		{ "a:-5:5\n", "/etc/subuid:1: is not in the form NAME:FIRST:COUNT" },
		{ "a:100000:5x\n", "/etc/subuid:1: is not in the form NAME:FIRST:COUNT" },
		{ "a:100000-165535\n", "/etc/subuid:1: is not in the form NAME:FIRST:COUNT" },
		{ "a: 100000:5\n", "/etc/subuid:1: is not in the form NAME:FIRST:COUNT" },
		{ "a:4294967294:2\n", "/etc/subuid:1: is not in the form NAME:FIRST:COUNT" },
		{ "a:100000:0\n", "/etc/subuid:1: the range of a is empty" },
		{ "a:1000:10\n",
		  "/etc/subuid:1: a gets ids from 1000 on, which users of the host have" },
		{ "b:165535:10\na:100000:65536\n",
		  "/etc/subuid:1: the ids of b from 165535 on are those of a (line 2), too" },
		{ "a:100000:65536\na:100000:65536\n",
		  "/etc/subuid:2: the ids of a from 100000 on are those of a (line 1), too" },
		/* The second ends before the third begins, the first does not. */
		{ "a:100000:900000\nb:200000:10\nc:300000:10\n",
		  "/etc/subuid:2: the ids of b from 200000 on are those of a (line 1), too; "
		  "/etc/subuid:3: the ids of c from 300000 on are those of a (line 1), too" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		_cleanup_buf_ struct buf out = { 0 };
		struct subid file = parse(rows[i].text);

		subid_check(&file, &out);
		assert_string_equal(buf_text(&out), rows[i].said);
	}
}

static void a_file_that_is_not_there_has_no_ranges(void **state)
{
	struct subid file;
	struct err err;

	(void)state;
	assert_int_equal(subid_read("/does/not/exist", &arena, &file, &err), 0);
	assert_true(file.missing);
	assert_int_equal(file.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(finds_the_ranges_of_a_user, done),
		cmocka_unit_test_teardown(says_what_is_wrong, done),
		cmocka_unit_test_teardown(a_file_that_is_not_there_has_no_ranges, done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
