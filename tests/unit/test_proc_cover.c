/*
 * test_proc_cover.c - what covers a part of /proc, and what only seems to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "host/proc_cover.h"

static void finds_what_covers(void **state)
{
	static const struct {
		const char *text, *cover;
	} rows[] = {
		{ "", NULL },
		{ "22 28 0:21 / /proc rw,nosuid - proc proc rw\n", NULL },
		/* The kernel keeps this directory empty for it. */
		{ "22 28 0:21 / /proc rw - proc proc rw\n"
		  "36 22 0:32 / /proc/sys/fs/binfmt_misc rw - binfmt_misc x rw\n",
		  NULL },
		{ "22 28 0:21 / /proc rw - proc proc rw\n"
		  "40 22 0:33 /null /proc/kcore rw - tmpfs tmpfs rw\n"
		  "41 22 0:33 / /proc/acpi ro - tmpfs tmpfs rw\n",
		  "/proc/kcore" },
		{ "36 22 0:32 / /proc/sys/fs/binfmt_misc2 rw - x x rw\n",
		  "/proc/sys/fs/binfmt_misc2" },
		/* Elsewhere, and a source that looks like it. */
		{ "1 2 0:1 /proc/kcore /srv/proc/kcore rw - proc /proc/kcore rw\n", NULL },
		{ "1 2 0:1 / /process rw - tmpfs tmpfs rw\n", NULL },
		{ "1 2\n3\n\n1 2 3", NULL },
	};
	struct arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *cover = proc_cover_parse(&arena, rows[i].text);

		if (!rows[i].cover) {
			assert_null(cover);
			continue;
		}
		assert_non_null(cover);
		assert_string_equal(cover, rows[i].cover);
	}
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(finds_what_covers) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
