/*
 * test_rootfs.c - roots that are as they should be: what a container finds in them. What hostile
 * ones try is in test_rootfs_hostile.c.
 */
#include "rootfs_harness.h"

#include <sys/statvfs.h>

#include "host/cgroup.h"
#include "sys/sys.h"

static char *masked[] = { (char[]){ "/proc/timer_list" }, (char[]){ "/proc/keys" },
			  (char[]){ "/sys/firmware" },    (char[]){ "/sys/kernel/debug" },
			  (char[]){ "/not/there" },       NULL };
static char *readonly[] = { (char[]){ "/proc/sys" }, (char[]){ "/proc/irq" },
			    (char[]){ "/proc/not-there" }, NULL };

static bool is_read_only(const char *path)
{
	struct statvfs fs;

	return statvfs(path, &fs) == 0 && (fs.f_flag & ST_RDONLY);
}

static void docker_like(struct bench *b)
{
	write_file(HOST "/resolv.conf", "nameserver");
	add(b, "/proc", "proc", "proc", "nosuid,noexec,nodev");
	add(b, "/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k");
	add(b, "/dev/pts", "devpts", "devpts",
	    "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5");
	add(b, "/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro");
	add(b, "/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev");
	add(b, "/dev/shm", "tmpfs", "shm", "nosuid,noexec,nodev,mode=1777,size=65536k");
	add(b, "/etc/resolv.conf", "bind", "host/resolv.conf", "rbind,rprivate,ro");
	b->spec.linux.masked_paths = (struct spec_strings){ 5, masked };
	b->spec.linux.readonly_paths = (struct spec_strings){ 3, readonly };
}

CASE(has_what_docker_gives)
{
	struct stat st;
	char link[64] = "";

	docker_like(b);
	START(b);
	CHECK(is_device("/dev/null", 1, 3) && is_device("/dev/tty", 5, 0));
	CHECK(stat("/dev/null", &st) == 0 && (st.st_mode & 07777) == 0666);
	CHECK(stat("/dev/shm", &st) == 0 && (st.st_mode & 07777) == 01777);
	CHECK(readlink("/dev/ptmx", link, sizeof(link) - 1) > 0 && strcmp(link, "pts/ptmx") == 0);
	CHECK(readlink("/dev/fd", link, sizeof(link) - 1) > 0 && exists("/dev/fd/0"));
	CHECK(file_is("/etc/resolv.conf", "nameserver") && is_read_only("/etc/resolv.conf"));
	CHECK(is_read_only("/sys") && exists("/dev/mqueue") && exists("/dev/pts/ptmx"));
}

CASE(sees_nothing_of_the_host)
{
	docker_like(b);
	START(b);
	CHECK(!exists(BUNDLE) && !exists("/../tmp") && !exists("/usr"));
	CHECK(umount2("/", MNT_DETACH) < 0 || !exists("/usr"));
}

CASE(masks_and_protects_paths)
{
	struct stat st;

	docker_like(b);
	START(b);
	CHECK(is_device("/proc/timer_list", 1, 3) && is_device("/proc/keys", 1, 3));
	CHECK(!exists("/not/there") && !exists("/proc/not-there"));
	if (stat("/sys/kernel/debug", &st) == 0) {
		CHECK(S_ISDIR(st.st_mode) && is_read_only("/sys/kernel/debug"));
		CHECK(!exists("/sys/kernel/debug/tracing"));
	}
	CHECK(open("/proc/sys/kernel/hostname", O_WRONLY) < 0 && errno == EROFS);
	CHECK(is_read_only("/proc/irq") && !is_read_only("/proc"));
	/* What is not in a list stays as it is. */
	CHECK(open("/proc/self/comm", O_WRONLY) >= 0);
}

CASE(masks_what_links_of_proc_lead_to)
{
	static char net[] = "/proc/net", *links[] = { net, NULL };

	add(b, "/proc", "proc", "proc", "");
	b->spec.linux.masked_paths = (struct spec_strings){ 1, links };
	START(b);
	CHECK(exists("/proc/self/net") && !exists("/proc/net/dev"));
}

