/*
 * proc_cover.c - see proc_cover.h.
 */
#include "host/proc_cover.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "sys/sys.h"

#define TABLE_CAP (16 * 1024 * 1024)

/* Directories that the kernel keeps empty for mounts: whoever covers them covers nothing. */
static const char *const mount_points[] = {
	"/proc/sys/fs/binfmt_misc",
	"/proc/fs/nfsd",
	"/proc/openprom",
	NULL,
};

static bool is_mount_point(const char *path, size_t len)
{
	for (size_t i = 0; mount_points[i]; i++)
		if (strlen(mount_points[i]) == len && memcmp(mount_points[i], path, len) == 0)
			return true;
	return false;
}

/* The fifth word: "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw". */
static const char *mounted_on(const char *line)
{
	for (int i = 0; i < 4; i++) {
		line += strcspn(line, " \n");
		line += *line == ' ';
	}
	return line;
}

const char *proc_cover_parse(struct arena *arena, const char *text)
{
	static const char below[] = "/proc/";

	for (const char *line = text; *line;) {
		const char *path = mounted_on(line);
		size_t len = strcspn(path, " \n");

		if (strncmp(path, below, sizeof(below) - 1) == 0 && !is_mount_point(path, len))
			return arena_strndup(arena, path, len);
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return NULL;
}

int proc_cover_find(struct arena *arena, const char **ret, struct err *err)
{
	_cleanup_close_ int fd =
	    sys_openat(AT_FDCWD, "/proc/self/mountinfo", O_RDONLY | O_CLOEXEC, 0);
	_cleanup_buf_ struct buf text = { 0 };
	int r = fd < 0 ? fd : buf_read_fd(&text, fd, TABLE_CAP);

	if (r < 0)
		return err_set(err, r, "read /proc/self/mountinfo");
	*ret = proc_cover_parse(arena, buf_text(&text));
	return arena_failed(arena) ? err_set(err, -ENOMEM, "read /proc/self/mountinfo") : 0;
}
