/*
 * cmd_logs.c - `containr logs`: what a detached container said (run/output.h has the format).
 *
 * Its lines are whatever the container wanted them to be. They go out byte by byte as they came in,
 * to the stream that they came from, as docker has it; nothing of them is looked at but where they
 * end.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "cli/commands.h"
#include "cli/people.h"
#include "cli/rows.h"

#define MAX_FILES 101 /* of one log: run_detach.c */
#define CHUNK     (64 * 1024)
#define LOOK_MS   1000 /* how often to look without having been told that there is something */
#define POLL_MS   100  /* the same where nobody tells */

const struct option_row people_logs_options[] = {
	{ "follow", 'f', OPTION_FLAG, AT(life.follow), NULL, "go on until the container ends" },
	{ "tail", 'n', OPTION_TEXT, AT(life.tail), "n", "the last n lines only (all)" },
	{ "timestamps", 't', OPTION_FLAG, AT(life.timestamps), NULL, "when each line came" },
	{ "since", 0, OPTION_TEXT, AT(life.since), "time",
	  "later lines only: 10m, 1h30m, 2026-01-31T12:00:00Z or seconds since 1970" },
	{ "until", 0, OPTION_TEXT, AT(life.until), "time", "earlier lines only" },
	{ 0 },
};

enum { STDOUT, STDERR, STREAMS };

struct logs {
	struct cli *cli;
	int dir;
	size_t n;
	int files[MAX_FILES];      /* the oldest first; the last one is being written to */
	char since[40], until[40]; /* in the form of the lines, or "" */
	bool timestamps, counts;   /* counts: lines are not printed but counted */
	uint64_t skip, lines;
	bool open_line[STREAMS]; /* its last part did not end the line */
	int stream;              /* of what is in `out` */
	struct buf out;
};

static void logs_done(struct logs *l)
{
	for (size_t i = 0; i < l->n; i++)
		(void)close(l->files[i]);
	if (l->dir >= 0)
		(void)close(l->dir);
	buf_done(&l->out);
}

/* ---- when ------------------------------------------------------------------------------------
 */

static void say_time(int64_t sec, char ret[40])
{
	time_t seconds = (time_t)sec;
	struct tm utc;

	ret[0] = '\0';
	if (gmtime_r(&seconds, &utc))
		(void)strftime(ret, 40, "%Y-%m-%dT%H:%M:%S", &utc);
}

/* "1h30m", "10m", "45s": seconds, or -1. */
static int64_t duration(const char *text)
{
	static const char units[] = "smhd";
	static const int64_t scale[] = { 1, 60, 3600, 86400 };
	int64_t sum = 0;

	do {
		const size_t digits = strspn(text, "0123456789");
		const char *unit = text[digits] ? strchr(units, text[digits]) : NULL;
		int64_t number = 0;

		if (digits == 0 || digits > 9 || !unit)
			return -1;
		for (size_t i = 0; i < digits; i++)
			number = number * 10 + text[i] - '0';
		sum += number * scale[unit - units];
		text += digits + 1;
	} while (*text);
	return sum;
}

/* 2026-01-31, 2026-01-31T12:00:00, with a fraction, with a Z */
static bool is_date(const char *text, char ret[40])
{
	static const char form[] = "0000-00-00T00:00:00.000000000";
	size_t i = 0;

	for (; text[i] && text[i] != 'Z' && i < sizeof(form) - 1; i++)
		if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return false;
	if ((text[i] == 'Z' ? text[i + 1] : text[i]) || (i != 10 && i < 19))
		return false;
	(void)snprintf(ret, 40, "%.*s", (int)i, text);
	return true;
}

static int set_time(struct cli *cli, const char *flag, const char *text, char ret[40])
{
	uint64_t seconds;

	ret[0] = '\0';
	if (!given(text) || is_date(text, ret))
		return 0;
	if (num_u64(text, INT32_MAX * 64ULL, &seconds) == 0) {
		say_time((int64_t)seconds, ret);
		return 0;
	}
	if (duration(text) >= 0) {
		say_time((int64_t)time(NULL) - duration(text), ret);
		return 0;
	}
	return err_say(&cli->err, -EINVAL,
		       "--%s %.100s: expected a time ago (10m, 1h30m), a date "
		       "(2026-01-31T12:00:00Z) or seconds since 1970",
		       flag, text);
}

/* ---- lines -----------------------------------------------------------------------------------
 */

