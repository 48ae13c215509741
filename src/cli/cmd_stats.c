/*
 * cmd_stats.c - `containr stats` and `containr top`: what containers use, all read in one pass.
 *
 * `stats` has the columns of docker and podman; `top` puts the busiest first, and says what they
 * wait for and which limits they met; `top NAME` lists the processes of one, as docker's and
 * podman's do. In the first table the CPU time is that since the container's start, later on that
 * since the table before.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json_out.h"
#include "base/num.h"
#include "cli/commands.h"
#include "cli/interval.h"
#include "cli/people.h"
#include "cli/rows.h"
#include "run/run.h"

const struct option_row stats_options[] = {
	{ "all", 'a', OPTION_FLAG, AT(all), NULL, "containers that do not run, too" },
	{ "no-stream", 0, OPTION_FLAG, AT(no_stream), NULL, "show one table, and end" },
	{ "interval", 'i', OPTION_TEXT, AT(interval), "duration",
	  "time between tables, in seconds or as in 500ms (1s)" },
	{ "format", 'f', OPTION_TEXT, AT(format), "format", "table or json" },
	{ "json", 0, OPTION_FLAG, AT(json), NULL, "the same as --format json" },
	{ 0 },
};

const struct option_row top_options[] = {
	{ "all", 'a', OPTION_FLAG, AT(all), NULL, "containers that do not run, too" },
	{ "no-stream", 0, OPTION_FLAG, AT(no_stream), NULL,
	  "show one table, and end, which is the default without a terminal" },
	{ "interval", 'i', OPTION_TEXT, AT(interval), "duration",
	  "time between tables, in seconds or as in 500ms (2s)" },
	{ "format", 'f', OPTION_TEXT, AT(format), "format", "table or json" },
	{ 0 },
};

/* One pass over the containers, and what it points to. */
struct sample {
	struct arena arena;
	struct usage_list list;
};

struct table {
	struct cli *cli;
	bool top, json;
	bool stream; /* one table after the other */
	bool tty;    /* each in the place of the one before */
	int interval;
	uint64_t machine; /* bytes of memory */
	struct sample now, before;
};

static void table_done(struct table *t)
{
	arena_done(&t->now.arena);
	arena_done(&t->before.arena);
}

/* ---- values ---------------------------------------------------------------------------------- */

/* "1.5MiB" by 1024 or "1.5MB" by 1000, with four digits, as docker writes them. */
static const char *size_text(struct arena *arena, uint64_t size, unsigned int base)
{
	static const char *const units[2][6] = { { "B", "KiB", "MiB", "GiB", "TiB", "PiB" },
						 { "B", "kB", "MB", "GB", "TB", "PB" } };
	double value = (double)size;
	size_t i = 0;

	while (value >= base && i < 5) {
		value /= base;
		i++;
	}
	return arena_printf(arena, "%.4g%s", value, units[base == 1000][i]);
}

static uint64_t limit_of(const struct table *t, const struct usage *u)
{
	return u->cgroup.memory_limit < t->machine ? u->cgroup.memory_limit : t->machine;
}

static double memory_percent(const struct table *t, const struct usage *u)
{
	const uint64_t limit = limit_of(t, u);

	return limit > 0 ? 100.0 * (double)u->cgroup.memory / (double)limit : 0;
}

static const struct usage *find_before(const struct table *t, const struct usage *u)
{
	for (size_t i = 0; i < t->before.list.n; i++)
		if (t->before.list.v[i].pid == u->pid && strcmp(t->before.list.v[i].id, u->id) == 0)
			return &t->before.list.v[i];
	return NULL;
}

static double average_percent(const struct usage *u)
{
	const int64_t time = u->at_ns - u->started_ns;

	return u->pid > 0 && time > 0 ? 100.0 * (double)u->cgroup.cpu_ns / (double)time : 0;
}

static double cpu_percent(const struct table *t, const struct usage *u)
{
	const struct usage *before = find_before(t, u);

	if (!before || u->at_ns <= before->at_ns || u->cgroup.cpu_ns < before->cgroup.cpu_ns)
		return average_percent(u);
	return 100.0 * (double)(u->cgroup.cpu_ns - before->cgroup.cpu_ns) /
	       (double)(u->at_ns - before->at_ns);
}

