/*
 * init_path.c - see init_path.h.
 *
 * Must: use sys/ only. Mustn't: allocate, lock, log, or decide (tools/check-init).
 */
#include "ops/init_path.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>

#define IN_ROOT       (RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
#define PROC_ROOT_INO 1  /* PROCFS_ROOT_INO in linux/fs.h since 6.15 */
#define MAX_LINKS     40 /* as many as the kernel follows */
#define MAX_TRIES     32

int path_open(int root, const char *path)
{
	int fd = -EAGAIN;

	/* The kernel's answer when a rename anywhere races with a ".." of the path: ask again. */
	for (int i = 0; i < MAX_TRIES && fd == -EAGAIN; i++)
		fd = sys_openat2(root, path, O_PATH | O_CLOEXEC, 0, IN_ROOT);
	return fd;
}

int path_open_plain(int root, const char *path)
{
	return sys_openat2(root, path, O_PATH | O_CLOEXEC, 0, IN_ROOT | RESOLVE_NO_SYMLINKS);
}

int path_is_proc(int fd)
{
	struct statfs fs;
	struct statx st;
	int r = sys_fstatfs(fd, &fs);

	if (r == 0)
		r = sys_statx(fd, "", AT_EMPTY_PATH, STATX_INO, &st);
	if (r != 0)
		return r;
	return fs.f_type == PROC_SUPER_MAGIC && st.stx_ino == PROC_ROOT_INO ? 0 : -ENODEV;
}

int path_is_device(int fd, uint32_t mode, uint32_t major, uint32_t minor)
{
	struct statx st;
	int r = sys_statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &st);

	if (r < 0)
		return r;
	/* The type first: the numbers of a regular file are 0 and 0, too. */
	if ((st.stx_mode & S_IFMT) != (mode & S_IFMT))
		return -ENODEV;
	if (S_ISFIFO(mode))
		return 0;
	return st.stx_rdev_major == major && st.stx_rdev_minor == minor ? 0 : -ENODEV;
}

static bool wants_file(int like)
{
	struct statx st;

	return like >= 0 && sys_statx(like, "", AT_EMPTY_PATH, STATX_TYPE, &st) == 0 &&
	       !S_ISDIR(st.stx_mode);
}

/* -EEXIST: something is there by now that cannot be opened, such as a link to nowhere. */
static int make_here(int dir, const char *name, bool file)
{
	int r = file ? sys_mknodat(dir, name, S_IFREG | 0644, 0) : sys_mkdirat(dir, name, 0755);

	if (r < 0)
		return r;
	return sys_openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC | (file ? 0 : O_DIRECTORY), 0);
}

/*
 * Puts the target of the link path[start … end) in its place. Images have links to what only a
 * running system has (/etc/resolv.conf -> ../run/systemd/resolve/stub-resolv.conf): what they lead
 * to is made, within the root, as a lookup of the kernel would go.
 */
static int splice_link(char *path, size_t start, size_t end, int dir, const char *name)
{
	char target[PATH_MAX];
	ssize_t n = sys_readlinkat(dir, name, target, sizeof(target));
	size_t len, rest = strlen(path + end) + 1;

	if (n <= 0)
		return n == -EINVAL || n == 0 ? -EEXIST : (int)n;
	len = (size_t)n;
	if (target[0] == '/')
		start = 0;
	if (start + len + rest > PATH_MAX)
		return -ENAMETOOLONG;
	memmove(path + start + len, path + end, rest);
	memcpy(path + start, target, len);
	return 0;
}

/* One pass from the left: opens what is there, makes what is not. -EAGAIN: a link was replaced. */
static int make_once(int root, char *path, int like, bool *ret_made)
{
	_cleanup_fd_ int dir = -1;
	size_t start = strspn(path, "/");

	for (;;) {
		size_t end = start + strcspn(path + start, "/");
		size_t next = end + strspn(path + end, "/");
		bool last = path[next] == '\0';
		char cut = path[end];
		int fd, r;

		path[end] = '\0';
		fd = path_open(root, path);
		if (fd == -ENOENT) {
			fd = make_here(dir >= 0 ? dir : root, path + start,
				       last && wants_file(like));
			*ret_made = fd >= 0;
		}
		if (fd == -EEXIST) {
			char name[NAME_MAX + 1];

			/* Longer names do not exist, so they cannot be in the way. */
			memcpy(name, path + start, end - start + 1);
			path[end] = cut;
			r = splice_link(path, start, end, dir >= 0 ? dir : root, name);
			return r < 0 ? r : -EAGAIN;
		}
		path[end] = cut;
		if (fd < 0 || last)
			return fd;
		sys_closep(&dir);
		dir = fd;
		start = next;
	}
}

static int make_with_links(int root, const char *path, int like, bool *ret_made)
{
	char text[PATH_MAX];
	size_t len = strlen(path);
	int fd = -EAGAIN;

	if (len >= sizeof(text))
		return -ENAMETOOLONG;
	memcpy(text, path, len + 1);
	for (int i = 0; i <= MAX_LINKS && fd == -EAGAIN; i++)
		fd = make_once(root, text, like, ret_made);
	return fd == -EAGAIN ? -ELOOP : fd;
}

static bool is_same_place(int a, int b)
{
	const unsigned int mask = STATX_INO | STATX_MNT_ID;
	struct statx one, two;

	return sys_statx(a, "", AT_EMPTY_PATH, mask, &one) == 0 &&
	       sys_statx(b, "", AT_EMPTY_PATH, mask, &two) == 0 && one.stx_ino == two.stx_ino &&
	       one.stx_mnt_id == two.stx_mnt_id;
}

int path_make(int root, const char *path, int like, bool *ret_made)
{
	_cleanup_fd_ int fd = path_open_plain(root, path);
	struct statfs fs;
	int r;

	*ret_made = false;
	if (fd >= 0 || (fd != -ENOENT && fd != -ELOOP))
		return hand_on_fd(&fd);
	fd = make_with_links(root, path, like, ret_made);
	if (fd < 0)
		return fd;
	r = sys_fstatfs(fd, &fs);
	if (r < 0)
		return r;
	/* A link to "/" would bury the root under the mount. */
	if (is_same_place(fd, root))
		return -EBUSY;
	return fs.f_type == PROC_SUPER_MAGIC ? -EXDEV : hand_on_fd(&fd);
}

int path_open_proc(int root, const char *path)
{
	const char *below = path + strlen("/proc/");
	_cleanup_fd_ int proc = path_open_plain(root, "/proc");
	int r = proc < 0 ? proc : path_is_proc(proc);

	if (r < 0)
		return r;
	return sys_openat2(proc, below, O_PATH | O_CLOEXEC, 0,
			   RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);
}

int path_make_parent(int root, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;
	char dir[PATH_MAX];
	bool made;

	if (len >= sizeof(dir))
		return -ENAMETOOLONG;
	memcpy(dir, path, len);
	dir[len] = '\0';
	*ret_name = slash ? slash + 1 : path;
	return path_make(root, len > 0 ? dir : "/", -1, &made);
}
