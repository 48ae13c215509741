/*
 * doctor_kernel.c - the system calls that a start is made of. A kernel of the right version may
 * still refuse them: through the seccomp filter of a container that we are in.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/doctor.h"
#include "sys/sys.h"

static void remedy_seccomp(struct finding *f, int code)
{
	if (code == -ENOSYS || code == -EPERM)
		finding_remedy(f, "if this is a container, start it with --security-opt "
				  "seccomp=unconfined or --privileged; else update the kernel");
}

static void check_version(struct doctor *d, const struct check *c, struct finding *f)
{
	(void)c;
	if (d->has_facts) {
		finding_set(f, VERDICT_OK, "Linux %u.%u", d->facts.kernel_major,
			    d->facts.kernel_minor);
		return;
	}
	finding_set(f, VERDICT_PROBLEM, "%s", d->facts_err.msg);
	finding_remedy(f, "update the kernel to 5.12 or later");
}

static void check_openat2(struct doctor *d, const struct check *c, struct finding *f)
{
	_cleanup_close_ int fd = sys_openat2(AT_FDCWD, "/", O_PATH | O_CLOEXEC, 0, RESOLVE_IN_ROOT);

	(void)d;
	(void)c;
	if (fd >= 0) {
		finding_set(f, VERDICT_OK, "paths are resolved below a root (openat2)");
		return;
	}
	finding_set(f, VERDICT_PROBLEM, "openat2: %s", err_text(fd));
	remedy_seccomp(f, fd);
}

/* A file system is made, made read-only and put in place. */
static int try_mounts(void *data, enum attempt_stage *stage)
{
	const struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	const struct doctor *d = data;
	int r = attempt_enter(CLONE_NEWNS, d->ordinary, stage), fs, fd;

	if (r < 0)
		return r;
	fs = sys_fsopen("tmpfs");
	if (fs < 0)
		return fs;
	r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r < 0)
		return r;
	fd = sys_fsmount(fs, 0);
	if (fd < 0)
		return fd;
	r = sys_mount_setattr(fd, "", AT_EMPTY_PATH, &attr);
	if (r == 0)
		r = sys_move_mount(fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
	if (r == 0)
		r = sys_open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | AT_RECURSIVE);
	return r < 0 ? r : 0;
}

static void check_mounts(struct doctor *d, const struct check *c, struct finding *f)
{
	struct attempt a = attempt_run(try_mounts, d);

	(void)c;
	if (a.err == 0) {
		finding_set(f, VERDICT_OK,
			    "file systems are mounted by descriptor (fsopen, "
			    "mount_setattr, move_mount)");
		return;
	}
	if (a.stage != ATTEMPT_ACTION) {
		finding_set(f, VERDICT_PROBLEM, "cannot be tried without a mount namespace: %s",
			    err_text(a.err));
		return;
	}
	finding_set(f, VERDICT_PROBLEM, "mounting by descriptor: %s", err_text(a.err));
	remedy_seccomp(f, a.err);
}

/* A child in our own cgroup: whoever is not allowed that is told so by a kernel that knows it. */
static int try_clone3(void *data, enum attempt_stage *stage)
{
	struct clone_args args = { .flags = CLONE_PIDFD, .exit_signal = SIGCHLD };
	const char *dir = data;
	int cgroup = dir ? open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1, pidfd = -1;
	long r;

	*stage = ATTEMPT_ACTION;
	args.pidfd = (uint64_t)(uintptr_t)&pidfd;
	if (cgroup >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint32_t)cgroup;
	}
	r = sys_call_2(SYS_clone3, &args, sizeof(args));
	if (r == 0)
		sys_exit(0);
	if (r > 0)
		(void)waitpid((pid_t)r, NULL, 0);
	return r == -EACCES || r > 0 ? 0 : (int)r;
}

static void check_clone3(struct doctor *d, const struct check *c, struct finding *f)
{
	char dir[4096], *where = NULL;
	struct attempt a;

	(void)c;
	for (size_t i = 0; i < d->facts.cgroup.n; i++)
		if (*d->facts.cgroup.v[i].controllers == '\0') {
			(void)snprintf(dir, sizeof(dir), "%s%s", d->facts.cgroup.v[i].mount,
				       d->facts.cgroup.v[i].own);
			where = dir;
		}
	a = attempt_run(try_clone3, where);
	if (a.err == 0) {
		finding_set(f, VERDICT_OK, "processes are made by clone3%s",
			    where ? ", and born in their cgroup" : "");
		return;
	}
	finding_set(f, VERDICT_PROBLEM, "clone3: %s", err_text(a.err));
	remedy_seccomp(f, a.err);
}

static void check_pidfd(struct doctor *d, const struct check *c, struct finding *f)
{
	_cleanup_close_ int fd = sys_pidfd_open(getpid(), 0);

	(void)d;
	(void)c;
	if (fd >= 0) {
		finding_set(f, VERDICT_OK, "processes are held by descriptor (pidfd)");
		return;
	}
	finding_set(f, VERDICT_PROBLEM, "pidfd_open: %s", err_text(fd));
	remedy_seccomp(f, fd);
}

/* ---- id-mapped mounts ------------------------------------------------------------------------ */

static int map_range(int pid, const char *file)
{
	char path[64];
	_cleanup_close_ int fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd >= 0 && write(fd, "0 524288 65536", 14) == 14 ? 0 : -errno;
}

static int try_id_map(void *data, enum attempt_stage *stage)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };
	int pid = attempt_userns_begin(), tree, r;
	char path[64];

	(void)data;
	*stage = ATTEMPT_NAMESPACE;
	if (pid < 0)
		return pid;
	r = map_range(pid, "uid_map");
	if (r == 0)
		r = map_range(pid, "gid_map");
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	attr.userns_fd = (uint32_t)open(path, O_RDONLY | O_CLOEXEC);
	attempt_userns_end(pid);
	if (r < 0)
		return r;
	*stage = ATTEMPT_ACTION;
	tree = sys_open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE);
	return tree < 0 ? tree : sys_mount_setattr(tree, "", AT_EMPTY_PATH, &attr);
}

static void check_id_map(struct doctor *d, const struct check *c, struct finding *f)
{
	struct attempt a;

	(void)c;
	if (d->ordinary) {
		finding_set(f, VERDICT_ABSENT,
			    "volumes with mapped ids are for root (mount_setattr)");
		return;
	}
	a = attempt_run(try_id_map, NULL);
	if (a.err == 0)
		finding_set(f, VERDICT_OK, "volumes of / can have mapped ids (mount_setattr)");
	else if (a.stage == ATTEMPT_NAMESPACE)
		finding_set(f, VERDICT_WARNING, "volumes cannot have mapped ids: mapping them: %s",
			    err_text(a.err));
	else
		finding_set(f, VERDICT_WARNING, "the file system of / cannot have mapped ids: %s",
			    err_text(a.err));
}

const struct check doctor_kernel[] = {
	{ .name = "version", .run = check_version },
	{ .name = "openat2", .run = check_openat2 },
	{ .name = "mounts", .run = check_mounts },
	{ .name = "clone3", .run = check_clone3 },
	{ .name = "pidfd", .run = check_pidfd },
	{ .name = "id-maps", .run = check_id_map },
	{ 0 },
};
