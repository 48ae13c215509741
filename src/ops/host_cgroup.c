/*
 * host_cgroup.c - see host_cgroup.h.
 *
 * All starts at the mount point of the hierarchy, whose file system is verified, and stays below
 * it: no symbolic link, no other mount. From the directory's birth on it is used by its descriptor.
 *
 * A directory that was there before us with processes or cgroups in it is somebody else's. It is
 * refused, since `delete --force` ends everything that is in a container's cgroup.
 */
#include "ops/host_cgroup.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "ops/cgroup_tree.h"
#include "sys/sys.h"

#define LIST_SIZE 4096 /* what cgroup files of one line hold at most: one page */
#define RACES     100  /* lost in a row against others' ends before it is given up */

static bool is_denied(int r)
{
	return r == -EACCES || r == -EPERM || r == -EROFS;
}

/* The path below the mount point, without a slash at its begin. */
static const char *below_mount(const struct step_cgroup *c)
{
	return c->path + strlen(c->mount) + 1;
}

static int open_mount(const struct step_cgroup *c)
{
	const unsigned long magic = c->v1 ? CGROUP_SUPER_MAGIC : CGROUP2_SUPER_MAGIC;
	_cleanup_close_ int fd =
	    sys_openat(AT_FDCWD, c->mount, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	struct statfs fs;
	int r;

	if (fd < 0)
		return fd;
	r = sys_fstatfs(fd, &fs);
	if (r < 0)
		return r;
	if ((unsigned long)fs.f_type != magic)
		return -ENODEV;
	return take_fd(&fd);
}

static int open_below(int mount, const char *path, int flags)
{
	return sys_openat2(mount, path, (uint64_t)flags | O_CLOEXEC, 0,
			   RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
}

/* ---- directories ------------------------------------------------------------------------------
 */

/* A new cpuset of v1 takes no process before it has CPUs and memory nodes. */
static int inherit_cpuset(int parent, int dir)
{
	static const char *const files[] = { "cpuset.cpus", "cpuset.mems" };
	char text[LIST_SIZE];
	ssize_t n;
	int r = 0;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && r == 0; i++) {
		n = cgroup_read(parent, files[i], text, sizeof(text));
		r = n < 0 ? (int)n : cgroup_write(dir, files[i], text);
	}
	return r;
}

/* Whoever makes it at this moment has not come to that yet: nobody else's have none. */
static bool is_unfinished_cpuset(int dir)
{
	char text[LIST_SIZE];

	return cgroup_read(dir, "cpuset.mems", text, sizeof(text)) >= 0 &&
	       strspn(text, "\n") == strlen(text) && cgroup_dir_is_marked(dir);
}

/* Makes one directory below `parent`: its descriptor, with *ret_new telling whether it was made. */
static int make_one(const struct step_cgroup *c, int parent, const char *name, bool *ret_new)
{
	int made = sys_mkdirat(parent, name, CGROUP_BORN);
	_cleanup_close_ int dir = -EBADF;
	int r;

	if (made < 0 && made != -EEXIST)
		return made;
	dir = open_below(parent, name, O_RDONLY | O_DIRECTORY);
	r = dir < 0 ? dir : 0;
	if (r == 0 && made == 0) {
		if (cgroup_mark(dir))
			(void)sys_fchmod(dir, CGROUP_MODE);
	}
	if (r == 0 && c->inherit && (made == 0 || is_unfinished_cpuset(dir)))
		r = inherit_cpuset(parent, dir);
	if (r < 0) {
		if (made == 0)
			(void)sys_unlinkat(parent, name, AT_REMOVEDIR);
		return r;
	}
	*ret_new = made == 0;
	return take_fd(&dir);
}

/* Opens or makes the directories above `path`: the descriptor of the last one. */
static int make_parents(const struct step_cgroup *c, int mount, const char *path)
{
	_cleanup_close_ int dir = open_below(mount, ".", O_RDONLY | O_DIRECTORY);
	const char *name = path, *slash;
	bool new;

	while (dir >= 0 && (slash = strchr(name, '/'))) {
		char one[NAME_MAX + 1];
		_cleanup_close_ int up = take_fd(&dir);

		if ((size_t)(slash - name) >= sizeof(one))
			return -ENAMETOOLONG;
		memcpy(one, name, (size_t)(slash - name));
		one[slash - name] = '\0';
		dir = make_one(c, up, one, &new);
		name = slash + 1;
	}
	return dir < 0 ? dir : take_fd(&dir);
}

/* They go with the last cgroup below them, and that may be at any moment before ours is there. */
static int make_leaf_and_parents(const struct step_cgroup *c, int mount, bool *ret_new)
{
	const char *path = below_mount(c), *name = strrchr(path, '/');
	int dir = -ENOENT;

	for (int i = 0; i < RACES && (dir == -ENOENT || dir == -ENODEV); i++) {
		_cleanup_close_ int parent = make_parents(c, mount, path);

		dir = parent < 0 ? parent : make_one(c, parent, name ? name + 1 : path, ret_new);
	}
	if (dir < 0)
		(void)cgroup_remove_parents(c->path);
	return dir;
}

/* With the parents in place, one call does it; they are looked at only where that fails. */
static int make_leaf(const struct step_cgroup *c, int mount, bool *ret_new)
{
	int dir = c->inherit ? -ENOENT : make_one(c, mount, below_mount(c), ret_new);

	return dir == -ENOENT || dir == -ENODEV ? make_leaf_and_parents(c, mount, ret_new) : dir;
}

/* A directory that was there is taken over only if nothing is in it. */
static int check_empty(int dir, const char *path, struct op_ctx *ctx)
{
	struct statx st;
	char text[LIST_SIZE];
	ssize_t n = cgroup_read(dir, "cgroup.procs", text, sizeof(text));
	int r = sys_statx(dir, "", AT_EMPTY_PATH, STATX_NLINK, &st);

	if (n < 0 || r < 0)
		return n < 0 ? (int)n : r;
	if (n > 0 || st.stx_nlink > 2)
		return op_note(ctx, PHASE_NOT_EMPTY, -EBUSY, path);
	return 0;
}

/* ---- controllers of v2 ------------------------------------------------------------------------
 */

static bool has_word(const char *list, const char *word, size_t len)
{
	for (const char *at = list; *at; at += strcspn(at, " \n")) {
		at += strspn(at, " \n");
		if (strncmp(at, word, len) == 0 && strchr(" \n", at[len]))
			return true;
	}
	return false;
}

/* The first of the wanted controllers that the directory does not have, or NULL. */
static const char *missing_controller(int dir, const char *wanted, size_t *ret_len)
{
	char have[LIST_SIZE];

	if (cgroup_read(dir, "cgroup.controllers", have, sizeof(have)) < 0)
		have[0] = '\0';
	for (const char *at = wanted; *at; at += *at == ' ') {
		size_t len = strcspn(at, " ");

		if (!has_word(have, at, len)) {
			*ret_len = len;
			return at;
		}
		at += len;
	}
	return NULL;
}

/* Says which controller `dir` has not, or which one it could not give to those below. */
static int note_controller(struct op_ctx *ctx, int code, const char *name, size_t len,
			   const char *where)
{
	char note[NOTE_SIZE];

	(void)snprintf(note, sizeof(note), "%.*s in %.80s", (int)len, name, where);
	return op_note(ctx, PHASE_CONTROLLER, code, note);
}

/* What it gives already may not be ours to enable. */
static int enable_one(const struct step_cgroup *c, int dir, const char *where, struct op_ctx *ctx)
{
	char given[LIST_SIZE];

	if (cgroup_read(dir, "cgroup.subtree_control", given, sizeof(given)) < 0)
		given[0] = '\0';
	for (const char *at = c->controllers; *at; at += *at == ' ') {
		size_t len = strcspn(at, " ");
		char text[64];
		int r = 0;

		(void)snprintf(text, sizeof(text), "+%.*s", (int)len, at);
		if (!has_word(given, at, len))
			r = cgroup_write(dir, "cgroup.subtree_control", text);
		if (r < 0)
			return note_controller(ctx, r, at, len, where);
		at += len;
	}
	return 0;
}

/*
 * Controllers reach a cgroup from the root down: each directory gives its children what it has. The
 * usual case is that they are there; else they are enabled on the way, for just this path.
 */
static int enable_controllers(const struct step_cgroup *c, int mount, int leaf, struct op_ctx *ctx)
{
	char path[PATH_MAX];
	size_t len;
	const char *missing = missing_controller(leaf, c->controllers, &len);
	const char *end = below_mount(c);
	int r = 0;

	if (!missing)
		return 0;
	for (const char *at = end; at && r == 0;
	     at = strchr(at, '/') ? strchr(at, '/') + 1 : NULL) {
		_cleanup_close_ int dir = -EBADF;

		(void)snprintf(path, sizeof(path), "%.*s", (int)(at - end), end);
		dir = open_below(mount, at == end ? "." : path, O_RDONLY | O_DIRECTORY);
		if (dir < 0)
			return dir;
		(void)snprintf(path, sizeof(path), "%s/%.*s", c->mount, (int)(at - end), end);
		r = enable_one(c, dir, path, ctx);
	}
	if (r == 0 && (missing = missing_controller(leaf, c->controllers, &len)))
		return note_controller(ctx, -ENOENT, missing, len, c->path);
	return r;
}

/* The files that whoever owns a delegated cgroup writes; limits stay ours (cgroup-v2.rst). */
static int delegate(int dir, uid_t owner)
{
	static const char *const files[] = { "cgroup.procs", "cgroup.threads",
					     "cgroup.subtree_control" };
	int r = sys_fchownat(dir, "", owner, (gid_t)-1, AT_EMPTY_PATH);

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && r == 0; i++)
		r = sys_fchownat(dir, files[i], owner, (gid_t)-1, AT_SYMLINK_NOFOLLOW);
	return r;
}

