/*
 * status.c - what a container's process is doing now, asked of the kernel each time: nothing that
 * was written down about a process stays true.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "state/state.h"
#include "sys/sys.h"

static const char *const names[] = {
	[STATE_CREATING] = "creating", [STATE_CREATED] = "created", [STATE_RUNNING] = "running",
	[STATE_PAUSED] = "paused",     [STATE_STOPPED] = "stopped",
};

const char *state_status_name(enum state_status status)
{
	return names[status];
}

/*
 * /proc/PID/stat is "PID (NAME) STATE PPID …"; the name may hold anything, also ')' and spaces, so
 * fields count from the last ')'. The state is field 3, the start time field 22.
 */
static uint64_t parse_stat(char *text)
{
	char *p = strrchr(text, ')'), *end;
	uint64_t start = 0;

	if (!p || p[1] != ' ' || strchr("ZX", p[2]))
		return 0;
	p += 2;
	for (int field = 3; field < 22; field++) {
		p = strchr(p, ' ');
		if (!p)
			return 0;
		p++;
	}
	end = strchr(p, ' ');
	if (end)
		*end = '\0';
	return num_u64(p, UINT64_MAX, &start) < 0 ? 0 : start;
}

uint64_t state_start_time(pid_t pid)
{
	char path[32], text[1024];
	_cleanup_close_ int fd = -1;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return 0;
	n = sys_read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	return parse_stat(text);
}

/*
 * By way of the descriptor: the path below --root may be longer than an address can be. Without
 * waiting: an init that is frozen takes no connection from a queue that is full.
 */
int state_gate(int dir)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd =
	    sys_socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return fd;
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/" STATE_GATE,
		       dir);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	if (sys_fcntl(fd, F_SETFL, 0) < 0)
		return -EBADF;
	return take_fd(&fd);
}

/* Whoever makes a container holds its lock, and a process that is gone holds none. */
static bool is_being_made(int dir)
{
	/* A description of its own: asking with the caller's would give up the caller's lock. */
	_cleanup_close_ int other = sys_openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	return other >= 0 && flock(other, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

enum state_status state_status(int dir, const struct state *state)
{
	_cleanup_close_ int gate = -EBADF;

	if (state->pid == 0)
		return is_being_made(dir) ? STATE_CREATING : STATE_STOPPED;
	if (state_start_time(state->pid) != state->start_time)
		return STATE_STOPPED;
	/* `start` removes it: then there is nothing to connect to. */
	gate = sys_faccessat(dir, STATE_GATE, F_OK) < 0 ? -ENOENT : state_gate(dir);
	return gate >= 0 || gate == -EAGAIN ? STATE_CREATED : STATE_RUNNING;
}