static const char *network_text(struct arena *a, const struct usage *u)
{
	if (!u->has_network)
		return "-- / --";
	return arena_printf(a, "%s / %s", size_text(a, u->received, 1000),
			    size_text(a, u->sent, 1000));
}

static const char *io_text(struct arena *a, const struct usage *u)
{
	return arena_printf(a, "%s / %s", size_text(a, u->cgroup.read_bytes, 1000),
			    size_text(a, u->cgroup.write_bytes, 1000));
}

static const char *memory_text(const struct table *t, struct arena *a, const struct usage *u)
{
	return arena_printf(a, "%s / %s", size_text(a, u->cgroup.memory, 1024),
			    size_text(a, limit_of(t, u), 1024));
}

/* "1.5/0/12.0": what it waited for, CPU, memory and devices, in percent of ten seconds. */
static const char *pressure_text(struct arena *a, const struct usage *u)
{
	const int *p = u->cgroup.pressure;

	if (p[PRESSURE_CPU] < 0)
		return "--";
	return arena_printf(a, "%.3g/%.3g/%.3g", p[PRESSURE_CPU] / 100.0,
			    p[PRESSURE_MEMORY] / 100.0, p[PRESSURE_IO] / 100.0);
}

/* Which limits it met, in a few words. */
static const char *met_text(struct arena *a, const struct usage *u)
{
	const struct cgroup_usage *c = &u->cgroup;
	const char *text = "";

	if (c->oom_kills > 0)
		text = arena_printf(a, "oom:%" PRIu64 " ", c->oom_kills);
	if (c->pids_refused > 0)
		text = arena_printf(a, "%spids:%" PRIu64 " ", text, c->pids_refused);
	if (c->memory_high > 0)
		text = arena_printf(a, "%shigh:%" PRIu64 " ", text, c->memory_high);
	if (c->cpu_throttled > 0 && c->cpu_periods > 0)
		text = arena_printf(a, "%scpu:%" PRIu64 "%% ", text,
				    100 * c->cpu_throttled / c->cpu_periods);
	return *text ? text : "-";
}

/* ---- tables ---------------------------------------------------------------------------------- */

#define COLUMNS 8
#define GAP     3

static const char *const stats_titles[COLUMNS] = { "NAME",  "CPU %",  "MEM USAGE / LIMIT",
						   "MEM %", "NET IO", "BLOCK IO",
						   "PIDS",  NULL };
static const char *const top_titles[COLUMNS] = {
	"NAME", "STATUS", "PID", "CPU %", "MEM", "PIDS", "WAITS CPU/MEM/IO %", "LIMITS MET"
};

static void fill_stats(struct table *t, const struct usage *u, const char *cells[COLUMNS])
{
	struct arena *a = &t->now.arena;

	cells[0] = u->id;
	cells[1] = arena_printf(a, "%.2f%%", cpu_percent(t, u));
	cells[2] = memory_text(t, a, u);
	cells[3] = arena_printf(a, "%.2f%%", memory_percent(t, u));
	cells[4] = network_text(a, u);
	cells[5] = io_text(a, u);
	cells[6] = arena_printf(a, "%" PRIu64, u->cgroup.pids);
	cells[7] = NULL;
}

static void fill_top(struct table *t, const struct usage *u, const char *cells[COLUMNS])
{
	struct arena *a = &t->now.arena;

	cells[0] = u->id;
	cells[1] = state_status_name(u->status);
	cells[2] = arena_printf(a, "%d", u->status == STATE_STOPPED ? 0 : u->pid);
	cells[3] = arena_printf(a, "%.2f%%", cpu_percent(t, u));
	cells[4] = size_text(a, u->cgroup.memory, 1024);
	cells[5] = arena_printf(a, "%" PRIu64, u->cgroup.pids);
	cells[6] = pressure_text(a, u);
	cells[7] = met_text(a, u);
}

static void put_row(const char *const *cells, const size_t *widths, struct buf *out)
{
	for (size_t c = 0; c < COLUMNS && cells[c]; c++)
		buf_printf(out, "%-*s",
			   c + 1 < COLUMNS && cells[c + 1] ? (int)(widths[c] + GAP) : 0, cells[c]);
	buf_str(out, "\n");
}

static bool is_shown(const struct table *t, const struct usage *u)
{
	return u->status == STATE_RUNNING || u->status == STATE_PAUSED || t->cli->o.all ||
	       t->cli->args.n > 0;
}

