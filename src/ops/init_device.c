/*
 * init_device.c - devices and links below the container's /dev.
 *
 * Must: use sys/ only. Mustn't: allocate, lock, log, or decide (tools/check-init).
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "ops/init_mount.h"
#include "ops/init_path.h"
#include "sys/sys.h"

#define ATTACH (MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)

/* The kernel's encoding (new_encode_dev), which mknod(2) takes. */
static uint64_t device_number(uint32_t major, uint32_t minor)
{
	return (minor & 0xffU) | (uint64_t)(major & 0xfffU) << 8 | (uint64_t)(minor & ~0xffU) << 12;
}

/* The directory to work in: *ret_own is it too if it has to be closed, else -1. */
static int open_dir(struct op_ctx *ctx, const char *path, int slot, const char **ret_name,
		    int *ret_own)
{
	if (slot != SLOT_NONE) {
		*ret_name = strrchr(path, '/') + 1;
		return ctx->fd[slot];
	}
	*ret_own = path_make_parent(ctx->fd[SLOT_ROOTFS], path, ret_name);
	return *ret_own;
}

/* What is there already may stay if it is the same device, and nothing else. */
static int check_same(const struct step_device *d, int dir, const char *name)
{
	_cleanup_fd_ int fd = sys_openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);

	return fd < 0 ? hand_on_fd(&fd) : path_is_device(fd, d->mode, d->major, d->minor);
}

static int make_device(const struct step_device *d, struct op_ctx *ctx)
{
	_cleanup_fd_ int own = -1;
	const char *name = NULL;
	int dir = open_dir(ctx, d->path, d->dir, &name, &own), r;

	if (dir < 0)
		return op_note(ctx, PHASE_MOUNT_POINT, dir, d->path);
	r = sys_mknodat(dir, name, d->mode, device_number(d->major, d->minor));
	if (r == -EEXIST) {
		r = check_same(d, dir, name);
		return r < 0 ? op_note(ctx, PHASE_VERIFY, -EEXIST, d->path) : 0;
	}
	/* Ours by birth, so only another owner has to be set. */
	if (r == 0 && (d->uid != 0 || d->gid != 0))
		r = sys_fchownat(dir, name, d->uid, d->gid, AT_SYMLINK_NOFOLLOW);
	return r < 0 ? op_note(ctx, PHASE_NONE, r, d->path) : 0;
}

/* User namespaces cannot make devices: the host's own is bound. */
static int bind_device(const struct step_device *d, struct op_ctx *ctx)
{
	_cleanup_fd_ int tree = hand_on_fd(&ctx->fd[d->bind]);
	_cleanup_fd_ int at = -1;
	int r = path_is_device(tree, d->mode, d->major, d->minor);
	bool made;

	if (r < 0)
		return op_note(ctx, PHASE_VERIFY, r, d->path);
	at = path_make(ctx->fd[SLOT_ROOTFS], d->path, tree, &made);
	if (at < 0)
		return op_note(ctx, PHASE_MOUNT_POINT, at, d->path);
	r = sys_move_mount(tree, "", at, "", ATTACH);
	return r < 0 ? op_note(ctx, PHASE_ATTACH, r, d->path) : 0;
}

int init_device(const struct step *s, struct op_ctx *ctx)
{
	const struct step_device *d = &s->device;

	return d->bind == SLOT_NONE ? make_device(d, ctx) : bind_device(d, ctx);
}

int init_link(const struct step *s, struct op_ctx *ctx)
{
	const struct step_link *l = &s->link;
	_cleanup_fd_ int own = -1;
	const char *name = NULL;
	int dir = open_dir(ctx, l->path, l->dir, &name, &own), r;

	if (dir < 0)
		return op_note(ctx, PHASE_MOUNT_POINT, dir, l->path);
	r = sys_symlinkat(l->target, dir, name);
	if (r == -EEXIST && l->replace) {
		r = sys_unlinkat(dir, name, 0);
		if (r == 0)
			r = sys_symlinkat(l->target, dir, name);
	}
	/* The image may have its own: it harms nobody but the image. */
	return r == -EEXIST ? 0 : r;
}
