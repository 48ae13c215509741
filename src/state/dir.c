/*
 * dir.c - the directory of a container: found, locked, listed and removed.
 *
 * What stands in it makes us kill processes and remove cgroups, so it must be ours: owned by us,
 * and writable by nobody else. It is reached by descriptors only, and never through a link.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "state/state.h"
#include "sys/sys.h"

#define MAX_ID       1024
#define LOCK_SECONDS 10
#define LOCK_STEP_NS 2000000L

int state_check_id(const char *id, struct err *err)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_+.-";
	size_t len = strlen(id);

	if (len == 0)
		return err_say(err, -EINVAL, "container id is empty");
	/* A leading dash is an option that was mistyped. */
	if (id[0] == '-' || strcmp(id, ".") == 0 || strcmp(id, "..") == 0 ||
	    strspn(id, letters) != len) {
		(void)err_say(err, -EINVAL, "invalid container id format: \"%.100s\"", id);
		return err_hint(err, "use letters, digits and the signs _ + . -");
	}
	if (len > MAX_ID)
		return err_say(err, -EINVAL,
			       "container id is %zu bytes long, at most %d are allowed", len,
			       MAX_ID);
	return 0;
}

/* ---- opening ----------------------------------------------------------------------------- */

/* As long as an id may be, the message keeps its end, which engines search for. */
static int not_there(const char *id, struct err *err)
{
	return err_say(err, -ENOENT, "container %.200s does not exist", id);
}

