/*
 * host_fuse.c - overlays of ordinary users: the kernel's, or fuse-overlayfs where it refuses.
 *
 * A helper process enters the container's user namespace as its root and takes a mount namespace to
 * itself, in which it makes the overlay as a detached mount. Where the kernel refuses the layers
 * (they are overlays of overlays, or on a file system that cannot be one), it makes a detached
 * mount of type fuse and starts fuse-overlayfs with the open /dev/fuse that belongs to it. So the
 * server mounts nothing, walks no path of the container and has no descriptor but that one and its
 * layers.
 *
 * Who is inside cannot reach it: it is in none of the container's namespaces but the user
 * namespace, and is used only where the container has a pid namespace of its own, so that nobody
 * there can name it. It has no privileges but those over files, and can gain none.
 *
 * It leaves nothing behind: the kernel ends its connection with the last mount of the file system,
 * which is ours until init has it, and the container's mount namespace's after that. Whatever ends
 * those, a SIGKILL for us at any instruction included, ends the server. One that hangs all the same
 * is on record, for `delete` to kill; it is before the server executes anything, for which it waits
 * at a pipe:
 *
 *	we                      helper                      server
 *	                        makes the mount, clones --> waits at the pipe
 *	writes the record <---- says that it is there       |
 *	writes to the pipe -------------------------------> execve
 *	                        waits for its first answer
 *
 * Should we be killed before, the pipe has no writer left, and it ends.
 *
 * The helper and the server borrow our memory up to the server's exec, so they make no call of the
 * C library.
 */
#include "ops/host_fuse.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "ops/host_process.h"
#include "ops/init_mount.h"
#include "ops/init_overlay.h"
#include "ops/init_path.h"
#include "state/state.h"
#include "sys/sys.h"

enum {
	HELPER_STACK = 32 << 10,
	OPTIONS_SIZE = (OVERLAY_MAX_LOWER + 2) * OVERLAY_FD_SIZE + 64,
};

/* Values of job.word. */
enum {
	HELPER_GONE, /* the kernel's: the process has ended */
	HELPER_AT_WORK,
	HELPER_HAS_SERVER, /* which is to be recorded, and waits */
};

struct job {
	struct op_ctx *ctx;
	const struct step_overlay *o;
	uint32_t word; /* futex */
	pid_t host;
	int userns;   /* to enter, or -1: it is ours */
	int go[2];    /* the server waits at its end */
	int fuse;     /* /dev/fuse */
	int messages; /* what the server says goes there */
	int result;   /* the mount, or a negative errno */
	pid_t server; /* 0: there is none */
	int started;  /* the server's: 0 or a negative errno */
	bool no_server;
	_Alignas(16) char stack[HELPER_STACK];
	_Alignas(16) char server_stack[HELPER_STACK / 4];
	char options[OPTIONS_SIZE], device[OVERLAY_FD_SIZE];
};

/* ---- the server ------------------------------------------------------------------------------ */

/* Over files of the container's users, as root of the container has them. */
static const uint64_t server_caps = 1ULL << CAP_CHOWN | 1ULL << CAP_DAC_OVERRIDE |
				    1ULL << CAP_DAC_READ_SEARCH | 1ULL << CAP_FOWNER |
				    1ULL << CAP_FSETID | 1ULL << CAP_MKNOD | 1ULL << CAP_SETFCAP;

static int give_up_rights(void)
{
	int r = 0;

	for (unsigned long cap = 0; r >= 0; cap++)
		if (cap >= 64 || !(server_caps >> cap & 1))
			r = sys_prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	/* The end of those that the kernel knows. */
	if (r == -EINVAL)
		r = sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return r;
}

/* It has descriptors of its own. */
static void await_record(const struct job *job)
{
	char byte;

	(void)sys_close(job->go[1]);
	if (sys_read(job->go[0], &byte, 1) != 1)
		sys_exit(127);
}

/* Nothing of ours but the device and where to complain. */
static int redirect(const struct job *job)
{
	int null = sys_openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0), r = null;

	if (r >= 0)
		r = sys_dup3(null, 0, 0);
	if (r >= 0)
		r = sys_dup3(null, 1, 0);
	if (r >= 0)
		r = sys_dup3(job->messages, 2, 0);
	if (r >= 0)
		r = sys_close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	return r < 0 ? r : sys_fcntl(job->fuse, F_SETFD, 0);
}

