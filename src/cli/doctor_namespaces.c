/*
 * doctor_namespaces.c - which namespaces can be made, and by which switch of the host they are not.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "sys/abi.h"

#define UBUNTU_SWITCH "kernel/apparmor_restrict_unprivileged_userns"
#define DEBIAN_SWITCH "kernel/unprivileged_userns_clone"

struct trial {
	const struct doctor *d;
	int flags;
	const char *type; /* of a file system that is mounted inside, or NULL */
};

/* Ubuntu lets the namespace be made, and gives no rights in it: only a use of them shows that. */
static int try_namespace(void *data, enum attempt_stage *stage)
{
	const struct trial *t = data;
	const bool user = t->flags & CLONE_NEWUSER;
	int r = attempt_enter(t->flags & ~CLONE_NEWUSER, user || t->d->ordinary, stage);

	if (r < 0 || !user)
		return r;
	return sethostname("doctor", 6) < 0 ? -errno : 0;
}

static struct attempt try_it(const struct doctor *d, int flags)
{
	struct trial t = { .d = d, .flags = flags };

	/* A host name is something to have rights over. */
	if (flags & CLONE_NEWUSER)
		t.flags |= CLONE_NEWUTS;
	return attempt_run(try_namespace, &t);
}

/* ---- why not --------------------------------------------------------------------------------- */

static void remedy_ubuntu(struct finding *f)
{
	finding_remedy(f, "as root: apparmor_parser -r /etc/apparmor.d/containr (`make install` "
			  "puts it there), or for all programs: sysctl -w "
			  "kernel.apparmor_restrict_unprivileged_userns=0");
}

static void explain_userns(struct finding *f, int code)
{
	if (doctor_sysctl("user/max_user_namespaces", 1) == 0)
		finding_remedy(f, "as root: sysctl -w user.max_user_namespaces=15000");
	else if (doctor_sysctl(DEBIAN_SWITCH, 1) == 0)
		finding_remedy(f, "as root: sysctl -w kernel.unprivileged_userns_clone=1");
	else if (doctor_sysctl(UBUNTU_SWITCH, 0) == 1)
		remedy_ubuntu(f);
	else if (code == -ENOSPC)
		finding_remedy(f, "as root: sysctl -w user.max_user_namespaces=15000 (all are in "
				  "use, or 32 lie in one another)");
	else
		finding_remedy(f, "if this is a container, start it with --security-opt "
				  "seccomp=unconfined or --privileged; in a chroot there are none");
}

static void explain(struct finding *f, const char *limit, int code)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "user/%s", limit);
	if (doctor_sysctl(path, 1) == 0 || code == -ENOSPC)
		finding_remedy(f, "as root: sysctl -w user.%s=15000", limit);
	else if (code == -EINVAL)
		finding_remedy(f, "the kernel was built without them");
	else
		finding_remedy(f, "if this is a container, start it with --security-opt "
				  "seccomp=unconfined or --privileged");
}

/* ---- the rows -------------------------------------------------------------------------------- */

static void check_user(struct doctor *d, const struct check *c, struct finding *f)
{
	struct attempt a = try_it(d, CLONE_NEWUSER);

	(void)c;
	if (a.err == 0) {
		finding_set(f, VERDICT_OK, "can be made, and give rights inside (at most %lld)",
			    (long long)doctor_sysctl("user/max_user_namespaces", -1));
		return;
	}
	finding_set(f, d->ordinary ? VERDICT_PROBLEM : VERDICT_WARNING, "%s: %s",
		    a.stage == ATTEMPT_NAMESPACE ? "cannot be made"
		    : a.stage == ATTEMPT_MAP     ? "ids cannot be mapped"
						 : "give no rights inside",
		    err_text(a.err));
	explain_userns(f, a.err);
}

/* Those that a container can do without are a warning. */
static void check_kind(struct doctor *d, const struct check *c, struct finding *f)
{
	const bool needed = c->flag != CLONE_NEWCGROUP && c->flag != CLONE_NEWTIME;
	struct attempt a = try_it(d, c->flag);
	char path[64];

	(void)snprintf(path, sizeof(path), "user/%s", c->arg);
	if (a.err == 0) {
		finding_set(f, VERDICT_OK, "can be made (at most %lld)",
			    (long long)doctor_sysctl(path, -1));
		return;
	}
	if (d->ordinary && try_it(d, CLONE_NEWUSER).err < 0) {
		finding_set(f, VERDICT_PROBLEM, "needs a user namespace");
		return;
	}
	finding_set(f, needed ? VERDICT_PROBLEM : VERDICT_WARNING, "cannot be made: %s",
		    err_text(a.err));
	explain(f, c->arg, a.err);
}

/* Before 6.3 an exec did not enter a new one (plan/sequence.c). */
static void check_time(struct doctor *d, const struct check *c, struct finding *f)
{
	const struct facts *facts = &d->facts;

	if (facts->kernel_major < 6 || (facts->kernel_major == 6 && facts->kernel_minor < 3))
		finding_set(f, VERDICT_ABSENT,
			    "containers with clocks of their own need Linux 6.3");
	else
		check_kind(d, c, f);
}

