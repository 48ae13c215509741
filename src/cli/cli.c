/*
 * cli.c - from the words of the command line to a command and its exit status.
 *
 * Start-up is what people measure of a container runtime, so nothing is set up here that a command
 * may not need: no locale, no time zone, no buffers, no log file before there is a line for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/parts.h"
#include "run/selfexe.h"
#include "version.h"

#define ROOT_DIR "containr"

static const struct option_row common_options[] = {
	{ "help", 'h', OPTION_FLAG, offsetof(struct options, help), NULL, "show this help" },
	{ 0 },
};

/* ---- for the commands -------------------------------------------------------------------- */

int cli_print(struct cli *cli, const struct buf *text)
{
	size_t done = 0;

	if (text->failed)
		return err_set(&cli->err, -ENOMEM, "print");
	while (done < text->len) {
		ssize_t n = write(STDOUT_FILENO, text->data + done, text->len - done);

		if (n < 0 && errno != EINTR)
			return err_set(&cli->err, -errno, "write to standard output");
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* NULL: there is no current directory that has a name; then nothing relative can be meant. */
static const char *current_directory(struct cli *cli)
{
	char *text = arena_alloc(&cli->arena, PATH_MAX);

	/* Linux gives "(unreachable)/…" for what lies outside our root (CVE-2024-21626). */
	return text && getcwd(text, PATH_MAX) && text[0] == '/' ? text : NULL;
}

const char *cli_absolute(struct cli *cli, const char *path)
{
	const char *base = NULL;
	size_t len = path ? strlen(path) : 0;

	if (len == 0)
		return NULL;
	while (len > 1 && path[len - 1] == '/')
		len--;
	if (path[0] == '/')
		return arena_strndup(&cli->arena, path, len);
	base = current_directory(cli);
	if (!base)
		return path;
	while (len > 1 && path[0] == '.' && path[1] == '/') {
		path += 2;
		len -= 2;
	}
	if (len == 0 || (len == 1 && path[0] == '.'))
		return base;
	return arena_printf(&cli->arena, "%s/%.*s", strcmp(base, "/") == 0 ? "" : base, (int)len,
			    path);
}

/* In the first user namespace all ids are mapped to themselves. */
static bool in_userns(void)
{
	_cleanup_close_ int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	char text[64] = "";
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	return n > 0 && !(strspn(text, " 0") > 1 && strstr(text, " 4294967295\n"));
}

/*
 * Root's own directory, but in a user namespace that an ordinary user made, root is that user: an
 * engine that runs us there says so by leaving XDG_RUNTIME_DIR, and USER is not "root". As in runc.
 */
static bool is_ordinary_user(void)
{
	const char *user = getenv("USER");

	if (geteuid() != 0)
		return true;
	return in_userns() && !(user && strcmp(user, "root") == 0);
}

/* Without a session there is nothing of the user's own below /run; the step checks whose it is. */
static const char *users_root(struct cli *cli)
{
	const char *session = arena_printf(&cli->arena, "/run/user/%u", geteuid());

	if (access(session, W_OK) == 0)
		return arena_printf(&cli->arena, "%s/" ROOT_DIR, session);
	return arena_printf(&cli->arena, "/tmp/" ROOT_DIR "-%u", geteuid());
}

const char *cli_root(struct cli *cli)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	if (cli->o.root && *cli->o.root)
		return cli_absolute(cli, cli->o.root);
	if (runtime && *runtime == '/' && is_ordinary_user())
		return arena_printf(&cli->arena, "%s/" ROOT_DIR, runtime);
	if (geteuid() != 0)
		return users_root(cli);
	return "/run/" ROOT_DIR;
}

int cli_format(struct cli *cli, const char *other, bool *ret_json)
{
	const char *format = cli->o.format ? cli->o.format : cli->o.json ? "json" : other;

	if (strcmp(format, "json") != 0 && strcmp(format, other) != 0)
		return err_say(&cli->err, -EINVAL,
			       "--format %.100s: invalid format option, expected %s or json",
			       format, other);
	*ret_json = strcmp(format, "json") == 0;
	return 0;
}

/* ---- the way to the command -------------------------------------------------------------- */

/* A descriptor of ours must not become somebody's standard output because that was closed. */
static void open_standard_fds(void)
{
	struct pollfd fds[3] = { { .fd = 0 }, { .fd = 1 }, { .fd = 2 } };

	if (poll(fds, 3, 0) == 0)
		return;
	for (int fd = 0; fd < 3; fd++)
		if (fds[fd].revents & POLLNVAL)
			(void)open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
}

/* A caller that ignores the end of its children has that choice passed on through exec; but we
 * wait. */
static void wait_for_children(void)
{
	(void)signal(SIGCHLD, SIG_DFL);
}

static int check_globals(struct cli *cli)
{
	static const char *const rootless[] = { "true", "false", "auto", "1", "0", NULL };
	const char *format = cli->o.log_format;
	size_t i = 0;

	if (format && strcmp(format, "text") != 0 && strcmp(format, "json") != 0)
		return err_say(&cli->err, -EINVAL,
			       "--log-format %.100s: unknown log-format, expected text or json",
			       format);
	while (cli->o.rootless && rootless[i] && strcmp(cli->o.rootless, rootless[i]) != 0)
		i++;
	if (!rootless[i])
		return err_say(&cli->err, -EINVAL,
			       "--rootless %.100s: expected true, false or auto", cli->o.rootless);
	return 0;
}

/* Engines look for the words "version", "commit" and "spec" at the beginnings of these lines. */
static int print_version(struct cli *cli)
{
	_cleanup_buf_ struct buf out = { 0 };

	buf_printf(&out,
		   "%s version " CONTAINR_VERSION "\ncommit: " VERSION_COMMIT
		   "\nspec: " CLI_SPEC_VERSION "\n",
		   cli->program->name);
	return cli_print(cli, &out);
}

static int print_help(struct cli *cli)
{
	_cleanup_buf_ struct buf out = { 0 };

	if (cli->command)
		help_command(cli->program, cli->command, &out);
	else
		help_program(cli->program, &out);
	return cli_print(cli, &out);
}

static const struct command *find_command(const struct program *program, const char *name)
{
	for (const struct command *c = program->commands; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static int check_args(struct cli *cli)
{
	const struct command *c = cli->command;
	_cleanup_buf_ struct buf usage = { 0 };

	if (cli->args.n >= c->min_args && cli->args.n <= c->max_args)
		return 0;
	if (cli->args.n < c->min_args)
		(void)err_say(&cli->err, -EINVAL, "\"%s\" requires %s", c->name, c->missing);
	else
		(void)err_say(&cli->err, -EINVAL, "\"%s\" takes no argument \"%.100s\"", c->name,
			      cli->args.v[c->max_args]);
	help_usage(cli->program, c, &usage);
	return err_hint(&cli->err, "usage: %s", buf_text(&usage));
}

/* What stands behind the first argument of a command such as exec is not looked at. */
static int take_rest(struct cli *cli, int i)
{
	size_t n = 0;

	while (cli->argv[i + (int)n])
		n++;
	cli->args.v = arena_array(&cli->arena, n + 1, sizeof(char *));
	if (!cli->args.v)
		return err_set(&cli->err, -ENOMEM, "read the command line");
	memcpy(cli->args.v, cli->argv + i, n * sizeof(char *));
	cli->args.n = n;
	return 0;
}

static int run_command(struct cli *cli, int i)
{
	const struct command *c = cli->command;
	/* The list ends early for who has no more. */
	const struct option_row *const tables[] = { c->options, common_options, c->more, NULL };
	/* First of all, for what was done before the exec would be done again. */
	int r = c->protect ? selfexe_protect(cli->argv, environ, c->takes_view ? &cli->view : NULL,
					     &cli->err)
			   : 0;

	if (r == 0 && c->preset)
		r = c->preset(cli, i);
	if (r == 0)
		r = options_parse(cli, tables, i, c->stop);
	if (r >= 0 && c->stop)
		r = take_rest(cli, r);
	if (r < 0)
		return r;
	if (cli->o.help)
		return print_help(cli);
	r = check_args(cli);
	if (r < 0)
		return r;
	r = c->run(cli);
	if (r < 0 && c->failure) {
		log_error(cli);
		return c->failure;
	}
	return r;
}

static int no_such_command(struct cli *cli, const char *name)
{
	const char *nearest = help_nearest_command(cli->program->commands, name);

	(void)err_say(&cli->err, -EINVAL, "unknown command \"%.100s\"", name);
	if (nearest)
		(void)err_hint(&cli->err, "did you mean `%s %s`?", cli->program->name, nearest);
	else
		(void)err_hint(&cli->err, "`%s --help` lists the commands", cli->program->name);
	log_error(cli);
	return cli->program->unknown;
}

static int dispatch(struct cli *cli)
{
	const struct option_row *const tables[] = { cli->program->options, common_options, NULL };
	int i = options_parse(cli, tables, 1, true);
	int r = i < 0 ? i : check_globals(cli);

	if (r < 0)
		return r;
	if (cli->o.version)
		return print_version(cli);
	if (cli->o.help || !cli->argv[i])
		return print_help(cli);
	if (strcmp(cli->argv[i], "help") == 0) {
		cli->command =
		    cli->argv[i + 1] ? find_command(cli->program, cli->argv[i + 1]) : NULL;
		return print_help(cli);
	}
	cli->command = find_command(cli->program, cli->argv[i]);
	return cli->command ? run_command(cli, i + 1) : no_such_command(cli, cli->argv[i]);
}

int cli_main(const struct program *program, char **argv)
{
	struct cli cli = { .program = program, .argv = argv };
	int r;

	open_standard_fds();
	wait_for_children();
	r = argv[0] ? dispatch(&cli) : print_help(&cli);
	if (r < 0)
		log_error(&cli);
	arena_done(&cli.arena);
	return r >= 0 ? r : program->failure ? program->failure : 1;
}