CASE(settings_can_be_written_through_the_procfs_before_it_is_protected)
{
	b->spec.linux.sysctl.n = 1;
	docker_like(b);
	START(b);
	CHECK(faccessat(b->fd[SLOT_PROC], "self/attr", F_OK, 0) == 0);
	CHECK(faccessat(b->fd[SLOT_PROC], "1/comm", F_OK, 0) == 0);
}

CASE(makes_a_procfs_of_its_own_where_none_is_mounted)
{
	b->spec.linux.sysctl.n = 1;
	START(b);
	CHECK(!exists("/proc/1"));
	CHECK(faccessat(b->fd[SLOT_PROC], "sys/kernel/hostname", F_OK, 0) == 0);
}

CASE(works_without_pivot)
{
	docker_like(b);
	b->plan_options.no_pivot = true;
	START(b);
	CHECK(is_device("/dev/null", 1, 3) && !exists("/usr") && !exists("/../usr"));
	CHECK(is_device("/proc/timer_list", 1, 3));
}

CASE(makes_the_root_read_only)
{
	docker_like(b);
	b->spec.root.readonly = true;
	START(b);
	CHECK(mkdir("/new", 0755) < 0 && errno == EROFS);
	CHECK(mkdir("/dev/new", 0755) == 0);
}

CASE(makes_read_only_late_what_has_to_be_filled_first)
{
	add(b, "/dev", "tmpfs", "tmpfs", "ro,mode=755");
	add(b, "/data", "tmpfs", "tmpfs", "ro");
	add(b, "/data/inner", "tmpfs", "tmpfs", "");
	START(b);
	CHECK(is_device("/dev/null", 1, 3) && is_read_only("/dev") && is_read_only("/data"));
	CHECK(mkdir("/data/inner/new", 0755) == 0);
}

CASE(read_only_can_reach_all_that_is_below)
{
	CHECK(mkdir(HOST "/below", 0755) == 0);
	CHECK(mount("tmpfs", HOST "/below", "tmpfs", 0, NULL) == 0);
	add(b, "/top", "bind", HOST, "rbind,ro");
	add(b, "/all", "bind", HOST, "rbind,rro,rnosuid");
	START(b);
	CHECK(is_read_only("/top") && !is_read_only("/top/below"));
	CHECK(is_read_only("/all") && is_read_only("/all/below"));
}

CASE(takes_over_the_permissions_below_a_tmpfs)
{
	struct stat st;

	CHECK(mkdir(ROOT "/tmp", 0) == 0 && chmod(ROOT "/tmp", 01733) == 0);
	add(b, "/tmp", "tmpfs", "tmpfs", "");
	add(b, "/run", "tmpfs", "tmpfs", "mode=0700");
	START(b);
	CHECK(stat("/tmp", &st) == 0 && (st.st_mode & 07777) == 01733);
	CHECK(stat("/run", &st) == 0 && (st.st_mode & 07777) == 0700);
}

CASE(starts_a_tmpfs_with_a_copy)
{
	char link[64] = "";
	struct stat st;

	CHECK(mkdir(ROOT "/etc", 0750) == 0 && mkdir(ROOT "/etc/a", 0711) == 0);
	CHECK(mkdir(ROOT "/etc/a/b", 0755) == 0 && mkdir(ROOT "/etc/empty", 0755) == 0);
	write_file(ROOT "/etc/a/b/file", "deep");
	write_file(ROOT "/etc/suid", "x");
	CHECK(chown(ROOT "/etc/suid", 5, 6) == 0 && chmod(ROOT "/etc/suid", 04755) == 0);
	CHECK(symlink("/proc/self/root", ROOT "/etc/link") == 0);
	CHECK(mkfifo(ROOT "/etc/fifo", 0600) == 0);
	for (int i = 0; i < 300; i++) {
		char path[128];

		(void)snprintf(path, sizeof(path), ROOT "/etc/a/name-that-is-rather-long-%d", i);
		CHECK(mkdir(path, 0755) == 0);
	}
	add(b, "/etc", "tmpfs", "tmpfs", "ro,tmpcopyup");
	START(b);
	CHECK(file_is("/etc/a/b/file", "deep") && exists("/etc/empty"));
	CHECK(exists("/etc/a/name-that-is-rather-long-299"));
	CHECK(stat("/etc/suid", &st) == 0 && (st.st_mode & 07777) == 04755 && st.st_uid == 5);
	CHECK(readlink("/etc/link", link, sizeof(link) - 1) > 0);
	CHECK(strcmp(link, "/proc/self/root") == 0);
	CHECK(lstat("/etc/fifo", &st) == 0 && S_ISFIFO(st.st_mode));
	CHECK(stat("/etc", &st) == 0 && (st.st_mode & 07777) == 0750 && is_read_only("/etc"));
}

