/*
 * init_pivot.c - the container's root becomes "/", and the host's goes out of sight.
 *
 * Must: use sys/ only. Mustn't: allocate, lock, log, or decide (tools/check-init).
 */
#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>

#include "ops/init_mount.h"
#include "ops/init_path.h"
#include "sys/sys.h"

/* The new root lies under the old one at the same place: no directory in it is needed for that. */
static int pivot(void)
{
	int r = sys_pivot_root(".", ".");

	return r < 0 ? r : sys_umount2(".", MNT_DETACH);
}

static bool is_whole(int fd)
{
	struct statfs fs;

	return sys_fstatfs(fd, &fs) == 0 &&
	       (fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC);
}

/* Where it cannot be unmounted (it came from another user namespace), it is covered. */
static int cover(const char *path)
{
	_cleanup_fd_ int fs = sys_fsopen("tmpfs");
	_cleanup_fd_ int mount = -1;
	int r = fs < 0 ? fs : sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);

	if (r < 0)
		return r;
	mount = sys_fsmount(fs, MOUNT_ATTR_RDONLY);
	if (mount < 0)
		return hand_on_fd(&mount);
	return sys_move_mount(mount, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH);
}

static int hide(const char *path)
{
	_cleanup_fd_ int before = sys_openat(AT_FDCWD, path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
	_cleanup_fd_ int after = -1;

	/* The list also names the mounts of the container, which are not at these paths here. */
	if (before < 0 || !is_whole(before))
		return 0;
	(void)sys_umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
	after = sys_openat(AT_FDCWD, path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
	return after >= 0 && is_whole(after) ? cover(path) : 0;
}

/* Cuts the n-th word off a line: NULL if there is none. */
static char *word(char *line, int n)
{
	for (; n > 0 && line; n--) {
		line = strchr(line, ' ');
		line = line ? line + 1 : NULL;
	}
	return line;
}

/* Spaces and the like stand in the list as \040. */
static void unescape(char *text)
{
	char *to = text;

	for (; *text; to++) {
		if (text[0] == '\\' && text[1] && text[2] && text[3]) {
			*to = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
			text += 4;
		} else {
			*to = *text++;
		}
	}
	*to = '\0';
}

/* "36 35 0:5 / /proc rw,nosuid shared:1 - proc proc rw" */
static int hide_if_whole(char *line)
{
	char *type = strstr(line, " - "), *root = word(line, 3), *path = word(line, 4);

	if (!type || !root || !path || strncmp(root, "/ ", 2) != 0)
		return 0;
	if (strncmp(type, " - proc ", 8) != 0 && strncmp(type, " - sysfs ", 9) != 0)
		return 0;
	path[strcspn(path, " ")] = '\0';
	unescape(path);
	return hide(path);
}

/* A line is at most two paths and some words long; longer ones name nothing that we look for. */
static int hide_host_mounts(void)
{
	_cleanup_fd_ int list =
	    sys_openat(AT_FDCWD, "/proc/self/mountinfo", O_RDONLY | O_CLOEXEC, 0);
	char data[2 * PATH_MAX];
	size_t len = 0;
	int r = 0;

	/* Without a /proc in sight there is none that could be found. */
	if (list < 0)
		return list == -ENOENT ? 0 : hand_on_fd(&list);
	while (r == 0) {
		ssize_t n = sys_read(list, data + len, sizeof(data) - 1 - len);
		char *line = data, *end;

		if (n <= 0)
			return (int)n;
		len += (size_t)n;
		data[len] = '\0';
		for (; r == 0 && (end = strchr(line, '\n')); line = end + 1) {
			*end = '\0';
			r = hide_if_whole(line);
		}
		len -= (size_t)(line - data);
		if (len == sizeof(data) - 1)
			return -E2BIG;
		memmove(data, line, len);
	}
	return r;
}

/*
 * For a host that runs from its initramfs, whose root cannot be pivoted. The root is attached over
 * "/" already; chroot(2) makes it ours. The host's mounts stay in this namespace, and a whole
 * procfs among them would let the container mount another whole one, without our masks, so those
 * go.
 */
static int move_in(void)
{
	int r = hide_host_mounts();

	return r < 0 ? r : sys_chroot(".");
}

/* Afterwards the working directory is "/", since it is the root's descriptor's. */
int init_pivot(const struct step *s, struct op_ctx *ctx)
{
	struct mount_attr attr = { .propagation = s->pivot.propagation };
	int r = sys_fchdir(ctx->fd[SLOT_ROOTFS]);

	if (r == 0)
		r = s->pivot.no_pivot ? move_in() : pivot();
	/* Only now: earlier, mounts in it would have been seen by its peers. */
	if (r == 0 && attr.propagation) {
		r = sys_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &attr);
		if (r < 0)
			(void)op_note(ctx, PHASE_PROPAGATION, r, "/");
	}
	return r;
}
