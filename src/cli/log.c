/*
 * log.c - errors and warnings: to standard error for people, to --log for engines.
 *
 * Engines read the last line with "level":"error" of a JSON log. Texts may contain what an image or
 * a bundle says, so nothing in them reaches a terminal as a control character.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/parts.h"

static void write_all(int fd, const struct buf *text)
{
	size_t done = 0;

	while (done < text->len) {
		ssize_t n = write(fd, text->data + done, text->len - done);

		if (n < 0 && errno != EINTR)
			return; /* there is nowhere left to complain */
		done += n > 0 ? (size_t)n : 0;
	}
}

static void add_time(struct buf *out)
{
	time_t now = time(NULL);
	struct tm utc;
	char text[32] = "";

	if (gmtime_r(&now, &utc))
		(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
	buf_str(out, text);
}

static void format_line(const struct cli *cli, const char *level, const char *text, struct buf *out)
{
	if (cli->o.log_format && strcmp(cli->o.log_format, "json") == 0) {
		buf_printf(out, "{\"level\":\"%s\",\"msg\":", level);
		buf_json_str(out, text);
		buf_str(out, ",\"time\":\"");
		add_time(out);
		buf_str(out, "\"}\n");
		return;
	}
	buf_str(out, "time=\"");
	add_time(out);
	buf_printf(out, "\" level=%s msg=", level);
	buf_json_str(out, text);
	buf_str(out, "\n");
}

static int open_log(const struct cli *cli, struct err *err)
{
	int fd = open(cli->o.log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);

	return fd < 0 ? err_set(err, -errno, "open the log %s", cli->o.log) : fd;
}

/* "PROGRAM: text", every line of it harmless. */
static void say(const struct cli *cli, const char *label, const char *text)
{
	_cleanup_buf_ struct buf out = { 0 };

	buf_printf(&out, "%s: %s%s\n", cli->program->name, label, text);
	for (size_t i = 0; i + 1 < out.len; i++)
		if ((unsigned char)out.data[i] < 0x20 || out.data[i] == 0x7f)
			out.data[i] = '?';
	write_all(STDERR_FILENO, &out);
}

void log_line(const struct cli *cli, const char *level, const char *text)
{
	_cleanup_close_ int log = -1;
	_cleanup_buf_ struct buf out = { 0 };
	struct err err;

	format_line(cli, level, text, &out);
	if (!cli->o.log) {
		write_all(STDERR_FILENO, &out);
		return;
	}
	log = open_log(cli, &err);
	if (log < 0)
		say(cli, "", err.msg);
	else
		write_all(log, &out);
}

/*
 * People get the message and, on a line of its own, what they can do about it. Engines get one line
 * that has both, in the log or in its place on standard error.
 */
void log_error(const struct cli *cli)
{
	const struct err *err = &cli->err;
	bool json = cli->o.log_format && strcmp(cli->o.log_format, "json") == 0;
	_cleanup_buf_ struct buf line = { 0 };

	buf_printf(&line, *err->hint ? "%s (%s)" : "%s%s", err->msg, err->hint);
	if (cli->o.log || json)
		log_line(cli, "error", buf_text(&line));
	if (!cli->o.log && json)
		return;
	say(cli, "", err->msg);
	if (*err->hint)
		say(cli, "hint: ", err->hint);
}

void cli_warn(const struct cli *cli, const char *text)
{
	if (cli->o.log)
		log_line(cli, "warning", text);
	else
		say(cli, "warning: ", text);
}

void cli_warn_lines(const struct cli *cli, const struct buf *text)
{
	for (const char *line = buf_text(text); *line;) {
		size_t len = strcspn(line, "\n");
		_cleanup_buf_ struct buf one = { 0 };

		buf_add(&one, line, len);
		cli_warn(cli, buf_text(&one));
		line += len + (line[len] == '\n');
	}
}

void cli_debug(const struct cli *cli, const char *text)
{
	if (cli->o.debug)
		log_line(cli, "debug", text);
}
