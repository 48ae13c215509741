/*
 * init_rootfs.c - the root file system before and after the mounts in it: cut off from the host's
 * mounts, attached, and its private procfs.
 *
 * Must: use sys/ only. Mustn't: allocate, lock, log, or decide (tools/check-init).
 */
#include <errno.h>
#include <sys/mount.h>

#include "ops/init_mount.h"
#include "ops/init_overlay.h"
#include "ops/init_path.h"
#include "sys/sys.h"

int take_host_tree(const struct step_tree *t)
{
	const unsigned int flags = OPEN_TREE_CLONE | (t->recursive ? AT_RECURSIVE : 0U) |
				   (t->no_follow ? AT_SYMLINK_NOFOLLOW : 0U);
	int tree = sys_open_tree(AT_FDCWD, t->path, flags);

	return tree == -ENOENT && t->otherwise ? sys_open_tree(AT_FDCWD, t->otherwise, flags)
					       : tree;
}

int init_tree(const struct step *s, struct op_ctx *ctx)
{
	int tree = take_host_tree(&s->tree);

	if (tree < 0)
		return op_note(ctx, PHASE_SOURCE, tree, s->tree.path);
	ctx->fd[s->tree.slot] = tree;
	return 0;
}

/* From here on nothing that we mount can be seen outside. */
int init_propagation(const struct step *s, struct op_ctx *ctx)
{
	struct mount_attr attr = { .propagation = s->propagation.type };
	int r = sys_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attr);

	return r < 0 ? op_note(ctx, PHASE_PROPAGATION, r, "/") : 0;
}

/*
 * The tree is a copy of the host's mounts and, where those are shared, a peer of them: what is
 * mounted in a peer is mounted on the host, too. So it is cut off before it is used. Mounts below
 * the root's own may go on hearing of the host's, the root itself never does.
 */
static int cut_off(int tree, uint64_t below)
{
	struct mount_attr all = { .propagation = below };
	struct mount_attr root = { .propagation = MS_PRIVATE };
	int r = sys_mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &all);

	if (r == 0 && below != MS_PRIVATE)
		r = sys_mount_setattr(tree, "", AT_EMPTY_PATH, &root);
	return r;
}

/* What is changed in the root is kept in memory: an overlay takes the place of its tree. */
static int cover_root(const struct step *s, struct op_ctx *ctx)
{
	_cleanup_fd_ int tree = hand_on_fd(&ctx->fd[s->tree.slot]);
	_cleanup_fd_ int at =
	    sys_openat(AT_FDCWD, s->tree.path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	int overlay = at < 0 ? at : overlay_in_memory(ctx, tree, at, s->tree.userxattr);

	if (overlay < 0)
		return overlay;
	ctx->fd[s->tree.slot] = overlay;
	return 0;
}

int init_root_tree(const struct step *s, struct op_ctx *ctx)
{
	int r = cut_off(ctx->fd[s->tree.slot], s->tree.propagation), tree;

	if (r < 0)
		return op_note(ctx, PHASE_PROPAGATION, r, s->tree.path);
	/* What is made in the root from now on has its permissions given in full. */
	(void)sys_umask(0);
	if (s->tree.in_memory)
		r = cover_root(s, ctx);
	if (r < 0)
		return r;
	tree = ctx->fd[s->tree.slot];
	r = sys_move_mount(tree, "", AT_FDCWD, s->tree.path,
			   MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS);
	return r < 0 ? op_note(ctx, PHASE_ATTACH, r, s->tree.path) : 0;
}

/* A procfs that nobody else can see, so nobody can have put anything into its place. */
int init_proc(const struct step *s, struct op_ctx *ctx)
{
	_cleanup_fd_ int fs = sys_fsopen("proc");
	int r = fs;

	(void)s;
	if (r >= 0)
		r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r >= 0)
		r = sys_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (r < 0)
		return op_note(ctx, PHASE_FILE_SYSTEM, r, "proc");
	ctx->fd[SLOT_PROC] = r;
	return 0;
}

int init_root_readonly(const struct step *s, struct op_ctx *ctx)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	int r = sys_mount_setattr(ctx->fd[SLOT_ROOTFS], "", AT_EMPTY_PATH, &attr);

	(void)s;
	return r < 0 ? op_note(ctx, PHASE_ATTRIBUTES, r, "/") : 0;
}