CASE(maps_the_owners_of_a_bind_mount)
{
	static struct spec_id_mapping map[] = { { 0, 100000, 65536 } };
	struct stat st;

	add(b, "/data", "bind", HOST, "bind,idmap");
	b->mounts[0].uid_mappings = (struct spec_id_mappings){ 1, map };
	b->mounts[0].gid_mappings = (struct spec_id_mappings){ 1, map };
	START(b);
	CHECK(stat("/data/secret", &st) == 0 && st.st_uid == 100000 && st.st_gid == 100000);
}

CASE(lays_out_cgroups_as_the_host_has_them)
{
	CHECK(cgroup_facts_read(true, &b->plan.arena, &b->facts.cgroup, &b->err) == 0);
	CHECK(unshare(CLONE_NEWCGROUP) == 0);
	b->namespaces[1] = (struct spec_namespace){ CLONE_NEWCGROUP, "cgroup", NULL };
	b->spec.linux.n_namespaces = 2;
	add(b, "/sys", "sysfs", "sysfs", "nosuid,noexec,nodev,ro");
	add(b, "/sys/fs/cgroup", "cgroup", "cgroup", "nosuid,noexec,nodev,ro");
	START(b);
	CHECK(is_read_only("/sys/fs/cgroup"));
	CHECK(exists("/sys/fs/cgroup/cgroup.procs") || exists("/sys/fs/cgroup/memory/tasks"));
}

