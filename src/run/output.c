/*
 * output.c - see output.h.
 *
 * One read, one time stamp, one write: a line that is longer than what came at once is kept in
 * parts. Nothing in a line is interpreted but its end.
 */
#include "run/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "state/state.h"

#define CHUNK      8192
#define HEAD_SIZE  64
#define LAST_READS 64 /* after the end: 512 KiB, more than pipes and terminals hold */

static const char *const streams[OUTPUT_SOURCES] = { "stdout", "stderr" };

void output_init(struct output *o, const struct output_options *options)
{
	o->options = *options;
	o->dir = o->file = -1;
	o->size = 0;
	o->pending = 0;
	o->terminal = false;
	for (size_t i = 0; i < OUTPUT_SOURCES; i++)
		o->sources[i] = (struct output_source){ .fd = -1, .stream = streams[i] };
}

int output_pipes(struct output *o, int ret[OUTPUT_SOURCES], struct err *err)
{
	for (size_t i = 0; i < OUTPUT_SOURCES; i++) {
		int ends[2];

		if (pipe2(ends, O_CLOEXEC) < 0)
			return err_set(err, -errno, "make a pipe for the container's output");
		o->sources[i].fd = ends[0];
		ret[i] = ends[1];
		/* Of our end only: the program's is as programs expect it. */
		if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
			return err_set(err, -errno, "set up the container's output");
	}
	return 0;
}

int output_terminal(struct output *o, int master, struct err *err)
{
	if (master < 0)
		return master;
	o->sources[0].fd = master;
	o->terminal = true;
	/* The other end stays open with us, so that a program may close and open it. */
	o->sources[1].fd = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		return err_set(err, -errno, "set up the container's terminal");
	return 0;
}

/* ---- the file --------------------------------------------------------------------------------
 */

static int open_file(int dir)
{
	return openat(dir, STATE_LOG, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

int output_open(struct output *o, int dir, struct err *err)
{
	o->dir = dir;
	if (!o->options.keep)
		return 0;
	o->file = open_file(dir);
	return o->file < 0 ? err_set(err, -errno, "make the container's " STATE_LOG) : 0;
}

static void old_name(char name[32], unsigned int n)
{
	if (n == 0)
		(void)snprintf(name, 32, STATE_LOG);
	else
		(void)snprintf(name, 32, STATE_LOG ".%u", n);
}

/* What cannot be renamed is overwritten: the limit holds, whatever happens. */
static void rotate(struct output *o)
{
	char from[32], to[32];
	int fd = -1;

	for (unsigned int n = o->options.max_files - 1; n > 0; n--) {
		old_name(from, n - 1);
		old_name(to, n);
		(void)renameat(o->dir, from, o->dir, to);
	}
	if (o->options.max_files > 1)
		fd = open_file(o->dir);
	if (fd >= 0) {
		(void)close(o->file);
		o->file = fd;
	} else {
		(void)ftruncate(o->file, 0);
		(void)lseek(o->file, 0, SEEK_SET);
	}
	o->size = 0;
}

/* All of it or nothing: half a line would take the next one with it. */
static void flush(struct output *o)
{
	size_t len = o->pending, done = 0;

	o->pending = 0;
	if (o->size > 0 && o->size + len > o->options.max_size)
		rotate(o);
	while (done < len) {
		ssize_t n = write(o->file, o->text + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (done < len) {
		(void)ftruncate(o->file, (off_t)o->size);
		(void)lseek(o->file, (off_t)o->size, SEEK_SET);
		return;
	}
	o->size += len;
}

/* ---- lines -----------------------------------------------------------------------------------
 */

static void say_now(char text[40])
{
	struct timespec now = { 0 };
	struct tm utc;
	size_t len = 0;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &utc))
		len = strftime(text, 40, "%Y-%m-%dT%H:%M:%S", &utc);
	(void)snprintf(text + len, 40 - len, ".%09ldZ", now.tv_nsec);
}

static void add_line(struct output *o, const char *head, const char *line, size_t len)
{
	size_t head_len = strlen(head);

	if (o->pending + head_len + len + 1 > sizeof(o->text))
		flush(o);
	memcpy(o->text + o->pending, head, head_len);
	memcpy(o->text + o->pending + head_len, line, len);
	o->pending += head_len + len;
	o->text[o->pending++] = '\n';
}

static void keep(struct output *o, const char *stream, const char *data, size_t len)
{
	char now[40], full[HEAD_SIZE], part[HEAD_SIZE];

	say_now(now);
	(void)snprintf(full, sizeof(full), "%s %s F ", now, stream);
	(void)snprintf(part, sizeof(part), "%s %s P ", now, stream);
	while (len > 0) {
		const char *end = memchr(data, '\n', len);
		size_t line = end ? (size_t)(end - data) : len;

		add_line(o, end ? full : part, data, line);
		line += end ? 1 : 0;
		data += line;
		len -= line;
	}
	flush(o);
}

/* False: there is nothing now, or there will be nothing any more. */
static bool take(struct output *o, struct output_source *source)
{
	char data[CHUNK];
	ssize_t n = read(source->fd, data, sizeof(data));

	if (n > 0 && o->file >= 0)
		keep(o, source->stream, data, (size_t)n);
	if (n > 0)
		return true;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	/* The end of a pipe, or of a terminal (EIO). */
	(void)close(source->fd);
	source->fd = -1;
	return false;
}

static size_t n_read(const struct output *o)
{
	return o->terminal ? 1 : OUTPUT_SOURCES;
}

void output_poll_fds(const struct output *o, struct pollfd fds[OUTPUT_SOURCES])
{
	size_t n = n_read(o);

	for (size_t i = 0; i < OUTPUT_SOURCES; i++)
		fds[i] = (struct pollfd){ i < n ? o->sources[i].fd : -1, POLLIN, 0 };
}

void output_handle(struct output *o, const struct pollfd fds[OUTPUT_SOURCES])
{
	for (size_t i = 0; i < OUTPUT_SOURCES; i++)
		if (fds[i].fd >= 0 && fds[i].revents)
			(void)take(o, &o->sources[i]);
}

void output_finish(struct output *o)
{
	size_t n = n_read(o);

	/* Processes that outlive the program may go on talking: they are not heard out. */
	for (size_t i = 0; i < n; i++)
		for (int k = 0; k < LAST_READS && o->sources[i].fd >= 0; k++)
			if (!take(o, &o->sources[i]))
				break;
}

void output_done(struct output *o)
{
	for (size_t i = 0; i < OUTPUT_SOURCES; i++)
		if (o->sources[i].fd >= 0)
			(void)close(o->sources[i].fd);
	if (o->file >= 0)
		(void)close(o->file);
	output_init(o, &o->options);
}
