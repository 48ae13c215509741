/*
 * host_images.c - images of a container with a user namespace, for criu to read.
 *
 * It reads most of them as root of that namespace, to whom they belong in an id-mapped mount. One
 * it wants before that: the process is in the namespace already, still with the ids of the host's
 * root, but without rights over anything outside, and whether the maps are written by then is a
 * matter of luck. So as long as criu is at work others may search the directory, and read that one
 * file, which has what clocks showed at the checkpoint. Nothing else: names cannot be listed, no
 * byte of memory can be read. What the modes were is on record before they are changed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ops/host_criu.h"
#include "state/state.h"
#include "sys/sys.h"

#define CLOCKS    "timens-0.img"
#define MODE_BITS 07777

/* -ENOENT is an answer: the container has no clocks of its own. */
static int open_clocks(int dir)
{
	return sys_openat(dir, CLOCKS, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
}

static int look(int dir, int clocks, const char *path, struct state_images *ret)
{
	struct stat st, of_clocks = { 0 };

	if (fstat(dir, &st) < 0 || (clocks >= 0 && fstat(clocks, &of_clocks) < 0))
		return -errno;
	/* Of a file that has another name as well, somebody else may be the owner. */
	if (clocks >= 0 && (!S_ISREG(of_clocks.st_mode) || of_clocks.st_nlink != 1))
		return -EMLINK;
	*ret = (struct state_images){ .dir_mode = st.st_mode & MODE_BITS,
				      .clocks_mode = of_clocks.st_mode & MODE_BITS,
				      .device = st.st_dev,
				      .inode = st.st_ino };
	return snprintf(ret->path, sizeof(ret->path), "%s", path) < (int)sizeof(ret->path)
		   ? 0
		   : -ENAMETOOLONG;
}

static int add_mode(int fd, uint64_t mode, mode_t more)
{
	if ((mode & more) == more || fchmod(fd, (mode_t)mode | more) == 0)
		return 0;
	/* What cannot be changed may do as it is. */
	return errno == EROFS ? 0 : -errno;
}

/* Unless somebody else has changed it since. */
static int take_mode(int fd, uint64_t mode, mode_t more)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if ((mode & more) == more || (st.st_mode & MODE_BITS) != (mode | more))
		return 0;
	return fchmod(fd, (mode_t)mode) < 0 ? -errno : 0;
}

static int let_others_in(const struct op_ctx *ctx, const char *path)
{
	const int dir = ctx->fd[SLOT_IMAGES];
	_cleanup_close_ int clocks = open_clocks(dir);
	struct state_images images = { 0 };
	int r = look(dir, clocks, path, &images);

	if (r == 0)
		r = state_images_write(ctx->fd[SLOT_RUN_DIR], &images);
	if (r == 0)
		r = add_mode(dir, images.dir_mode, S_IXOTH);
	if (r == 0 && clocks >= 0)
		r = add_mode(clocks, images.clocks_mode, S_IROTH);
	return r;
}

static int shut_others_out(int run_dir, int dir, const struct state_images *images)
{
	_cleanup_close_ int clocks = open_clocks(dir);
	int r = clocks >= 0 ? take_mode(clocks, images->clocks_mode, S_IROTH) : 0;

	if (r == 0)
		r = take_mode(dir, images->dir_mode, S_IXOTH);
	return r == 0 ? sys_unlinkat(run_dir, STATE_IMAGES, 0) : r;
}

int host_images_put_back(int run_dir, struct state_images *ret)
{
	_cleanup_close_ int dir = -EBADF;
	struct stat st;
	int r = state_images_read(run_dir, ret);

	if (r <= 0)
		return r;
	dir = sys_openat(AT_FDCWD, ret->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (dir == -ENOENT)
		return 0;
	if (dir < 0 || fstat(dir, &st) < 0)
		return dir < 0 ? dir : -errno;
	/* Another one has their name by now. */
	if (st.st_dev != ret->device || st.st_ino != ret->inode)
		return 0;
	return shut_others_out(run_dir, dir, ret);
}

int host_images(const struct step *s, struct op_ctx *ctx)
{
	const uint64_t beneath = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV;
	int fd = sys_openat2(ctx->fd[s->images.tree], s->images.path,
			     O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, beneath);
	int r;

	if (fd < 0)
		return fd;
	(void)close(ctx->fd[SLOT_IMAGES]);
	ctx->fd[SLOT_IMAGES] = fd;
	r = let_others_in(ctx, s->images.host_path);
	if (r < 0)
		host_images_undo(s, ctx);
	return r;
}

void host_images_undo(const struct step *s, struct op_ctx *ctx)
{
	(void)host_images_end(s, ctx);
}

int host_images_end(const struct step *s, struct op_ctx *ctx)
{
	const int run_dir = ctx->fd[SLOT_RUN_DIR];
	struct state_images images;
	int r = state_images_read(run_dir, &images);

	(void)s;
	return r <= 0 ? r : shut_others_out(run_dir, ctx->fd[SLOT_IMAGES], &images);
}