CASE(mounts_do_not_spread_to_the_host)
{
	int status = 0;
	pid_t pid;

	CHECK(mount(NULL, BUNDLE, NULL, MS_SHARED, NULL) == 0);
	pid = fork();
	if (pid == 0) {
		CHECK(unshare(CLONE_NEWNS) == 0);
		add(b, "/data", "tmpfs", "tmpfs", "");
		add(b, "/volume", "bind", HOST, "rbind");
		add(b, "/volume/inner", "tmpfs", "tmpfs", "");
		START(b);
		CHECK(mkdir("/data/in", 0755) == 0 && mkdir("/volume/inner/in", 0755) == 0);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(exists(ROOT "/data") && !exists(ROOT "/data/in"));
	CHECK(exists(HOST "/inner") && !exists(HOST "/inner/in"));
}

CASE(what_the_host_mounts_later_reaches_a_slave)
{
	int ready[2], go[2];
	char byte = 0;
	int status = 0;
	pid_t pid;

	CHECK(pipe(ready) == 0 && pipe(go) == 0);
	CHECK(mount(NULL, BUNDLE, NULL, MS_SHARED, NULL) == 0);
	CHECK(mkdir(HOST "/later", 0755) == 0);
	pid = fork();
	if (pid == 0) {
		CHECK(unshare(CLONE_NEWNS) == 0);
		add(b, "/slave", "bind", HOST, "rbind,rslave");
		add(b, "/private", "bind", HOST, "rbind,rprivate");
		START(b);
		CHECK(write(ready[1], "", 1) == 1 && read(go[0], &byte, 1) == 1);
		CHECK(exists("/slave/later/file") && !exists("/private/later/file"));
		_exit(0);
	}
	CHECK(read(ready[0], &byte, 1) == 1);
	CHECK(mount("tmpfs", HOST "/later", "tmpfs", 0, NULL) == 0);
	write_file(HOST "/later/file", "");
	CHECK(write(go[1], "", 1) == 1);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

/* ---- user namespaces ------------------------------------------------------------------------ */

static void become_root_of_userns(struct bench *b)
{
	CHECK(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0);
	write_file("/proc/self/setgroups", "deny");
	write_file("/proc/self/uid_map", "0 0 1");
	write_file("/proc/self/gid_map", "0 0 1");
	b->namespaces[1] = (struct spec_namespace){ CLONE_NEWUSER, "user", NULL };
	b->spec.linux.n_namespaces = 2;
	b->facts.euid = 1000; /* an ordinary user's runtime: init does it all */
	b->facts.caps = 0;
}

CASE(binds_devices_in_a_user_namespace)
{
	become_root_of_userns(b);
	add(b, "/dev", "tmpfs", "tmpfs", "nosuid,mode=755");
	add(b, "/data", "bind", HOST, "rbind");
	b->spec.linux.masked_paths = (struct spec_strings){ 5, masked };
	START(b);
	CHECK(is_device("/dev/null", 1, 3) && file_is("/data/secret", "secret"));
	CHECK(open("/dev/null", O_RDWR) >= 0);
}

CASE(keeps_the_flags_of_the_host_in_a_user_namespace)
{
	CHECK(mount(HOST, HOST, NULL, MS_BIND, NULL) == 0);
	CHECK(mount(NULL, HOST, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0);
	become_root_of_userns(b);
	add(b, "/data", "bind", HOST, "rbind");
	START(b);
	CHECK(is_read_only("/data"));
	CHECK(mount(NULL, "/data", NULL, MS_BIND | MS_REMOUNT, NULL) < 0 && errno == EPERM);
}

CASE(cannot_make_writable_what_the_host_has_read_only)
{
	CHECK(mount(HOST, HOST, NULL, MS_BIND, NULL) == 0);
	CHECK(mount(NULL, HOST, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0);
	become_root_of_userns(b);
	add(b, "/data", "bind", HOST, "rbind,rw");
	CHECK(start(b) == -EPERM && b->ctx.phase == PHASE_ATTRIBUTES);
}

CASE(the_host_can_take_trees_of_inits_namespace)
{
	struct step s = { .kind = STEP_TREE,
			  .tree = { .slot = SLOT_ROOTFS, .path = HOST, .in_init = true } };
	int ready[2];
	char byte;
	pid_t pid;

	CHECK(pipe(ready) == 0);
	CHECK(chmod(BUNDLE, 0700) == 0);
	pid = fork();
	if (pid == 0) {
		become_root_of_userns(b);
		CHECK(mount("tmpfs", HOST, "tmpfs", 0, NULL) == 0);
		write_file(HOST "/inside", "");
		CHECK(write(ready[1], "", 1) == 1);
		(void)pause();
	}
	CHECK(read(ready[0], &byte, 1) == 1);
	b->ctx.pid = pid;
	b->ctx.pidfd = sys_pidfd_open(pid, 0);
	CHECK(host_tree(&s, &b->ctx) == 0);
	CHECK(faccessat(b->fd[SLOT_ROOTFS], "inside", F_OK, 0) == 0);
	CHECK(!exists(HOST "/inside"));
	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_what_docker_gives),
		cmocka_unit_test(sees_nothing_of_the_host),
		cmocka_unit_test(masks_and_protects_paths),
		cmocka_unit_test(masks_what_links_of_proc_lead_to),
		cmocka_unit_test(settings_can_be_written_through_the_procfs_before_it_is_protected),
		cmocka_unit_test(makes_a_procfs_of_its_own_where_none_is_mounted),
		cmocka_unit_test(works_without_pivot),
		cmocka_unit_test(makes_the_root_read_only),
		cmocka_unit_test(makes_read_only_late_what_has_to_be_filled_first),
		cmocka_unit_test(read_only_can_reach_all_that_is_below),
		cmocka_unit_test(takes_over_the_permissions_below_a_tmpfs),
		cmocka_unit_test(starts_a_tmpfs_with_a_copy),
		cmocka_unit_test(maps_the_owners_of_a_bind_mount),
		cmocka_unit_test(lays_out_cgroups_as_the_host_has_them),
		cmocka_unit_test(mounts_do_not_spread_to_the_host),
		cmocka_unit_test(what_the_host_mounts_later_reaches_a_slave),
		cmocka_unit_test(binds_devices_in_a_user_namespace),
		cmocka_unit_test(keeps_the_flags_of_the_host_in_a_user_namespace),
		cmocka_unit_test(cannot_make_writable_what_the_host_has_read_only),
		cmocka_unit_test(the_host_can_take_trees_of_inits_namespace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
