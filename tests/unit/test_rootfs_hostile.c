/*
 * test_rootfs_hostile.c - roots made to trick a runtime, each beside a twin that means no harm.
 */
#include "rootfs_harness.h"

static void data_mount(struct bench *b, const char *destination)
{
	add(b, destination, "tmpfs", "tmpfs", "mode=0711");
}

static bool is_mounted(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && (st.st_mode & 07777) == 0711;
}

/* ---- links on the way to a mount point ------------------------------------------------------ */

CASE(an_absolute_link_stays_in_the_root)
{
	CHECK(symlink(HOST, ROOT "/data") == 0);
	data_mount(b, "/data");
	data_mount(b, "/data/inner");
	START(b);
	/* HOST as a path below the root. */
	CHECK(is_mounted(HOST) && !exists(HOST "/secret") && is_mounted(HOST "/inner"));
}

CASE(dots_end_at_the_root)
{
	CHECK(symlink("../../../../../../.." HOST, ROOT "/data") == 0);
	data_mount(b, "/data");
	data_mount(b, "/../../up/./here");
	START(b);
	CHECK(is_mounted(HOST) && !exists(HOST "/secret") && is_mounted("/up/here"));
}

CASE(a_link_within_the_root_is_followed)
{
	CHECK(mkdir(ROOT "/run", 0755) == 0 && mkdir(ROOT "/var", 0755) == 0);
	CHECK(symlink("../run", ROOT "/var/run") == 0);
	data_mount(b, "/var/run");
	data_mount(b, "/var/run/lock");
	START(b);
	CHECK(is_mounted("/run") && is_mounted("/run/lock"));
}

CASE(a_link_to_nowhere_is_made_to_lead_somewhere)
{
	write_file(HOST "/resolv.conf", "nameserver");
	CHECK(mkdir(ROOT "/etc", 0755) == 0);
	CHECK(symlink("../run/systemd/resolve/stub.conf", ROOT "/etc/resolv.conf") == 0);
	add(b, "/etc/resolv.conf", "bind", HOST "/resolv.conf", "bind");
	START(b);
	CHECK(file_is("/run/systemd/resolve/stub.conf", "nameserver"));
	CHECK(file_is("/etc/resolv.conf", "nameserver"));
}

CASE(links_in_a_circle_end)
{
	CHECK(symlink("b", ROOT "/a") == 0 && symlink("a", ROOT "/b") == 0);
	data_mount(b, "/a/x");
	CHECK(start(b) == -ELOOP && b->ctx.phase == PHASE_MOUNT_POINT);
}

CASE(a_link_to_the_root_does_not_bury_it)
{
	CHECK(symlink("/", ROOT "/data") == 0);
	data_mount(b, "/data");
	CHECK(start(b) == -EBUSY && b->ctx.phase == PHASE_MOUNT_POINT);
}

CASE(a_magic_link_is_refused)
{
	CHECK(symlink("/proc/self/root" HOST, ROOT "/data") == 0);
	add(b, "/proc", "proc", "proc", "");
	data_mount(b, "/data");
	CHECK(start(b) == -ELOOP && b->ctx.phase == PHASE_MOUNT_POINT);
	CHECK(strcmp(b->ctx.note, "/data") == 0);
}

/* ---- what stands at the mount point --------------------------------------------------------- */

CASE(a_fifo_at_the_mount_point_does_not_hang)
{
	CHECK(mkfifo(ROOT "/passwd", 0666) == 0);
	add(b, "/passwd", "bind", HOST "/secret", "bind,ro");
	START(b);
	CHECK(file_is("/passwd", "secret"));
}

CASE(a_device_at_the_mount_point_is_not_opened)
{
	CHECK(mknod(ROOT "/passwd", S_IFCHR | 0666, makedev(4, 64)) == 0);
	add(b, "/passwd", "bind", HOST "/secret", "bind,ro");
	START(b);
	CHECK(file_is("/passwd", "secret"));
}

/* Engines look for "not a directory" and tell their users what that means. */
CASE(a_file_is_no_place_for_a_directory)
{
	write_file(ROOT "/data", "");
	data_mount(b, "/data");
	CHECK(start(b) == -ENOTDIR && b->ctx.phase == PHASE_ATTACH);
}

/* ---- /proc ---------------------------------------------------------------------------------- */

CASE(proc_is_not_mounted_through_a_link)
{
	CHECK(mkdir(ROOT "/fake", 0755) == 0 && symlink("fake", ROOT "/proc") == 0);
	add(b, "/proc", "proc", "proc", "");
	CHECK(start(b) == -ELOOP && b->ctx.phase == PHASE_MOUNT_POINT);
}

