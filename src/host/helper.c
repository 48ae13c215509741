/*
 * helper.c - see helper.h.
 *
 * Its outputs are files in memory: nothing has to be read while it runs, and what it leaves behind
 * in the background cannot hold us up.
 */
#include "host/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define OUTPUT_CAP   (16 * 1024 * 1024)
#define MESSAGES_CAP 400

struct files {
	int in, out, messages;
};

static void files_done(const struct files *f)
{
	close_fdp(&f->in);
	close_fdp(&f->out);
	close_fdp(&f->messages);
}

static int start(const char *const *argv, const struct files *f, pid_t *ret)
{
	char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char *env[] = { path, NULL };
	posix_spawn_file_actions_t actions;
	int r = -posix_spawn_file_actions_init(&actions);

	if (r < 0)
		return r;
	r = -posix_spawn_file_actions_adddup2(&actions, f->in, STDIN_FILENO);
	if (r == 0)
		r = -posix_spawn_file_actions_adddup2(&actions, f->out, STDOUT_FILENO);
	if (r == 0)
		r = -posix_spawn_file_actions_adddup2(&actions, f->messages, STDERR_FILENO);
	/* posix_spawn does not write to argv; its type is older than const. */
	if (r == 0)
		r = -posix_spawn(ret, argv[0], &actions, NULL, (char **)(uintptr_t)argv, env);
	(void)posix_spawn_file_actions_destroy(&actions);
	return r;
}

static int await(pid_t pid, int *ret_status)
{
	while (waitpid(pid, ret_status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static int collect(int fd, struct buf *to)
{
	if (!to)
		return 0;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	return buf_read_fd(to, fd, OUTPUT_CAP);
}

static int collect_line(int fd, struct buf *to)
{
	char text[MESSAGES_CAP];
	ssize_t n = to ? pread(fd, text, sizeof(text), 0) : 0;

	if (n < 0)
		return -errno;
	while (n > 0 && text[n - 1] == '\n')
		n--;
	for (ssize_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < ' ')
			text[i] = ' ';
	if (to)
		buf_add(to, text, (size_t)n);
	return 0;
}

int helper_run(const char *const *argv, int in, struct buf *out, struct buf *messages,
	       struct err *err)
{
	_cleanup_(files_done) struct files f = {
		.in = in < 0 ? open("/dev/null", O_RDONLY | O_CLOEXEC)
			     : fcntl(in, F_DUPFD_CLOEXEC, 3),
		.out = memfd_create("out", MFD_CLOEXEC),
		.messages = memfd_create("messages", MFD_CLOEXEC),
	};
	int status = 0, r;
	pid_t pid = -1;

	if (f.in < 0 || f.out < 0 || f.messages < 0)
		return err_set(err, -errno, "make the files for %s", argv[0]);
	r = start(argv, &f, &pid);
	if (r < 0)
		return err_set(err, r, "start %s", argv[0]);
	r = await(pid, &status);
	if (r == 0)
		r = collect(f.out, out);
	if (r == 0)
		r = collect_line(f.messages, messages);
	if (r < 0)
		return err_set(err, r, "run %s", argv[0]);
	if (!WIFEXITED(status))
		return err_say(err, -ECANCELED, "%s was killed by signal %d", argv[0],
			       WTERMSIG(status));
	return WEXITSTATUS(status);
}
