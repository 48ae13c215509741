/*
 * cmd_state.c - state and list: what containers there are, and how they are.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/containers.h"
#include "cli/rows.h"
#include "run/run.h"

#define COLUMN 12 /* narrowest column of the table */
#define GAP    3

const struct option_row list_options[] = {
	{ "format", 'f', OPTION_TEXT, AT(format), "format", "table or json" },
	{ "quiet", 'q', OPTION_FLAG, AT(quiet), NULL, "the ids only" },
	{ 0 },
};

void containers_time(int64_t sec, uint32_t nsec, struct buf *out)
{
	time_t seconds = (time_t)sec;
	char text[32] = "", digits[16];
	struct tm utc;
	size_t len;

	if (gmtime_r(&seconds, &utc))
		(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	(void)snprintf(digits, sizeof(digits), ".%09u", nsec);
	len = strlen(digits);
	while (digits[len - 1] == '0')
		len--;
	buf_printf(out, "%s%.*sZ", text, digits[len - 1] == '.' ? 0 : (int)len, digits);
}

static int shown_pid(const struct state *state, enum state_status status)
{
	return status == STATE_STOPPED ? 0 : state->pid;
}

static void add_member(const char *sep, const char *key, const char *value, struct buf *out)
{
	buf_printf(out, "%s\"%s\": ", sep, key);
	buf_json_str(out, value ? value : "");
}

static void add_annotations(const struct spec_pairs *notes, const char *sep, struct buf *out)
{
	if (notes->n == 0)
		return;
	buf_printf(out, "%s\"annotations\": {", sep);
	for (size_t i = 0; i < notes->n; i++) {
		buf_printf(out, "%s%s  ", i > 0 ? "," : "", sep + 1);
		buf_json_str(out, notes->v[i].key);
		buf_str(out, ": ");
		buf_json_str(out, notes->v[i].value);
	}
	buf_printf(out, "%s}", sep + 1);
}

/* The order and the names are runc's. `sep` is what stands between two members. */
static void add_state(const struct state *state, enum state_status status, const char *sep,
		      struct buf *out)
{
	buf_printf(out, "{%s", sep + 1);
	add_member("", "ociVersion", state->oci_version, out);
	add_member(sep, "id", state->id, out);
	buf_printf(out, "%s\"pid\": %d", sep, shown_pid(state, status));
	add_member(sep, "status", state_status_name(status), out);
	add_member(sep, "bundle", state->bundle, out);
	add_member(sep, "rootfs", state->rootfs, out);
	buf_printf(out, "%s\"created\": \"", sep);
	containers_time(state->created_sec, state->created_nsec, out);
	buf_str(out, "\"");
	add_annotations(&state->annotations, sep, out);
}

/* Ends what was begun with add_state(). */
static int show_state(struct cli *cli, struct buf *out)
{
	enum state_status status;
	struct state state;
	int r = run_state(cli_root(cli), cli->args.v[0], &cli->arena, &state, &status, &cli->err);

	if (r < 0)
		return r;
	add_state(&state, status, ",\n  ", out);
	add_member(",\n  ", "owner", "", out);
	return 0;
}

int cmd_state(struct cli *cli)
{
	_cleanup_buf_ struct buf out = { 0 };
	int r = show_state(cli, &out);

	buf_str(&out, "\n}\n");
	return r < 0 ? r : cli_print(cli, &out);
}

static void add_limit(const char *key, uint64_t limit, struct buf *out)
{
	if (limit != CGROUP_NO_LIMIT && limit > 0)
		buf_printf(out, ", \"%s\": %" PRIu64, key, limit);
}

/* The last one; a name may have anything in it. */
static void add_victim(const struct cgroup_victim *victim, struct buf *out)
{
	if (victim->pid == 0)
		return;
	buf_str(out, ", \"oomKilled\": {\"name\": ");
	buf_json_str(out, victim->name);
	buf_printf(out, ", \"pid\": %d}", victim->pid);
}

static void add_limits_reached(const struct cgroup_end *end, struct buf *out)
{
	if (end->oom_kills == 0 && end->pids_refused == 0 && end->memory_high == 0 &&
	    end->cpu_throttled == 0)
		return;
	buf_printf(out,
		   ",\n  \"limitsReached\": {\"oomKills\": %" PRIu64 ", \"pidsRefused\": %" PRIu64
		   ", \"memoryHigh\": %" PRIu64 ", \"cpuThrottledPeriods\": %" PRIu64,
		   end->oom_kills, end->pids_refused, end->memory_high, end->cpu_throttled);
	if (end->cpu_throttled > 0)
		buf_printf(out, ", \"cpuPeriods\": %" PRIu64 ", \"cpuThrottledNanos\": %" PRIu64,
			   end->cpu_periods, end->cpu_throttled_ns);
	add_limit("memoryLimit", end->memory_limit, out);
	add_limit("memoryPeak", end->memory_peak, out);
	add_limit("pidsLimit", end->pids_limit, out);
	add_victim(&end->victim, out);
	buf_str(out, "}");
}

/* For people: with the limits that it met. Engines get what the specification has, and no more. */
int people_state(struct cli *cli)
{
	_cleanup_buf_ struct buf out = { 0 };
	struct cgroup_end end;
	int r = show_state(cli, &out);

	if (r == 0)
		r = run_end(cli_root(cli), cli->args.v[0], &end, &cli->err);
	if (r < 0)
		return r;
	add_limits_reached(&end, &out);
	buf_str(&out, "\n}\n");
	return cli_print(cli, &out);
}

/* ---- list -------------------------------------------------------------------------------- */

enum { CELL_ID, CELL_PID, CELL_STATUS, CELL_BUNDLE, CELL_CREATED, CELL_OWNER, CELLS };

struct item {
	struct state state;
	enum state_status status;
	const char *cells[CELLS];
};

/* Without getpwuid(3), which asks name services: root is root, and others have numbers. */
static const char *owner(struct cli *cli, const struct state *state)
{
	return state->owner == 0 ? "root" : arena_printf(&cli->arena, "#%u", state->owner);
}

static void fill_cells(struct cli *cli, struct item *item)
{
	_cleanup_buf_ struct buf created = { 0 };

	containers_time(item->state.created_sec, item->state.created_nsec, &created);
	item->cells[CELL_ID] = item->state.id;
	item->cells[CELL_PID] =
	    arena_printf(&cli->arena, "%d", shown_pid(&item->state, item->status));
	item->cells[CELL_STATUS] = state_status_name(item->status);
	item->cells[CELL_BUNDLE] = item->state.bundle;
	item->cells[CELL_CREATED] = arena_printf(&cli->arena, "%s", buf_text(&created));
	item->cells[CELL_OWNER] = owner(cli, &item->state);
}

/* One that is being removed meanwhile is left out; one that cannot be read is named. */
static size_t load(struct cli *cli, const char *root, const struct spec_strings *ids,
		   struct item *items)
{
	size_t n = 0;

	for (size_t i = 0; i < ids->n; i++) {
		struct err err = { 0 };
		struct item *item = &items[n];
		int r = run_state(root, ids->v[i], &cli->arena, &item->state, &item->status, &err);

		if (r < 0 && r != -ENOENT)
			cli_warn(cli, err.msg);
		if (r == 0) {
			fill_cells(cli, item);
			n++;
		}
	}
	return n;
}

static void print_row(const char *const *cells, const size_t *widths, struct buf *out)
{
	for (size_t c = 0; c < CELLS; c++)
		buf_printf(out, "%-*s", c + 1 < CELLS ? (int)widths[c] : 0, cells[c]);
	buf_str(out, "\n");
}

static void print_table(const struct item *items, size_t n, struct buf *out)
{
	static const char *const titles[CELLS] = { "ID",     "PID",     "STATUS",
						   "BUNDLE", "CREATED", "OWNER" };
	size_t widths[CELLS];

	for (size_t c = 0; c < CELLS; c++) {
		widths[c] = COLUMN;
		for (size_t i = 0; i < n; i++)
			if (strlen(items[i].cells[c]) + GAP > widths[c])
				widths[c] = strlen(items[i].cells[c]) + GAP;
	}
	print_row(titles, widths, out);
	for (size_t i = 0; i < n; i++)
		print_row(items[i].cells, widths, out);
}

static void print_json(const struct item *items, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		buf_str(out, i == 0 ? "[" : ",");
		add_state(&items[i].state, items[i].status, ", ", out);
		add_member(", ", "owner", items[i].cells[CELL_OWNER], out);
		buf_str(out, "}");
	}
	buf_str(out, n > 0 ? "]\n" : "null\n");
}

int cmd_list(struct cli *cli)
{
	_cleanup_buf_ struct buf out = { 0 };
	const char *root = cli_root(cli);
	struct spec_strings ids = { 0 };
	struct item *items;
	bool json = false;
	size_t n;
	int r = cli_format(cli, "table", &json);

	if (r == 0)
		r = state_list(root, &cli->arena, &ids, &cli->err);
	if (r < 0)
		return r;
	items = arena_array(&cli->arena, ids.n + 1, sizeof(*items));
	if (!items)
		return err_set(&cli->err, -ENOMEM, "list %s", root);
	n = load(cli, root, &ids, items);
	if (cli->o.quiet)
		for (size_t i = 0; i < n; i++)
			buf_printf(&out, "%s\n", items[i].state.id);
	else if (json)
		print_json(items, n, &out);
	else
		print_table(items, n, &out);
	return cli_print(cli, &out);
}
