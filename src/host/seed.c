/*
 * seed.c - see seed.h.
 */
#include "host/seed.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "sys/sys.h"

#define DIRECTORY "/run/containr"
#define HINT      DIRECTORY "/.kdevtmpfs" /* a link, since that is read by one call */
#define THREAD    "kdevtmpfs"
#define LAST_PID  4096 /* it is made at boot, after a few threads for each CPU */

/* The first user namespace (PROC_USER_INIT_INO, include/linux/proc_ns.h). */
#define INITIAL_USERNS 0xEFFFFFFDUL

static bool has_name(int pid)
{
	char path[64], text[32];
	_cleanup_close_ int fd = -EBADF;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	return strcmp(text, THREAD "\n") == 0;
}

/* A thread of the kernel has no executable; a process that took its name or its pid has. */
static bool is_thread(int pid)
{
	char path[64], text[32];

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	return readlink(path, text, sizeof(text)) < 0 && errno == ENOENT;
}

static int open_namespace(int pid)
{
	_cleanup_close_ int fd = -1, owner = -1;
	struct stat st;
	char path[64];

	if (!is_thread(pid))
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	owner = ioctl(fd, NS_GET_USERNS);
	if (owner < 0 || fstat(owner, &st) < 0 || st.st_ino != INITIAL_USERNS)
		return -1;
	return take_fd(&fd);
}

static int search(void)
{
	for (int pid = 2; pid < LAST_PID; pid++)
		if (has_name(pid) && is_thread(pid))
			return pid;
	return 0;
}

/* "0" remembers that there is none in sight, as in a container. */
static void remember(int pid)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%d", pid);
	(void)sys_mkdirat(AT_FDCWD, DIRECTORY, 0711);
	(void)sys_symlinkat(text, AT_FDCWD, HINT);
}

int seed_open(void)
{
	uint64_t pid = 0;
	char text[16];
	ssize_t n = sys_readlinkat(AT_FDCWD, HINT, text, sizeof(text) - 1);

	if (n < 0) {
		pid = (uint64_t)search();
		remember((int)pid);
	} else {
		text[n] = '\0';
		if (num_u64(text, LAST_PID, &pid) < 0)
			return -1;
	}
	return pid > 0 ? open_namespace((int)pid) : -1;
}
