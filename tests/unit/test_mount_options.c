/*
 * test_mount_options.c - what people write after -o, and what the kernel is told.
 */
#include "plan/mount_options.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>

#include <cmocka.h>

#include "sys/abi.h"

/* One string of options, split at spaces, for a mount of this type. */
static int parse(struct arena *arena, const char *type, const char *text, struct mount_options *ret,
		 struct err *err)
{
	static char words[512], *list[16];
	struct spec_mount m = { .destination = "/here", .source = "/there", .type = type };
	char *rest = NULL;

	(void)strncpy(words, text, sizeof(words) - 1);
	m.options.v = list;
	for (char *s = strtok_r(words, " ", &rest); s; s = strtok_r(NULL, " ", &rest))
		list[m.options.n++] = s;
	return mount_options_parse(&m, 3, arena, ret, err);
}

static const struct {
	const char *type, *text;
	uint64_t set, clear, rec_set, rec_clear, propagation;
	bool propagation_recursive;
} rows[] = {
	{ "bind", "", 0, 0, 0, 0, 0, false },
	{ "bind", "ro", MOUNT_ATTR_RDONLY, 0, 0, 0, 0, false },
	{ "bind", "ro rw", 0, MOUNT_ATTR_RDONLY, 0, 0, 0, false },
	{ "bind", "rw ro", MOUNT_ATTR_RDONLY, 0, 0, 0, 0, false },
	{ "none", "rbind ro nosuid dev", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV, 0,
	  0, 0, false },
	{ "none", "rbind rro rnoexec rdev", 0, 0, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC,
	  MOUNT_ATTR_NODEV, 0, false },
	/* A bind of one mount: what is for all below is for it. */
	{ "none", "bind rro rprivate", MOUNT_ATTR_RDONLY, 0, 0, 0, MS_PRIVATE, false },
	{ "none", "rbind rprivate", 0, 0, 0, 0, MS_PRIVATE, true },
	{ "none", "rbind shared", 0, 0, 0, 0, MS_SHARED, false },
	{ "none", "rbind rslave", 0, 0, 0, 0, MS_SLAVE, true },
	{ "none", "bind unbindable", 0, 0, 0, 0, MS_UNBINDABLE, false },
	{ "tmpfs", "noatime", MOUNT_ATTR_NOATIME, 0, 0, 0, 0, false },
	{ "tmpfs", "noatime strictatime", MOUNT_ATTR_STRICTATIME, 0, 0, 0, 0, false },
	{ "tmpfs", "strictatime relatime nodiratime", MOUNT_ATTR_NODIRATIME, 0, 0, 0, 0, false },
	{ "tmpfs", "rro rnosymfollow", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSYMFOLLOW, 0, 0, 0, 0,
	  false },
	{ "bind", "rbind noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME, 0, 0, 0, false },
	{ "bind", "rbind rrelatime", 0, 0, 0, MOUNT_ATTR__ATIME, 0, false },
	{ "tmpfs", "defaults silent iversion", 0, 0, 0, 0, 0, false },
};

static void options_become_attributes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena arena = { 0 };
		struct mount_options o;
		struct err err;

		assert_int_equal(parse(&arena, rows[i].type, rows[i].text, &o, &err), 0);
		if (o.attr_set != rows[i].set || o.attr_clear != rows[i].clear ||
		    o.rec_set != rows[i].rec_set || o.rec_clear != rows[i].rec_clear ||
		    o.propagation != rows[i].propagation ||
		    o.propagation_recursive != rows[i].propagation_recursive)
			fail_msg("%s: %s", rows[i].type, rows[i].text);
		arena_done(&arena);
	}
}

static void the_rest_is_for_the_file_system(void **state)
{
	struct arena arena = { 0 };
	struct mount_options o;
	struct err err;

	(void)state;
	assert_int_equal(parse(&arena, "tmpfs",
			       "nosuid mode=1777,size=64k,noswap "
			       "context=\"system_u:object_r:container_file_t:s0:c1,c2\" sync",
			       &o, &err),
			 0);
	assert_int_equal(o.n_data, 5);
	assert_string_equal(mount_options_find(&o, "mode"), "1777");
	assert_string_equal(mount_options_find(&o, "size"), "64k");
	assert_string_equal(mount_options_find(&o, "noswap"), "");
	assert_string_equal(mount_options_find(&o, "context"),
			    "system_u:object_r:container_file_t:s0:c1,c2");
	assert_string_equal(mount_options_find(&o, "sync"), "");
	assert_null(mount_options_find(&o, "nosuid"));
	arena_done(&arena);
}

static void read_only_reaches_disks_but_not_shared_superblocks(void **state)
{
	struct arena arena = { 0 };
	struct mount_options o;
	struct err err;

	(void)state;
	assert_int_equal(parse(&arena, "ext4", "ro", &o, &err), 0);
	assert_non_null(mount_options_find(&o, "ro"));
	assert_int_equal(parse(&arena, "sysfs", "ro", &o, &err), 0);
	assert_null(mount_options_find(&o, "ro"));
	assert_true(o.attr_set == MOUNT_ATTR_RDONLY);
	arena_done(&arena);
}

static const struct {
	const char *type, *text, *says;
} refused[] = {
	{ "bind", "rbind size=64k", "unknown option size for the bind mount at /here" },
	{ "bind", "nosiud", "unknown option nosiud" },
	{ "bind", "tmpcopyup", "tmpcopyup" },
	{ "proc", "tmpcopyup", "tmpcopyup" },
	{ "tmpfs", "idmap", "id mappings" },
	{ NULL, "ro", "mounts[3].type: missing" },
};

static void what_makes_no_sense_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct arena arena = { 0 };
		struct mount_options o;
		struct err err;

		assert_int_equal(parse(&arena, refused[i].type, refused[i].text, &o, &err),
				 -EINVAL);
		if (!strstr(err.msg, refused[i].says))
			fail_msg("%s", err.msg);
		arena_done(&arena);
	}
}

static void a_value_that_the_kernel_would_cut_is_refused(void **state)
{
	static char longest[300] = "metacopy=";
	struct arena arena = { 0 };
	struct mount_options o;
	struct err err;

	(void)state;
	memset(longest + 9, 'a', 256);
	assert_int_equal(parse(&arena, "overlay", longest, &o, &err), -EINVAL);
	arena_done(&arena);
	longest[9 + 255] = '\0';
	assert_int_equal(parse(&arena, "overlay", longest, &o, &err), 0);
	arena_done(&arena);
	/* Paths of an overlay reach it as descriptors. */
	memcpy(longest, "lowerdir=", 9);
	longest[9 + 255] = 'a';
	assert_int_equal(parse(&arena, "overlay", longest, &o, &err), 0);
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_become_attributes),
		cmocka_unit_test(the_rest_is_for_the_file_system),
		cmocka_unit_test(read_only_reaches_disks_but_not_shared_superblocks),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(a_value_that_the_kernel_would_cut_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