static size_t put(char *text, size_t at, const char *what)
{
	size_t len = strlen(what);

	memcpy(text + at, what, len + 1);
	return at + len;
}

/* Opened in the server's own table, to be inherited. */
static int put_dir(struct job *job, size_t *at, const char *path)
{
	int fd = sys_openat(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0);

	if (fd >= 0)
		*at = overlay_put_fd(job->options, *at, fd);
	return fd;
}

static int put_options(struct job *job)
{
	const struct step_overlay *o = job->o;
	size_t at = 0;
	int r = 0;

	if (o->in_memory) {
		(void)put(job->options, 0, "lowerdir=lower,upperdir=upper,workdir=work");
		return 0;
	}
	at = put(job->options, at, "lowerdir=");
	for (size_t i = 0; i < o->n_lower && r >= 0; i++) {
		if (i > 0)
			at = put(job->options, at, ":");
		r = put_dir(job, &at, o->lower[i]);
	}
	if (r >= 0 && o->upper) {
		at = put(job->options, at, ",upperdir=");
		r = put_dir(job, &at, o->upper);
	}
	if (r >= 0 && o->upper) {
		at = put(job->options, at, ",workdir=");
		r = put_dir(job, &at, o->work);
	}
	return r;
}

/* "/dev/fd/7": libfuse takes it for the open device of a mount that is there. */
static void put_device(struct job *job)
{
	const size_t folder = strlen("/proc/self/fd/");
	char name[OVERLAY_FD_SIZE];

	(void)overlay_put_fd(name, 0, job->fuse);
	(void)put(job->device, put(job->device, 0, "/dev/fd/"), name + folder);
}

/* It never returns, so a sanitizer would leave its marks in the memory that we share. */
__attribute__((no_sanitize("address"))) static void become_server(void *arg)
{
	static char name[] = "fuse-overlayfs", foreground[] = "-f", option[] = "-o";
	static char *const nothing[] = { NULL };
	const uint64_t ignore[4] = { 1 /* SIG_IGN */ };
	struct job *job = arg;
	char *argv[] = { name, foreground, option, job->options, job->device, NULL };
	int r;

	await_record(job);
	r = redirect(job);
	if (r >= 0)
		r = put_options(job);
	if (r >= 0)
		r = sys_reset_signals();
	/* Nobody listens to what it says once it serves. */
	(void)sys_call_4(SYS_rt_sigaction, SIGPIPE, ignore, 0, sizeof(uint64_t));
	(void)sys_setsid();
	if (r >= 0)
		r = give_up_rights();
	put_device(job);
	if (r >= 0)
		r = sys_execve(job->o->fuse, argv, nothing);
	job->started = r;
	sys_exit(127);
}

/* ---- the mount ------------------------------------------------------------------------------- */

static int make_fuse(struct job *job)
{
	static const struct mount_option options[] = {
		{ "source", "fuse-overlayfs" },
		{ "rootmode", "40000" },
		{ "user_id", "0" },
		{ "group_id", "0" },
		/* The kernel checks permissions, and all users of the container may come. */
		{ "default_permissions", NULL },
		{ "allow_other", NULL },
	};
	_cleanup_fd_ int fs = sys_fsopen("fuse");
	char name[OVERLAY_FD_SIZE];
	int r = fs;

	if (r >= 0) {
		(void)overlay_put_fd(name, 0, job->fuse);
		r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "fd", strrchr(name, '/') + 1, 0);
	}
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]) && r >= 0; i++)
		r = sys_fsconfig(fs, options[i].value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG,
				 options[i].key, options[i].value, 0);
	if (r >= 0)
		r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r >= 0)
		r = sys_fsmount(fs, 0);
	return r < 0 ? op_note(job->ctx, PHASE_FILE_SYSTEM, r, "fuse") : r;
}

