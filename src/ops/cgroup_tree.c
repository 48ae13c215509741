/*
 * cgroup_tree.c - see cgroup_tree.h.
 *
 * Who is inside a container may have been given its cgroup to make more below it. So nothing here
 * trusts the depth or the number of what it finds, and every directory is opened from its parent.
 */
#include "ops/cgroup_tree.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/num.h"
#include "sys/sys.h"

#define ROOT "/sys/fs/cgroup/"

/* The second is for those who have no rights over the host: on v2, from Linux 5.7. */
#define MARK      "trusted.containr"
#define MARK_USER "user.containr"

#define MAX_DEPTH 96 /* each level of a listing holds a descriptor and 1 KiB of stack */
#define MAX_PROCS                                                                                  \
	(64 * 1024 * 1024) /* bytes of one cgroup.procs: the kernel has 4 million pids             \
			    */

int cgroup_check_path(const char *path, struct err *err)
{
	size_t len = strlen(path);

	if (strncmp(path, ROOT, strlen(ROOT)) == 0 && len > strlen(ROOT) && !strstr(path, "/../") &&
	    (len < 3 || strcmp(path + len - 3, "/..") != 0))
		return 0;
	return err_say(err, -EINVAL, "the container's state names %s, which is no cgroup", path);
}

static bool is_root(int fd, bool v2)
{
	if (v2)
		return sys_faccessat(fd, "cgroup.events", F_OK) < 0;
	return sys_faccessat(fd, "release_agent", F_OK) == 0;
}

int cgroup_dir_open(const char *path, struct cgroup_dir *ret, struct err *err)
{
	_cleanup_close_ int fd = -EBADF;
	struct statfs fs = { 0 };
	bool v2;
	int r = cgroup_check_path(path, err);

	if (r < 0)
		return r;
	fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
	if (fd == -ENOENT)
		return fd;
	r = fd < 0 ? fd : sys_fstatfs(fd, &fs);
	if (r < 0)
		return err_set(err, r, "open cgroup %s", path);
	v2 = (unsigned long)fs.f_type == CGROUP2_SUPER_MAGIC;
	if ((!v2 && (unsigned long)fs.f_type != CGROUP_SUPER_MAGIC) || is_root(fd, v2))
		return err_say(err, -EINVAL,
			       "the container's state names %s, which is no container's cgroup",
			       path);
	ret->v2 = v2;
	ret->freezer = !v2 && sys_faccessat(fd, "freezer.state", F_OK) == 0;
	ret->path = path;
	ret->fd = take_fd(&fd);
	return 0;
}

void cgroup_dir_close(struct cgroup_dir *dir)
{
	if (dir->fd >= 0)
		(void)sys_close(dir->fd);
	dir->fd = -EBADF;
}

