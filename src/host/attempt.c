/*
 * attempt.c - see attempt.h.
 */
#include "host/attempt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define PATIENCE_S 10

static int await(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGALRM ? -ETIMEDOUT : -ECHILD;
	return 0;
}

struct attempt attempt_run(int (*fn)(void *data, enum attempt_stage *stage), void *data)
{
	struct attempt result = { -ECHILD, ATTEMPT_NAMESPACE };
	int ends[2], r;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return (struct attempt){ -errno, ATTEMPT_NAMESPACE };
	pid = fork();
	if (pid == 0) {
		/* A file system that hangs must not hang us. */
		(void)alarm(PATIENCE_S);
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		result.err = fn(data, &result.stage);
		_exit(write(ends[1], &result, sizeof(result)) == (ssize_t)sizeof(result) ? 0 : 1);
	}
	r = pid < 0 ? -errno : 0;
	(void)close(ends[1]);
	if (r == 0)
		r = await(pid);
	if (r < 0)
		result.err = r;
	else if (read(ends[0], &result, sizeof(result)) != (ssize_t)sizeof(result))
		result = (struct attempt){ -ECHILD, ATTEMPT_NAMESPACE };
	(void)close(ends[0]);
	return result;
}

/* ---- for what is tried ----------------------------------------------------------------------- */

static int write_text(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t len = (ssize_t)strlen(text);

	return fd >= 0 && write(fd, text, (size_t)len) == len ? 0 : -errno;
}

static int map_own_id(uid_t uid, gid_t gid)
{
	char text[32];
	int r = write_text("/proc/self/setgroups", "deny");

	(void)snprintf(text, sizeof(text), "0 %u 1", uid);
	if (r == 0)
		r = write_text("/proc/self/uid_map", text);
	(void)snprintf(text, sizeof(text), "0 %u 1", gid);
	return r < 0 ? r : write_text("/proc/self/gid_map", text);
}

int attempt_enter(int flags, bool ordinary, enum attempt_stage *stage)
{
	const uid_t uid = geteuid();
	const gid_t gid = getegid();
	int r = 0;

	*stage = ATTEMPT_NAMESPACE;
	if (unshare(ordinary ? flags | CLONE_NEWUSER : flags) < 0)
		return -errno;
	*stage = ATTEMPT_MAP;
	if (ordinary)
		r = map_own_id(uid, gid);
	if (r == 0 && (flags & CLONE_NEWNS) && mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		r = -errno;
	if (r == 0)
		*stage = ATTEMPT_ACTION;
	return r;
}

/* ---- a user namespace to look at --------------------------------------------------------------
 */

static void wait_in_userns(int done)
{
	int r;

	(void)alarm(PATIENCE_S);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	r = unshare(CLONE_NEWUSER) < 0 ? -errno : 0;
	(void)!write(done, &r, sizeof(r));
	for (;;)
		(void)pause();
}

int attempt_userns_begin(void)
{
	int ends[2], r = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		wait_in_userns(ends[1]);
	(void)close(ends[1]);
	if (pid < 0 || read(ends[0], &r, sizeof(r)) != (ssize_t)sizeof(r))
		r = pid < 0 ? -EAGAIN : -ECHILD;
	(void)close(ends[0]);
	if (r < 0 && pid > 0)
		attempt_userns_end(pid);
	return r < 0 ? r : pid;
}

void attempt_userns_end(int pid)
{
	(void)kill(pid, SIGKILL);
	(void)await(pid);
}
