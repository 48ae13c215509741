/*
 * Few machines have resctrl. What is asked of a group is tested on directories of our own with the
 * files that the kernel would make; that they are not taken for resctrl is tested as well.
 */
#include "ops/host_rdt.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { MADE = SLOT_FIRST_FREE, MONITOR_MADE, SLOTS };

struct scene {
	char dir[32];
	int root, slots[SLOTS];
	struct op_ctx ctx;
	struct step step;
};

static void put(const struct scene *scene, const char *name, const char *text)
{
	int fd = openat(scene->root, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_int_equal(write(fd, text, strlen(text)), (int)strlen(text));
	(void)close(fd);
}

static void expect_file(const struct scene *scene, const char *name, const char *text)
{
	char got[256] = "";
	int fd = openat(scene->root, name, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(read(fd, got, sizeof(got) - 1) >= 0);
	assert_string_equal(got, text);
	(void)close(fd);
}

/* A group "gold" is there. */
static void open_scene(struct scene *scene)
{
	*scene = (struct scene){ 0 };
	for (size_t i = 0; i < SLOTS; i++)
		scene->slots[i] = -1;
	strcpy(scene->dir, "/tmp/rdt-XXXXXX");
	assert_non_null(mkdtemp(scene->dir));
	scene->root = open(scene->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(scene->root, "gold", 0755), 0);
	assert_int_equal(mkdirat(scene->root, "info", 0755), 0);
	put(scene, "gold/tasks", "");
	put(scene, "gold/schemata", "    MB:0= 20;1=100\n    L3:0=007f0;1=0001F\n");
	scene->ctx = (struct op_ctx){ .fd = scene->slots, .pid = 4711 };
	scene->step = (struct step){ .kind = STEP_INTEL_RDT,
				     .intel_rdt = { .root = scene->dir,
						    .group = "gold",
						    .may_be_there = true,
						    .made = MADE,
						    .monitor_made = MONITOR_MADE } };
}

static void close_scene(struct scene *scene)
{
	char command[64];

	(void)close(scene->root);
	for (size_t i = 0; i < SLOTS; i++)
		if (scene->slots[i] >= 0)
			(void)close(scene->slots[i]);
	(void)snprintf(command, sizeof(command), "rm -r %s", scene->dir);
	assert_int_equal(system(command), 0);
}

static int join(struct scene *scene)
{
	return rdt_join(scene->root, &scene->step.intel_rdt, &scene->ctx);
}

static void joins_a_group_that_was_prepared(void **state)
{
	struct scene scene;

	(void)state;
	open_scene(&scene);
	assert_int_equal(join(&scene), 0);
	expect_file(&scene, "gold/tasks", "4711");
	rdt_leave(scene.root, &scene.step.intel_rdt, &scene.ctx);
	assert_int_equal(faccessat(scene.root, "gold", F_OK, 0), 0); /* it is not ours to remove */
	close_scene(&scene);

	open_scene(&scene);
	scene.step.intel_rdt.group = "silver";
	assert_int_equal(join(&scene), -ENOENT);
	assert_string_equal(scene.ctx.note, "silver");
	close_scene(&scene);
}

/* The kernel pads what it shows; a group of others with other values is an error. */
static void compares_with_a_group_that_is_there(void **state)
{
	static const struct {
		const char *expected;
		int result;
	} cases[] = {
		{ "L3:0=7f0;1=1f\n", 0 },  { "L3:0=7F0\nMB:0=20;1=100\n", 0 },
		{ "L3:1=1f;0=07f0\n", 0 }, { "L3:0=7f0;1=1e\n", -EEXIST },
		{ "L3:0=7f\n", -EEXIST },  { "L3:2=7f0\n", -EEXIST },
		{ "L2:0=7f0\n", -EEXIST }, { "MB:0=2\n", -EEXIST },
		{ "L3:0\n", -EEXIST },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scene scene;

		open_scene(&scene);
		scene.step.intel_rdt.may_be_made = true;
		scene.step.intel_rdt.expected = cases[i].expected;
		assert_int_equal(join(&scene), cases[i].result);
		if (cases[i].result < 0)
			expect_file(&scene, "gold/tasks", "");
		close_scene(&scene);
	}
}

static void writes_the_schemata_of_the_configuration(void **state)
{
	struct scene scene;

	(void)state;
	open_scene(&scene);
	scene.step.intel_rdt.schemata = "L3:0=000000000000000000000000000000000000000f;1=1\n";
	assert_int_equal(join(&scene), 0);
	expect_file(&scene, "gold/schemata", scene.step.intel_rdt.schemata);
	close_scene(&scene);
}

/* The kernel's own words about what it refused are worth more than "invalid argument". */
static void tells_why_the_kernel_refused(void **state)
{
	struct scene scene;

	(void)state;
	open_scene(&scene);
	put(&scene, "info/last_cmd_status", "mask f0f has non-consecutive 1-bits\n");
	assert_int_equal(unlinkat(scene.root, "gold/schemata", 0), 0);
	scene.step.intel_rdt.schemata = "L3:0=f0f\n";
	assert_int_equal(join(&scene), -ENOENT);
	assert_string_equal(scene.ctx.note, "mask f0f has non-consecutive 1-bits");
	close_scene(&scene);
}

/* A new group that cannot be used, here for want of the kernel's files, is not left behind. */
static void removes_what_it_made_when_it_fails(void **state)
{
	struct scene scene;

	(void)state;
	open_scene(&scene);
	scene.step.intel_rdt.group = "c1";
	scene.step.intel_rdt.may_be_made = true;
	scene.step.intel_rdt.may_be_there = false;
	assert_int_equal(join(&scene), -ENOENT);
	assert_string_equal(scene.ctx.note, "tasks of the group");
	assert_int_equal(faccessat(scene.root, "c1", F_OK, 0), -1);

	/* A container's own group is new: one that is there is somebody else's. */
	assert_int_equal(mkdirat(scene.root, "c1", 0755), 0);
	assert_int_equal(join(&scene), -EEXIST);
	assert_int_equal(faccessat(scene.root, "c1", F_OK, 0), 0);
	close_scene(&scene);
}

static void takes_no_other_directory_for_resctrl(void **state)
{
	struct scene scene;

	(void)state;
	open_scene(&scene);
	assert_int_equal(host_intel_rdt(&scene.step, &scene.ctx), -ENODEV);
	assert_non_null(strstr(scene.ctx.note, "mount -t resctrl"));
	assert_int_equal(rdt_remove(scene.dir), 0);
	assert_int_equal(faccessat(scene.root, "gold", F_OK, 0), 0);
	assert_int_equal(rdt_remove("/nowhere/at/all"), 0);
	close_scene(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joins_a_group_that_was_prepared),
		cmocka_unit_test(compares_with_a_group_that_is_there),
		cmocka_unit_test(writes_the_schemata_of_the_configuration),
		cmocka_unit_test(tells_why_the_kernel_refused),
		cmocka_unit_test(removes_what_it_made_when_it_fails),
		cmocka_unit_test(takes_no_other_directory_for_resctrl),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