static int open_top(const char *root)
{
	return sys_openat(AT_FDCWD, root, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
}

static int open_dir(int top, const char *id)
{
	return sys_openat(top, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
}

static int verify(int dir, const char *root, const char *id, struct err *err)
{
	struct stat st;

	if (fstat(dir, &st) < 0)
		return err_set(err, -errno, "look at %s/%s", root, id);
	if (st.st_uid != geteuid()) {
		(void)err_say(err, -EPERM,
			      "container %s belongs to another user: %s/%s is owned by uid %u, we "
			      "are uid %u: operation not permitted",
			      id, root, id, st.st_uid, geteuid());
		return err_hint(err, "run this command as the user who made the container");
	}
	if (st.st_mode & 022)
		return err_say(err, -EPERM,
			       "%s/%s can be written by others (mode %04o); what it says about "
			       "container %s is not to be trusted",
			       root, id, st.st_mode & 07777, id);
	return 0;
}

static int64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/*
 * flock(2) has no time limit, and a signal that would end it is not ours to set up; so a lock that
 * is taken is tried again and again. Commands hold it for milliseconds.
 */
static int lock_dir(int dir, const char *what, const char *name, struct err *err)
{
	int64_t end = now_ns() + (int64_t)LOCK_SECONDS * 1000000000;
	const struct timespec step = { .tv_nsec = LOCK_STEP_NS };

	while (flock(dir, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EINTR)
			continue;
		if (errno != EWOULDBLOCK)
			return err_set(err, -errno, "lock %s %s", what, name);
		if (now_ns() > end)
			return err_say(err, -EBUSY,
				       "%s %s is busy: another command has been at work on it "
				       "for %d seconds",
				       what, name, LOCK_SECONDS);
		(void)nanosleep(&step, NULL);
	}
	return 0;
}

/*
 * Whoever had the lock before us may have been `delete`. Not all file systems tell that by the
 * number of links, so look whether the name still leads here.
 */
static bool was_removed(int top, const char *id, int dir)
{
	struct stat ours, named;

	return fstat(dir, &ours) < 0 || fstatat(top, id, &named, AT_SYMLINK_NOFOLLOW) < 0 ||
	       ours.st_ino != named.st_ino || ours.st_dev != named.st_dev;
}

int state_open(const char *root, const char *id, bool lock, struct err *err)
{
	_cleanup_close_ int top = -1, dir = -1;
	int r = state_check_id(id, err);

	if (r < 0)
		return r;
	top = open_top(root);
	dir = top < 0 ? top : open_dir(top, id);
	/* The kernel takes shorter names than we do; what it cannot name cannot be there. */
	if (dir == -ENOENT || dir == -ENAMETOOLONG)
		return not_there(id, err);
	if (dir < 0)
		return err_set(err, dir, "open %s/%s", root, id);
	r = verify(dir, root, id, err);
	if (r == 0 && lock)
		r = lock_dir(dir, "container", id, err);
	if (r < 0)
		return r;
	if (lock && was_removed(top, id, dir))
		return not_there(id, err);
	return take_fd(&dir);
}

void state_unlock(int dir)
{
	(void)flock(dir, LOCK_UN);
}

/* ---- their directory --------------------------------------------------------------------- */

int state_open_root(const char *root)
{
	char path[PATH_MAX];
	size_t len = strlen(root);

	if (len >= sizeof(path))
		return -ENAMETOOLONG;
	for (size_t i = 1; i <= len; i++) {
		if (root[i] != '/' && root[i] != '\0')
			continue;
		memcpy(path, root, i);
		path[i] = '\0';
		if (mkdir(path, 0711) < 0 && errno != EEXIST)
			return -errno;
	}
	len = (size_t)open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return (int)len < 0 ? -errno : (int)len;
}

int state_lock_root(const char *root, struct err *err)
{
	_cleanup_close_ int dir = state_open_root(root);
	int r;

	if (dir < 0)
		return err_set(err, dir, "open %s", root);
	r = lock_dir(dir, "the directory of containers", root, err);
	return r < 0 ? r : take_fd(&dir);
}

/* ---- all of them ------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_id(struct arena *arena, struct spec_strings *ids, size_t *max, const char *id)
{
	if (ids->n == *max) {
		size_t more = *max ? *max * 2 : 64;
		char **v = arena_array(arena, more, sizeof(*v));

		if (!v)
			return -ENOMEM;
		if (ids->n > 0)
			memcpy(v, ids->v, ids->n * sizeof(*v));
		ids->v = v;
		*max = more;
	}
	ids->v[ids->n] = arena_strndup(arena, id, strlen(id));
	return ids->v[ids->n++] ? 0 : -ENOMEM;
}

int state_list(const char *root, struct arena *arena, struct spec_strings *ret, struct err *err)
{
	_cleanup_dir_ DIR *dir = opendir(root);
	struct spec_strings ids = { 0 };
	const struct dirent *entry;
	size_t max = 0;
	struct err bad;

	if (!dir && errno != ENOENT)
		return err_set(err, -errno, "open %s", root);
	while (dir && (entry = readdir(dir))) {
		bool is_dir = entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN;

		if (is_dir && state_check_id(entry->d_name, &bad) == 0 &&
		    add_id(arena, &ids, &max, entry->d_name) < 0)
			return err_set(err, -ENOMEM, "list %s", root);
	}
	if (ids.n > 0)
		qsort(ids.v, ids.n, sizeof(*ids.v), by_name);
	*ret = ids;
	return 0;
}

/* ---- removing ---------------------------------------------------------------------------- */

static int remove_entries(int dir, int depth);

static int remove_entry(int dir, const char *name, int depth)
{
	_cleanup_close_ int below = -1;
	int r = sys_unlinkat(dir, name, 0);

	if (r == 0 || r == -ENOENT)
		return 0;
	if (r != -EISDIR || depth == 0)
		return r;
	below = open_dir(dir, name);
	if (below < 0)
		return below;
	r = remove_entries(below, depth - 1);
	return r < 0 ? r : sys_unlinkat(dir, name, AT_REMOVEDIR);
}

/*
 * All but the state itself: while that is there, a removal that was cut short can be repeated.
 * struct dirent of the C libraries is what the kernel gives.
 */
static int remove_entries(int dir, int depth)
{
	_Alignas(struct dirent) char entries[1024];
	const struct dirent *entry;
	ssize_t n;
	int r = 0;

	while (r == 0 && (n = sys_getdents64(dir, entries, sizeof(entries))) > 0) {
		for (ssize_t at = 0; at < n && r == 0; at += entry->d_reclen) {
			entry = (const void *)(entries + at);
			if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			    strcmp(entry->d_name, STATE_FILE) != 0)
				r = remove_entry(dir, entry->d_name, depth);
		}
	}
	return r < 0 ? r : (int)n;
}

int state_remove(const char *root, const char *id, struct err *err)
{
	_cleanup_close_ int top = -1, dir = -1;
	int r = state_check_id(id, err);

	if (r < 0)
		return r;
	top = open_top(root);
	dir = top < 0 ? top : open_dir(top, id);
	r = dir < 0 ? dir : remove_entries(dir, 1);
	if (r == 0)
		r = sys_unlinkat(dir, STATE_FILE, 0);
	if (r == 0 || (r == -ENOENT && dir >= 0))
		r = sys_unlinkat(top, id, AT_REMOVEDIR);
	return r == 0 || r == -ENOENT ? 0 : err_set(err, r, "remove %s/%s", root, id);
}
