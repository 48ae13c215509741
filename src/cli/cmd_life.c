/*
 * cmd_life.c - start, kill, delete, pause and resume.
 */
#include <errno.h>
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/rows.h"
#include "cli/signals.h"
#include "run/run.h"

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

int cmd_kill(struct cli *cli)
{
	const char *text = cli->args.n > 1 ? cli->args.v[1] : "TERM";
	int sig = signals_number(text);

	if (sig < 0) {
		(void)err_say(&cli->err, sig, "unknown signal \"%.100s\"", text);
		return err_hint(&cli->err, "give a number up to %d or a name such as TERM",
				SIGNALS_MAX);
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
