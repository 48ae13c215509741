/*
 * init_restrict.c - paths that the container must not see, or not change.
 *
 * Each path is opened once, within the root, and what is mounted goes onto that descriptor. Files
 * are covered with the host's own null device, checked by type and number: that of the container
 * may have been replaced by its image (CVE-2025-31133). What is not there is skipped, as the lists
 * name files of many kernels; any other error stops the start.
 *
 * Must: use sys/ only. Mustn't: allocate, lock, log, or decide (tools/check-init).
 */
#include <errno.h>
#include <sys/stat.h>

#include "ops/init_mount.h"
#include "ops/init_path.h"
#include "sys/sys.h"

#define ATTACH (MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)

/* The covers: a mount each, the first use attaches it, later ones attach copies of it. */
struct cover {
	int fd;
	bool used;
};

/* One i-node is the root directory itself, so that nothing can be made in it. */
static int make_empty(const char *label)
{
	_cleanup_fd_ int fs = sys_fsopen("tmpfs");
	int r = fs;

	if (r >= 0)
		r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "nr_inodes", "1", 0);
	if (r >= 0 && label)
		r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "context", label, 0);
	if (r >= 0)
		r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r >= 0)
		r = sys_fsmount(fs, MOUNT_ATTR_RDONLY);
	return r;
}

static int put_over(struct cover *c, int at)
{
	_cleanup_fd_ int copy = -1;

	if (c->used) {
		copy = sys_open_tree(c->fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE);
		return copy < 0 ? hand_on_fd(&copy) : sys_move_mount(copy, "", at, "", ATTACH);
	}
	/* No detached mount is left over: dissolving one waits for the kernel. */
	c->used = true;
	return sys_move_mount(c->fd, "", at, "", ATTACH);
}

static int mask(struct cover *file, struct cover *dir, int at, const char *label)
{
	struct statx st;
	int r = sys_statx(at, "", AT_EMPTY_PATH, STATX_TYPE, &st);

	if (r < 0)
		return r;
	if (!S_ISDIR(st.stx_mode))
		return put_over(file, at);
	if (dir->fd < 0)
		dir->fd = make_empty(label);
	return dir->fd < 0 ? dir->fd : put_over(dir, at);
}

static bool is_missing(int r)
{
	return r == -ENOENT || r == -ENOTDIR;
}

int init_mask(const struct step *s, struct op_ctx *ctx)
{
	const struct step_paths *p = &s->paths;
	struct cover file = { .fd = ctx->fd[p->null] }, dir = { .fd = -1 };
	int r = path_is_device(file.fd, S_IFCHR, 1, 3);

	if (r < 0)
		return op_note(ctx, PHASE_VERIFY, r, "/dev/null of the host");
	for (size_t i = 0; i < p->n && r == 0; i++) {
		_cleanup_fd_ int at = path_open(ctx->fd[SLOT_ROOTFS], p->v[i]);

		if (is_missing(at))
			continue;
		r = at < 0 ? at : mask(&file, &dir, at, p->label);
		if (r < 0)
			(void)op_note(ctx, at < 0 ? PHASE_OPEN : PHASE_ATTACH, r, p->v[i]);
	}
	sys_closep(&dir.fd);
	sys_closep(&file.fd);
	ctx->fd[p->null] = -1;
	return r;
}

/* With all that is mounted below; other flags stay as they are. */
static int make_readonly(int at)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	_cleanup_fd_ int tree =
	    sys_open_tree(at, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | AT_RECURSIVE);
	int r;

	if (tree < 0)
		return hand_on_fd(&tree);
	r = sys_mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr);
	return r < 0 ? r : sys_move_mount(tree, "", at, "", ATTACH);
}

int init_readonly(const struct step *s, struct op_ctx *ctx)
{
	const struct step_paths *p = &s->paths;

	for (size_t i = 0; i < p->n; i++) {
		_cleanup_fd_ int at = path_open(ctx->fd[SLOT_ROOTFS], p->v[i]);
		int r;

		if (is_missing(at))
			continue;
		r = at < 0 ? at : make_readonly(at);
		if (r < 0)
			return op_note(ctx, at < 0 ? PHASE_OPEN : PHASE_ATTACH, r, p->v[i]);
	}
	return 0;
}
