/*
 * host_images.c - images of a container with a user namespace, for criu to read.
 *
 * It reads most of them as root of that namespace, to whom they belong in an id-mapped mount. One
 * it wants before that: the process is in the namespace already, still with the ids of the host's
 * root, but without rights over anything outside, and whether the maps are written by then is a
 * matter of luck. So as long as criu is at work others may search the directory, and read that one
 * file, which has what clocks showed at the checkpoint. Nothing else: names cannot be listed, no
 * byte of memory can be read.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "ops/host_criu.h"
#include "sys/sys.h"

#define CLOCKS    "timens-0.img"
#define MODE_BITS 07777

/* Adds to the mode of a file that is ours to read; *ret_before is 0 if nothing was changed. */
static int add_mode(int fd, mode_t more, mode_t *ret_before)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if ((st.st_mode & more) == more)
		return 0;
	if (fchmod(fd, (st.st_mode | more) & MODE_BITS) < 0)
		return -errno;
	*ret_before = st.st_mode;
	return 0;
}

static int open_clocks(int dir)
{
	return sys_openat(dir, CLOCKS, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
}

static int let_others_in(const struct step_images *images, int dir)
{
	_cleanup_close_ int clocks = open_clocks(dir);
	int r = add_mode(dir, S_IXOTH, &images->modes->dir);

	if (r == 0 && clocks >= 0)
		r = add_mode(clocks, S_IROTH, &images->modes->clocks);
	/* What cannot be changed may do as it is. */
	return r == -EROFS ? 0 : r;
}

int host_images(const struct step *s, struct op_ctx *ctx)
{
	const uint64_t beneath = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
	int fd = sys_openat2(ctx->fd[s->images.tree], s->images.path,
			     O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, beneath);

	if (fd < 0)
		return fd;
	(void)close(ctx->fd[SLOT_IMAGES]);
	ctx->fd[SLOT_IMAGES] = fd;
	return let_others_in(&s->images, fd);
}

void host_images_undo(const struct step *s, struct op_ctx *ctx)
{
	struct images_modes *modes = s->images.modes;
	_cleanup_close_ int clocks = open_clocks(ctx->fd[SLOT_IMAGES]);

	if (modes->clocks && clocks >= 0)
		(void)fchmod(clocks, modes->clocks & MODE_BITS);
	if (modes->dir)
		(void)fchmod(ctx->fd[SLOT_IMAGES], modes->dir & MODE_BITS);
	*modes = (struct images_modes){ 0 };
}

int host_images_end(const struct step *s, struct op_ctx *ctx)
{
	host_images_undo(s, ctx);
	return 0;
}
