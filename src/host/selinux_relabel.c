/*
 * selinux_relabel.c - other labels for a volume; see selinux_relabel() in selinux.h.
 *
 * The tree may be somebody else's, who moves things about while we walk it. So each directory is
 * opened in the one above it by a single name, not followed, and the label is put on what the
 * descriptor is, not on what a path says. What is mounted in it is left alone, for a bind mount may
 * be of anything.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "host/selinux.h"
#include "sys/sys.h"

#define XATTR     "security.selinux"
#define MAX_DEPTH 256 /* a descriptor each */
#define LABEL_MAX 4096

/* Programs of the host look for these with the labels that they have. Their subtrees are another
 * matter: /home/user/data may be given to a container. */
static const char *const refused[] = {
	"/",         "/bin",        "/boot",        "/dev",       "/etc",         "/etc/passwd",
	"/etc/pki",  "/etc/shadow", "/etc/selinux", "/home",      "/lib",         "/lib64",
	"/media",    "/mnt",        "/opt",         "/proc",      "/root",        "/run",
	"/run/user", "/sbin",       "/srv",         "/sys",       "/system",      "/tmp",
	"/usr",      "/usr/bin",    "/usr/lib",     "/usr/lib64", "/usr/libexec", "/usr/local",
	"/usr/sbin", "/usr/share",  "/var",         "/var/lib",   "/var/log",     "/var/run",
	"/var/tmp",
};

struct relabel {
	const char *label;
	const char *at; /* of the volume, for messages */
	struct err *err;
};

/* By what it is, not by what it is called: a link or a bind mount leads there, too. */
static const char *is_refused(const struct stat *st)
{
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct stat other;

		if (stat(refused[i], &other) == 0 && other.st_dev == st->st_dev &&
		    other.st_ino == st->st_ino)
			return refused[i];
	}
	return NULL;
}

static bool has_label(const char *path, const char *label)
{
	char now[LABEL_MAX];
	ssize_t n = getxattr(path, XATTR, now, sizeof(now) - 1);

	if (n <= 0)
		return false;
	now[n] = '\0';
	return strcmp(now, label) == 0;
}

/* Through the link of procfs: fsetxattr() refuses descriptors that were opened without access, and
 * to open a device or a fifo for access has effects. */
static int set(const struct relabel *w, int fd)
{
	char path[40];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (has_label(path, w->label) ||
	    setxattr(path, XATTR, w->label, strlen(w->label) + 1, 0) == 0)
		return 0;
	return -errno;
}

static int fail(const struct relabel *w, int r, const char *name)
{
	(void)err_set(w->err, r, "label %s below %s as %s", name, w->at, w->label);
	if (r == -EOPNOTSUPP)
		(void)err_hint(w->err, "its file system keeps no labels; mount it with the option "
				       "context=LABEL, or use label=disable");
	return r;
}

static int walk_dir(const struct relabel *w, int fd, unsigned int depth);

/* What is gone by now needs no label; what is mounted there is not of the volume. */
static int visit(const struct relabel *w, int dir, const char *name, unsigned int depth)
{
	_cleanup_close_ int fd = sys_openat2(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0,
					     RESOLVE_BENEATH | RESOLVE_NO_XDEV);
	_cleanup_close_ int inside = -1;
	struct stat st;
	int r;

	if (fd < 0)
		return fd == -ENOENT || fd == -EXDEV ? 0 : fail(w, fd, name);
	if (fstat(fd, &st) < 0)
		return fail(w, -errno, name);
	r = set(w, fd);
	if (r < 0)
		return fail(w, r, name);
	if (!S_ISDIR(st.st_mode))
		return 0;
	inside = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (inside < 0)
		return fail(w, -errno, name);
	return walk_dir(w, take_fd(&inside), depth + 1);
}

/* Takes the descriptor. */
static int walk_dir(const struct relabel *w, int fd, unsigned int depth)
{
	_cleanup_dir_ DIR *dir = fdopendir(fd);
	const struct dirent *entry;
	int r = 0;

	if (!dir) {
		(void)close(fd);
		return fail(w, -ENOMEM, ".");
	}
	if (depth > MAX_DEPTH)
		return fail(w, -ELOOP, "a directory of too many levels");
	while (r == 0 && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = visit(w, dirfd(dir), entry->d_name, depth);
	return r;
}

/* "user:role:type:s0" of "user:role:type:s0:c1,c2". */
static void without_categories(const char *label, char *text, size_t size)
{
	size_t len = 0;

	for (unsigned int colons = 0; label[len] && len < size - 1; len++) {
		colons += label[len] == ':';
		if (colons == 4)
			break;
		text[len] = label[len];
	}
	text[len] = '\0';
}

static int relabel(const struct relabel *w, int fd)
{
	_cleanup_close_ int inside = -1;
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return fail(w, -errno, ".");
	r = set(w, fd);
	if (r < 0)
		return fail(w, r, ".");
	if (!S_ISDIR(st.st_mode))
		return 0;
	inside = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return inside < 0 ? fail(w, -errno, ".") : walk_dir(w, take_fd(&inside), 0);
}

int selinux_relabel(const char *path, const char *label, bool shared, struct err *err)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
	struct relabel w = { .label = label, .at = path, .err = err };
	char common[LABEL_MAX];
	const char *same;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, -errno, "label volume %s", path);
	same = is_refused(&st);
	if (same) {
		(void)err_say(err, -EPERM, "label volume %s: relabeling %s is not allowed", path,
			      same);
		return err_hint(err,
				"programs of the host need its labels; mount it without :z and "
				":Z, or give the container a directory of its own");
	}
	if (shared) {
		without_categories(label, common, sizeof(common));
		w.label = common;
	}
	return relabel(&w, fd);
}