/* ---- the operations ---------------------------------------------------------------------------
 */

static int prepare(const struct step_cgroup *c, int mount, int dir, bool new, struct op_ctx *ctx)
{
	int r = new ? 0 : check_empty(dir, c->path, ctx);

	if (r == 0 && !new)
		(void)cgroup_mark(dir); /* taken over */
	if (r == 0 && c->controllers)
		r = enable_controllers(c, mount, dir, ctx);
	if (r == 0 && c->delegate)
		r = delegate(dir, c->owner);
	return r;
}

int host_cgroup_make(const struct step *s, struct op_ctx *ctx)
{
	const struct step_cgroup *c = &s->cgroup;
	_cleanup_close_ int mount = open_mount(c);
	_cleanup_close_ int dir = -EBADF;
	bool new = false;
	int r;

	if (mount < 0)
		return op_note(ctx, PHASE_OPEN, mount, c->mount);
	dir = make_leaf(c, mount, &new);
	if (dir < 0)
		return c->optional && is_denied(dir) ? 0 : dir;
	r = prepare(c, mount, dir, new, ctx);
	if (r < 0 && new) {
		(void)sys_unlinkat(mount, below_mount(c), AT_REMOVEDIR);
		(void)cgroup_remove_parents(c->path);
	}
	if (r < 0)
		return r;
	ctx->fd[c->slot] = take_fd(&dir);
	return 0;
}

