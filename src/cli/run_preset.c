/*
 * run_preset.c - what a container gets when nothing is said, as plain flags.
 *
 * There is no other default of people's commands than these rows: `containr plan --flags` prints
 * them, and whatever is typed stands behind them and wins.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/parts.h"
#include "cli/people.h"
#include "host/cgroup_room.h"

/* The kernel allows an ordinary user no cgroup unless one was delegated; then limits are left out.
 */
struct preset_flag {
	const char *flag;
	const char *controller; /* of a limit, or NULL */
};

static const struct preset_flag default_flags[] = {
	{ "--network=none", NULL },
	{ "--security-opt=no-new-privileges=true", NULL },
	{ "--security-opt=apparmor=auto", NULL },
	{ "--security-opt=label=auto", NULL },
	{ "--landlock=default", NULL },
	{ "--security-opt=seccomp=default", NULL },
	{ "--read-only-tmpfs=true", NULL },
	{ "--shm-size=64m", NULL },
	{ "--pids-limit=2048", "pids" },
	{ 0 },
};

/* For what runs code of strangers: nothing but computing on what it is given. */
static const struct preset_flag strict_flags[] = {
	{ "--network=none", NULL },
	{ "--cap-drop=ALL", NULL },
	{ "--security-opt=no-new-privileges=true", NULL },
	{ "--security-opt=apparmor=auto", NULL },
	{ "--security-opt=label=auto", NULL },
	{ "--landlock=full", NULL },
	{ "--security-opt=seccomp=default,-ptrace,-process_vm_readv,-process_vm_writev,-kcmp,"
	  "-io_uring_setup,-io_uring_enter,-io_uring_register,-userfaultfd,-memfd_secret,"
	  "-add_key,-keyctl,-request_key,-personality,-mbind,-set_mempolicy,-move_pages,"
	  "-landlock_restrict_self,-socketcall",
	  NULL },
	{ "--read-only", NULL },
	{ "--read-only-tmpfs=true", NULL },
	{ "--tmpfs=/tmp:noexec,nosuid,nodev,size=64m", NULL },
	{ "--shm-size=8m", NULL },
	{ "--ulimit=core=0:0", NULL },
	{ "--ulimit=nofile=1024:1024", NULL },
	{ "--umask=0077", NULL },
	{ "--pids-limit=128", "pids" },
	{ "--memory=512m", "memory" },
	{ 0 },
};

/* For work on one's own sources: a debugger works, the current directory is there. */
static const struct preset_flag dev_flags[] = {
	{ "--network=none", NULL },
	{ "--security-opt=no-new-privileges=true", NULL },
	{ "--security-opt=apparmor=auto", NULL },
	{ "--security-opt=label=auto", NULL },
	{ "--landlock=default", NULL },
	{ "--security-opt=seccomp=default", NULL },
	{ "--cap-add=SYS_PTRACE", NULL },
	{ "--read-only-tmpfs=true", NULL },
	{ "--shm-size=1g", NULL },
	{ "--pids-limit=8192", "pids" },
	{ "--volume=.:.", NULL }, /* the current directory, under its own name */
	{ "--workdir=.", NULL },
	{ 0 },
};

static const struct {
	const char *name;
	const struct preset_flag *flags;
} presets[] = {
	{ "default", default_flags },
	{ "strict", strict_flags },
	{ "dev", dev_flags },
};

static const struct preset_flag *find_preset(const char *name)
{
	for (size_t i = 0; i < sizeof(presets) / sizeof(presets[0]); i++)
		if (strcmp(presets[i].name, name) == 0)
			return presets[i].flags;
	return NULL;
}

/* ---- cgroups ------------------------------------------------------------------------------------
 */

/* What limits there are that we may set, and one sentence about those that there are not. */
struct limits {
	bool read;
	struct cgroup_facts facts;
	struct buf left_out, why; /* "processes and memory" */
};

static void limits_done(struct limits *l)
{
	buf_done(&l->left_out);
	buf_done(&l->why);
}

static void leave_out(struct limits *l, const struct cgroup_room *room, const char *controller)
{
	_cleanup_buf_ struct buf remedy = { 0 };

	buf_printf(&l->left_out, "%s%s", l->left_out.len > 0 ? " and " : "",
		   strcmp(controller, "pids") == 0 ? "processes" : controller);
	if (l->why.len > 0)
		return;
	cgroup_room_say(room, controller, &l->why, &remedy);
	buf_printf(&l->why, " (%s)", buf_text(&remedy));
}

static bool can_limit(struct cli *cli, struct limits *l, const char *manager,
		      const char *controller)
{
	struct cgroup_room room = { .lack = CGROUP_LACKS_CONTROLLER };
	struct err ignored = { 0 };

	/* systemd gives each of its users the controllers of memory and processes. */
	if (strcmp(manager, "systemd") == 0)
		return true;
	if (!l->read)
		(void)cgroup_facts_read(true, &cli->arena, &l->facts, &ignored);
	l->read = true;
	cgroup_room_find(&l->facts, controller, &cli->arena, &room);
	if (room.lack == CGROUP_LACKS_NOTHING)
		return true;
	leave_out(l, &room, controller);
	return false;
}

/* ---- putting them in front ----------------------------------------------------------------------
 */

/* What says which flags stand before all others, and which limits are typed behind them. */
struct ahead {
	const char *secure, *manager;
	bool pids, memory;
};

static struct ahead read_ahead(struct cli *cli, const struct option_row *const *tables, int i)
{
	struct cli ahead = { .program = cli->program, .command = cli->command, .argv = cli->argv };
	struct ahead ret;

