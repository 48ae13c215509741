/*
 * test_run_value.c - what sizes, numbers and lists on the command line of `containr run` mean.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/people.h"

static void expect_size(const char *text, uint64_t want)
{
	struct err err = { 0 };
	uint64_t got = 0;

	assert_int_equal(value_size(&err, "memory", text, &got), 0);
	assert_int_equal(got, want);
}

static void sizes_are_exact(void **state)
{
	(void)state;
	expect_size("0", 0);
	expect_size("65536", 65536);
	expect_size("1b", 1);
	expect_size("4k", 4096);
	expect_size("4K", 4096);
	expect_size("1.5g", 1536ULL << 20);
	expect_size("0.1k", 102); /* what is below a byte is cut off */
	expect_size(".5m", 512 << 10);
	expect_size("2gb", 2ULL << 30);
	expect_size("2GiB", 2ULL << 30);
	expect_size("1t", 1ULL << 40);
	expect_size("0.0000000001g", 0);
	expect_size("8589934591g", 9223372035781033984ULL); /* the last whole one below 2^63 */
}

static void other_sizes_are_refused_by_name(void **state)
{
	static const char *const bad[] = { "",
					   "m",
					   "-1",
					   "+1",
					   " 1",
					   "1 m",
					   "1x",
					   "1mm",
					   "1.2.3",
					   "0x10",
					   "1e3",
					   "8589934592g",
					   "99999999999999999999" };
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = { 0 };
		uint64_t got = 77;

		assert_true(value_size(&err, "memory", bad[i], &got) < 0);
		assert_int_equal(got, 77);
		assert_memory_equal(err.msg, "--memory ", 9);
	}
}

static void processors_become_a_quota(void **state)
{
	struct err err = { 0 };
	uint64_t quota;

	(void)state;
	assert_int_equal(value_decimal(&err, "cpus", "0.3", 100000, &quota), 0);
	assert_int_equal(quota, 30000);
	assert_int_equal(value_decimal(&err, "cpus", "12.34567", 100000, &quota), 0);
	assert_int_equal(quota, 1234567);
	assert_true(value_decimal(&err, "cpus", "1,5", 100000, &quota) < 0);
}

static void lists_have_whole_words(void **state)
{
	(void)state;
	assert_true(value_has("ro", "ro"));
	assert_true(value_has("rbind,ro,nosuid", "ro"));
	assert_true(value_has("rbind,ro", "ro"));
	assert_false(value_has("rprivate,rro", "ro"));
	assert_false(value_has("", "ro"));
	assert_false(value_has("root", "ro"));
}

static void parts_end_at_the_separator(void **state)
{
	struct arena arena = { 0 };
	const char *rest;

	(void)state;
	assert_string_equal(value_part(&arena, "a:b:c", ':', &rest), "a");
	assert_string_equal(rest, "b:c");
	assert_string_equal(value_part(&arena, "", ':', &rest), "");
	assert_null(rest);
	assert_string_equal(value_part(&arena, "a:", ':', &rest), "a");
	assert_string_equal(rest, "");
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_exact),
		cmocka_unit_test(other_sizes_are_refused_by_name),
		cmocka_unit_test(processors_become_a_quota),
		cmocka_unit_test(lists_have_whole_words),
		cmocka_unit_test(parts_end_at_the_separator),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