/* By now init is gone, but the kernel may still be taking it apart. */
void host_cgroup_make_undo(const struct step *s, struct op_ctx *ctx)
{
	const struct step_cgroup *c = &s->cgroup;
	_cleanup_close_ int mount = -EBADF;
	struct timespec wait = { .tv_nsec = 50000 };

	if (ctx->fd[c->slot] < 0)
		return;
	mount = open_mount(c);
	if (mount < 0)
		return;
	for (int i = 0; i < 12; i++, wait.tv_nsec *= 2) {
		if (sys_unlinkat(mount, below_mount(c), AT_REMOVEDIR) != -EBUSY)
			break;
		(void)sys_call_2(SYS_nanosleep, &wait, NULL);
	}
	(void)cgroup_remove_parents(c->path);
}

/* Where init is in v2, as a path below the mount, if that is below the container's directory. */
static const char *find_init(const struct step_cgroup *c, char *text, size_t size)
{
	const size_t len = strlen(c->path) - strlen(c->mount);
	char file[32], *line;

	(void)snprintf(file, sizeof(file), "/proc/%d/cgroup", c->init);
	if (cgroup_read(AT_FDCWD, file, text, size) < 0)
		return NULL;
	line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	if (!line)
		return NULL;
	line = strchr(line, '/');
	if (!line || strncmp(line, c->path + strlen(c->mount), len) != 0 || line[len] != '/')
		return NULL;
	line[strcspn(line, "\n")] = '\0';
	return strstr(line, "/../") ? NULL : line + 1;
}

