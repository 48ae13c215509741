/*
 * cmd_events.c - events: what a container uses, and when it runs out of memory, as lines of JSON.
 */
#include "base/cleanup.h"
#include "base/json_out.h"
#include "cli/commands.h"
#include "cli/interval.h"
#include "cli/rows.h"
#include "cli/stats.h"
#include "run/run.h"

const struct option_row events_options[] = {
	{ "interval", 0, OPTION_TEXT, AT(interval), "duration",
	  "time between statistics, as in 500ms, 1m30s (5s)" },
	{ "stats", 0, OPTION_FLAG, AT(stats), NULL, "show the statistics once, and end" },
	{ 0 },
};

/* ---- lines ------------------------------------------------------------------------------- */

static void begin(const struct cli *cli, const char *type, struct buf *line)
{
	out_open(line, NULL, '{');
	out_str(line, "type", type);
	out_str(line, "id", cli->args.v[0]);
}

static int end(struct cli *cli, struct buf *line)
{
	buf_str(line, "}\n");
	return cli_print(cli, line);
}

static int say_stats(void *data, const struct cgroup_dirs *dirs, struct err *err)
{
	_cleanup_buf_ struct buf line = { 0 };
	struct cli *cli = data;

	(void)err; /* is the same as that of the command */
	begin(cli, "stats", &line);
	buf_str(&line, ",\"data\":");
	stats_json(dirs, &line);
	return end(cli, &line);
}

static int say_oom(void *data, struct err *err)
{
	_cleanup_buf_ struct buf line = { 0 };
	struct cli *cli = data;

	(void)err;
	begin(cli, "oom", &line);
	return end(cli, &line);
}

int cmd_events(struct cli *cli)
{
	const struct events_listener listener = { say_stats, say_oom, cli };
	const char *root = cli_root(cli), *id = cli->args.v[0];
	int interval = 0, r = interval_take(cli, "5s", &interval);

	if (r < 0)
		return r;
	return cli->o.stats ? run_stats(root, id, &listener, &cli->err)
			    : run_events(root, id, interval, &listener, &cli->err);
}
