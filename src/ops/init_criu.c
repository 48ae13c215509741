/*
 * init_criu.c - what is prepared for criu in its own mount namespace, before it is executed there.
 *
 * Must: use sys/ only. Mustn't: allocate, lock, log, or decide (tools/check-init).
 */
#include <errno.h>
#include <fcntl.h>

#include "ops/init_path.h"
#include "ops/init_process.h"

/* criu finds no place for a mount whose mount point is gone, as in the root of a new machine. */
int init_mount_point(const struct step *s, struct op_ctx *ctx)
{
	const struct step_mount_point *m = &s->mount_point;
	bool made = false;
	_cleanup_fd_ int fd = path_make(ctx->fd[SLOT_ROOTFS], m->path, ctx->fd[m->like], &made);

	return fd < 0 ? op_note(ctx, PHASE_MOUNT_POINT, fd, m->path) : 0;
}

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
