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
#include <string.h>
#include <sys/stat.h>

#include "ops/init_mount.h"
#include "ops/init_path.h"
#include "sys/sys.h"

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

/*
 * Where a path is. Names in the root of our own procfs, which are most, need no descriptor: only
 * the kernel makes them, so they are not changed meanwhile. All others are opened, once.
 */
struct place {
	int dir;
	const char *name; /* "" if dir is the place itself */
	int own;          /* descriptor to be closed, or -1 */
	uint16_t mode;    /* its type */
};

static int look(struct place *at)
{
	struct statx st;
	int r = sys_statx(at->dir, at->name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st);

	at->mode = r < 0 ? 0 : st.stx_mode;
	return r;
}

/* A name in the root of the procfs, or NULL. */
static const char *proc_name(const struct step_paths *p, const char *path)
{
	const char prefix[] = "/proc/";
	const char *name = path + sizeof(prefix) - 1;

	if (p->proc == SLOT_NONE || strncmp(path, prefix, sizeof(prefix) - 1) != 0)
		return NULL;
	return name[0] == '\0' || name[0] == '.' || strchr(name, '/') ? NULL : name;
}

static int find(const struct step_paths *p, const char *path, const struct op_ctx *ctx,
		struct place *ret)
{
	const char *name = proc_name(p, path);
	int r;

	if (name) {
		*ret = (struct place){ ctx->fd[p->proc], name, -1, 0 };
		r = look(ret);
		/* /proc/net and the like are links to somewhere else. */
		if (r < 0 || !S_ISLNK(ret->mode))
			return r;
	}
	r = path_open(ctx->fd[SLOT_ROOTFS], path);
	if (r < 0)
		return r;
	*ret = (struct place){ r, "", r, 0 };
	return look(ret);
}

static int attach(int mount, const struct place *at)
{
	return sys_move_mount(mount, "", at->dir, at->name,
			      MOVE_MOUNT_F_EMPTY_PATH |
				  (at->own >= 0 ? MOVE_MOUNT_T_EMPTY_PATH : 0U));
}

static int put_over(struct cover *c, const struct place *at)
{
	_cleanup_fd_ int copy = -1;

	if (c->used) {
		copy = sys_open_tree(c->fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE);
		return copy < 0 ? hand_on_fd(&copy) : attach(copy, at);
	}
	/* No detached mount is left over: dissolving one waits for the kernel. */
	c->used = true;
	return attach(c->fd, at);
}

static int mask(struct cover *file, struct cover *dir, const struct place *at, const char *label)
{
	if (!S_ISDIR(at->mode))
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
		struct place at = { .own = -1 };
		int found = find(p, p->v[i], ctx, &at);

		if (!is_missing(found))
			r = found < 0 ? found : mask(&file, &dir, &at, p->label);
		sys_closep(&at.own);
		if (r < 0)
			(void)op_note(ctx, found < 0 ? PHASE_OPEN : PHASE_ATTACH, r, p->v[i]);
	}
	sys_closep(&dir.fd);
	sys_closep(&file.fd);
	ctx->fd[p->null] = -1;
	return r;
}

/* With all that is mounted below; other flags stay as they are. */
static int make_readonly(const struct place *at)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	_cleanup_fd_ int tree =
	    sys_open_tree(at->dir, at->name,
			  OPEN_TREE_CLONE | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH);
	int r;

	if (tree < 0)
		return hand_on_fd(&tree);
	r = sys_mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr);
	return r < 0 ? r : attach(tree, at);
}

int init_readonly(const struct step *s, struct op_ctx *ctx)
{
	const struct step_paths *p = &s->paths;
	int r = 0;

	for (size_t i = 0; i < p->n && r == 0; i++) {
		struct place at = { .own = -1 };
		int found = find(p, p->v[i], ctx, &at);

		if (!is_missing(found))
			r = found < 0 ? found : make_readonly(&at);
		sys_closep(&at.own);
		if (r < 0)
			(void)op_note(ctx, found < 0 ? PHASE_OPEN : PHASE_ATTACH, r, p->v[i]);
	}
	return r;
}
