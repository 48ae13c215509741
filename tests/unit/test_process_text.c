#include "plan/process_text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void reads_cpu_lists(void **state)
{
	static const struct {
		const char *list;
		size_t size;
		uint8_t bytes[2];
	} good[] = {
		{ "0", 8, { 0x01, 0 } },
		{ "0-3,7", 8, { 0x8f, 0 } },
		{ "1,3,8-9", 8, { 0x0a, 0x03 } },
		{ " 0 , 2-3 ", 8, { 0x0d, 0 } }, /* runc and the kernel pass over spaces … */
		{ "1,,2,", 8, { 0x06, 0 } },     /* … and over empty elements */
		{ "5-5", 8, { 0x20, 0 } },
		{ "64", 16, { 0, 0 } },
	};
	struct arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const uint8_t *mask = NULL;
		size_t size = 0;
		struct err err = { 0 };

		assert_int_equal(cpu_list_parse(good[i].list, &arena, &mask, &size, &err), 0);
		assert_int_equal(size, good[i].size);
		assert_memory_equal(mask, good[i].bytes, 2);
	}
	arena_done(&arena);
}

static void refuses_what_is_no_list(void **state)
{
	static const char *const bad[] = {
		"",    ",",     "a",   "0-",    "-3",
		"3-1", "0x1",   "1 2", "0-3-5", "0-7:2",
		"+1",  "32768", "1\n", "0--1",  "99999999999999999999999"
	};
	struct arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const uint8_t *mask = NULL;
		size_t size = 77;
		struct err err = { 0 };

		assert_int_equal(cpu_list_parse(bad[i], &arena, &mask, &size, &err), -EINVAL);
		assert_int_equal(size, 77);
		assert_non_null(strstr(err.msg, "is no list of CPUs"));
		assert_non_null(strstr(err.msg, bad[i]));
	}
	arena_done(&arena);
}

/* set_mempolicy(2) reads maxnode - 1 bits: with one less, the highest node would be lost. */
static void the_highest_node_is_not_lost(void **state)
{
	const unsigned long *nodes = NULL;
	struct arena arena = { 0 };
	size_t max_node = 0;
	struct err err = { 0 };

	(void)state;
	assert_int_equal(node_list_parse("0-1,63", &arena, &nodes, &max_node, &err), 0);
	assert_true(nodes[0] == (3UL | 1UL << 63));
	assert_int_equal(max_node, 65);
	assert_int_equal(node_list_parse("64", &arena, &nodes, &max_node, &err), 0);
	assert_true(nodes[0] == 0 && nodes[1] == 1);
	assert_int_equal(max_node, 66);
	assert_int_equal(node_list_parse(NULL, &arena, &nodes, &max_node, &err), 0);
	assert_null(nodes);
	assert_int_equal(max_node, 0);
	assert_int_equal(node_list_parse("1024", &arena, &nodes, &max_node, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "memory nodes"));
	arena_done(&arena);
}

static void expect_candidates(const char *file, const char *path, const char *expected)
{
	char *env[] = { (char *)(uintptr_t) "PATH=/wrong", (char *)(uintptr_t) "PATHS=/no",
			(char *)(uintptr_t)path, NULL };
	const struct spec_strings strings = { path ? 3 : 0, env };
	struct arena arena = { 0 };
	const char *const *list = exec_candidates(&arena, file, &strings);
	char got[512] = "";

	for (; *list; list++) {
		strcat(got, *list);
		strcat(got, list[1] ? " " : "");
	}
	assert_string_equal(got, expected);
	arena_done(&arena);
}

static void searches_the_path_of_the_container(void **state)
{
	(void)state;
	expect_candidates("sh", "PATH=/a:/b/c/:/d", "/a/sh /b/c/sh /d/sh");
	expect_candidates("sh", "PATH=/", "/sh");
	expect_candidates("sh", NULL,
			  "/usr/local/sbin/sh /usr/local/bin/sh /usr/sbin/sh /usr/bin/sh /sbin/sh "
			  "/bin/sh");
}

static void a_file_with_a_slash_is_not_searched_for(void **state)
{
	(void)state;
	expect_candidates("/bin/sh", "PATH=/a", "/bin/sh");
	expect_candidates("./x", "PATH=/a", "./x");
	expect_candidates("bin/x", "PATH=/a", "bin/x");
}

/* What an image puts into PATH must not make a file of the working directory run. */
static void the_working_directory_is_never_searched(void **state)
{
	(void)state;
	expect_candidates("sh", "PATH=:/a::b:.:./c:../d:/e:", "/a/sh /e/sh");
	expect_candidates("sh", "PATH=", "");
	expect_candidates("sh", "PATH=.", "");
	expect_candidates("", "PATH=/a", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_cpu_lists),
		cmocka_unit_test(refuses_what_is_no_list),
		cmocka_unit_test(the_highest_node_is_not_lost),
		cmocka_unit_test(searches_the_path_of_the_container),
		cmocka_unit_test(a_file_with_a_slash_is_not_searched_for),
		cmocka_unit_test(the_working_directory_is_never_searched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