static void put_out(struct logs *l)
{
	const int fd = l->stream == STDERR ? STDERR_FILENO : STDOUT_FILENO;

	for (size_t done = 0; done < l->out.len;) {
		ssize_t n = write(fd, l->out.data + done, l->out.len - done);

		if (n < 0 && errno != EINTR)
			break; /* nobody reads it any more; the other stream may have a reader */
		done += n > 0 ? (size_t)n : 0;
	}
	l->out.len = 0;
}

static bool is_in_time(const struct logs *l, const char *when, size_t len)
{
	char text[40];

	if (len >= sizeof(text))
		return false;
	memcpy(text, when, len);
	text[len] = '\0';
	return strcmp(text, l->since) >= 0 && (!*l->until || strcmp(text, l->until) < 0);
}

struct part {
	const char *when, *text;
	size_t when_len, len;
	int stream;
	bool full; /* the line ends with it */
};

static void take_part(struct logs *l, const struct part *part)
{
	bool begins = !l->open_line[part->stream];

	l->open_line[part->stream] = !part->full;
	if (!is_in_time(l, part->when, part->when_len))
		return;
	l->lines += begins;
	if (l->counts || l->lines <= l->skip)
		return;
	if (l->stream != part->stream || l->out.len > CHUNK)
		put_out(l);
	l->stream = part->stream;
	if (l->timestamps && begins) {
		buf_add(&l->out, part->when, part->when_len);
		buf_str(&l->out, " ");
	}
	buf_add(&l->out, part->text, part->len);
	if (part->full)
		buf_str(&l->out, "\n");
}

/* "TIME stdout|stderr F|P text"; what has another form was not written by us. */
static void take_line(struct logs *l, const char *line, size_t len)
{
	static const char *const streams[STREAMS] = { " stdout ", " stderr " };
	const size_t head = strlen(" stdout F ");
	const char *space = memchr(line, ' ', len);
	const size_t when = space ? (size_t)(space - line) : 0;

	if (!space || when + head > len || space[head - 1] != ' ' ||
	    (space[head - 2] != 'F' && space[head - 2] != 'P'))
		return;
	for (int i = 0; i < STREAMS; i++)
		if (memcmp(space, streams[i], strlen(streams[i])) == 0)
			take_part(l, &(struct part){ .when = line,
						     .when_len = when,
						     .text = space + head,
						     .len = len - when - head,
						     .stream = i,
						     .full = space[head - 2] == 'F' });
}

/* Up to its end now; a line that is not whole yet is left for the next time. */
static int take_file(struct logs *l, int fd)
{
	char data[CHUNK];
	ssize_t n;

	while ((n = read(fd, data, sizeof(data))) > 0) {
		const char *line = data, *end;

		while ((end = memchr(line, '\n', (size_t)(data + n - line)))) {
			take_line(l, line, (size_t)(end - line));
			line = end + 1;
		}
		if (line == data) {
			/* A line that fills the buffer is none of ours. */
			if (n < (ssize_t)sizeof(data))
				(void)lseek(fd, -n, SEEK_CUR);
			break;
		}
		(void)lseek(fd, line - (data + n), SEEK_CUR);
	}
	if (!l->counts)
		put_out(l);
	return n < 0 ? -errno : 0;
}

/* ---- files -----------------------------------------------------------------------------------
 */

static void file_name(unsigned int n, char ret[32])
{
	if (n == 0)
		(void)snprintf(ret, 32, STATE_LOG);
	else
		(void)snprintf(ret, 32, STATE_LOG ".%u", n);
}

