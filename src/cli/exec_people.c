/*
 * exec_people.c - `containr exec`: one more program in a container that runs, with the flags and
 * the exit statuses of docker and podman.
 *
 * What is not said is as it is for the container's own program. Names of users are those of the
 * container's files, which are a stranger's: see run_user.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/parts.h"
#include "cli/people.h"
#include "cli/rows.h"
#include "sys/sys.h"

const struct option_row people_exec_options[] = {
	{ "detach", 'd', OPTION_FLAG, AT(detach), NULL,
	  "return once the program runs; its output is not kept" },
	{ "interactive", 'i', OPTION_FLAG, AT(life.interactive), NULL, "pass standard input on" },
	{ "tty", 't', OPTION_FLAG, AT(tty), NULL, "give the program a terminal" },
	{ "env", 'e', OPTION_LIST, AT(env), "name[=value]", "set a variable, or pass on ours" },
	{ "env-file", 0, OPTION_LIST, AT(life.env_files), "file",
	  "read variables from a file, one a line" },
	{ "user", 'u', OPTION_TEXT, AT(user), "user[:group]", "names or numbers" },
	{ "workdir", 'w', OPTION_TEXT, AT(cwd), "dir", "working directory" },
	{ "cap-add", 0, OPTION_LIST, AT(life.cap_add), "capability", "one more capability" },
	{ "preserve-fds", 0, OPTION_NUMBER, AT(preserve_fds), "n",
	  "pass n more descriptors, from 3 on" },
	{ "pidfile", 0, OPTION_TEXT, AT(pid_file), "file", "write the process id to a file" },
	{ "privileged", 0, OPTION_REFUSED, 0, NULL,
	  "what confines the container confines this program, too: name what is needed with "
	  "--cap-add" },
	{ "detach-keys", 0, OPTION_REFUSED, 0, NULL, "there is no attach command yet" },
	{ 0 },
};

/* Of its first process; the pid is verified behind the opening, so it was not another's. */
static int open_root(struct people *p, const char *id)
{
	enum state_status status;
	struct state state;
	char path[32];
	int r = run_state(p->state_root, id, p->arena, &state, &status, p->err);

	if (r < 0)
		return r;
	if (status == STATE_STOPPED || status == STATE_CREATING)
		return err_say(p->err, -ESRCH, "container %s is not running", id);
	(void)snprintf(path, sizeof(path), "/proc/%d/root", state.pid);
	p->root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (p->root_fd < 0)
		return err_set(p->err, -errno, "open the root of container %s", id);
	if (state_start_time(state.pid) != state.start_time)
		return err_say(p->err, -ESRCH, "container %s is not running", id);
	p->rootfs = arena_printf(p->arena, "container %s", id);
	return 0;
}

static int set_user(struct people *p, struct exec_request *request)
{
	int r = open_root(p, request->id);

	if (r == 0)
		r = people_resolve_user(p, &request->additional_gids);
	request->user = arena_printf(p->arena, "%u:%u", p->uid, p->gid);
	request->own_groups = true;
	return r;
}

/* A variable for the list, in memory that may be changed. */
static void add(struct people *p, struct spec_strings *list, const char *name, const char *value)
{
	const char *text = arena_printf(p->arena, "%s=%s", name, value);

	list->v[list->n++] = arena_strndup(p->arena, text, strlen(text));
}

static int set_env(struct people *p, struct exec_request *request)
{
	const struct options *o = &p->cli->o;
	const char *term = getenv("TERM");
	struct spec_strings entries = { .v = arena_array(p->arena, o->env.n + 3, sizeof(char *)) };
	struct spec config;
	int r = run_config(p->state_root, request->id, p->arena, &config, p->err);

	if (r < 0)
		return r;
	if (!entries.v)
		return err_set(p->err, -ENOMEM, "prepare the environment");
	if (request->tty)
		add(p, &entries, "TERM", given(term) ? term : "xterm");
	/* Home is that of the other user, if he has one. */
	if (request->user)
		add(p, &entries, "HOME", given(p->home) ? p->home : "/");
	for (size_t i = 0; i < o->env.n; i++)
		entries.v[entries.n++] = o->env.v[i];
	request->env = config.process.env;
	request->whole_env = true;
	return people_add_env(p, &o->life.env_files, &entries, &request->env);
}

static int set_caps(struct people *p, struct exec_request *request)
{
	const struct spec_strings *names = &p->cli->o.life.cap_add;
	char **v = arena_array(p->arena, names->n + 1, sizeof(*v));

	if (!v)
		return err_set(p->err, -ENOMEM, "read --cap-add");
	for (size_t i = 0; i < names->n; i++) {
		const char *name = names->v[i];

		if (strncasecmp(name, "CAP_", 4) == 0)
			name += 4;
		name = arena_printf(p->arena, "CAP_%s", name);
		v[i] = arena_strndup(p->arena, name, strlen(name));
		for (char *c = v[i]; c && *c; c++)
			*c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
	}
	request->caps = (struct spec_strings){ names->n, v };
	return 0;
}

static int prepare(struct people *p, struct exec_request *request)
{
	const struct options *o = &p->cli->o;
	int r = 0;

	if (o->tty && o->detach)
		return err_say(p->err, -EOPNOTSUPP,
			       "--tty --detach: is not supported: there is no attach command");
	if (request->args.n == 0)
		return err_say(p->err, -EINVAL, "\"exec\" requires a command to run in %s",
			       request->id);
	if (given(o->cwd) && *o->cwd != '/')
		return err_say(p->err, -EINVAL, "--workdir %.200s: expected an absolute path",
			       o->cwd);
	if (given(o->user))
		r = set_user(p, request);
	if (r == 0)
		r = set_env(p, request);
	return r == 0 ? set_caps(p, request) : r;
}

/* Standard input is passed on when asked for; what is detached holds nobody's pipe open. */
static int redirect(struct people *p, int *ret_saved)
{
	const struct options *o = &p->cli->o;
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return err_set(p->err, -errno, "open /dev/null");
	if (!o->life.interactive)
		(void)dup2(null, STDIN_FILENO);
	if (!o->detach)
		return 0;
	/* Not among the descriptors that the program gets. */
	*ret_saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3 + (int)o->preserve_fds);
	(void)dup2(null, STDOUT_FILENO);
	(void)dup2(null, STDERR_FILENO);
	return 0;
}

static int fail(struct people *p, int saved)
{
	if (saved >= 0)
		(void)dup2(saved, STDERR_FILENO);
	log_error(p->cli);
	return people_status(p->err);
}

int people_exec(struct cli *cli)
{
	struct run_flags flags = { .user = cli->o.user };
	_cleanup_(people_done) struct people p = { .arena = &cli->arena,
						   .err = &cli->err,
						   .cli = cli,
						   .flags = &flags,
						   .state_root = cli_root(cli),
						   .root_fd = -1,
						   .ids_lock = -1 };
	_cleanup_close_ int saved = -1;
	struct exec_request request = {
		.root = p.state_root,
		.id = cli->args.v[0],
		.args = { cli->args.n - 1, cli->args.v + 1 },
		.cwd = cli->o.cwd,
		.tty = cli->o.tty,
		.detach = cli->o.detach,
		.pid_file = cli_absolute(cli, cli->o.pid_file),
		.preserve_fds = cli->o.preserve_fds,
	};
	int r = prepare(&p, &request);

	if (r == 0)
		r = redirect(&p, &saved);
	if (r == 0)
		r = run_exec(&request, &cli->err);
	return r < 0 ? fail(&p, saved) : r;
}
