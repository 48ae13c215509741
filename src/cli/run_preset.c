/*
 * run_preset.c - what a container gets when nothing is said, as plain flags.
 *
 * There is no other default of people's commands than these rows: `containr plan --flags` prints
 * them, and whatever is typed stands behind them and wins.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/parts.h"
#include "cli/people.h"

/* The kernel allows an ordinary user no cgroup unless one was delegated; then limits are left out.
 */
struct preset_flag {
	const char *flag;
	bool limit;
};

static const struct preset_flag default_flags[] = {
	{ "--network=none", false },
	{ "--security-opt=no-new-privileges=true", false },
	{ "--security-opt=apparmor=auto", false },
	{ "--security-opt=label=auto", false },
	{ "--landlock=default", false },
	{ "--security-opt=seccomp=default", false },
	{ "--read-only-tmpfs=true", false },
	{ "--shm-size=64m", false },
	{ "--pids-limit=2048", true },
	{ 0 },
};

/* For what runs code of strangers: nothing but computing on what it is given. */
static const struct preset_flag strict_flags[] = {
	{ "--network=none", false },
	{ "--cap-drop=ALL", false },
	{ "--security-opt=no-new-privileges=true", false },
	{ "--security-opt=apparmor=auto", false },
	{ "--security-opt=label=auto", false },
	{ "--landlock=full", false },
	{ "--security-opt=seccomp=default,-ptrace,-process_vm_readv,-process_vm_writev,-kcmp,"
	  "-io_uring_setup,-io_uring_enter,-io_uring_register,-userfaultfd,-memfd_secret,"
	  "-add_key,-keyctl,-request_key,-personality,-mbind,-set_mempolicy,-move_pages,"
	  "-landlock_restrict_self,-socketcall",
	  false },
	{ "--read-only", false },
	{ "--read-only-tmpfs=true", false },
	{ "--tmpfs=/tmp:noexec,nosuid,nodev,size=64m", false },
	{ "--shm-size=8m", false },
	{ "--ulimit=core=0:0", false },
	{ "--ulimit=nofile=1024:1024", false },
	{ "--umask=0077", false },
	{ "--pids-limit=128", true },
	{ "--memory=512m", true },
	{ 0 },
};

/* For work on one's own sources: a debugger works, the current directory is there. */
static const struct preset_flag dev_flags[] = {
	{ "--network=none", false },
	{ "--security-opt=no-new-privileges=true", false },
	{ "--security-opt=apparmor=auto", false },
	{ "--security-opt=label=auto", false },
	{ "--landlock=default", false },
	{ "--security-opt=seccomp=default", false },
	{ "--cap-add=SYS_PTRACE", false },
	{ "--read-only-tmpfs=true", false },
	{ "--shm-size=1g", false },
	{ "--pids-limit=8192", true },
	{ "--volume=.:.", false }, /* the current directory, under its own name */
	{ "--workdir=.", false },
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

static bool lists(const char *controllers, const char *word, char separator)
{
	size_t len = strlen(word);

	for (const char *at = controllers; at;) {
		if (strncmp(at, word, len) == 0 && (at[len] == separator || at[len] == '\0'))
			return true;
		at = strchr(at, separator);
		at = at ? at + 1 : NULL;
	}
	return false;
}

/* Where the planner makes the container's cgroup: below our own in v1, beside it in v2. */
static bool is_writable(struct arena *arena, const struct cgroup_hierarchy *h,
			enum cgroup_mode mode)
{
	size_t len = strlen(h->own);

	while (len > 0 && h->own[len - 1] == '/')
		len--;
	while (mode == CGROUP_V2 && len > 0 && h->own[--len] != '/')
		;
	return access(arena_printf(arena, "%s%.*s", h->mount, (int)len, h->own), W_OK) == 0;
}

/* systemd gives each of its users the controller of processes. */
static bool can_limit(struct cli *cli, const char *manager)
{
	struct cgroup_facts facts;
	struct err ignored = { 0 };

	if (strcmp(manager, "cgroupfs") != 0)
		return strcmp(manager, "systemd") == 0;
	if (cgroup_facts_read(true, &cli->arena, &facts, &ignored) < 0)
		return false;
	for (size_t i = 0; i < facts.n; i++) {
		const struct cgroup_hierarchy *h = &facts.v[i];
		bool has_pids = *h->controllers ? lists(h->controllers, "pids", ',')
						: lists(facts.v2_controllers, "pids", ' ');

		if (has_pids)
			return is_writable(&cli->arena, h, facts.mode);
	}
	return false;
}

/* ---- putting them in front ----------------------------------------------------------------------
 */

/* What says which flags stand before all others. */
struct ahead {
	const char *secure, *manager;
};

static struct ahead read_ahead(struct cli *cli, const struct option_row *const *tables, int i)
{
	struct cli ahead = { .program = cli->program, .command = cli->command, .argv = cli->argv };
	struct ahead ret;

	(void)options_parse(&ahead, tables, i, true);
	ret.secure = ahead.o.run.secure;
	ret.manager = ahead.o.run.cgroup_manager;
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

static int expand(struct cli *cli, const struct preset_flag *flags, const char *manager,
		  struct spec_strings *ret)
{
	size_t n = 0;
	bool limits = can_limit(cli, manager);
	bool left_out = false;

	while (flags[n].flag)
		n++;
	*ret = (struct spec_strings){ .v = arena_array(&cli->arena, n + 1, sizeof(char *)) };
	if (!ret->v)
		return err_set(&cli->err, -ENOMEM, "read the command line");
	for (size_t i = 0; i < n; i++) {
		const char *flag = with_directory(cli, flags[i].flag);

		left_out |= flags[i].limit && !limits;
		if (!flags[i].limit || limits)
			ret->v[ret->n++] = arena_strndup(&cli->arena, flag, strlen(flag));
	}
	cli->o.run.limits_left_out = left_out;
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
	r = expand(cli, flags, ahead.manager, &words);
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