/* The last line of what the server said: warnings come before it. */
static int note_messages(struct job *job, int from, int code)
{
	char text[1024], *line;
	ssize_t n = sys_read(from, text, sizeof(text) - 1);

	while (n > 0 && text[n - 1] == '\n')
		n--;
	text[n > 0 ? n : 0] = '\0';
	line = strrchr(text, '\n');
	return op_note(job->ctx, PHASE_SERVER, code, line ? line + 1 : *text ? text : job->o->fuse);
}

static int start_server(struct job *job, int mount, int messages)
{
	struct clone_args args = {
		.flags = CLONE_VM | CLONE_CLEAR_SIGHAND,
		.exit_signal = SIGCHLD,
		.stack = (uintptr_t)job->server_stack,
		.stack_size = sizeof(job->server_stack),
	};
	struct statx st;
	long pid = sys_spawn(&args, sizeof(args), become_server, job);
	int r = pid < 0 ? (int)pid : 0;

	/* The server's alone from now on, so that they end with it. */
	(void)sys_close(job->messages);
	(void)sys_close(job->fuse);
	if (r == 0) {
		job->server = (pid_t)pid;
		__atomic_store_n(&job->word, HELPER_HAS_SERVER, __ATOMIC_RELEASE);
		r = sys_futex(&job->word, FUTEX_WAKE, 1);
	}
	if (r < 0)
		return op_note(job->ctx, PHASE_SERVER, r, job->o->fuse);
	/* Waits for its first answer; without a server there is none, and the kernel says so. */
	r = sys_statx(mount, "", AT_EMPTY_PATH, STATX_TYPE, &st);
	if (job->started < 0)
		return op_note(job->ctx, PHASE_SERVER, job->started, job->o->fuse);
	return r < 0 ? note_messages(job, messages, r) : 0;
}

static int serve(struct job *job)
{
	_cleanup_fd_ int fuse = sys_openat(AT_FDCWD, "/dev/fuse", O_RDWR | O_CLOEXEC, 0);
	_cleanup_fd_ int mount = -1;
	int pair[2] = { -1, -1 }, r;

	if (fuse < 0)
		return op_note(job->ctx, PHASE_OPEN, fuse, "/dev/fuse");
	job->fuse = fuse;
	mount = make_fuse(job);
	if (mount < 0)
		return hand_on_fd(&mount);
	r = (int)sys_call_2(SYS_pipe2, job->go, O_CLOEXEC);
	if (r == 0)
		r = (int)sys_call_2(SYS_pipe2, pair, O_CLOEXEC | O_NONBLOCK);
	if (r < 0)
		return r;
	job->messages = pair[1];
	job->fuse = hand_on_fd(&fuse);
	r = start_server(job, mount, pair[0]);
	(void)sys_close(pair[0]);
	if (r < 0)
		return r;
	(void)op_note(job->ctx, PHASE_NONE, 0, "");
	return hand_on_fd(&mount);
}

/* ---- the helper ------------------------------------------------------------------------------ */

static int enter(const struct job *job)
{
	int r = 0;

	(void)sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (job->userns >= 0) {
		r = sys_setns(job->userns, CLONE_NEWUSER);
		if (r == 0)
			r = sys_setresgid(0);
		if (r == 0)
			r = sys_setresuid(0);
		/* Where setgroups is denied, the groups are the user's own. */
		if (r == 0)
			(void)sys_setgroups(0, NULL);
		(void)sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	}
	/* The signal does not come if the host died before we asked for it. */
	if (sys_getppid() != job->host)
		sys_exit(127);
	return r == 0 ? sys_unshare(CLONE_NEWNS) : r;
}