static int put_table(struct table *t, struct buf *out)
{
	const char *const *titles = t->top ? top_titles : stats_titles;
	const char *(*rows)[COLUMNS] = arena_array(&t->now.arena, t->now.list.n + 1, sizeof(*rows));
	size_t widths[COLUMNS] = { 0 }, n = 0;

	if (!rows)
		return err_set(&t->cli->err, -ENOMEM, "make a table");
	for (size_t i = 0; i < t->now.list.n; i++) {
		if (!is_shown(t, &t->now.list.v[i]))
			continue;
		if (t->top)
			fill_top(t, &t->now.list.v[i], rows[n++]);
		else
			fill_stats(t, &t->now.list.v[i], rows[n++]);
	}
	for (size_t c = 0; c < COLUMNS && titles[c]; c++) {
		widths[c] = strlen(titles[c]);
		for (size_t i = 0; i < n; i++)
			if (strlen(rows[i][c]) > widths[c])
				widths[c] = strlen(rows[i][c]);
	}
	put_row(titles, widths, out);
	for (size_t i = 0; i < n; i++)
		put_row(rows[i], widths, out);
	return 0;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void put_pressure(const struct usage *u, struct buf *out)
{
	static const char *const names[PRESSURES] = { "cpu", "memory", "io" };

	if (u->cgroup.pressure[PRESSURE_CPU] < 0)
		return;
	out_open(out, "psi_some_avg10", '{');
	for (size_t i = 0; i < PRESSURES; i++) {
		out_key(out, names[i]);
		buf_printf(out, "%d.%02d", u->cgroup.pressure[i] / 100,
			   u->cgroup.pressure[i] % 100);
	}
	out_close(out, '}');
}

/* A limit that there is not is left out. */
static void put_limit(struct buf *out, const char *key, uint64_t limit)
{
	if (limit != CGROUP_NO_LIMIT)
		out_unsigned(out, key, limit);
}

static void put_numbers(const struct usage *u, struct buf *out)
{
	const struct cgroup_usage *c = &u->cgroup;

	out_unsigned(out, "cpu_nanos", c->cpu_ns);
	out_unsigned(out, "mem_bytes", c->memory);
	put_limit(out, "mem_limit_bytes", c->memory_limit);
	put_limit(out, "pids_limit", c->pids_limit);
	out_unsigned(out, "block_read_bytes", c->read_bytes);
	out_unsigned(out, "block_write_bytes", c->write_bytes);
	if (u->has_network) {
		out_unsigned(out, "net_rx_bytes", u->received);
		out_unsigned(out, "net_tx_bytes", u->sent);
	}
	out_unsigned(out, "oom_kills", c->oom_kills);
	out_unsigned(out, "pids_refused", c->pids_refused);
	out_unsigned(out, "memory_high_events", c->memory_high);
	out_unsigned(out, "cpu_periods", c->cpu_periods);
	out_unsigned(out, "cpu_throttled_periods", c->cpu_throttled);
	put_pressure(u, out);
}

/* The first ten keys are podman's, and texts as there; then numbers. */
static void put_item(struct table *t, const struct usage *u, struct buf *out)
{
	struct arena *a = &t->now.arena;

	out_open(out, NULL, '{');
	out_str(out, "id", u->id);
	out_str(out, "name", u->id);
	out_str(out, "cpu_time", arena_printf(a, "%.6fs", (double)u->cgroup.cpu_ns / 1e9));
	out_str(out, "cpu_percent", arena_printf(a, "%.2f%%", cpu_percent(t, u)));
	out_str(out, "avg_cpu", arena_printf(a, "%.2f%%", average_percent(u)));
	out_str(out, "mem_usage", memory_text(t, a, u));
	out_str(out, "mem_percent", arena_printf(a, "%.2f%%", memory_percent(t, u)));
	out_str(out, "net_io", network_text(a, u));
	out_str(out, "block_io", io_text(a, u));
	out_str(out, "pids", arena_printf(a, "%" PRIu64, u->cgroup.pids));
	out_str(out, "status", state_status_name(u->status));
	out_num(out, "pid", u->status == STATE_STOPPED ? 0 : u->pid);
	put_numbers(u, out);
	out_close(out, '}');
}

static void put_json(struct table *t, struct buf *out)
{
	out_open(out, NULL, '[');
	for (size_t i = 0; i < t->now.list.n; i++)
		if (is_shown(t, &t->now.list.v[i]))
			put_item(t, &t->now.list.v[i], out);
	out_close(out, ']');
	buf_str(out, "\n");
}

/* ---- one pass after the other ---------------------------------------------------------------- */

/* MemTotal of /proc/meminfo, which a container's own view of it may make smaller. */
static uint64_t read_machine(void)
{
	_cleanup_buf_ struct buf text = { 0 };
	const char *line;

	if (people_read_host_file("/proc/meminfo", &text) < 0)
		return UINT64_MAX;
	line = strstr(buf_text(&text), "MemTotal:");
	return line ? strtoull(line + strlen("MemTotal:"), NULL, 10) * 1024 : UINT64_MAX;
}

static double sort_key(const struct table *t, const struct usage *u)
{
	return is_shown(t, u) ? cpu_percent(t, u) : -1;
}

/* The busiest first; few change their place from one table to the next, and there are hundreds. */
static void sort(struct table *t)
{
	struct usage *v = t->now.list.v;

	for (size_t i = 1; i < t->now.list.n; i++) {
		const struct usage u = v[i];
		const double key = sort_key(t, &u);
		size_t k = i;

		for (; k > 0 && sort_key(t, &v[k - 1]) < key; k--)
			v[k] = v[k - 1];
		v[k] = u;
	}
}

static int show(struct table *t)
{
	_cleanup_buf_ struct buf out = { 0 };
	struct cli *cli = t->cli;
	const unsigned int wanted =
	    t->json  ? USAGE_IO | USAGE_NETWORK | USAGE_LIMITS_MET | USAGE_PRESSURE
	    : t->top ? USAGE_LIMITS_MET | USAGE_PRESSURE
		     : USAGE_IO | USAGE_NETWORK;
	int r;

	arena_done(&t->before.arena);
	t->before = t->now;
	t->now = (struct sample){ 0 };
	r = run_usage(cli_root(cli), &cli->args, wanted, &t->now.arena, &t->now.list, &cli->err);
	if (r < 0)
		return r;
	if (t->top)
		sort(t);
	if (t->tty)
		buf_str(&out, "\033[H\033[J");
	if (t->json)
		put_json(t, &out);
	else
		r = put_table(t, &out);
	return r < 0 ? r : cli_print(cli, &out);
}

/* Of those that were named, is one still there to be watched? */
static bool is_over(const struct table *t)
{
	for (size_t i = 0; i < t->now.list.n; i++)
		if (t->now.list.v[i].status != STATE_STOPPED)
			return false;
	return t->cli->args.n > 0;
}

static int show_all(struct table *t)
{
	const struct timespec pause = { .tv_sec = t->interval / 1000,
					.tv_nsec = t->interval % 1000 * 1000000L };
	int r = show(t);

	while (r == 0 && t->stream && !is_over(t)) {
		(void)nanosleep(&pause, NULL);
		r = show(t);
	}
	return r;
}

/* A whole number is in seconds, as podman has it. */
static int take_interval(struct table *t, const char *otherwise)
{
	struct options *o = &t->cli->o;

	if (o->interval && *o->interval && o->interval[strspn(o->interval, "0123456789")] == '\0')
		o->interval = arena_printf(&t->cli->arena, "%ss", o->interval);
	return interval_take(t->cli, otherwise, &t->interval);
}

static int run_table(struct table *t, const char *interval)
{
	const bool tty = isatty(STDOUT_FILENO);
	int r = cli_format(t->cli, "table", &t->json);

	if (r == 0)
		r = take_interval(t, interval);
	if (r < 0)
		return r;
	t->stream = !t->cli->o.no_stream && (!t->top || tty);
	t->tty = t->stream && tty && !t->json;
	t->machine = read_machine();
	return show_all(t);
}

int cmd_stats(struct cli *cli)
{
	_cleanup_(table_done) struct table t = { .cli = cli };

	return run_table(&t, "1s");
}

int cmd_top(struct cli *cli)
{
	_cleanup_(table_done) struct table t = { .cli = cli, .top = true };

	return cli->args.n > 0 ? cmd_ps(cli) : run_table(&t, "2s");
}
