/*
 * host_rundir.c - the container's directory on the host: what is known about it, and the sockets by
 * which others reach its init.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ops/host_mount.h"
#include "ops/host_process.h"
#include "state/state.h"
#include "sys/send_fd.h"
#include "sys/sys.h"

/* Who can rename our directories could give one container the state of another. */
static bool is_trusted(int root)
{
	struct stat st;

	return fstat(root, &st) == 0 && (st.st_uid == geteuid() || st.st_uid == 0) &&
	       ((st.st_mode & 022) == 0 || (st.st_mode & S_ISVTX));
}

int host_run_dir(const struct step *s, struct op_ctx *ctx)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	_cleanup_close_ int root = sys_openat(AT_FDCWD, s->run_dir.root, flags, 0);
	int fd;

	if (root < 0)
		root = state_open_root(s->run_dir.root);
	if (root < 0)
		return op_note(ctx, PHASE_OPEN, root, s->run_dir.root);
	if (!is_trusted(root))
		return op_note(ctx, PHASE_VERIFY, -EPERM,
			       "the directory of all containers can be changed by others");
	if (mkdirat(root, s->run_dir.id, 0700) < 0)
		return -errno;
	fd = openat(root, s->run_dir.id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ctx->fd[SLOT_RUN_DIR] = fd;
	/* Nobody else can hold it yet but a `delete` that was quicker: then it is gone. */
	return flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
}

void host_run_dir_undo(const struct step *s, struct op_ctx *ctx)
{
	struct err err;

	if (ctx->fd[SLOT_RUN_DIR] >= 0)
		(void)state_remove(s->run_dir.root, s->run_dir.id, &err);
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static int write_new(int dir, const char *name, const void *data, size_t len)
{
	_cleanup_close_ int fd =
	    openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : write_all(fd, data, len);
}

int host_file(const struct step *s, struct op_ctx *ctx)
{
	int dir = ctx->fd[s->file.dir];

	if (s->file.replace)
		(void)unlinkat(dir, s->file.name, 0);
	return write_new(dir, s->file.name, s->file.data, s->file.len);
}

int host_record_process(const struct op_ctx *ctx, const char *name, pid_t pid)
{
	uint64_t start = state_start_time(pid);
	char text[64];
	int len = snprintf(text, sizeof(text), "%d %llu\n", pid, (unsigned long long)start);

	if (start == 0)
		return -ESRCH;
	return write_new(ctx->fd[SLOT_RUN_DIR], name, text, (size_t)len);
}

int host_record_init(const struct step *s, struct op_ctx *ctx)
{
	(void)s;
	return host_record_process(ctx, STATE_INIT, ctx->pid);
}

int host_record_restorer(const struct step *s, struct op_ctx *ctx)
{
	(void)s;
	return host_record_process(ctx, STATE_RESTORER, ctx->pid);
}

int host_record_server_of(struct op_ctx *ctx, pid_t pid)
{
	char name[32];
	int r = -EEXIST;

	for (int i = 0; r == -EEXIST; i++) {
		(void)snprintf(name, sizeof(name), STATE_SERVER "%d", i);
		r = host_record_process(ctx, name, pid);
	}
	return r < 0 ? op_note(ctx, PHASE_WRITE, r, name) : 0;
}

int host_record_server(const struct step *s, struct op_ctx *ctx)
{
	(void)s;
	return host_record_server_of(ctx, ctx->pid);
}

int host_view(const struct step *s, struct op_ctx *ctx)
{
	int fd = ctx->fd[SLOT_VIEW];

	(void)s;
	ctx->fd[SLOT_VIEW] = -1;
	return sys_close(fd);
}

int host_open(const struct step *s, struct op_ctx *ctx)
{
	int fd = s->open.in_init ? host_take_in_init(ctx, s)
				 : sys_openat(AT_FDCWD, s->open.path, s->open.flags | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	if (ctx->fd[s->open.slot] >= 0)
		(void)close(ctx->fd[s->open.slot]);
	ctx->fd[s->open.slot] = fd;
	return 0;
}

/* ---- sockets ----------------------------------------------------------------------------------
 */

/* A socket address holds 107 bytes; longer paths go by way of a descriptor of the directory. */
static int unix_address(const char *path, struct sockaddr_un *ret, int *ret_dir)
{
	const char *name = strrchr(path, '/');
	char dir[4096];
	int n;

	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	*ret_dir = -1;
	if (strlen(path) < sizeof(ret->sun_path)) {
		memcpy(ret->sun_path, path, strlen(path));
		return 0;
	}
	if (!name || (size_t)(name - path) >= sizeof(dir))
		return -ENAMETOOLONG;
	memcpy(dir, path, (size_t)(name - path));
	dir[name - path] = '\0';
	*ret_dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*ret_dir < 0)
		return -errno;
	n = snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d%s", *ret_dir, name);
	return n >= (int)sizeof(ret->sun_path) ? -ENAMETOOLONG : 0;
}

int host_connect(const struct step *s, struct op_ctx *ctx)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	_cleanup_close_ int dir = -1;
	struct sockaddr_un address;
	int r;

	if (fd < 0)
		return -errno;
	r = unix_address(s->connect.path, &address, &dir);
	if (r < 0)
		return r;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	ctx->fd[s->connect.slot] = take_fd(&fd);
	return 0;
}

int host_socket_pair(const struct step *s, struct op_ctx *ctx)
{
	int fd[2];

	if (socketpair(AF_UNIX, s->pair.type | SOCK_CLOEXEC, 0, fd) < 0)
		return -errno;
	ctx->fd[s->pair.slot] = fd[0];
	ctx->fd[s->pair.peer] = fd[1];
	return 0;
}

int host_gate(const struct step *s, struct op_ctx *ctx)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	(void)s;
	if (fd < 0)
		return -errno;
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" STATE_GATE,
		       ctx->fd[SLOT_RUN_DIR]);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 8) < 0)
		return -errno;
	ctx->fd[SLOT_GATE] = take_fd(&fd);
	return 0;
}

/* ---- what the caller is told -------------------------------------------------------------------
 */

/* Whoever waits for the file finds it complete: it is written beside and renamed. */
int host_pid_file(const struct step *s, struct op_ctx *ctx)
{
	char temporary[4096], text[16];
	int len = snprintf(text, sizeof(text), "%d", ctx->pid), r;

	if ((size_t)snprintf(temporary, sizeof(temporary), "%s.%d.tmp", s->text.file, ctx->pid) >=
	    sizeof(temporary))
		return -ENAMETOOLONG;
	r = write_new(AT_FDCWD, temporary, text, (size_t)len);
	if (r == 0 && rename(temporary, s->text.file) < 0)
		r = -errno;
	if (r < 0)
		(void)unlink(temporary);
	return r;
}

void host_pid_file_undo(const struct step *s, struct op_ctx *ctx)
{
	(void)ctx;
	(void)unlink(s->text.file);
}

int host_send_pidfd(const struct step *s, struct op_ctx *ctx)
{
	char pid[16];
	struct iovec part = { pid, (size_t)snprintf(pid, sizeof(pid), "%d", ctx->pid) };

	(void)s;
	return sys_send_fd(ctx->fd[SLOT_PIDFD_SOCKET], ctx->pidfd, &part, 1);
}

/* The hand-over at this step is what matters: init goes to its gate once the caller knows of it. */
int host_created(const struct step *s, struct op_ctx *ctx)
{
	(void)s;
	(void)ctx;
	return 0;
}
