/*
 * init_overlay.c - overlays: of directories of the host, and of a mount with its changes in memory.
 *
 * Each directory is opened once, and the kernel gets the descriptor: neither how long its path is
 * matters, nor what somebody makes of it meanwhile. The host does the same where init has not the
 * rights to reach them.
 *
 * Must: use sys/ only. Mustn't: allocate, lock, log, or decide (tools/check-init).
 */
#include "ops/init_overlay.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "ops/init_path.h"
#include "sys/sys.h"

#define ATTACH    (MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH)
#define TEXT_SIZE 256 /* what fsconfig(2) takes at once */

static int note_file_system(struct op_ctx *ctx, int fs, int code)
{
	char text[NOTE_SIZE];
	ssize_t n = sys_read(fs, text, sizeof(text) - 1);

	if (n <= 2)
		return op_note(ctx, PHASE_FILE_SYSTEM, code, "overlay");
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return op_note(ctx, PHASE_FILE_SYSTEM, code, text + 2);
}

static int set_option(struct op_ctx *ctx, int fs, const char *key, const char *value)
{
	unsigned int command = value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;
	int r = sys_fsconfig(fs, command, key, value, 0);

	return r < 0 ? note_file_system(ctx, fs, r) : 0;
}

static int create(struct op_ctx *ctx, int fs)
{
	int r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);

	if (r == 0)
		r = sys_fsmount(fs, 0);
	return r < 0 ? note_file_system(ctx, fs, r) : r;
}

/* ---- of directories of the host -----------------------------------------------------------------
 */

/* The lower ones, then upper and work. They stay open until the file system is there: Linux before
 * 6.5 looks at the names no sooner. */
struct dirs {
	size_t n;
	int fd[OVERLAY_MAX_LOWER + 2];
};

static void dirs_done(struct dirs *dirs)
{
	while (dirs->n > 0)
		(void)sys_close(dirs->fd[--dirs->n]);
}

static int open_dir(struct op_ctx *ctx, struct dirs *dirs, const char *path)
{
	int fd = sys_openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);

	if (fd < 0)
		return op_note(ctx, PHASE_SOURCE, fd, path);
	dirs->fd[dirs->n++] = fd;
	return 0;
}

size_t overlay_put_fd(char *text, size_t at, int fd)
{
	static const char folder[] = "/proc/self/fd/";
	char digits[12];
	size_t n = 0;

	memcpy(text + at, folder, sizeof(folder) - 1);
	at += sizeof(folder) - 1;
	do
		digits[n++] = (char)('0' + fd % 10);
	while ((fd /= 10) > 0);
	while (n > 0)
		text[at++] = digits[--n];
	text[at] = '\0';
	return at;
}

static int set_dir(struct op_ctx *ctx, int fs, const char *key, int dir)
{
	char text[TEXT_SIZE];

	(void)overlay_put_fd(text, 0, dir);
	return set_option(ctx, fs, key, text);
}

static int set_lower(struct op_ctx *ctx, int fs, const struct dirs *dirs, size_t n)
{
	char text[TEXT_SIZE];
	size_t len = 0;
	int r = 0;

	if (n > OVERLAY_LIST) {
		for (size_t i = 0; i < n && r == 0; i++)
			r = set_dir(ctx, fs, "lowerdir+", dirs->fd[i]);
		return r;
	}
	for (size_t i = 0; i < n; i++) {
		if (len > 0)
			text[len++] = ':';
		len = overlay_put_fd(text, len, dirs->fd[i]);
	}
	return set_option(ctx, fs, "lowerdir", text);
}

static int open_dirs(const struct step_overlay *o, struct op_ctx *ctx, struct dirs *dirs)
{
	int r = 0;

	for (size_t i = 0; i < o->n_lower && r == 0; i++)
		r = open_dir(ctx, dirs, o->lower[i]);
	if (r == 0 && o->upper)
		r = open_dir(ctx, dirs, o->upper);
	if (r == 0 && o->work)
		r = open_dir(ctx, dirs, o->work);
	return r;
}

int overlay_of_dirs(const struct step_overlay *o, struct op_ctx *ctx)
{
	__attribute__((cleanup(dirs_done))) struct dirs dirs = { .n = 0 };
	_cleanup_fd_ int fs = sys_fsopen("overlay");
	int r;

	if (fs < 0)
		return op_note(ctx, PHASE_FILE_SYSTEM, fs, "overlay");
	r = open_dirs(o, ctx, &dirs);
	if (r == 0)
		r = set_lower(ctx, fs, &dirs, o->n_lower);
	if (r == 0 && o->upper)
		r = set_dir(ctx, fs, "upperdir", dirs.fd[o->n_lower]);
	if (r == 0 && o->work)
		r = set_dir(ctx, fs, "workdir", dirs.fd[o->n_lower + 1]);
	for (size_t i = 0; i < o->n_options && r == 0; i++)
		r = set_option(ctx, fs, o->options[i].key, o->options[i].value);
	return r < 0 ? r : create(ctx, fs);
}

