/*
 * criu_log.c - see criu_log.h. A line of the log is "(00.012345)     77: Error (criu/mount.c:1088):
 * mnt: …", where the pid is there only for those of the container.
 */
#include "ops/criu_log.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "sys/sys.h"

#define MAX_LINES 4
#define TAIL      65536 /* errors stand near its end */

static const char mark[] = "Error (";

struct line {
	const char *at;
	size_t len;
};

static const char *find(const char *text, size_t len, const char *what)
{
	return memmem(text, len, what, strlen(what));
}

static size_t add_line(struct line lines[MAX_LINES], size_t n, struct line line)
{
	if (n == MAX_LINES) {
		memmove(lines, lines + 1, (MAX_LINES - 1) * sizeof(*lines));
		n--;
	}
	lines[n] = line;
	return n + 1;
}

/* Of the first failure all that follows are consequences, but only the last say what was tried. */
static size_t last_errors(const char *log, size_t len, struct line lines[MAX_LINES])
{
	const char *end = log + len;
	size_t n = 0;

	while (log < end) {
		const char *newline = memchr(log, '\n', (size_t)(end - log));
		size_t line_len = (size_t)((newline ? newline : end) - log);
		const char *error = find(log, line_len, mark);

		if (error)
			n = add_line(lines, n,
				     (struct line){ error, line_len - (size_t)(error - log) });
		log += line_len + 1;
	}
	return n;
}

static size_t add_clean(char *to, size_t room, const char *text, size_t len)
{
	size_t n = len < room ? len : room;

	for (size_t i = 0; i < n; i++)
		to[i] = (char)(text[i] < ' ' || text[i] > '~' ? ' ' : text[i]);
	return n;
}

void criu_log_errors(const char *log, size_t len, char *ret, size_t size)
{
	struct line lines[MAX_LINES];
	size_t n = last_errors(log, len, lines), at = 0;

	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			at += add_clean(ret + at, size - 1 - at, "; ", 2);
		at += add_clean(ret + at, size - 1 - at, lines[i].at, lines[i].len);
		while (at > 0 && ret[at - 1] == ' ')
			at--;
	}
	ret[at] = '\0';
}

void criu_log_read(int dir, const char *name, char *ret, size_t size)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	_cleanup_close_ int fd = sys_openat(dir, name, flags, 0);
	_cleanup_buf_ struct buf text = { 0 };
	struct stat st;

	ret[0] = '\0';
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	if (st.st_size > TAIL)
		(void)lseek(fd, st.st_size - TAIL, SEEK_SET);
	if (buf_read_fd(&text, fd, 2 * TAIL) == 0)
		criu_log_errors(buf_text(&text), text.len, ret, size);
}
