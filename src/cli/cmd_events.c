/*
 * cmd_events.c - events: what a container uses, and when it runs out of memory, as lines of JSON.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/json_out.h"
#include "cli/people.h"
#include "cli/stats.h"
#include "run/run.h"

#define AT(member) offsetof(struct options, member)

const struct option_row events_options[] = {
	{ "interval", 0, OPTION_TEXT, AT(interval), "duration",
	  "time between statistics, as in 500ms, 1m30s (5s)" },
	{ "stats", 0, OPTION_FLAG, AT(stats), NULL, "show the statistics once, and end" },
	{ 0 },
};

/* The length of the unit behind a number, and how many nanoseconds it has; 0: none. */
static size_t take_unit(const char *text, uint64_t *ret)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "ns", 1 },
		{ "us", 1000 },
		{ "\xc2\xb5s", 1000 },
		{ "ms", 1000000 },
		{ "s", 1000000000 },
		{ "m", 60000000000 },
		{ "h", 3600000000000 },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strncmp(text, units[i].name, strlen(units[i].name)) == 0) {
			*ret = units[i].ns;
			return strlen(units[i].name);
		}
	return 0;
}

/* "1m30s": Go's durations. In milliseconds. */
static int take_interval(struct cli *cli, int *ret)
{
	const char *text = cli->o.interval ? cli->o.interval : "5s";
	uint64_t ns = 0;

	for (const char *at = text; *at || at == text;) {
		size_t n = strspn(at, "0123456789."), unit_len;
		uint64_t unit = 0, part;
		struct err ignored;

		unit_len = take_unit(at + n, &unit);
		if (n == 0 || unit_len == 0 ||
		    value_decimal(&ignored, "interval", arena_strndup(&cli->arena, at, n), unit,
				  &part) < 0 ||
		    __builtin_add_overflow(ns, part, &ns))
			return err_say(&cli->err, -EINVAL,
				       "--interval %.50s: expected a duration such as 5s or 500ms",
				       text);
		at += n + unit_len;
	}
	if (ns < 1000000 || ns / 1000000 > INT32_MAX)
		return err_say(&cli->err, -EINVAL,
			       "--interval %.50s: expected a duration of 1ms to 596h", text);
	*ret = (int)(ns / 1000000);
	return 0;
}

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
	int interval = 0, r = take_interval(cli, &interval);

	if (r < 0)
		return r;
	return cli->o.stats ? run_stats(root, id, &listener, &cli->err)
			    : run_events(root, id, interval, &listener, &cli->err);
}
