/*
 * init_home.c - HOME of the user, from the image's /etc/passwd.
 *
 * The image is hostile: the file is opened inside the root, must be a regular one (a FIFO would
 * hang us), and is read up to a cap. Whatever is wrong with it, HOME stays "/".
 *
 * Must: use sys/ only. Mustn't: allocate, lock, log, or decide (tools/check-init).
 */
#include <string.h>
#include <sys/stat.h>

#include "ops/init_process.h"
#include "sys/sys.h"

#define PASSWD_CAP (1024 * 1024)
#define LINE_SIZE  2048

static int open_passwd(const struct op_ctx *ctx)
{
	struct statx st;
	int fd = sys_openat2(ctx->fd[SLOT_ROOTFS], "etc/passwd",
			     O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0,
			     RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);

	if (fd < 0)
		return fd;
	if (sys_statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &st) < 0 || !S_ISREG(st.stx_mode)) {
		(void)sys_close(fd);
		return -1;
	}
	return fd;
}

static bool same_number(const char *text, const char *end, uint32_t want)
{
	uint64_t number = 0;

	if (text == end)
		return false;
	for (; text < end; text++) {
		if (*text < '0' || *text > '9' || number > UINT32_MAX)
			return false;
		number = number * 10 + (uint64_t)(*text - '0');
	}
	return number == want;
}

/* name:password:uid:gid:comment:home:shell */
static bool take_home(char *line, const struct step_home *want)
{
	char *field[7] = { line };
	size_t n = 1, len;

	for (char *p = line; *p && n < 7; p++)
		if (*p == ':')
			field[n++] = p + 1;
	if (n < 7 || !same_number(field[2], field[3] - 1, want->uid))
		return false;
	len = (size_t)(field[6] - 1 - field[5]);
	if (len > 0 && len < HOME_SIZE && field[5][0] == '/') {
		memcpy(want->entry + strlen("HOME="), field[5], len);
		want->entry[strlen("HOME=") + len] = '\0';
	}
	return true;
}

/* A line of the file as it is put together; one that is too long is passed over. */
struct line {
	size_t len;
	bool too_long;
	char text[LINE_SIZE];
};

/* True once a line has named the user. */
static bool add_byte(struct line *line, char byte, const struct step_home *want)
{
	bool found;

	if (byte != '\n') {
		line->too_long |= line->len == sizeof(line->text) - 1;
		if (!line->too_long)
			line->text[line->len++] = byte;
		return false;
	}
	line->text[line->len] = '\0';
	found = !line->too_long && take_home(line->text, want);
	line->len = 0;
	line->too_long = false;
	return found;
}

static bool add_block(struct line *line, const char *data, ssize_t n, const struct step_home *want)
{
	for (ssize_t i = 0; i < n; i++)
		if (add_byte(line, data[i], want))
			return true;
	return false;
}

int init_home(const struct step *s, struct op_ctx *ctx)
{
	int fd = open_passwd(ctx);
	struct line line;
	char data[4096];

	line.len = 0;
	line.too_long = false;
	for (size_t total = 0; fd >= 0 && total < PASSWD_CAP;) {
		ssize_t n = sys_read(fd, data, sizeof(data));

		if (n <= 0) /* the last line may lack its end */
			(void)add_byte(&line, '\n', &s->home);
		if (n <= 0 || add_block(&line, data, n, &s->home))
			break;
		total += (size_t)n;
	}
	if (fd >= 0)
		(void)sys_close(fd);
	return 0;
}
