/*
 * init_mount.c - mounts of the configuration: each is complete and detached before anybody can see
 * it, and is then attached to the descriptor of its mount point.
 *
 * Must: use sys/ only. Mustn't: allocate, lock, log, or decide (tools/check-init).
 */
#include "ops/init_mount.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "ops/init_copy.h"
#include "ops/init_overlay.h"
#include "ops/init_path.h"
#include "sys/sys.h"

#define ATTACH (MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)

/* The kernel says what it did not like in a text of its own: "e tmpfs: Unknown parameter 'x'". */
static int note_file_system(struct op_ctx *ctx, int fs, enum phase phase, int code,
			    const char *what)
{
	char text[NOTE_SIZE];
	ssize_t n = sys_read(fs, text, sizeof(text) - 1);

	if (n <= 2)
		return op_note(ctx, phase, code, what);
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return op_note(ctx, phase, code, text + 2);
}

static int set_option(struct op_ctx *ctx, int fs, const struct mount_option *o)
{
	unsigned int command = o->value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;
	int r = sys_fsconfig(fs, command, o->key, o->value, 0);

	return r < 0 ? note_file_system(ctx, fs, PHASE_OPTION, r, o->key) : 0;
}

/* Like the directory that it covers: /tmp of an image keeps its 1777. */
static int set_mode_like(struct op_ctx *ctx, int fs, int at)
{
	struct statx st;
	char text[8];
	int r = sys_statx(at, "", AT_EMPTY_PATH, STATX_MODE, &st);
	unsigned int mode = st.stx_mode & 07777U;

	if (r < 0)
		return r;
	for (int i = 4; i >= 0; i--, mode >>= 3)
		text[i] = (char)('0' + (mode & 7U));
	text[5] = '\0';
	return set_option(ctx, fs, &(struct mount_option){ "mode", text });
}

static int make_fs(const struct step_mount *m, struct op_ctx *ctx, int mode_from)
{
	_cleanup_fd_ int fs = sys_fsopen(m->type);
	int r = 0;

	if (fs < 0)
		return op_note(ctx, PHASE_FILE_SYSTEM, fs, m->type);
	if (m->source)
		r = set_option(ctx, fs, &(struct mount_option){ "source", m->source });
	if (r == 0 && mode_from >= 0)
		r = set_mode_like(ctx, fs, mode_from);
	for (size_t i = 0; i < m->n_options && r == 0; i++)
		r = set_option(ctx, fs, &m->options[i]);
	if (r < 0)
		return r;
	r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r < 0)
		return note_file_system(ctx, fs, PHASE_FILE_SYSTEM, r, m->type);
	/* A copy has to be written before the mount may become read-only. */
	r = sys_fsmount(fs, m->copy_up ? m->attr_set & ~(uint64_t)MOUNT_ATTR_RDONLY : m->attr_set);
	return r < 0 ? note_file_system(ctx, fs, PHASE_FILE_SYSTEM, r, m->type) : r;
}

/* Two calls at most, usually one: what is for this mount alone, and what is for those below. */
static int set_attributes(const struct step_mount *m, int mount)
{
	struct mount_attr one = { .attr_set = m->attr_set, .attr_clr = m->attr_clear };
	struct mount_attr all = { .attr_set = m->rec_set, .attr_clr = m->rec_clear };
	int r = 0;

	if (m->propagation_recursive)
		all.propagation = m->propagation;
	else
		one.propagation = m->propagation;
	if (one.attr_set || one.attr_clr || one.propagation)
		r = sys_mount_setattr(mount, "", AT_EMPTY_PATH, &one);
	if (r == 0 && (all.attr_set || all.attr_clr || all.propagation))
		r = sys_mount_setattr(mount, "", AT_EMPTY_PATH | AT_RECURSIVE, &all);
	return r;
}

static int set_label(int mount, const char *label)
{
	_cleanup_fd_ int dir = sys_openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	if (dir < 0)
		return dir;
	return sys_fsetxattr(dir, "security.selinux", label, strlen(label) + 1);
}

static int open_mount_point(const struct step_mount *m, struct op_ctx *ctx, bool *ret_made)
{
	int root = ctx->fd[SLOT_ROOTFS];
	int like = m->tree == SLOT_NONE ? -1 : ctx->fd[m->tree];
	int fd;

	*ret_made = false;
	if (m->in_proc)
		fd = path_open_proc(root, m->destination);
	else if (m->no_symlinks)
		fd = path_open_plain(root, m->destination);
	else
		return path_make(root, m->destination, like, ret_made);
	if (fd != -ENOENT || !m->no_symlinks)
		return fd;
	/* Nothing is there, so no link is either, unless somebody puts one there this moment. */
	fd = path_make(root, m->destination, like, ret_made);
	if (fd < 0 || *ret_made)
		return fd;
	(void)sys_close(fd);
	return -ELOOP;
}

/* A new file system, or in a user namespace that may not make it what the host has. */
static int make_or_bind(const struct step_mount *m, struct op_ctx *ctx, int mode_from)
{
	/* What is below comes along, and must not be more than what was asked for. */
	struct mount_attr all = { .attr_set = m->attr_set };
	int mount = make_fs(m, ctx, mode_from), r;

	if (mount >= 0 || !m->fallback || (mount != -EPERM && mount != -EBUSY))
		return mount;
	mount = take_host_tree(&(struct step_tree){ .path = m->fallback, .recursive = true });
	if (mount < 0)
		return op_note(ctx, PHASE_SOURCE, mount, m->fallback);
	r = sys_mount_setattr(mount, "", AT_EMPTY_PATH | AT_RECURSIVE, &all);
	(void)op_note(ctx, PHASE_NONE, 0, "");
	if (r == 0)
		return mount;
	(void)sys_close(mount);
	return op_note(ctx, PHASE_ATTRIBUTES, r, m->fallback);
}

