/*
 * record.c - what whoever watches a container writes down: who that is, and how it ended.
 *
 * The file `exit` is there, empty, before the program runs, so that who waits can hold it open and
 * still read it when somebody removes the container meanwhile. Numbers in one line, as in `init`; a
 * line without its end was not written to its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "state/state.h"
#include "sys/sys.h"

#define MAX_LINE 512
#define PID_MAX  4194304 /* PID_MAX_LIMIT of the kernel */

/* Members of struct state_exit, in the order of the line. */
static const size_t members[] = {
	offsetof(struct state_exit, status),      offsetof(struct state_exit, signal),
	offsetof(struct state_exit, sec),         offsetof(struct state_exit, nsec),
	offsetof(struct state_exit, oom_kills),   offsetof(struct state_exit, memory_limit),
	offsetof(struct state_exit, memory_peak), offsetof(struct state_exit, pids_refused),
	offsetof(struct state_exit, pids_limit),
};

#define N_MEMBERS (sizeof(members) / sizeof(members[0]))

static int create(int dir, const char *name)
{
	return sys_openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* Short enough to be written at once, or not at all. */
static int write_line(int fd, const char *text, size_t len)
{
	ssize_t n = sys_write(fd, text, len);

	if (n < 0)
		return (int)n;
	return (size_t)n == len ? 0 : -ENOSPC;
}

/* 1: `text` has a whole line, without its end; 0: the file is not complete, or a negative errno. */
static int read_text(int fd, char *text, size_t size)
{
	ssize_t len = sys_lseek(fd, 0, SEEK_SET) < 0 ? -EIO : sys_read(fd, text, size - 1);

	if (len < 0)
		return (int)len;
	if (len == 0 || text[len - 1] != '\n')
		return 0;
	text[len - 1] = '\0';
	return 1;
}

/* What follows n numbers, or NULL: there are others, or none. */
static const char *take_numbers(char *text, size_t n, uint64_t *ret)
{
	char *word = text, *end;

	for (size_t i = 0; i < n; i++, word = end) {
		end = word + strcspn(word, " ");
		if (*end)
			*end++ = '\0';
		if (num_u64(word, UINT64_MAX, &ret[i]) < 0)
			return NULL;
	}
	return word;
}

/* 1: the line has n numbers, 0: the file is not complete, or a negative errno. */
static int read_line(int fd, size_t n, uint64_t *ret)
{
	char text[MAX_LINE];
	int r = read_text(fd, text, sizeof(text));

	return r == 1 && !take_numbers(text, n, ret) ? -EINVAL : r;
}

/* ---- how it ended ------------------------------------------------------------------------ */

int state_exit_create(int dir)
{
	return create(dir, STATE_EXIT);
}

int state_exit_open(int dir)
{
	return sys_openat(dir, STATE_EXIT, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
}

int state_exit_write(int fd, const struct state_exit *e)
{
	char text[MAX_LINE];
	int len = 0;

	for (size_t i = 0; i < N_MEMBERS; i++) {
		const uint64_t *number = (const void *)((const char *)e + members[i]);

		len += snprintf(text + len, sizeof(text) - (size_t)len, "%" PRIu64 "%s", *number,
				i + 1 < N_MEMBERS ? " " : "\n");
	}
	return write_line(fd, text, (size_t)len);
}

int state_exit_read(int fd, struct state_exit *ret)
{
	uint64_t numbers[N_MEMBERS];
	int r = read_line(fd, N_MEMBERS, numbers);

	if (r <= 0)
		return r;
	for (size_t i = 0; i < N_MEMBERS; i++)
		memcpy((char *)ret + members[i], &numbers[i], sizeof(numbers[i]));
	return 1;
}

int state_exit_watch(int fd)
{
	_cleanup_close_ int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	char path[32];

	if (watch < 0)
		return -errno;
	/* The file that is open, whatever has its name by now. */
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (inotify_add_watch(watch, path, IN_MODIFY) < 0)
		return -errno;
	return take_fd(&watch);
}

/* ---- who serves its overlays ------------------------------------------------------------- */

/* A pidfd of a process with a line "PID STARTTIME", or -ESRCH. */
static int open_process(int dir, const char *name)
{
	_cleanup_close_ int fd = sys_openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
	_cleanup_close_ int pidfd = -EBADF;
	uint64_t numbers[2];

	if (fd < 0)
		return fd;
	if (read_line(fd, 2, numbers) <= 0 || numbers[0] == 0 || numbers[0] > PID_MAX)
		return -ESRCH;
	pidfd = sys_pidfd_open((pid_t)numbers[0], 0);
	if (pidfd < 0 || state_start_time((pid_t)numbers[0]) != numbers[1])
		return -ESRCH;
	return take_fd(&pidfd);
}

int state_servers_end(int dir, int ms)
{
	int killed = 0;

	for (int i = 0;; i++) {
		char name[32];
		_cleanup_close_ int pidfd = -EBADF;
		struct pollfd end = { .events = POLLIN };

		(void)snprintf(name, sizeof(name), STATE_SERVER "%d", i);
		pidfd = open_process(dir, name);
		if (pidfd == -ENOENT)
			return killed;
		end.fd = pidfd;
		if (pidfd >= 0 && poll(&end, 1, ms) == 0)
			killed += sys_pidfd_send_signal(pidfd, SIGKILL) == 0;
	}
}

/* ---- images that others were let into ---------------------------------------------------- */

int state_images_write(int dir, const struct state_images *images)
{
	_cleanup_close_ int fd = create(dir, STATE_IMAGES);
	char text[MAX_LINE + PATH_MAX];
	int len = snprintf(text, sizeof(text),
			   "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %s\n", images->dir_mode,
			   images->clocks_mode, images->device, images->inode, images->path);

	return fd < 0 ? fd : write_line(fd, text, (size_t)len);
}

int state_images_read(int dir, struct state_images *ret)
{
	_cleanup_close_ int fd =
	    sys_openat(dir, STATE_IMAGES, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
	char text[MAX_LINE + PATH_MAX];
	uint64_t numbers[4];
	const char *path;
	int r = fd == -ENOENT ? 0 : fd;

	if (fd >= 0)
		r = read_text(fd, text, sizeof(text));
	if (r <= 0)
		return r;
	path = take_numbers(text, 4, numbers);
	if (!path || strlen(path) >= sizeof(ret->path))
		return -EINVAL;
	*ret = (struct state_images){ numbers[0], numbers[1], numbers[2], numbers[3], "" };
	memcpy(ret->path, path, strlen(path));
	return 1;
}

/* ---- who watches ------------------------------------------------------------------------- */

int state_watcher_write(int dir, pid_t pid, bool detached)
{
	_cleanup_close_ int fd = create(dir, STATE_WATCHER);
	char text[64];
	int len = snprintf(text, sizeof(text), "%d %" PRIu64 " %d\n", pid, state_start_time(pid),
			   detached);

	return fd < 0 ? fd : write_line(fd, text, (size_t)len);
}

int state_watcher_open(int dir, struct state_watcher *ret)
{
	_cleanup_close_ int fd =
	    sys_openat(dir, STATE_WATCHER, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
	_cleanup_close_ int pidfd = -EBADF;
	uint64_t numbers[3];
	int r = fd < 0 ? fd : read_line(fd, 3, numbers);

	if (r <= 0)
		return r == 0 || r == -ENOENT ? -ESRCH : r;
	if (numbers[0] == 0 || numbers[0] > PID_MAX)
		return -EINVAL;
	pidfd = sys_pidfd_open((pid_t)numbers[0], 0);
	if (pidfd < 0)
		return pidfd;
	if (numbers[1] == 0 || state_start_time((pid_t)numbers[0]) != numbers[1])
		return -ESRCH;
	if (ret)
		*ret = (struct state_watcher){ (pid_t)numbers[0], numbers[2] != 0 };
	return take_fd(&pidfd);
}