/* The layers stay where they are: nobody but a server sees this mount namespace. */
static int lay_out(struct job *job)
{
	_cleanup_fd_ int tree = take_host_tree(job->o->in_memory);
	_cleanup_fd_ int at = -1;
	struct mount_attr attr = { .propagation = MS_SLAVE };
	struct statx st;
	int r;

	r = tree < 0 ? tree : sys_statx(tree, "", AT_EMPTY_PATH, STATX_TYPE, &st);
	if (r == 0 && !S_ISDIR(st.stx_mode))
		r = -ENOTDIR;
	if (r < 0)
		return op_note(job->ctx, PHASE_SOURCE, r, job->o->in_memory->path);
	r = sys_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attr);
	if (r < 0)
		return op_note(job->ctx, PHASE_PROPAGATION, r, "/");
	at = sys_openat(AT_FDCWD, job->o->place, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	/* Out of reach of a root that is not the caller: over "/" only the kernel finds them. */
	job->no_server = at < 0;
	if (at < 0)
		at = sys_openat(AT_FDCWD, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	return at < 0 ? op_note(job->ctx, PHASE_MOUNT_POINT, at, "/")
		      : overlay_lay_out(job->ctx, tree, at);
}

static bool is_refused(const struct op_ctx *ctx, int code)
{
	return ctx->phase == PHASE_FILE_SYSTEM &&
	       (code == -EINVAL || code == -EPERM || code == -ENODEV || code == -EOPNOTSUPP);
}

static int make(struct job *job)
{
	const struct step_overlay *o = job->o;
	int r = enter(job);

	if (r == 0 && o->in_memory)
		r = lay_out(job);
	if (r < 0)
		return r;
	r = o->in_memory ? overlay_here(job->ctx, true) : overlay_of_dirs(o, job->ctx);
	if (r < 0 && o->fuse && !job->no_server && is_refused(job->ctx, r))
		r = serve(job);
	return r;
}

__attribute__((no_sanitize("address"))) static void make_apart(void *arg)
{
	struct job *job = arg;

	job->result = make(job);
	sys_exit(0);
}

static int open_userns(pid_t pid)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	return sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
}

/* Until the helper has ended; a server of its is on record before it begins. */
static int attend(struct job *job)
{
	bool told = false;
	uint32_t now;
	int r = 0;

	while ((now = __atomic_load_n(&job->word, __ATOMIC_ACQUIRE)) != HELPER_GONE) {
		if (now == HELPER_HAS_SERVER && !told) {
			r = host_record_server_of(job->ctx, job->server);
			if (r == 0)
				(void)sys_write(job->go[1], "", 1);
			/* The end of one that waits still. */
			(void)sys_close(job->go[1]);
			job->go[1] = -1;
			told = true;
		}
		(void)sys_futex(&job->word, FUTEX_WAIT, now);
	}
	return r;
}

static int make_with_helper(struct job *job, struct op_ctx *ctx)
{
	struct clone_args args = {
		.flags = CLONE_VM | CLONE_FILES | CLONE_CHILD_CLEARTID,
		.stack = (uintptr_t)job->stack,
		.stack_size = sizeof(job->stack),
		.child_tid = (uintptr_t)&job->word,
	};
	int dumpable = sys_prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
	long pid = sys_spawn(&args, sizeof(args), make_apart, job);
	int r;

	if (pid < 0)
		return (int)pid;
	r = attend(job);
	(void)sys_wait4((pid_t)pid, NULL, __WALL);
	/* The helper's change of ids took it from the memory that we share. */
	if (dumpable == 1)
		(void)sys_prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	return r < 0 ? op_note(ctx, PHASE_WRITE, r, STATE_SERVER) : job->result;
}

int host_overlay_apart(const struct step *s, struct op_ctx *ctx)
{
	_cleanup_close_ int userns = ctx->pid > 0 ? open_userns(ctx->pid) : -1;
	struct job *job;
	int r;

	if (ctx->pid > 0 && userns < 0)
		return op_note(ctx, PHASE_OPEN, userns, "the user namespace");
	r = sys_map(sizeof(*job), MAP_PRIVATE | MAP_NORESERVE, (void **)&job);
	if (r < 0)
		return r;
	job->ctx = ctx;
	job->o = &s->overlay;
	job->word = HELPER_AT_WORK;
	job->host = sys_getpid();
	job->userns = userns;
	job->go[0] = job->go[1] = -1;
	job->result = -ECHILD;
	r = make_with_helper(job, ctx);
	if (r >= 0)
		ctx->fd[s->overlay.slot] = r;
	for (size_t i = 0; i < 2; i++)
		if (job->go[i] >= 0)
			(void)sys_close(job->go[i]);
	/* Of a helper that was killed, the server has its stack there still. */
	if (job->result != -ECHILD)
		(void)sys_munmap(job, sizeof(*job));
	return r < 0 ? r : 0;
}