ssize_t cgroup_read(int dir, const char *file, char *text, size_t size)
{
	_cleanup_close_ int fd = sys_openat(dir, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
	ssize_t n = fd < 0 ? fd : sys_read(fd, text, size - 1);

	if (n >= 0)
		text[n] = '\0';
	return n;
}

int cgroup_write(int dir, const char *file, const char *text)
{
	_cleanup_close_ int fd = sys_openat(dir, file, O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0);
	ssize_t n = fd < 0 ? fd : sys_write(fd, text, strlen(text));

	return n < 0 ? (int)n : 0;
}

/* ---- lists of pids ----------------------------------------------------------------------------
 */

static int compare_pids(const void *a, const void *b)
{
	const pid_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void pid_list_sort(struct pid_list *list)
{
	if (list->n > 1)
		qsort(list->v, list->n, sizeof(*list->v), compare_pids);
}

void pid_list_done(struct pid_list *list)
{
	free(list->v);
	*list = (struct pid_list){ 0 };
}

static int pid_list_add(struct pid_list *list, pid_t pid)
{
	if (list->n == list->room) {
		size_t room = list->room ? list->room * 2 : 64;
		pid_t *v = reallocarray(list->v, room, sizeof(*v));

		if (!v)
			return -ENOMEM;
		list->v = v;
		list->room = room;
	}
	list->v[list->n++] = pid;
	return 0;
}

/* A process of another pid namespace shows as 0: out of our sight, and of our signals. */
static int add_line(struct pid_list *list, const char *line)
{
	uint64_t pid;
	int r = num_u64(line, INT_MAX, &pid);

	if (r < 0)
		return r;
	return pid == 0 ? 0 : pid_list_add(list, (pid_t)pid);
}

static int read_procs(int dir, struct pid_list *list)
{
	_cleanup_close_ int fd =
	    sys_openat(dir, "cgroup.procs", O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
	_cleanup_buf_ struct buf text = { 0 };
	char *save = NULL;
	int r = fd < 0 ? fd : buf_read_fd(&text, fd, MAX_PROCS);

	/* Gone meanwhile; or threaded, then its processes are listed by its domain above. */
	if (r == -ENOENT || r == -ENODEV || r == -EOPNOTSUPP)
		return 0;
	if (r < 0 || !text.data)
		return r;
	for (char *line = strtok_r(text.data, "\n", &save); line && r == 0;
	     line = strtok_r(NULL, "\n", &save))
		r = add_line(list, line);
	return r;
}

/* ---- walking down -----------------------------------------------------------------------------
 */

struct linux_dirent64 {
	uint64_t d_ino;
	int64_t d_off;
	unsigned short d_reclen;
	unsigned char d_type;
	char d_name[];
};

typedef int (*child_fn)(int dir, const struct linux_dirent64 *child, void *data);

static int open_child(int dir, const char *name)
{
	return sys_openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW, 0);
}

static bool is_child(const struct linux_dirent64 *entry)
{
	return entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 &&
	       strcmp(entry->d_name, "..") != 0;
}

/* Calls fn for each cgroup directly below, until it returns something else than 0. */
static int each_child(int dir, child_fn fn, void *data)
{
	_Alignas(struct linux_dirent64) char entries[1024];
	_cleanup_close_ int fd = open_child(dir, ".");
	ssize_t n = fd;
	int r = 0;

	while (n >= 0 && r == 0 && (n = sys_getdents64(fd, entries, sizeof(entries))) > 0) {
		const struct linux_dirent64 *entry;

		for (ssize_t at = 0; at < n && r == 0; at += entry->d_reclen) {
			entry = (const void *)(entries + at);
			r = is_child(entry) ? fn(dir, entry, data) : 0;
		}
	}
	/* Who removed the directory meanwhile left nothing below it. */
	return n < 0 && n != -ENOENT ? (int)n : r;
}

struct lister {
	struct pid_list *list;
	int depth;
};

static int list_child(int dir, const struct linux_dirent64 *child, void *data)
{
	struct lister *lister = data;
	_cleanup_close_ int fd = open_child(dir, child->d_name);
	int r;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (lister->depth == MAX_DEPTH)
		return -ELOOP;
	r = read_procs(fd, lister->list);
	lister->depth++;
	if (r == 0)
		r = each_child(fd, list_child, lister);
	lister->depth--;
	return r;
}

int cgroup_list_pids(int dir, struct pid_list *list)
{
	struct lister lister = { .list = list };
	int r = read_procs(dir, list);

	return r < 0 ? r : each_child(dir, list_child, &lister);
}

/* ---- removal ----------------------------------------------------------------------------------
 */

/* Where cgroup_remove_inside() goes next. */
struct remover {
	int next;         /* a child that has children of its own */
	uint64_t cleared; /* inode of the one whose children have just been removed */
};

/* 1: this one has to be entered first. -EBUSY: it was, so what keeps it are processes. */
static int remove_child(int dir, const struct linux_dirent64 *child, void *data)
{
	struct remover *remover = data;
	int r = sys_unlinkat(dir, child->d_name, AT_REMOVEDIR);

	if (r == -ENOENT)
		return 0;
	if (r != -EBUSY || child->d_ino == remover->cleared)
		return r;
	remover->next = open_child(dir, child->d_name);
	return remover->next < 0 ? remover->next : 1;
}

/* Back to the parent of `at`, which has no children any more. */
static int go_up(int at, struct remover *remover)
{
	struct statx st;
	int r = sys_statx(at, "", AT_EMPTY_PATH, STATX_INO, &st);

	if (r < 0)
		return r;
	remover->cleared = st.stx_ino;
	return open_child(at, "..");
}

/*
 * Down into whatever is busy, and up again when nothing is left inside: two descriptors, however
 * deep somebody nested it.
 */
int cgroup_remove_inside(int dir)
{
	struct remover remover = { .next = -EBADF };
	_cleanup_close_ int at = open_child(dir, ".");
	size_t depth = 0;

	while (at >= 0) {
		_cleanup_close_ int here = take_fd(&at);
		int r = each_child(here, remove_child, &remover);

		if (r < 0 || (r == 0 && depth == 0))
			return r;
		if (r == 1) {
			depth++;
			at = remover.next;
		} else {
			depth--;
			at = go_up(here, &remover);
		}
	}
	return at;
}

/* Where all is read-only, the kernel says that before it looks whether there is anything. */
int cgroup_rmdir(const char *path)
{
	int r = sys_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);

	if (r == -EROFS && sys_faccessat(AT_FDCWD, path, F_OK) == -ENOENT)
		return -ENOENT;
	return r;
}

/* ---- the way up -------------------------------------------------------------------------------
 */

bool cgroup_mark(int dir)
{
	return sys_fsetxattr(dir, MARK, "1", 1) == 0 || sys_fsetxattr(dir, MARK_USER, "1", 1) == 0;
}

/* Of a path, or where that is NULL of an open directory. */
static long get_mark(int dir, const char *path, const char *name)
{
	char value[8];

	return path ? sys_call_4(SYS_lgetxattr, path, name, value, sizeof(value))
		    : sys_call_4(SYS_fgetxattr, dir, name, value, sizeof(value));
}

static int is_new_born(int dir, const char *path)
{
	struct statx st;
	int r =
	    sys_statx(dir, path ? path : "", AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, STATX_MODE, &st);

	return r < 0 ? r : (st.stx_mode & S_ISVTX) != 0;
}

/* Whether it is marked, or why that is not known. */
static int look_for_mark(int dir, const char *path)
{
	static const char *const names[] = { MARK, MARK_USER };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		long r = get_mark(dir, path, names[i]);

		if (r >= 0)
			return 1;
		if (r != -ENODATA && r != -EOPNOTSUPP && r != -ERANGE)
			return (int)r;
	}
	return is_new_born(dir, path);
}

bool cgroup_is_marked(const char *path)
{
	return look_for_mark(AT_FDCWD, path) > 0;
}

bool cgroup_dir_is_marked(int dir)
{
	return look_for_mark(dir, NULL) > 0;
}

bool cgroup_may_be_ours(const char *path)
{
	return cgroup_is_marked(path) || get_mark(AT_FDCWD, path, MARK_USER) == -EOPNOTSUPP;
}

int cgroup_remove_parents(const char *path)
{
	char parent[PATH_MAX];
	char *slash;
	int r;

	if (strlen(path) >= sizeof(parent))
		return -ENAMETOOLONG;
	memcpy(parent, path, strlen(path) + 1);
	while ((slash = strrchr(parent, '/')) && slash >= parent + strlen(ROOT)) {
		*slash = '\0';
		r = look_for_mark(AT_FDCWD, parent);
		if (r > 0)
			r = cgroup_rmdir(parent);
		else if (r == 0)
			return 0;
		if (r == -EBUSY || r == -EACCES || r == -EPERM || r == -EROFS)
			return 0; /* in use, or not ours to remove */
		/* Never made: the one above it may have been. */
		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}