CASE(only_a_procfs_can_be_at_proc)
{
	add(b, "/proc", "bind", HOST, "rbind");
	CHECK(start(b) == -ENODEV && b->ctx.phase == PHASE_VERIFY);
}

CASE(proc_of_the_host_can_be_bound_at_proc)
{
	add(b, "/proc", "bind", "/proc", "rbind,nosuid");
	START(b);
	CHECK(exists("/proc/self/comm"));
}

CASE(other_types_at_proc_are_refused)
{
	data_mount(b, "/proc/../proc/.");
	CHECK(start(b) == -EPERM && strstr(b->err.msg, "only a procfs"));
}

CASE(mounts_inside_proc_are_refused)
{
	add(b, "/proc", "proc", "proc", "");
	add(b, "/proc/self/attr", "bind", HOST, "bind");
	CHECK(start(b) == -EPERM && strstr(b->err.msg, "inside /proc"));
}

CASE(mounts_inside_proc_through_a_link_are_refused)
{
	CHECK(symlink("proc/1/attr", ROOT "/data") == 0);
	add(b, "/proc", "proc", "proc", "");
	data_mount(b, "/data");
	CHECK(start(b) == -EXDEV && b->ctx.phase == PHASE_MOUNT_POINT);
}

CASE(lxcfs_may_replace_files_of_proc)
{
	add(b, "/proc", "proc", "proc", "");
	add(b, "/proc/cpuinfo", "bind", HOST "/secret", "bind");
	add(b, "/proc/meminfo", "bind", HOST "/secret", "bind");
	START(b);
	CHECK(file_is("/proc/cpuinfo", "secret") && file_is("/proc/meminfo", "secret"));
}

/* ---- /dev ----------------------------------------------------------------------------------- */

CASE(dev_that_leads_out_stays_in)
{
	CHECK(symlink("../../../../../" HOST, ROOT "/dev") == 0);
	START(b);
	/* As a path below the root: what the host has there is untouched. */
	CHECK(is_device(HOST "/null", 1, 3) && !exists(HOST "/secret"));
}

CASE(a_false_null_device_is_refused)
{
	CHECK(mkdir(ROOT "/dev", 0755) == 0);
	write_file(ROOT "/dev/null", "");
	CHECK(start(b) == -EEXIST && b->ctx.phase == PHASE_VERIFY);
	CHECK(strcmp(b->ctx.note, "/dev/null") == 0);
}

CASE(a_link_as_null_device_is_refused)
{
	CHECK(mkdir(ROOT "/dev", 0755) == 0);
	CHECK(symlink(HOST "/secret", ROOT "/dev/null") == 0);
	CHECK(start(b) == -EEXIST && b->ctx.phase == PHASE_VERIFY);
}

CASE(a_true_null_device_may_stay)
{
	CHECK(mkdir(ROOT "/dev", 0755) == 0);
	CHECK(mknod(ROOT "/dev/null", S_IFCHR | 0600, makedev(1, 3)) == 0);
	START(b);
	CHECK(is_device("/dev/null", 1, 3));
}

CASE(ptmx_of_the_image_is_replaced)
{
	char link[32] = "";

	CHECK(mkdir(ROOT "/dev", 0755) == 0);
	CHECK(mknod(ROOT "/dev/ptmx", S_IFCHR | 0666, makedev(5, 2)) == 0);
	START(b);
	CHECK(readlink("/dev/ptmx", link, sizeof(link) - 1) > 0 && strcmp(link, "pts/ptmx") == 0);
}

/* ---- masked paths --------------------------------------------------------------------------- */

static void mask(struct bench *b, char *path)
{
	static char *list[2];

	list[0] = path;
	b->spec.linux.masked_paths = (struct spec_strings){ 1, list };
}

CASE(a_mask_is_no_way_out)
{
	char path[] = "/mask";

	write_file(ROOT "/inside", "");
	CHECK(symlink("../../../inside", ROOT "/mask") == 0);
	mask(b, path);
	START(b);
	CHECK(is_device("/inside", 1, 3));
}

CASE(a_mask_does_not_follow_magic_links)
{
	char path[] = "/mask";

	CHECK(symlink("/proc/self/exe", ROOT "/mask") == 0);
	add(b, "/proc", "proc", "proc", "");
	mask(b, path);
	CHECK(start(b) == -ELOOP && b->ctx.phase == PHASE_OPEN);
}

