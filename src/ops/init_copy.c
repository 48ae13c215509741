/*
 * init_copy.c - see init_copy.h.
 *
 * The tree belongs to whoever made the image and may change while we read it. So every name is used
 * once, relative to a descriptor, and never through a link; what is opened is looked at again
 * before it is read (a FIFO in its place would hang us: O_NONBLOCK); and depth and number of
 * entries are bounded. No recursion and one small buffer, because the stack is init's only memory:
 * where a directory was left for one below it, its position is kept, and it is read on from there.
 *
 * Must: use sys/ only. Mustn't: allocate, lock, log, or decide (tools/check-init).
 */
#include "ops/init_copy.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "ops/init_path.h"
#include "sys/sys.h"

#define BELOW (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV)

enum {
	MAX_DEPTH = 64,
	MAX_ENTRIES = 200000,
	CHUNK = 1 << 20,
};

/* linux_dirent64, whose definition no header of user space has. */
struct entry {
	uint64_t ino;
	int64_t next; /* position of the entry after this one */
	uint16_t size;
	uint8_t type;
	char name[];
};

struct copier {
	int from[MAX_DEPTH], to[MAX_DEPTH];
	int depth; /* of the directory at work; -1: done */
	unsigned int entries;
	struct op_ctx *ctx;
};

/* The root of the tmpfs keeps its permissions: they are an option of the mount. */
static int set_owner(int fd, const struct statx *st, bool permissions)
{
	struct timespec times[2] = {
		{ .tv_sec = st->stx_atime.tv_sec, .tv_nsec = st->stx_atime.tv_nsec },
		{ .tv_sec = st->stx_mtime.tv_sec, .tv_nsec = st->stx_mtime.tv_nsec },
	};
	int r = sys_fchownat(fd, "", st->stx_uid, st->stx_gid, AT_EMPTY_PATH);

	/* An owner without an id in this user namespace cannot be given: ours stays. */
	if (r == -EINVAL)
		r = 0;
	/* After the owner, whose change takes setuid and setgid away. */
	if (r == 0 && permissions)
		r = sys_fchmod(fd, st->stx_mode & 07777);
	if (r == 0)
		r = sys_utimensat(fd, NULL, times, 0);
	return r;
}

static int copy_file(int from, int to, const char *name)
{
	_cleanup_fd_ int out = -1;
	_cleanup_fd_ int in =
	    sys_openat2(from, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0, BELOW);
	struct statx st;
	ssize_t n = in < 0 ? in : sys_statx(in, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st);

	if (n < 0)
		return (int)n;
	if (!S_ISREG(st.stx_mode))
		return -EAGAIN;
	out = sys_openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return hand_on_fd(&out);
	do {
		n = sys_sendfile(out, in, CHUNK);
	} while (n > 0);
	return n < 0 ? (int)n : set_owner(out, &st, true);
}

static int copy_link(int from, int to, const char *name, const struct statx *st)
{
	char target[PATH_MAX];
	ssize_t n = sys_readlinkat(from, name, target, sizeof(target) - 1);
	int r;

	if (n < 0)
		return (int)n;
	target[n] = '\0';
	r = sys_symlinkat(target, to, name);
	if (r == 0)
		r = sys_fchownat(to, name, st->stx_uid, st->stx_gid, AT_SYMLINK_NOFOLLOW);
	return r == -EINVAL ? 0 : r;
}

static int copy_fifo(int to, const char *name, const struct statx *st)
{
	int r = sys_mknodat(to, name, S_IFIFO | (st->stx_mode & 0777), 0);

	if (r == 0)
		r = sys_fchownat(to, name, st->stx_uid, st->stx_gid, AT_SYMLINK_NOFOLLOW);
	return r == -EINVAL ? 0 : r;
}

/* Goes down into a directory; its owner and times are set when it is left. */
static int enter(struct copier *c, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	_cleanup_fd_ int out = -1;
	_cleanup_fd_ int in = sys_openat2(c->from[c->depth], name, (uint64_t)flags, 0, BELOW);
	int r;

	if (in < 0)
		return in == -EXDEV ? 0 : hand_on_fd(&in);
	if (c->depth + 1 == MAX_DEPTH)
		return -E2BIG;
	r = sys_mkdirat(c->to[c->depth], name, 0700);
	out = r < 0 ? r : sys_openat(c->to[c->depth], name, flags | O_NOFOLLOW, 0);
	if (out < 0)
		return hand_on_fd(&out);
	c->depth++;
	c->from[c->depth] = hand_on_fd(&in);
	c->to[c->depth] = hand_on_fd(&out);
	return 0;
}

static int leave(struct copier *c)
{
	int in = c->from[c->depth], out = c->to[c->depth];
	struct statx st;
	int r = sys_statx(in, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st);

	if (r == 0)
		r = set_owner(out, &st, c->depth > 0);
	(void)sys_close(in);
	(void)sys_close(out);
	c->depth--;
	return r;
}

static int copy_entry(struct copier *c, const char *name)
{
	int from = c->from[c->depth], to = c->to[c->depth];
	struct statx st;
	int r;

	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return 0;
	if (++c->entries > MAX_ENTRIES)
		return -E2BIG;
	r = sys_statx(from, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &st);
	if (r < 0)
		return r == -ENOENT ? 0 : r; /* removed meanwhile */
	if (S_ISDIR(st.stx_mode))
		return enter(c, name);
	if (S_ISREG(st.stx_mode))
		r = copy_file(from, to, name);
	else if (S_ISLNK(st.stx_mode))
		r = copy_link(from, to, name, &st);
	else if (S_ISFIFO(st.stx_mode))
		r = copy_fifo(to, name, &st);
	return r == -EXDEV ? 0 : r; /* a file that is a mount of its own */
}

/* Copies what the buffer holds; stops where a directory was entered. */
static int copy_chunk(struct copier *c, const char *data, size_t size)
{
	int from = c->from[c->depth], depth = c->depth;

	for (size_t at = 0; at < size && c->depth == depth;) {
		const struct entry *e = (const void *)(data + at); /* aligned by the kernel */
		int r = copy_entry(c, e->name);

		if (r < 0)
			return op_note(c->ctx, PHASE_COPY, r, e->name);
		at += e->size;
		if (c->depth != depth && sys_lseek(from, e->next, SEEK_SET) < 0)
			return op_note(c->ctx, PHASE_COPY, -EIO, e->name);
	}
	return 0;
}

static int copy_all(struct copier *c)
{
	_Alignas(struct entry) char data[2048];
	int r = 0;

	while (c->depth >= 0 && r == 0) {
		ssize_t n = sys_getdents64(c->from[c->depth], data, sizeof(data));

		if (n > 0)
			r = copy_chunk(c, data, (size_t)n);
		else
			r = n == 0 ? leave(c) : (int)n;
	}
	return r;
}

int copy_tree(int from, int to, struct op_ctx *ctx)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	struct copier c = { .depth = 0, .ctx = ctx };
	int r;

	(void)op_note(ctx, PHASE_COPY, 0, "");
	c.from[0] = sys_openat(from, ".", flags, 0);
	if (c.from[0] < 0)
		return c.from[0];
	c.to[0] = sys_openat(to, ".", flags, 0);
	if (c.to[0] < 0) {
		(void)sys_close(c.from[0]);
		return c.to[0];
	}
	r = copy_all(&c);
	for (; c.depth >= 0; c.depth--) {
		(void)sys_close(c.from[c.depth]);
		(void)sys_close(c.to[c.depth]);
	}
	return r;
}
