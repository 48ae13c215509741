/*
 * doctor_files.c - file systems, devices and programs of the host that containers may use.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/doctor.h"
#include "host/helper.h"
#include "sys/sys.h"

/* ---- overlay --------------------------------------------------------------------------------- */

/* On a tmpfs over /, so that nothing of the host is touched; read from the layer below. */
static int try_overlay(void *data, enum attempt_stage *stage)
{
	static const char *const dirs[] = { "/doctor", "/doctor/lower", "/doctor/upper",
					    "/doctor/work", "/doctor/merged" };
	const struct doctor *d = data;
	int r = attempt_enter(CLONE_NEWNS, d->ordinary, stage);

	if (r < 0)
		return r;
	if (mount("tmpfs", "/proc", "tmpfs", 0, NULL) < 0 || chdir("/proc") < 0 || chroot(".") < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (mkdir(dirs[i], 0755) < 0)
			return -errno;
	if (mount("overlay", "/doctor/merged", "overlay", 0,
		  d->ordinary ? "userxattr,lowerdir=/doctor/lower,upperdir=/doctor/upper,workdir="
				"/doctor/work"
			      : "lowerdir=/doctor/lower,upperdir=/doctor/upper,workdir=/doctor/"
				"work") < 0)
		return -errno;
	return mkdir("/doctor/merged/new", 0755) < 0 ? -errno : 0;
}

static void check_overlay(struct doctor *d, const struct check *c, struct finding *f)
{
	const struct doctor ordinary = { .ordinary = true };
	struct attempt a = attempt_run(try_overlay, d), inside = a;

	(void)c;
	if (!d->ordinary)
		inside = attempt_run(try_overlay, (void *)(uintptr_t)&ordinary);
	if (a.err < 0) {
		finding_set(f, VERDICT_WARNING, "file systems cannot be laid over one another: %s",
			    err_text(a.err));
		finding_remedy(f, a.err == -ENODEV ? "as root: modprobe overlay"
				  : d->ordinary    ? "install fuse-overlayfs"
						   : "see the kernel's log");
		return;
	}
	finding_set(f, VERDICT_OK, "works%s", d->ordinary ? " in a user namespace" : "");
	if (inside.err < 0)
		finding_add(f, ", but not in a user namespace: %s", err_text(inside.err));
	else if (!d->ordinary)
		finding_add(f, ", also in a user namespace");
}

/* ---- devices and programs -------------------------------------------------------------------- */

static void check_device(struct doctor *d, const struct check *c, struct finding *f)
{
	_cleanup_close_ int fd = open(c->arg, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	const int code = fd < 0 ? -errno : 0;

	(void)d;
	if (code == 0) {
		finding_set(f, VERDICT_OK, "%s can be opened", c->arg);
		return;
	}
	finding_set(f, VERDICT_ABSENT, "%s: %s (only %s needs it)", c->arg, err_text(code),
		    c->flag == 't' ? "a network in user mode" : "fuse-overlayfs");
	finding_remedy(f,
		       code == -EACCES || code == -EPERM ? "as root: chmod 0666 %s"
		       : c->flag == 't'                  ? "as root: modprobe tun (%s)"
							 : "as root: modprobe fuse (%s)",
		       c->arg);
}

static void check_fuse_overlay(struct doctor *d, const struct check *c, struct finding *f)
{
	const char *path = doctor_program(d, "fuse-overlayfs");

	(void)c;
	finding_set(f, path ? VERDICT_OK : VERDICT_ABSENT, "%s%s", path ? path : "not installed",
		    path ? "" : " (only needed where overlay does not work)");
}

static void check_criu(struct doctor *d, const struct check *c, struct finding *f)
{
	const char *path = doctor_program(d, "criu");
	const char *argv[] = { path, "check", NULL };
	_cleanup_buf_ struct buf messages = { 0 };
	struct err err = { 0 };
	int r;

	(void)c;
	if (!path) {
		finding_set(f, VERDICT_ABSENT,
			    "criu is not installed (checkpoint and restore need it)");
		finding_remedy(f, "as root: apt install criu");
		return;
	}
	if (geteuid() != 0) {
		finding_set(f, VERDICT_ABSENT, "%s: needs root", path);
		return;
	}
	r = helper_run(argv, -1, NULL, &messages, &err);
	if (r == 0)
		finding_set(f, VERDICT_OK, "`%s check` finds all that it needs", path);
	else
		finding_set(f, VERDICT_WARNING, "`%s check` fails: %s", path,
			    r < 0 ? err.msg : buf_text(&messages));
}

/* ---- limits and places ----------------------------------------------------------------------- */

static void check_nofile(struct doctor *d, const struct check *c, struct finding *f)
{
	struct rlimit limit = { 0 };

	(void)d;
	(void)c;
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	finding_set(f, limit.rlim_max < 4096 ? VERDICT_WARNING : VERDICT_OK,
		    "at most %llu open files a process (now %llu)",
		    (unsigned long long)limit.rlim_max, (unsigned long long)limit.rlim_cur);
	if (limit.rlim_max < 4096)
		finding_remedy(f, "raise nofile in /etc/security/limits.conf, or LimitNOFILE= of "
				  "the service");
}

/* We may have to execute a copy of ourselves that no container can write (run/selfexe.c). */
static void check_memfd(struct doctor *d, const struct check *c, struct finding *f)
{
	const int64_t value = doctor_sysctl("vm/memfd_noexec", 0);

	(void)c;
	if (value < 2 || !d->ordinary) {
		finding_set(f, VERDICT_OK, "our own program can be protected from containers");
		return;
	}
	finding_set(f, VERDICT_PROBLEM,
		    "vm.memfd_noexec is 2: our own program cannot be protected "
		    "from containers");
	finding_remedy(f, "as root: sysctl -w vm.memfd_noexec=1");
}

/* The nearest directory above that is there. */
static const char *existing(struct arena *arena, const char *path)
{
	size_t len = strlen(path);

	while (len > 1) {
		const char *part = arena_printf(arena, "%.*s", (int)len, path);

		if (access(part, F_OK) == 0)
			return part;
		while (len > 1 && path[--len] != '/')
			;
	}
	return "/";
}

static int try_file(const char *dir)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/.containr-doctor.XXXXXX", dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (!mkdtemp(path))
		return -errno;
	return rmdir(path) < 0 ? -errno : 0;
}

static void check_state(struct doctor *d, const struct check *c, struct finding *f)
{
	const char *root = cli_root(d->cli), *dir = existing(d->arena, root);
	struct statvfs fs = { 0 };
	int r = try_file(dir);

	(void)c;
	if (r < 0) {
		finding_set(f, VERDICT_PROBLEM, "%s, for the state of containers: %s", root,
			    err_text(r));
		finding_remedy(f, "name another directory: containr --root DIR");
		return;
	}
	(void)statvfs(dir, &fs);
	finding_set(f, VERDICT_OK, "%s, for the state of containers: %" PRIu64 " MiB free", root,
		    (uint64_t)fs.f_bavail * fs.f_frsize >> 20);
	/* Some kilobytes and a handful of files a container. */
	if ((uint64_t)fs.f_bavail * fs.f_frsize >= 4 << 20 &&
	    (fs.f_files == 0 || fs.f_favail >= 100))
		return;
	f->verdict = VERDICT_WARNING;
	finding_add(f, ", %" PRIu64 " files", (uint64_t)fs.f_favail);
	finding_remedy(f, "make room, or name another directory: containr --root DIR");
}

/* Root file systems are often unpacked below it; where nothing can be executed they do not run. */
static void check_noexec(struct doctor *d, const struct check *c, struct finding *f)
{
	const char *home = getenv("HOME");
	const char *dir = d->ordinary && home && *home == '/' ? home : "/var/lib";
	struct statvfs fs = { 0 };

	(void)c;
	dir = existing(d->arena, dir);
	if (statvfs(dir, &fs) == 0 && (fs.f_flag & ST_NOEXEC)) {
		finding_set(f, VERDICT_WARNING,
			    "%s is mounted noexec: a root file system below it "
			    "runs no programs",
			    dir);
		finding_remedy(f, "as root: mount -o remount,exec %s", dir);
		return;
	}
	finding_set(f, VERDICT_OK, "programs of a root file system below %s can be executed", dir);
}

const struct check doctor_files[] = {
	{ .name = "overlay", .run = check_overlay },
	{ .name = "fuse-overlayfs", .run = check_fuse_overlay },
	{ .name = "fuse", .run = check_device, .arg = "/dev/fuse", .flag = 'f' },
	{ .name = "tun", .run = check_device, .arg = "/dev/net/tun", .flag = 't' },
	{ .name = "criu", .run = check_criu },
	{ .name = "open-files", .run = check_nofile },
	{ .name = "own-program", .run = check_memfd },
	{ .name = "state", .run = check_state },
	{ .name = "root-dirs", .run = check_noexec },
	{ 0 },
};
