/*
 * Images that criu is shown: others are let in as little as it needs, on record, and never longer
 * than the restore or, if that was cut off, than `delete`.
 */
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

#include "ops/host_criu.h"
#include "sys/sys.h"

enum { TREE = SLOT_FIRST_FREE, SLOTS };

struct scene {
	char top[32], images[64];
	int run_dir, slots[SLOTS];
	struct op_ctx ctx;
	struct step step;
};

static void put(const struct scene *scene, const char *name)
{
	int fd = openat(scene->slots[TREE], name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	(void)close(fd);
}

static int open_directory(const struct scene *scene, const char *name)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", scene->top, name);
	assert_int_equal(mkdir(path, 0700), 0);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void open_scene(struct scene *scene)
{
	*scene = (struct scene){ .top = "/tmp/images-XXXXXX" };
	for (size_t i = 0; i < SLOTS; i++)
		scene->slots[i] = -1;
	assert_non_null(mkdtemp(scene->top));
	(void)snprintf(scene->images, sizeof(scene->images), "%s/images", scene->top);
	scene->slots[SLOT_RUN_DIR] = open_directory(scene, "run");
	scene->slots[TREE] = open_directory(scene, "images");
	put(scene, "timens-0.img");
	put(scene, "pages-1.img");
	scene->ctx = (struct op_ctx){ .fd = scene->slots };
	scene->step = (struct step){ .kind = STEP_IMAGES, .images = { TREE, ".", scene->images } };
}

static void close_scene(struct scene *scene)
{
	char command[64];

	for (size_t i = 0; i < SLOTS; i++)
		if (scene->slots[i] >= 0)
			(void)close(scene->slots[i]);
	(void)snprintf(command, sizeof(command), "rm -r %s", scene->top);
	assert_int_equal(system(command), 0);
}

static mode_t mode_of(const struct scene *scene, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(scene->slots[TREE], name, &st, 0), 0);
	return st.st_mode & 07777;
}

static void expect_modes(const struct scene *scene, mode_t dir, mode_t clocks)
{
	assert_int_equal(mode_of(scene, "."), dir);
	assert_int_equal(mode_of(scene, "timens-0.img"), clocks);
	assert_int_equal(mode_of(scene, "pages-1.img"), 0600);
}

static bool is_on_record(const struct scene *scene)
{
	return faccessat(scene->slots[SLOT_RUN_DIR], STATE_IMAGES, F_OK, 0) == 0;
}

static void let_in(struct scene *scene)
{
	assert_int_equal(host_images(&scene->step, &scene->ctx), 0);
	assert_true(is_on_record(scene));
}

static int put_back(const struct scene *scene)
{
	struct state_images images;

	return host_images_put_back(scene->slots[SLOT_RUN_DIR], &images);
}

static void test_the_end_of_a_restore(void **state)
{
	struct scene scene;

	(void)state;
	open_scene(&scene);
	let_in(&scene);
	expect_modes(&scene, 0701, 0604);
	assert_int_equal(host_images_end(&scene.step, &scene.ctx), 0);
	expect_modes(&scene, 0700, 0600);
	assert_false(is_on_record(&scene));
	host_images_undo(&scene.step, &scene.ctx);
	expect_modes(&scene, 0700, 0600);
	close_scene(&scene);
}

static void test_delete_after_a_kill(void **state)
{
	struct scene scene;

	(void)state;
	open_scene(&scene);
	let_in(&scene);
	assert_int_equal(put_back(&scene), 0);
	expect_modes(&scene, 0700, 0600);
	assert_false(is_on_record(&scene));
	assert_int_equal(put_back(&scene), 0);
	close_scene(&scene);
}

static void test_modes_that_did_already(void **state)
{
	struct scene scene;

	(void)state;
	open_scene(&scene);
	assert_int_equal(fchmod(scene.slots[TREE], 0755), 0);
	assert_int_equal(fchmodat(scene.slots[TREE], "timens-0.img", 0644, 0), 0);
	let_in(&scene);
	expect_modes(&scene, 0755, 0644);
	assert_int_equal(put_back(&scene), 0);
	expect_modes(&scene, 0755, 0644);
	close_scene(&scene);
}

static void test_modes_of_somebody_else(void **state)
{
	struct scene scene;

	(void)state;
	open_scene(&scene);
	let_in(&scene);
	assert_int_equal(fchmod(scene.slots[TREE], 0711), 0);
	assert_int_equal(put_back(&scene), 0);
	expect_modes(&scene, 0711, 0600);
	close_scene(&scene);
}

static void test_another_directory_of_that_name(void **state)
{
	struct scene scene;
	struct stat st;
	char moved[80];

	(void)state;
	open_scene(&scene);
	let_in(&scene);
	(void)snprintf(moved, sizeof(moved), "%s.moved", scene.images);
	assert_int_equal(rename(scene.images, moved), 0);
	assert_int_equal(put_back(&scene), 0);
	assert_int_equal(mkdir(scene.images, 0701), 0);
	assert_int_equal(chmod(scene.images, 0701), 0);
	assert_int_equal(put_back(&scene), 0);
	assert_int_equal(stat(scene.images, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0701);
	close_scene(&scene);
}

static void test_clocks_with_another_name(void **state)
{
	struct scene scene;

	(void)state;
	open_scene(&scene);
	assert_int_equal(linkat(scene.slots[TREE], "timens-0.img", scene.slots[TREE], "other", 0),
			 0);
	assert_int_equal(host_images(&scene.step, &scene.ctx), -EMLINK);
	expect_modes(&scene, 0700, 0600);
	close_scene(&scene);
}

static void test_a_record_that_was_cut_off(void **state)
{
	struct scene scene;
	int fd;

	(void)state;
	open_scene(&scene);
	fd = openat(scene.slots[SLOT_RUN_DIR], STATE_IMAGES, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "448 384 1", 9), 9);
	assert_int_equal(put_back(&scene), 0);
	assert_int_equal(write(fd, "\n", 1), 1);
	assert_int_equal(put_back(&scene), -EINVAL);
	(void)close(fd);
	close_scene(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_end_of_a_restore),
		cmocka_unit_test(test_delete_after_a_kill),
		cmocka_unit_test(test_modes_that_did_already),
		cmocka_unit_test(test_modes_of_somebody_else),
		cmocka_unit_test(test_another_directory_of_that_name),
		cmocka_unit_test(test_clocks_with_another_name),
		cmocka_unit_test(test_a_record_that_was_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
