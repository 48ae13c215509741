/*
 * cmd_life.c - start, kill, delete, pause and resume.
 */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"
#include "cli/commands.h"
#include "run/run.h"

#define AT(member) offsetof(struct options, member)

const struct option_row no_options[] = { { 0 } };

const struct option_row kill_options[] = {
	{ "all", 'a', OPTION_FLAG, AT(all), NULL, "to all processes inside" },
	{ 0 },
};

const struct option_row delete_options[] = {
	{ "force", 'f', OPTION_FLAG, AT(force), NULL,
	  "kill what still runs; no error if there is no such container" },
	{ 0 },
};

int cmd_start(struct cli *cli)
{
	const char *notify = getenv("NOTIFY_SOCKET");

	return run_start(cli_root(cli), cli->args.v[0], notify && *notify ? notify : NULL,
			 &cli->err);
}

/* ---- kill -------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int number;
} signals[] = {
	{ "HUP", SIGHUP },   { "INT", SIGINT },   { "QUIT", SIGQUIT },   { "ILL", SIGILL },
	{ "TRAP", SIGTRAP }, { "ABRT", SIGABRT }, { "IOT", SIGABRT },    { "BUS", SIGBUS },
	{ "FPE", SIGFPE },   { "KILL", SIGKILL }, { "USR1", SIGUSR1 },   { "SEGV", SIGSEGV },
	{ "USR2", SIGUSR2 }, { "PIPE", SIGPIPE }, { "ALRM", SIGALRM },   { "TERM", SIGTERM },
	{ "STKFLT", 16 },    { "CHLD", SIGCHLD }, { "CLD", SIGCHLD },    { "CONT", SIGCONT },
	{ "STOP", SIGSTOP }, { "TSTP", SIGTSTP }, { "TTIN", SIGTTIN },   { "TTOU", SIGTTOU },
	{ "URG", SIGURG },   { "XCPU", SIGXCPU }, { "XFSZ", SIGXFSZ },   { "VTALRM", SIGVTALRM },
	{ "PROF", SIGPROF }, { "POLL", SIGIO },   { "WINCH", SIGWINCH }, { "IO", SIGIO },
	{ "PWR", SIGPWR },   { "SYS", SIGSYS },
};

/* The kernel's numbers: the C library keeps the first real-time signals for itself. */
#define FIRST_RT 34
#define LAST_RT  64

static int real_time(const char *name)
{
	bool from_last = strncasecmp(name, "RTMAX", 5) == 0;
	char sign = from_last ? '-' : '+';
	uint64_t n = 0;

	if (!from_last && strncasecmp(name, "RTMIN", 5) != 0)
		return -EINVAL;
	if (name[5] && (name[5] != sign || num_u64(name + 6, LAST_RT - FIRST_RT, &n) < 0))
		return -EINVAL;
	return from_last ? LAST_RT - (int)n : FIRST_RT + (int)n;
}

/* "9", "KILL", "SIGKILL", "sigkill", "RTMIN+3" */
static int signal_number(const char *text)
{
	const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
	uint64_t number;

	if (isdigit((unsigned char)text[0]))
		return num_u64(text, LAST_RT, &number) < 0 ? -EINVAL : (int)number;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (strcasecmp(signals[i].name, name) == 0)
			return signals[i].number;
	return real_time(name);
}

int cmd_kill(struct cli *cli)
{
	const char *text = cli->args.n > 1 ? cli->args.v[1] : "TERM";
	int sig = signal_number(text);

	if (sig < 0) {
		(void)err_say(&cli->err, sig, "unknown signal \"%.100s\"", text);
		return err_hint(&cli->err, "give a number up to %d or a name such as TERM",
				LAST_RT);
	}
	return run_kill(cli_root(cli), cli->args.v[0], sig, cli->o.all, &cli->err);
}

/* ---- the others -------------------------------------------------------------------------- */

/* Several ids: each is tried, and the last failure is that of the command. */
int cmd_delete(struct cli *cli)
{
	const char *root = cli_root(cli);
	int result = 0;

	for (size_t i = 0; i < cli->args.n; i++) {
		struct err err = { 0 };
		int r = run_delete(root, cli->args.v[i], cli->o.force, &err);

		if (r > 0)
			cli_warn(cli, err.msg);
		if (r >= 0)
			continue;
		if (result < 0)
			cli_warn(cli, cli->err.msg);
		cli->err = err;
		result = r;
	}
	return result;
}

int cmd_pause(struct cli *cli)
{
	return run_pause(cli_root(cli), cli->args.v[0], &cli->err);
}

int cmd_resume(struct cli *cli)
{
	return run_resume(cli_root(cli), cli->args.v[0], &cli->err);
}
