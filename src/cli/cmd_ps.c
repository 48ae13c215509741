/*
 * cmd_ps.c - ps: the processes of a container, as numbers, or those lines of the host's ps(1).
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "cli/commands.h"
#include "run/run.h"

#define MAX_OUTPUT (64UL * 1024 * 1024)

const struct option_row ps_options[] = {
	{ "format", 'f', OPTION_TEXT, offsetof(struct options, format), "format", "table or json" },
	{ 0 },
};

struct pids {
	size_t n;
	pid_t *v; /* in ascending order */
};

static bool has_pid(const struct pids *pids, uint64_t pid)
{
	for (size_t i = 0; i < pids->n; i++)
		if ((uint64_t)pids->v[i] == pid)
			return true;
	return false;
}

/* ---- the host's ps ----------------------------------------------------------------------- */

static int spawn_ps(struct cli *cli, int out, pid_t *ret)
{
	static char name[] = "ps", all[] = "-ef", *standard[] = { name, all, NULL };
	posix_spawn_file_actions_t actions;
	char **argv = standard;
	int r;

	/* In the place of the id stands the name of the program. */
	if (cli->args.n > 1) {
		argv = cli->args.v;
		argv[0] = name;
	}
	r = posix_spawn_file_actions_init(&actions);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawnp(ret, name, &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return r == 0 ? 0 : err_set(&cli->err, -r, "start ps");
}

static int run_ps(struct cli *cli, struct buf *text)
{
	_cleanup_close_ int ours = -1, theirs = -1;
	int ends[2], status = 0, r;
	pid_t pid = -1;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(&cli->err, -errno, "make a pipe for ps");
	ours = ends[0];
	theirs = ends[1];
	r = spawn_ps(cli, theirs, &pid);
	if (r < 0)
		return r;
	close_fdp(&theirs);
	theirs = -1;
	r = buf_read_fd(text, ours, MAX_OUTPUT);
	close_fdp(&ours);
	ours = -1;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (r < 0)
		return err_set(&cli->err, r, "read what ps says");
	if (status != 0)
		return err_say(&cli->err, -ECANCELED, "ps failed: exit status %d",
			       WEXITSTATUS(status));
	return 0;
}

/* ---- its lines --------------------------------------------------------------------------- */

/* The word number `at` of a line, or its number by its text; -1: it has none such. */
static const char *word_at(const char *line, int at, size_t *ret_len)
{
	for (;; at--) {
		line += strspn(line, " \t");
		*ret_len = strcspn(line, " \t\n");
		if (*ret_len == 0 || at == 0)
			return *ret_len == 0 ? NULL : line;
		line += *ret_len;
	}
}

static int find_column(const char *title, const char *name)
{
	const char *word;
	size_t len;

	for (int at = 0; (word = word_at(title, at, &len)); at++)
		if (len == strlen(name) && memcmp(word, name, len) == 0)
			return at;
	return -1;
}

static bool is_ours(const char *line, int column, const struct pids *pids)
{
	size_t len = 0;
	const char *word = word_at(line, column, &len);
	char digits[24];
	uint64_t pid;

	if (!word || len >= sizeof(digits))
		return false;
	memcpy(digits, word, len);
	digits[len] = '\0';
	return num_u64(digits, INT32_MAX, &pid) == 0 && has_pid(pids, pid);
}

static int print_table(struct cli *cli, const struct pids *pids)
{
	_cleanup_buf_ struct buf text = { 0 }, out = { 0 };
	const char *line;
	int r = run_ps(cli, &text), column;

	if (r < 0)
		return r;
	line = buf_text(&text);
	column = find_column(line, "PID");
	if (column < 0) {
		(void)err_say(&cli->err, -EINVAL, "what ps says has no column PID");
		return err_hint(&cli->err, "use options of ps that print one, such as -ef or aux");
	}
	for (bool title = true; *line; title = false) {
		size_t len = strcspn(line, "\n");

		if (title || is_ours(line, column, pids))
			buf_add(&out, line, len + (line[len] == '\n'));
		line += len + (line[len] == '\n');
	}
	return cli_print(cli, &out);
}

static int print_json(struct cli *cli, const struct pids *pids)
{
	_cleanup_buf_ struct buf out = { 0 };

	buf_str(&out, "[");
	for (size_t i = 0; i < pids->n; i++)
		buf_printf(&out, "%s%d", i > 0 ? "," : "", pids->v[i]);
	buf_str(&out, "]\n");
	return cli_print(cli, &out);
}

int cmd_ps(struct cli *cli)
{
	struct pids pids = { 0 };
	bool json = false;
	int r = cli_format(cli, "table", &json);

	if (r == 0)
		r = run_pids(cli_root(cli), cli->args.v[0], &cli->arena, &pids.n, &pids.v,
			     &cli->err);
	if (r < 0)
		return r;
	return json ? print_json(cli, &pids) : print_table(cli, &pids);
}
