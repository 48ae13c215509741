/*
 * init_path.h - paths below the root file system, for code between clone and exec.
 *
 * A path of the configuration is turned into a descriptor once, and everything after that is done
 * to the descriptor. The root's owner may change the tree at any moment and may have filled it with
 * links: whatever they do, the result is below the root (CVE-2019-5736's relatives, CVE-2021-30465,
 * CVE-2024-45310, CVE-2025-31133).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sys/sys.h"

/* close(2) of the C library would write errno, which init shares with the host's process. */
static inline void sys_closep(const int *fd)
{
	if (*fd >= 0)
		(void)sys_close(*fd);
}

#define _cleanup_fd_ __attribute__((cleanup(sys_closep)))

static inline int hand_on_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* Follows links within the root. All descriptors are O_PATH; results are >= 0 or a negative errno.
 */
int path_open(int root, const char *path);

/* Follows none: -ELOOP where there is one. */
int path_open_plain(int root, const char *path);

/*
 * Opens a mount point, and makes what is missing of it: directories, or at its end a file if `like`
 * is the descriptor of something that is not a directory; -1: a directory. Where links lead into a
 * procfs the answer is -EXDEV: a mount there could fake what the kernel says (CVE-2019-16884).
 */
int path_make(int root, const char *path, int like, bool *ret_made);

/* Opens one of the files of the procfs that is mounted at /proc, whose path begins with "/proc/".
 */
int path_open_proc(int root, const char *path);

/* Opens the directory that `path` is in, making what is missing, and finds the name in it. */
int path_make_parent(int root, const char *path, const char **ret_name);

/* 0 if fd is the root of a procfs, -ENODEV if not, or a negative errno. */
int path_is_proc(int fd);

/* 0 if fd is the device that `mode`'s type and the two numbers name, -ENODEV if not, ... */
int path_is_device(int fd, uint32_t mode, uint32_t major, uint32_t minor);