	(void)options_parse(&ahead, tables, i, true);
	ret.secure = ahead.o.run.secure;
	ret.manager = ahead.o.run.cgroup_manager;
	ret.pids = ahead.o.run.pids_limit;
	ret.memory = ahead.o.run.memory;
	arena_done(&ahead.arena);
	if (!given(ret.secure))
		ret.secure = "default";
	if (!given(ret.manager))
		ret.manager = "cgroupfs";
	return ret;
}

/* "." in a preset is the directory that the command is given in. */
static const char *with_directory(struct cli *cli, const char *flag)
{
	const char *here = cli_absolute(cli, ".");
	const char *at = strstr(flag, "=.");

	if (!at)
		return flag;
	return at[2] == ':'
		   ? arena_printf(&cli->arena, "%.*s%s:%s", (int)(at + 1 - flag), flag, here, here)
		   : arena_printf(&cli->arena, "%.*s%s", (int)(at + 1 - flag), flag, here);
}

/* A limit that was typed wins, so nothing has to be said of the preset's. */
static bool is_typed(const struct ahead *ahead, const char *controller)
{
	return strcmp(controller, "pids") == 0 ? ahead->pids : ahead->memory;
}

static int expand(struct cli *cli, const struct preset_flag *flags, const struct ahead *ahead,
		  struct spec_strings *ret)
{
	_cleanup_(limits_done) struct limits limits = { .read = false };
	size_t n = 0;

	while (flags[n].flag)
		n++;
	*ret = (struct spec_strings){ .v = arena_array(&cli->arena, n + 1, sizeof(char *)) };
	if (!ret->v)
		return err_set(&cli->err, -ENOMEM, "read the command line");
	for (size_t i = 0; i < n; i++) {
		const char *flag = with_directory(cli, flags[i].flag);

		if (!flags[i].controller ||
		    (!is_typed(ahead, flags[i].controller) &&
		     can_limit(cli, &limits, ahead->manager, flags[i].controller)))
			ret->v[ret->n++] = arena_strndup(&cli->arena, flag, strlen(flag));
	}
	if (limits.left_out.len > 0)
		cli->o.run.limits_left_out =
		    arena_printf(&cli->arena, "no limit on %s: %s", buf_text(&limits.left_out),
				 buf_text(&limits.why));
	return 0;
}

int run_preset(struct cli *cli, int i)
{
	const struct option_row *const tables[] = { cli->command->options, cli->command->more,
						    NULL };
	const struct ahead ahead = read_ahead(cli, tables, i);
	const struct preset_flag *flags = find_preset(ahead.secure);
	struct spec_strings words;
	char *const *argv = cli->argv;
	int r;

	if (!flags)
		return err_say(&cli->err, -EINVAL,
			       "--secure %.100s: expected strict, default or dev", ahead.secure);
	r = expand(cli, flags, &ahead, &words);
	if (r < 0)
		return r;
	cli->argv = words.v;
	r = options_parse(cli, tables, 0, true);
	cli->argv = argv;
	cli->o.run.first_word = i;
	cli->o.run.preset = words;
	cli->o.run.preset_security_opts = cli->o.run.security_opts.n;
	return r < 0 ? r : 0;
}

/* ---- showing them -------------------------------------------------------------------------------
 */

/* A word as a shell takes it. */
static void put_word(const char *word, struct buf *out)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "_@%+=:,./-";

	if (*word && word[strspn(word, plain)] == '\0') {
		buf_str(out, word);
		return;
	}
	buf_str(out, "'");
	for (; *word; word++) {
		if (*word == '\'')
			buf_str(out, "'\\''");
		else
			buf_add(out, word, 1);
	}
	buf_str(out, "'");
}

static bool takes_value(const struct option_row *const *tables, const char *word)
{
	for (const struct option_row *const *t = tables; *t; t++)
		for (const struct option_row *row = *t; row->name; row++)
			if (row->type != OPTION_FLAG &&
			    ((word[0] == '-' && word[1] == '-' &&
			      strcmp(word + 2, row->name) == 0) ||
			     (word[1] == row->letter && word[1] && word[2] == '\0')))
				return true;
	return false;
}

/* What only `plan` has, and what is spelled out before. */
static bool is_left_out(const char *word)
{
	return strcmp(word, "--flags") == 0 || strncmp(word, "--secure", 8) == 0;
}

void run_preset_print(const struct cli *cli, struct buf *out)
{
	const struct option_row *const tables[] = { cli->command->options, cli->command->more,
						    NULL };
	const struct run_flags *f = &cli->o.run;
	char *const *word = cli->argv + f->first_word;

	buf_printf(out, "%s run", cli->program->name);
	for (size_t i = 0; i < f->preset.n; i++) {
		buf_str(out, " \\\n  ");
		put_word(f->preset.v[i], out);
	}
	for (; *word && **word == '-' && strcmp(*word, "--") != 0; word++) {
		bool pair = takes_value(tables, *word);

		if (!is_left_out(*word)) {
			buf_str(out, " \\\n  ");
			put_word(*word, out);
		}
		if (!pair || !word[1])
			continue;
		word++;
		if (!is_left_out(word[-1])) {
			buf_str(out, " ");
			put_word(*word, out);
		}
	}
	if (*word)
		buf_str(out, " \\\n ");
	for (; *word; word++) {
		buf_str(out, " ");
		put_word(*word, out);
	}
	buf_str(out, "\n");
}