/* In place of `dir`, which gives controllers on: the cgroup below it that init is in. */
static int open_of_init(const struct step_cgroup *c, int mount, int dir)
{
	char text[PATH_MAX + LIST_SIZE];
	const char *below = NULL;
	int other;

	if (cgroup_read(dir, "cgroup.subtree_control", text, sizeof(text)) > 1)
		below = find_init(c, text, sizeof(text));
	if (!below)
		return dir;
	other = open_below(mount, below, O_RDONLY | O_DIRECTORY);
	if (other < 0)
		return dir;
	(void)sys_close(dir);
	return other;
}

int host_cgroup_open(const struct step *s, struct op_ctx *ctx)
{
	const struct step_cgroup *c = &s->cgroup;
	_cleanup_close_ int mount = open_mount(c);
	int dir, r = 0;

	if (mount < 0)
		return op_note(ctx, PHASE_OPEN, mount, c->mount);
	dir = open_below(mount, below_mount(c), O_RDONLY | O_DIRECTORY);
	if (dir < 0)
		return c->optional && (dir == -ENOENT || is_denied(dir)) ? 0 : dir;
	if (c->scope)
		(void)cgroup_mark(dir);
	if (c->controllers)
		r = enable_controllers(c, mount, dir, ctx);
	if (r == 0 && c->delegate)
		r = delegate(dir, c->owner);
	if (r < 0) {
		(void)sys_close(dir);
		return r;
	}
	ctx->fd[c->slot] = c->init > 0 ? open_of_init(c, mount, dir) : dir;
	return 0;
}

static int write_lines(int fd, const char *value)
{
	for (const char *line = value; line;) {
		const char *end = strchr(line, '\n');
		size_t len = end ? (size_t)(end - line) : strlen(line);
		ssize_t n = sys_write(fd, line, len);

		if (n < 0)
			return (int)n;
		line = end ? end + 1 : NULL;
	}
	return 0;
}

int host_cgroup_write(const struct step *s, struct op_ctx *ctx)
{
	const struct step_cgroup *c = &s->cgroup;
	const int flags = O_WRONLY | O_CLOEXEC | O_NOFOLLOW;
	const char *file = c->file, *value = c->value;
	_cleanup_close_ int fd = sys_openat(ctx->fd[c->slot], file, flags, 0);
	int r;

	if (fd == -ENOENT && c->other_file) {
		file = c->other_file;
		value = c->other_value;
		fd = sys_openat(ctx->fd[c->slot], file, flags, 0);
	}
	if (fd == -ENOENT && c->optional)
		return 0;
	if (fd < 0)
		return op_note(ctx, PHASE_OPEN, fd, file);
	r = write_lines(fd, value);
	if (r == -EOPNOTSUPP && c->optional)
		return 0;
	return r < 0 ? op_note(ctx, PHASE_WRITE, r, file) : 0;
}

int host_cgroup_devices(const struct step *s, struct op_ctx *ctx)
{
	const struct step_cgroup *c = &s->cgroup;
	union bpf_attr load, attach;
	_cleanup_close_ int prog = -EBADF;
	int r;

	memset(&load, 0, sizeof(load));
	load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	load.insns = (uintptr_t)c->devices;
	load.insn_cnt = (uint32_t)c->n_devices;
	load.license = (uintptr_t) "Apache-2.0";
	prog = (int)sys_call_3(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
	if (prog < 0)
		return op_note(ctx, PHASE_OPEN, prog, "load the program");

	/* ALLOW_MULTI: what the cgroups above deny stays denied, and those inside may add theirs.
	 */
	memset(&attach, 0, sizeof(attach));
	attach.target_fd = (uint32_t)ctx->fd[c->slot];
	attach.attach_bpf_fd = (uint32_t)prog;
	attach.attach_type = BPF_CGROUP_DEVICE;
	attach.attach_flags = BPF_F_ALLOW_MULTI;
	r = (int)sys_call_3(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof(attach));
	return r < 0 ? op_note(ctx, PHASE_WRITE, r, "attach the program") : 0;
}
