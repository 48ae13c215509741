/*
 * init_criu.c - what is prepared for criu in its own mount namespace, before it is executed there.
 *
 * Must: use sys/ only. Mustn't: allocate, lock, log, or decide (tools/check-init).
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>

#include "ops/init_mount.h"
#include "ops/init_path.h"
#include "ops/init_process.h"

static void write_number(char *to, unsigned int number)
{
	char digits[FD_NUMBER_SIZE];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	while (n > 0)
		*to++ = digits[--n];
	*to = '\0';
}

/* criu finds no place for a mount whose mount point is gone, as in the root of a new machine. */
int init_mount_point(const struct step *s, struct op_ctx *ctx)
{
	const struct step_mount_point *m = &s->mount_point;
	bool made = false;
	_cleanup_fd_ int fd = path_make(ctx->fd[SLOT_ROOTFS], m->path, ctx->fd[m->like], &made);

	return fd < 0 ? op_note(ctx, PHASE_MOUNT_POINT, fd, m->path) : 0;
}

static int attach(int dir, int tree, unsigned int number)
{
	struct mount_attr alone = { .propagation = MS_PRIVATE };
	_cleanup_fd_ int place = -1;
	char path[1 + FD_NUMBER_SIZE] = "/";
	bool made = false;
	int r = sys_mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &alone);

	if (r < 0)
		return r;
	write_number(path + 1, number);
	place = path_make(dir, path, tree, &made);
	if (place < 0)
		return place;
	return sys_move_mount(tree, "", place, "",
			      MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
}

/*
 * criu takes the sources of mounts when it is root of the container's user namespace, for whom
 * there may be no way to them: the host's directories above them can be root's alone, and so is the
 * container's run directory. In criu's sight that is covered by a directory that all may pass.
 */
int init_sources(const struct step *s, struct op_ctx *ctx)
{
	const struct step_sources *from = &s->sources;
	_cleanup_fd_ int dir = make_small_tmpfs(NULL);
	int r = dir;

	(void)sys_umask(0);
	if (r >= 0)
		r = sys_move_mount(dir, "", AT_FDCWD, from->path, MOVE_MOUNT_F_EMPTY_PATH);
	if (r >= 0)
		r = sys_mkdirat(dir, from->also, 0755);
	for (size_t i = 0; r >= 0 && i < from->n; i++)
		r = attach(dir, ctx->fd[from->slots[i]], (unsigned int)i);
	return r < 0 ? op_note(ctx, PHASE_ATTACH, r, from->path) : 0;
}

/* After STEP_CLOSE_FDS, which takes all. */
int init_keep_fds(const struct step *s, struct op_ctx *ctx)
{
	const struct step_keep_fds *k = &s->keep_fds;

	for (size_t i = 0; i < k->n; i++) {
		int r = sys_fcntl(ctx->fd[k->slots[i]], F_SETFD, 0);

		if (r < 0)
			return r;
	}
	write_number(k->number, (unsigned int)ctx->fd[k->slots[0]]);
	return 0;
}