/* CVE-2025-31133: a /dev/null that leads to what the image wants to have in sight. */
CASE(the_cover_is_the_null_device_of_the_host)
{
	char path[] = "/secret";

	write_file(ROOT "/secret", "secret");
	write_file(ROOT "/trap", "trap");
	CHECK(mkdir(HOST "/dev", 0755) == 0 && symlink("../trap", HOST "/dev/null") == 0);
	add(b, "/dev", "bind", HOST "/dev", "rbind");
	mask(b, path);
	START(b);
	CHECK(is_device("/secret", 1, 3) && file_is("/dev/null", "trap"));
}

CASE(a_false_null_device_of_the_host_is_noticed)
{
	char path[] = "/secret";

	write_file(ROOT "/secret", "secret");
	CHECK(mount(HOST "/secret", "/dev/null", NULL, MS_BIND, NULL) == 0);
	mask(b, path);
	CHECK(start(b) == -ENODEV && b->ctx.phase == PHASE_VERIFY);
}

CASE(directories_and_files_are_masked)
{
	char path[] = "/dir";

	CHECK(mkdir(ROOT "/dir", 0755) == 0);
	write_file(ROOT "/dir/secret", "secret");
	mask(b, path);
	START(b);
	CHECK(exists("/dir") && !exists("/dir/secret"));
	CHECK(open("/dir/new", O_CREAT | O_WRONLY, 0600) < 0 && errno == EROFS);
}

/* ---- copies --------------------------------------------------------------------------------- */

CASE(a_copy_has_an_end)
{
	CHECK(mkdir(ROOT "/deep", 0755) == 0 && chdir(ROOT "/deep") == 0);
	for (int i = 0; i < 100; i++)
		CHECK(mkdir("d", 0755) == 0 && chdir("d") == 0);
	CHECK(chdir("/") == 0);
	add(b, "/deep", "tmpfs", "tmpfs", "tmpcopyup");
	CHECK(start(b) == -E2BIG && b->ctx.phase == PHASE_COPY);
}

CASE(a_copy_does_not_follow_links_or_enter_mounts)
{
	CHECK(mkdir(ROOT "/etc", 0755) == 0 && mkdir(ROOT "/etc/sub", 0755) == 0);
	CHECK(symlink(HOST, ROOT "/etc/out") == 0);
	CHECK(mount(HOST, ROOT "/etc/sub", NULL, MS_BIND, NULL) == 0);
	add(b, "/etc", "tmpfs", "tmpfs", "tmpcopyup");
	START(b);
	CHECK(!exists("/etc/sub/secret") && !exists("/etc/out/secret"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_absolute_link_stays_in_the_root),
		cmocka_unit_test(dots_end_at_the_root),
		cmocka_unit_test(a_link_within_the_root_is_followed),
		cmocka_unit_test(a_link_to_nowhere_is_made_to_lead_somewhere),
		cmocka_unit_test(links_in_a_circle_end),
		cmocka_unit_test(a_link_to_the_root_does_not_bury_it),
		cmocka_unit_test(a_magic_link_is_refused),
		cmocka_unit_test(a_fifo_at_the_mount_point_does_not_hang),
		cmocka_unit_test(a_device_at_the_mount_point_is_not_opened),
		cmocka_unit_test(a_file_is_no_place_for_a_directory),
		cmocka_unit_test(proc_is_not_mounted_through_a_link),
		cmocka_unit_test(only_a_procfs_can_be_at_proc),
		cmocka_unit_test(proc_of_the_host_can_be_bound_at_proc),
		cmocka_unit_test(other_types_at_proc_are_refused),
		cmocka_unit_test(mounts_inside_proc_are_refused),
		cmocka_unit_test(mounts_inside_proc_through_a_link_are_refused),
		cmocka_unit_test(lxcfs_may_replace_files_of_proc),
		cmocka_unit_test(dev_that_leads_out_stays_in),
		cmocka_unit_test(a_false_null_device_is_refused),
		cmocka_unit_test(a_link_as_null_device_is_refused),
		cmocka_unit_test(a_true_null_device_may_stay),
		cmocka_unit_test(ptmx_of_the_image_is_replaced),
		cmocka_unit_test(a_mask_is_no_way_out),
		cmocka_unit_test(a_mask_does_not_follow_magic_links),
		cmocka_unit_test(the_cover_is_the_null_device_of_the_host),
		cmocka_unit_test(a_false_null_device_of_the_host_is_noticed),
		cmocka_unit_test(directories_and_files_are_masked),
		cmocka_unit_test(a_copy_has_an_end),
		cmocka_unit_test(a_copy_does_not_follow_links_or_enter_mounts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
