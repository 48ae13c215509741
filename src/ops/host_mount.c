/*
 * host_mount.c - see host_mount.h.
 *
 * Two jobs need a helper process for a moment. Both helpers borrow our memory and our descriptors,
 * make no call of the C library, and are reaped before the step ends.
 */
#include "ops/host_mount.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "ops/host_fuse.h"
#include "ops/init_mount.h"
#include "ops/init_overlay.h"
#include "sys/sys.h"

enum {
	HELPER_STACK = 16 << 10,
};

/* ---- trees ---------------------------------------------------------------------------------- */

struct tree_job {
	struct op_ctx *ctx;
	const struct step *step;
	int result;
};

static int take(const struct step *s, struct op_ctx *ctx)
{
	if (s->kind == STEP_OPEN)
		return sys_openat(AT_FDCWD, s->open.path, s->open.flags | O_CLOEXEC, 0);
	return s->kind == STEP_OVERLAY ? overlay_of_dirs(&s->overlay, ctx)
				       : take_host_tree(&s->tree);
}

static void take_in_init(void *arg)
{
	struct tree_job *job = arg;

	job->result = sys_setns(job->ctx->pidfd, CLONE_NEWNS);
	if (job->result == 0)
		job->result = take(job->step, job->ctx);
	sys_exit(0);
}

/*
 * The tree as init's mount namespace has it, but with our rights: its root, which is an ordinary
 * user to the host, may not be able to reach the path, while the kernel has locked the flags of the
 * mounts there (MNT_LOCKED), so that the container cannot make a read-only one writable. A copy of
 * the host's mounts would be missing those locks.
 */
int host_take_in_init(struct op_ctx *ctx, const struct step *step)
{
	_Alignas(16) char stack[HELPER_STACK];
	struct tree_job job = { ctx, step, -ECHILD };
	struct clone_args args = {
		.flags = CLONE_VM | CLONE_VFORK | CLONE_FILES,
		.stack = (uintptr_t)stack,
		.stack_size = sizeof(stack),
	};
	long pid = sys_spawn(&args, sizeof(args), take_in_init, &job);

	if (pid < 0)
		return (int)pid;
	(void)sys_wait4((pid_t)pid, NULL, __WALL);
	return job.result;
}

int host_tree(const struct step *s, struct op_ctx *ctx)
{
	const struct step_tree *t = &s->tree;
	int tree;

	if (!t->in_init)
		return init_tree(s, ctx);
	tree = host_take_in_init(ctx, s);
	if (tree < 0)
		return op_note(ctx, PHASE_SOURCE, tree, t->path);
	ctx->fd[t->slot] = tree;
	return 0;
}

int host_overlay(const struct step *s, struct op_ctx *ctx)
{
	int mount;

	if (s->overlay.apart)
		return host_overlay_apart(s, ctx);
	if (!s->overlay.in_init)
		return init_overlay(s, ctx);
	mount = host_take_in_init(ctx, s);
	if (mount < 0)
		return mount;
	ctx->fd[s->overlay.slot] = mount;
	return 0;
}

/* ---- other owners --------------------------------------------------------------------------- */

static void wait_to_be_killed(void *arg)
{
	(void)arg;
	(void)sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	for (;;)
		(void)sys_call_5(SYS_ppoll, 0, 0, 0, 0, 0);
}

static int write_map(pid_t pid, const char *name, const char *text)
{
	char path[64];
	int fd;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = sys_openat(AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	n = sys_write(fd, text, strlen(text));
	(void)sys_close(fd);
	return n < 0 ? (int)n : 0;
}

static int open_userns(pid_t pid)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	return sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
}

/* A user namespace lives as long as somebody is in it or holds it: we do, once it is mapped. */
static int make_userns(const struct step_id_mapped *m, struct op_ctx *ctx)
{
	_Alignas(16) char stack[HELPER_STACK];
	struct clone_args args = {
		.flags = CLONE_VM | CLONE_NEWUSER,
		.stack = (uintptr_t)stack,
		.stack_size = sizeof(stack),
	};
	long pid = sys_spawn(&args, sizeof(args), wait_to_be_killed, NULL);
	int r;

	if (pid < 0)
		return (int)pid;
	r = write_map((pid_t)pid, "uid_map", m->uid_map);
	if (r < 0)
		(void)op_note(ctx, PHASE_WRITE, r, m->uid_map);
	if (r == 0) {
		r = write_map((pid_t)pid, "gid_map", m->gid_map);
		if (r < 0)
			(void)op_note(ctx, PHASE_WRITE, r, m->gid_map);
	}
	if (r == 0)
		r = open_userns((pid_t)pid);
	(void)sys_kill((pid_t)pid, SIGKILL);
	(void)sys_wait4((pid_t)pid, NULL, __WALL);
	return r;
}

int host_id_mapped(const struct step *s, struct op_ctx *ctx)
{
	const struct step_id_mapped *m = &s->id_mapped;
	_cleanup_close_ int userns = m->uid_map ? make_userns(m, ctx) : open_userns(ctx->pid);
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };
	int r;

	if (userns < 0)
		return take_fd(&userns);
	attr.userns_fd = (uint32_t)userns;
	r = sys_mount_setattr(ctx->fd[m->slot], "",
			      AT_EMPTY_PATH | (m->recursive ? AT_RECURSIVE : 0U), &attr);
	return r < 0 ? op_note(ctx, PHASE_ATTRIBUTES, r, "id mapping") : 0;
}