static int open_file(const struct logs *l, unsigned int n)
{
	char name[32];
	int fd;

	file_name(n, name);
	fd = openat(l->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static bool same_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_ino == y.st_ino;
}

/*
 * The newest first; one that was renamed meanwhile is met twice, and while they are renamed one
 * name is missing: the first, too.
 */
static int open_files(struct logs *l, const char *id)
{
	int r = -ENOENT;

	for (unsigned int n = 0; n < MAX_FILES && r == -ENOENT; n++) {
		int fd = open_file(l, n);

		if (fd < 0)
			r = fd;
		else if (l->n > 0 && same_file(fd, l->files[l->n - 1]))
			(void)close(fd);
		else
			l->files[l->n++] = fd;
	}
	for (size_t i = 0; i < l->n / 2; i++) {
		int fd = l->files[i];

		l->files[i] = l->files[l->n - 1 - i];
		l->files[l->n - 1 - i] = fd;
	}
	if (l->n > 0 || r != -ENOENT)
		return l->n > 0 ? 0 : err_set(&l->cli->err, r, "open the log of container %s", id);
	(void)err_say(&l->cli->err, -ENOENT, "container %s has no log", id);
	return err_hint(&l->cli->err, "output is kept of what `containr run --detach` started "
				      "without --log-driver none");
}

static int take_files(struct logs *l)
{
	int r = 0;

	for (size_t i = 0; i < l->n && r == 0; i++)
		r = take_file(l, l->files[i]);
	return r < 0 ? err_set(&l->cli->err, r, "read the log") : 0;
}

/* Counts first; what comes meanwhile is later than the last n lines, and is shown. */
static int skip_to_tail(struct logs *l, uint64_t tail)
{
	int r;

	l->counts = true;
	r = take_files(l);
	l->skip = l->lines > tail ? l->lines - tail : 0;
	l->lines = 0;
	l->counts = false;
	memset(l->open_line, 0, sizeof(l->open_line));
	for (size_t i = 0; i < l->n; i++)
		(void)lseek(l->files[i], 0, SEEK_SET);
	return r;
}

/* ---- follow ----------------------------------------------------------------------------------
 */

/* The file that was begun after ours, which was renamed: a descriptor, or -ENOENT: ours is last. */
static int open_next(const struct logs *l, int ours)
{
	for (unsigned int n = 1; n < MAX_FILES; n++) {
		_cleanup_close_ int fd = open_file(l, n);

		if (fd < 0)
			break;
		if (same_file(fd, ours))
			return open_file(l, n - 1);
	}
	return -ENOENT;
}

static int take_news(struct logs *l)
{
	for (;;) {
		int *ours = &l->files[l->n - 1], next, r;
		struct stat st;

		/* With one file, that is begun anew. */
		if (fstat(*ours, &st) == 0 && st.st_size < lseek(*ours, 0, SEEK_CUR))
			(void)lseek(*ours, 0, SEEK_SET);
		next = open_next(l, *ours);
		r = take_file(l, *ours);
		if (r < 0 || next < 0)
			return r;
		(void)close(*ours);
		*ours = next;
	}
}

static int watch_dir(int dir)
{
	char path[32];
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", dir);
	if (fd >= 0 && inotify_add_watch(fd, path, IN_MODIFY | IN_CREATE) < 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

/* Until whoever writes the log is gone, which comes after the end of the container. */
static int follow(struct logs *l)
{
	_cleanup_close_ int writer = state_watcher_open(l->dir, NULL);
	_cleanup_close_ int news = watch_dir(l->dir);
	bool ended = writer < 0;
	int r = 0;

	while (r == 0 && !ended) {
		struct pollfd fds[] = { { .fd = writer, .events = POLLIN },
					{ .fd = news, .events = POLLIN } };
		char events[4096];

		(void)poll(fds, 2, news < 0 ? POLL_MS : LOOK_MS);
		if (news >= 0)
			(void)!read(news, events, sizeof(events));
		ended = fds[0].revents;
		r = take_news(l);
	}
	return r < 0 ? err_set(&l->cli->err, r, "read the log") : 0;
}

/* ---- the command -----------------------------------------------------------------------------
 */

static int set_up(struct logs *l, const char *id, uint64_t *ret_tail)
{
	const struct life_flags *f = &l->cli->o.life;
	int r = set_time(l->cli, "since", f->since, l->since);

	*ret_tail = UINT64_MAX;
	if (r == 0)
		r = set_time(l->cli, "until", f->until, l->until);
	/* Any negative number means all, for docker and podman. */
	if (r == 0 && given(f->tail) && strcmp(f->tail, "all") != 0 && f->tail[0] != '-' &&
	    num_u64(f->tail, UINT64_MAX, ret_tail) < 0)
		r = err_say(&l->cli->err, -EINVAL, "--tail %.100s: expected a number or all",
			    f->tail);
	if (r < 0)
		return r;
	l->timestamps = f->timestamps;
	l->dir = state_open(cli_root(l->cli), id, false, &l->cli->err);
	return l->dir < 0 ? l->dir : open_files(l, id);
}

int people_logs(struct cli *cli)
{
	_cleanup_(logs_done) struct logs l = { .cli = cli, .dir = -1 };
	uint64_t tail;
	int r = set_up(&l, cli->args.v[0], &tail);

	if (r == 0 && tail != UINT64_MAX)
		r = skip_to_tail(&l, tail);
	if (r == 0)
		r = take_files(&l);
	return r == 0 && cli->o.life.follow ? follow(&l) : r;
}