static int finish_new(const struct step_mount *m, struct op_ctx *ctx, int mount, int at)
{
	struct mount_attr readonly = { .attr_set = MOUNT_ATTR_RDONLY };
	struct mount_attr shared = { .propagation = m->propagation };
	int r = 0;

	if (m->copy_up) {
		r = copy_tree(at, mount, ctx);
		if (r < 0)
			return r;
		if (m->attr_set & MOUNT_ATTR_RDONLY)
			r = sys_mount_setattr(mount, "", AT_EMPTY_PATH, &readonly);
	}
	if (r == 0 && m->label)
		r = set_label(mount, m->label);
	if (r == 0 && m->propagation)
		r = sys_mount_setattr(mount, "", AT_EMPTY_PATH, &shared);
	return r < 0 ? op_note(ctx, PHASE_ATTRIBUTES, r, "") : 0;
}

/* The mount to attach, with all its attributes. A tree leaves its slot. */
static int make_mount(const struct step_mount *m, struct op_ctx *ctx, int at, bool made)
{
	_cleanup_fd_ int mount = -1;
	int r;

	if (m->tree == SLOT_NONE) {
		mount = make_or_bind(m, ctx, m->inherit_mode && !made ? at : -1);
		if (mount < 0)
			return hand_on_fd(&mount);
		r = finish_new(m, ctx, mount, at);
	} else {
		mount = hand_on_fd(&ctx->fd[m->tree]);
		r = set_attributes(m, mount);
		if (r < 0)
			(void)op_note(ctx, PHASE_ATTRIBUTES, r, "");
	}
	if (r == 0 && m->must_be_proc) {
		r = path_is_proc(mount);
		if (r < 0)
			(void)op_note(ctx, PHASE_VERIFY, r, "not a procfs");
	}
	return r < 0 ? r : hand_on_fd(&mount);
}

static bool is_dir(int fd)
{
	struct statx st;

	return sys_statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &st) == 0 && S_ISDIR(st.stx_mode);
}

static int attach(int mount, int at)
{
	int r = sys_move_mount(mount, "", at, "", ATTACH);

	/* A directory on a file, or a file on a directory: mount(2) has a better word for it, which
	 * engines explain to their users. */
	return r == -EINVAL && is_dir(mount) != is_dir(at) ? -ENOTDIR : r;
}

/* The tree stays as it is; what is attached is an overlay of it. */
static void cover_in_memory(const struct step_mount *m, struct op_ctx *ctx, int at, int *mount)
{
	_cleanup_fd_ int tree = *mount;

	int overlay = overlay_in_memory(ctx, tree, at, m->userxattr);
	int r = overlay < 0 ? 0 : set_attributes(m, overlay);

	if (r < 0) {
		(void)sys_close(overlay);
		overlay = op_note(ctx, PHASE_ATTRIBUTES, r, "");
	}
	*mount = overlay;
}

static int mount_at_path(const struct step_mount *m, struct op_ctx *ctx, int *mount)
{
	bool made;
	_cleanup_fd_ int at = open_mount_point(m, ctx, &made);
	int r;

	if (at < 0)
		return op_note(ctx, PHASE_MOUNT_POINT, at, m->destination);
	if (*mount < 0)
		*mount = make_mount(m, ctx, at, made);
	if (*mount >= 0 && m->in_memory)
		cover_in_memory(m, ctx, at, mount);
	if (*mount < 0)
		return *mount;
	r = attach(*mount, at);
	return r < 0 ? op_note(ctx, PHASE_ATTACH, r, m->destination) : 0;
}

/*
 * A single name in a directory that we hold, not followed if it is a link, needs no descriptor of
 * its own: that saves two to nine calls. A link is no directory, so the kernel refuses to mount one
 * on it; then, and whatever else was wrong, the long way finds out.
 */
static int mount_by_name(const struct step_mount *m, struct op_ctx *ctx, int *mount)
{
	const char *name = strrchr(m->destination, '/') + 1;
	int dir = ctx->fd[m->dir], r;

	*mount = make_mount(m, ctx, -1, true);
	if (*mount < 0)
		return *mount;
	/* Our own tmpfs starts empty, an image does not. */
	if (m->dir != SLOT_ROOTFS)
		(void)sys_mkdirat(dir, name, 0755);
	r = sys_move_mount(*mount, "", dir, name, MOVE_MOUNT_F_EMPTY_PATH);
	return r < 0 ? mount_at_path(m, ctx, mount) : 0;
}

static int remount(const struct step_mount *m, struct op_ctx *ctx)
{
	_cleanup_fd_ int at = m->tree != SLOT_NONE
				  ? hand_on_fd(&ctx->fd[m->tree])
				  : path_open_plain(ctx->fd[SLOT_ROOTFS], m->destination);
	int r;

	if (at < 0)
		return op_note(ctx, PHASE_MOUNT_POINT, at, m->destination);
	r = set_attributes(m, at);
	return r < 0 ? op_note(ctx, PHASE_ATTRIBUTES, r, m->destination) : 0;
}

int init_mount(const struct step *s, struct op_ctx *ctx)
{
	const struct step_mount *m = &s->mount;
	_cleanup_fd_ int mount = -1;
	int r;

	if (m->remount)
		return remount(m, ctx);
	if (m->dir != SLOT_NONE)
		r = mount_by_name(m, ctx, &mount);
	else
		r = mount_at_path(m, ctx, &mount);
	if (r == 0 && m->keep != SLOT_NONE)
		ctx->fd[m->keep] = hand_on_fd(&mount);
	return r;
}