static void check_debian(struct doctor *d, const struct check *c, struct finding *f)
{
	const int64_t value = doctor_sysctl(DEBIAN_SWITCH, -1);

	(void)c;
	if (value < 0) {
		finding_set(f, VERDICT_ABSENT,
			    "kernel.unprivileged_userns_clone: this kernel has "
			    "no such switch");
		return;
	}
	finding_set(f,
		    value > 0     ? VERDICT_OK
		    : d->ordinary ? VERDICT_PROBLEM
				  : VERDICT_WARNING,
		    "kernel.unprivileged_userns_clone is %lld: ordinary users can%s make user "
		    "namespaces",
		    (long long)value, value > 0 ? "" : "not");
	if (value == 0)
		finding_remedy(f, "as root: sysctl -w kernel.unprivileged_userns_clone=1");
}

static void check_ubuntu(struct doctor *d, const struct check *c, struct finding *f)
{
	const int64_t value = doctor_sysctl(UBUNTU_SWITCH, -1);

	(void)c;
	if (value < 0) {
		finding_set(f, VERDICT_ABSENT,
			    "kernel.apparmor_restrict_unprivileged_userns: this kernel has no such "
			    "switch");
		return;
	}
	if (value == 0) {
		finding_set(f, VERDICT_OK, "AppArmor does not restrict user namespaces");
		return;
	}
	if (d->ordinary && try_it(d, CLONE_NEWUSER).err == 0) {
		finding_set(f, VERDICT_OK,
			    "AppArmor restricts user namespaces, and lets this "
			    "program make them");
		return;
	}
	finding_set(f, d->ordinary ? VERDICT_PROBLEM : VERDICT_WARNING,
		    "AppArmor gives ordinary users no rights in user namespaces, but by a profile "
		    "(kernel.apparmor_restrict_unprivileged_userns is 1)");
	remedy_ubuntu(f);
}

/* ---- file systems that only namespaces make necessary -----------------------------------------
 */

static int mount_type(const char *type)
{
	return mount(type, "/", type, MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 ? -errno : 0;
}

/* A procfs belongs to the pid namespace of whoever mounts it, and that begins with a child. */
static int try_mount(void *data, enum attempt_stage *stage)
{
	const struct trial *t = data;
	int r = attempt_enter(t->flags | CLONE_NEWNS, true, stage), status = 0;
	pid_t pid;

	if (r < 0)
		return r;
	pid = fork();
	if (pid == 0)
		_exit(-mount_type(t->type));
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}

/* In a user namespace the kernel shows no more of it than can be seen outside. */
static void check_mount(struct doctor *d, const struct check *c, struct finding *f)
{
	struct trial t = { .d = d, .flags = c->flag, .type = c->arg };
	struct attempt a = attempt_run(try_mount, &t);

	if (a.err == 0) {
		finding_set(f, VERDICT_OK, "a new %s can be mounted in a user namespace", c->arg);
		return;
	}
	if (a.stage != ATTEMPT_ACTION) {
		finding_set(f, VERDICT_WARNING, "cannot be tried without a user namespace");
		return;
	}
	finding_set(f, d->ordinary && c->flag == CLONE_NEWPID ? VERDICT_PROBLEM : VERDICT_WARNING,
		    "no new %s can be mounted in a user namespace: %s%s", c->arg, err_text(a.err),
		    a.err == -EPERM ? " (parts of the one that is seen here are covered by other "
				      "mounts, as in a container)"
				    : "");
	finding_remedy(
	    f,
	    "start the container that this is with --security-opt unmask=ALL (podman) or "
	    "systempaths=unconfined (docker), or bind the outer one: -v /%s:/%s",
	    c->flag == CLONE_NEWPID ? "proc" : "sys", c->flag == CLONE_NEWPID ? "proc" : "sys");
}

const struct check doctor_namespaces[] = {
	{ .name = "user", .run = check_user },
	{ .name = "debian-switch", .run = check_debian },
	{ .name = "ubuntu-switch", .run = check_ubuntu },
	{ .name = "mount", .run = check_kind, .flag = CLONE_NEWNS, .arg = "max_mnt_namespaces" },
	{ .name = "pid", .run = check_kind, .flag = CLONE_NEWPID, .arg = "max_pid_namespaces" },
	{ .name = "network", .run = check_kind, .flag = CLONE_NEWNET, .arg = "max_net_namespaces" },
	{ .name = "ipc", .run = check_kind, .flag = CLONE_NEWIPC, .arg = "max_ipc_namespaces" },
	{ .name = "uts", .run = check_kind, .flag = CLONE_NEWUTS, .arg = "max_uts_namespaces" },
	{ .name = "cgroup",
	  .run = check_kind,
	  .flag = CLONE_NEWCGROUP,
	  .arg = "max_cgroup_namespaces" },
	{ .name = "time", .run = check_time, .flag = CLONE_NEWTIME, .arg = "max_time_namespaces" },
	{ .name = "proc", .run = check_mount, .flag = CLONE_NEWPID, .arg = "proc" },
	{ .name = "sysfs", .run = check_mount, .flag = CLONE_NEWNET, .arg = "sysfs" },
	{ 0 },
};
