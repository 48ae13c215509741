/*
 * host_user.c - what only the parent may set of the new process: id maps, limits, its score.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ops/host_process.h"
#include "ops/init_process.h"
#include "sys/sys.h"

static int write_proc(const struct op_ctx *ctx, const struct step_text *text)
{
	_cleanup_close_ int fd = -1;
	size_t len = strlen(text->text);
	char path[64];
	ssize_t n;

	if (ctx->pid > 0)
		(void)snprintf(path, sizeof(path), "/proc/%d/%s", ctx->pid, text->file);
	else
		(void)snprintf(path, sizeof(path), "/proc/self/%s", text->file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, text->text, len); /* the kernel takes an id map in one write only */
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

int host_id_map(const struct step *s, struct op_ctx *ctx)
{
	return write_proc(ctx, &s->text);
}

int host_proc_file(const struct step *s, struct op_ctx *ctx)
{
	return write_proc(ctx, &s->text);
}

/*
 * While its files are still its user's. The kernel asks for the rights of whoever opened it
 * (proc_timens_set_offset()), which are those of the owner of the user namespace.
 */
int host_clocks_open(const struct step *s, struct op_ctx *ctx)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/timens_offsets", ctx->pid);
	fd = sys_openat(AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return op_note(ctx, PHASE_OPEN, fd, path);
	ctx->fd[s->clocks.slot] = fd;
	return 0;
}

/* Of the time namespace that init has made for what it will execute, and nobody has entered. */
int host_clocks(const struct step *s, struct op_ctx *ctx)
{
	_cleanup_close_ int fd = take_fd(&ctx->fd[s->clocks.slot]);
	const size_t len = strlen(s->clocks.text);
	ssize_t n = sys_write(fd, s->clocks.text, len);

	if (n < 0)
		return (int)n;
	return (size_t)n == len ? 0 : -EIO;
}

static int start_helper(const char *program, const char *const *args, pid_t init, pid_t *ret)
{
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char *env[] = { path, NULL }, pid[16];
	const char *argv[64] = { program, pid };
	size_t n = 2;

	(void)snprintf(pid, sizeof(pid), "%d", init);
	for (; *args && n < sizeof(argv) / sizeof(argv[0]) - 1; args++)
		argv[n++] = *args;
	if (*args)
		return -E2BIG;
	argv[n] = NULL;
	/* posix_spawn does not write to argv; its type is older than const. */
	return -posix_spawnp(ret, program, NULL, NULL, (char **)(uintptr_t)argv, env);
}

static int await_helper(struct op_ctx *ctx, const char *program, pid_t pid)
{
	int status = 0;

	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return op_note(ctx, PHASE_HOOK_STATUS, -EPERM, program);
}

/* Both at once: each is a set-user-id program that takes longer to start than to work. */
int host_id_map_helper(const struct step *s, struct op_ctx *ctx)
{
	pid_t uid_pid = 0, gid_pid = 0;
	int r, r2;

	r = start_helper("newuidmap", s->id_map_helper.uid_args, ctx->pid, &uid_pid);
	if (r < 0)
		return op_note(ctx, PHASE_HOOK_START, r, "newuidmap");
	r2 = start_helper("newgidmap", s->id_map_helper.gid_args, ctx->pid, &gid_pid);
	r = await_helper(ctx, "newuidmap", uid_pid);
	if (r2 < 0)
		return op_note(ctx, PHASE_HOOK_START, r2, "newgidmap");
	r2 = await_helper(ctx, "newgidmap", gid_pid);
	return r < 0 ? r : r2;
}

/*
 * Init shares our memory until it executes the program, and is in sight of processes in namespaces
 * that it joins. A process that is not dumpable can be neither traced nor read through /proc but by
 * the host's root. (That is also why an ordinary user's id maps have to be written before.)
 */
int host_undumpable(const struct step *s, struct op_ctx *ctx)
{
	(void)s;
	(void)ctx;
	return sys_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int host_rlimit(const struct step *s, struct op_ctx *ctx)
{
	const struct rlimit limit = { .rlim_cur = s->rlimit.soft, .rlim_max = s->rlimit.hard };

	return sys_prlimit(ctx->pid, s->rlimit.resource, &limit);
}

/* A user of init's user namespace, as we count users. The kernel writes at most 340 lines. */
static int outer_uid(pid_t init, uint32_t uid, uint32_t *ret)
{
	char text[12288], path[64];
	uint32_t inside, outside, count;
	int len;
	_cleanup_close_ int fd = -1;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/uid_map", init);
	fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	for (const char *at = text; sscanf(at, "%" SCNu32 " %" SCNu32 " %" SCNu32 "%n", &inside,
					   &outside, &count, &len) == 3;
	     at += len) {
		if (uid < inside || uid - inside >= count)
			continue;
		*ret = outside + (uid - inside);
		return 0;
	}
	return -ENOENT;
}

int host_streams(const struct step *s, struct op_ctx *ctx)
{
	uint32_t uid = s->streams.uid;

	if (!s->streams.in_userns || outer_uid(ctx->pid, uid, &uid) == 0)
		give_streams(uid);
	return 0;
}
