/*
 * host_notify.c - see host_notify.h.
 *
 * The service manager's socket itself never gets into the container: whoever has it can speak for
 * the whole service. The container gets a socket of ours in a directory that it cannot write to.
 */
#include "ops/host_notify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

static int open_dir(int run_dir)
{
	int fd;

	if (mkdirat(run_dir, NOTIFY_DIR, 0755) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(run_dir, NOTIFY_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* The program may run as any user, and our caller's umask is not for it. */
	if (fchmod(fd, 0755) < 0) {
		int r = -errno;

		(void)close(fd);
		return r;
	}
	return fd;
}

int notify_bind(int run_dir)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int dir = -1;

	if (fd < 0)
		return -errno;
	dir = open_dir(run_dir);
	if (dir < 0)
		return dir;
	if (unlinkat(dir, NOTIFY_NAME, 0) < 0 && errno != ENOENT)
		return -errno;
	/* By the descriptor: the path below --root may be longer than an address can be. */
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" NOTIFY_NAME,
		       dir);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    fchmodat(dir, NOTIFY_NAME, 0777, 0) < 0)
		return -errno;
	return take_fd(&fd);
}

int host_notify(const struct step *s, struct op_ctx *ctx)
{
	int fd = notify_bind(ctx->fd[SLOT_RUN_DIR]);

	(void)s;
	if (fd < 0)
		return fd;
	ctx->fd[SLOT_NOTIFY] = fd;
	return 0;
}