int init_overlay(const struct step *s, struct op_ctx *ctx)
{
	int mount = overlay_of_dirs(&s->overlay, ctx);

	if (mount < 0)
		return mount;
	ctx->fd[s->overlay.slot] = mount;
	return 0;
}

/* ---- in memory ----------------------------------------------------------------------------------
 */

static int make_tmpfs(struct op_ctx *ctx)
{
	_cleanup_fd_ int fs = sys_fsopen("tmpfs");
	int r = fs;

	if (r >= 0)
		r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0700", 0);
	if (r >= 0)
		r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r >= 0)
		r = sys_fsmount(fs, 0);
	return r < 0 ? op_note(ctx, PHASE_FILE_SYSTEM, r, "tmpfs") : r;
}

/* The upper directory is what is seen as the root: it gets that of the tree's. An owner who has no
 * id here stays nobody's. */
static int make_upper(int tmpfs, int tree)
{
	struct statx st;
	_cleanup_fd_ int upper = -1;
	int r = sys_statx(tree, "", AT_EMPTY_PATH, STATX_MODE | STATX_UID | STATX_GID, &st);

	if (r == 0)
		r = sys_mkdirat(tmpfs, "upper", 0700);
	if (r < 0)
		return r;
	upper = sys_openat(tmpfs, "upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (upper < 0)
		return upper;
	(void)sys_fchownat(upper, "", st.stx_uid, st.stx_gid, AT_EMPTY_PATH);
	return sys_fchmod(upper, st.stx_mode & 07777U);
}

static int fill(struct op_ctx *ctx, int tmpfs, int tree)
{
	int r = make_upper(tmpfs, tree);

	if (r == 0)
		r = sys_mkdirat(tmpfs, "lower", 0700);
	if (r == 0)
		r = sys_mkdirat(tmpfs, "work", 0700);
	if (r == 0)
		r = sys_move_mount(tree, "", tmpfs, "lower", MOVE_MOUNT_F_EMPTY_PATH);
	return r < 0 ? op_note(ctx, PHASE_ATTACH, r, "the lower layer") : 0;
}

/* Names are relative: a procfs may be out of sight. */
int overlay_here(struct op_ctx *ctx, bool userxattr)
{
	_cleanup_fd_ int fs = sys_fsopen("overlay");
	int r;

	if (fs < 0)
		return op_note(ctx, PHASE_FILE_SYSTEM, fs, "overlay");
	r = set_option(ctx, fs, "lowerdir", "lower");
	if (r == 0)
		r = set_option(ctx, fs, "upperdir", "upper");
	if (r == 0)
		r = set_option(ctx, fs, "workdir", "work");
	if (r == 0 && userxattr)
		r = set_option(ctx, fs, "userxattr", NULL);
	return r < 0 ? r : create(ctx, fs);
}

int overlay_lay_out(struct op_ctx *ctx, int tree, int at)
{
	_cleanup_fd_ int tmpfs = make_tmpfs(ctx);
	int r;

	if (tmpfs < 0)
		return hand_on_fd(&tmpfs);
	r = sys_move_mount(tmpfs, "", at, "", ATTACH);
	/* A file: mount(2) has a better word for that. */
	if (r < 0)
		return op_note(ctx, PHASE_ATTACH, r == -EINVAL ? -ENOTDIR : r, "a tmpfs");
	r = fill(ctx, tmpfs, tree);
	return r < 0 ? r : sys_fchdir(tmpfs);
}

/*
 * The layers of an overlay have to be attached in our mount namespace while it is made (before
 * Linux 6.15 there is no other way); it keeps copies of those mounts. So they lie at the mount
 * point for a moment, and are gone before the container sees it: nobody gets at the tree but
 * through the overlay.
 */
int overlay_in_memory(struct op_ctx *ctx, int tree, int at, bool userxattr)
{
	_cleanup_fd_ int back = sys_openat(AT_FDCWD, ".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	int r, r2, overlay;

	if (back < 0)
		return hand_on_fd(&back);
	r = overlay_lay_out(ctx, tree, at);
	if (r < 0)
		return r;
	overlay = overlay_here(ctx, userxattr);
	r = sys_umount2(".", MNT_DETACH);
	r2 = sys_fchdir(back);
	if (overlay >= 0 && (r < 0 || r2 < 0)) {
		(void)sys_close(overlay);
		return r < 0 ? r : r2;
	}
	return overlay;
}
