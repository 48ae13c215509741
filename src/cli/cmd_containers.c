/*
 * cmd_containers.c - `containr ps`: the containers below --root, newest first, in the words and
 * with the keys of docker and podman.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/json_out.h"
#include "base/num.h"
#include "cli/commands.h"
#include "cli/containers.h"
#include "cli/people.h"
#include "cli/rows.h"

#define GAP          2
#define COMMAND_SIZE 30 /* characters of a command, unless all were asked for */

const struct option_row people_ps_options[] = {
	{ "all", 'a', OPTION_FLAG, AT(all), NULL, "those that have ended, too" },
	{ "quiet", 'q', OPTION_FLAG, AT(quiet), NULL, "the names only" },
	{ "filter", 'f', OPTION_LIST, AT(life.filters), "key=value",
	  "name=, id=, status=, exited=, label=" },
	{ "format", 0, OPTION_TEXT, AT(format), "format", "table or json" },
	{ "no-trunc", 0, OPTION_FLAG, AT(life.no_trunc), NULL, "whole commands" },
	{ "noheading", 0, OPTION_FLAG, AT(life.no_heading), NULL, "no line with titles" },
	{ 0 },
};

/* ---- words -----------------------------------------------------------------------------------
 */

/* As docker rounds: down, with some room at the changes of units. */
void containers_duration(int64_t seconds, struct buf *out)
{
	static const struct {
		int64_t below, unit;
		const char *name;
	} steps[] = {
		{ 60, 1, "seconds" },
		{ 3600, 60, "minutes" },
		{ 48 * 3600L, 3600, "hours" },
		{ 14 * 86400L, 86400, "days" },
		{ 60 * 86400L, 7 * 86400L, "weeks" },
		{ 730 * 86400L, 30 * 86400L, "months" },
	};

	if (seconds < 1)
		buf_str(out, "Less than a second");
	else if (seconds == 1)
		buf_str(out, "1 second");
	else if (seconds >= 60 && seconds < 120)
		buf_str(out, "About a minute");
	else if (seconds >= 3600 && seconds < 7200)
		buf_str(out, "About an hour");
	else {
		for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
			if (seconds < steps[i].below) {
				buf_printf(out, "%" PRId64 " %s", seconds / steps[i].unit,
					   steps[i].name);
				return;
			}
		buf_printf(out, "%" PRId64 " years", seconds / (365 * 86400L));
	}
}

static const char *word_of(const struct container *c)
{
	return c->status == STATE_STOPPED ? "exited" : state_status_name(c->status);
}

static void say_exit(const struct container *c, int64_t now, struct buf *out)
{
	if (!c->has_end) {
		buf_str(out, "Exited (unknown)");
		return;
	}
	buf_printf(out, "Exited (%" PRIu64 ") ", c->end.status);
	containers_duration(now - (int64_t)c->end.sec, out);
	buf_str(out, " ago");
}

static void say_status(const struct container *c, int64_t now, struct buf *out)
{
	switch (c->status) {
	case STATE_CREATING:
	case STATE_CREATED:
		buf_str(out, "Created");
		break;
	case STATE_RUNNING:
	case STATE_PAUSED:
		buf_str(out, "Up ");
		containers_duration(now - c->state.created_sec, out);
		buf_str(out, c->status == STATE_PAUSED ? " (Paused)" : "");
		break;
	case STATE_STOPPED:
		say_exit(c, now, out);
		break;
	}
}

/* Nothing in it reaches a terminal as a control character. */
static void say_command(const struct container *c, bool all, struct buf *out)
{
	size_t begin = out->len;

	for (size_t i = 0; i < c->command.n; i++)
		buf_printf(out, "%s%s", i > 0 ? " " : "", c->command.v[i]);
	if (!all && out->len - begin > COMMAND_SIZE) {
		size_t cut = begin + COMMAND_SIZE - 3;

		/* Not inside a character. */
		while (cut > begin && ((unsigned char)out->data[cut] & 0xc0) == 0x80)
			cut--;
		out->len = cut;
		buf_str(out, "...");
	}
	for (size_t i = begin; i < out->len; i++)
		if ((unsigned char)out->data[i] < 0x20 || out->data[i] == 0x7f)
			out->data[i] = ' ';
}

/* ---- which -----------------------------------------------------------------------------------
 */

const char *containers_annotation(const struct state *state, const char *key)
{
	for (size_t i = 0; i < state->annotations.n; i++)
		if (strcmp(state->annotations.v[i].key, key) == 0)
			return state->annotations.v[i].value;
	return NULL;
}

static bool has_label(const struct container *c, const char *key, const char *value)
{
	const char *has = containers_annotation(&c->state, key);

	return has && (!value || strcmp(has, value) == 0);
}

static int check_filter(struct cli *cli, const char *key, const char *value, const char *text)
{
	static const char *const keys[] = { "name", "id", "status", "exited", "label", NULL };
	static const char *const words[] = { "created", "creating", "running", "paused",
					     "exited",  "stopped",  NULL };
	const char *const *list = strcmp(key, "status") == 0 ? words : keys;
	const char *word = list == words ? value : key;
	uint64_t number;

	for (; *list && (!word || strcmp(*list, word) != 0); list++)
		;
	if (!*list || !given(value) ||
	    (strcmp(key, "exited") == 0 && num_u64(value, 255, &number) < 0))
		return err_say(&cli->err, -EINVAL,
			       "--filter %.200s: expected name=TEXT, id=TEXT, label=KEY[=VALUE], "
			       "exited=N or status=created, running, paused or exited",
			       text);
	return 0;
}

static bool passes(struct cli *cli, const struct container *c, const char *key, const char *value)
{
	const char *label;
	uint64_t number = 0;

	if (strcmp(key, "name") == 0 || strcmp(key, "id") == 0)
		return strstr(c->state.id, value);
	if (strcmp(key, "label") == 0) {
		key = value_part(&cli->arena, value, '=', &label);
		return has_label(c, key, label);
	}
	if (strcmp(key, "status") == 0)
		return strcmp(value, word_of(c)) == 0 ||
		       strcmp(value, state_status_name(c->status)) == 0;
	(void)num_u64(value, 255, &number);
	return c->status == STATE_STOPPED && c->has_end && c->end.status == number;
}

/* Those of one key are alternatives, as docker has it. */
static bool is_wanted(struct cli *cli, const struct container *c)
{
	const struct spec_strings *filters = &cli->o.life.filters;
	bool shows_all = cli->o.all;

	for (size_t i = 0; i < filters->n; i++) {
		const char *value, *key = value_part(&cli->arena, filters->v[i], '=', &value);
		bool any = false;

		shows_all |= strcmp(key, "status") == 0 || strcmp(key, "exited") == 0;
		for (size_t k = 0; k < filters->n && !any; k++) {
			const char *other,
			    *same = value_part(&cli->arena, filters->v[k], '=', &other);

			any = strcmp(same, key) == 0 && passes(cli, c, same, other);
		}
		if (!any)
			return false;
	}
	return shows_all || c->status == STATE_RUNNING || c->status == STATE_PAUSED;
}

/* ---- all of them -----------------------------------------------------------------------------
 */

int containers_read(struct cli *cli, const char *id, struct container *ret)
{
	const char *root = cli_root(cli);
	struct err ignored;
	struct spec spec;
	int r = run_state(root, id, &cli->arena, &ret->state, &ret->status, &cli->err);

	if (r < 0)
		return r;
	/* What was claimed and not made yet has none. */
	if (run_config(root, id, &cli->arena, &spec, &ignored) == 0)
		ret->command = spec.process.args;
	if (ret->status == STATE_STOPPED)
		ret->has_end = run_wait(root, id, 0, &ret->end, &ignored) > 0;
	return 0;
}

static int by_age(const void *a, const void *b)
{
	const struct state *x = &((const struct container *)a)->state;
	const struct state *y = &((const struct container *)b)->state;

	if (x->created_sec != y->created_sec)
		return x->created_sec < y->created_sec ? 1 : -1;
	return x->created_nsec < y->created_nsec ? 1 : x->created_nsec > y->created_nsec ? -1 : 0;
}

/* One that is being removed meanwhile is left out; one that cannot be read is named. */
static int load(struct cli *cli, struct container **ret, size_t *ret_n)
{
	struct spec_strings ids = { 0 };
	struct container *all;
	size_t n = 0;
	int r = state_list(cli_root(cli), &cli->arena, &ids, &cli->err);

	if (r < 0)
		return r;
	all = arena_array(&cli->arena, ids.n + 1, sizeof(*all));
	if (!all)
		return err_set(&cli->err, -ENOMEM, "list the containers");
	for (size_t i = 0; i < ids.n; i++) {
		all[n] = (struct container){ .has_end = false };
		r = containers_read(cli, ids.v[i], &all[n]);
		if (r < 0 && r != -ENOENT)
			cli_warn(cli, cli->err.msg);
		if (r == 0 && is_wanted(cli, &all[n]))
			n++;
	}
	cli->err = (struct err){ 0 };
	if (n > 0)
		qsort(all, n, sizeof(*all), by_age);
	*ret = all;
	*ret_n = n;
	return 0;
}

/* ---- table and JSON --------------------------------------------------------------------------
 */

enum { CELL_NAME, CELL_COMMAND, CELL_CREATED, CELL_STATUS, CELLS };

static void fill(struct cli *cli, const struct container *c, int64_t now, const char **cells)
{
	_cleanup_buf_ struct buf command = { 0 }, created = { 0 }, status = { 0 };

	say_command(c, cli->o.life.no_trunc, &command);
	containers_duration(now - c->state.created_sec, &created);
	say_status(c, now, &status);
	cells[CELL_NAME] = c->state.id;
	cells[CELL_COMMAND] = arena_printf(&cli->arena, "%s", buf_text(&command));
	cells[CELL_CREATED] = arena_printf(&cli->arena, "%s ago", buf_text(&created));
	cells[CELL_STATUS] = arena_printf(&cli->arena, "%s", buf_text(&status));
}

static int print_table(struct cli *cli, const struct container *all, size_t n, struct buf *out)
{
	static const char *const titles[CELLS] = { "NAME", "COMMAND", "CREATED", "STATUS" };
	const char *(*rows)[CELLS] = arena_array(&cli->arena, n + 1, sizeof(*rows));
	int width[CELLS] = { 0 };

	if (!rows)
		return err_set(&cli->err, -ENOMEM, "list the containers");
	memcpy(rows[0], titles, sizeof(titles));
	for (size_t i = 0; i < n; i++)
		fill(cli, &all[i], time(NULL), rows[i + 1]);
	for (size_t i = 0; i <= n; i++)
		for (size_t k = 0; k < CELLS; k++)
			if ((int)strlen(rows[i][k]) + GAP > width[k])
				width[k] = (int)strlen(rows[i][k]) + GAP;
	for (size_t i = cli->o.life.no_heading ? 1 : 0; i <= n; i++) {
		for (size_t k = 0; k < CELLS; k++)
			buf_printf(out, "%-*s", k + 1 < CELLS ? width[k] : 0, rows[i][k]);
		buf_str(out, "\n");
	}
	return 0;
}

static void put_labels(const struct container *c, struct buf *out)
{
	out_open(out, "Labels", '{');
	for (size_t i = 0; i < c->state.annotations.n; i++)
		/* Not ours, of which `inspect` tells more. */
		if (strncmp(c->state.annotations.v[i].key, PEOPLE_OURS, strlen(PEOPLE_OURS)) != 0)
			out_str(out, c->state.annotations.v[i].key,
				c->state.annotations.v[i].value);
	out_close(out, '}');
}

static void put_container(const struct container *c, struct buf *out)
{
	_cleanup_buf_ struct buf created = { 0 }, status = { 0 };

	containers_time(c->state.created_sec, c->state.created_nsec, &created);
	say_status(c, time(NULL), &status);
	out_open(out, NULL, '{');
	out_str(out, "Id", c->state.id);
	out_open(out, "Names", '[');
	out_str(out, NULL, c->state.id);
	out_close(out, ']');
	out_open(out, "Command", '[');
	for (size_t i = 0; i < c->command.n; i++)
		out_str(out, NULL, c->command.v[i]);
	out_close(out, ']');
	out_num(out, "Created", c->state.created_sec);
	out_str(out, "CreatedAt", buf_text(&created));
	out_str(out, "State", word_of(c));
	out_str(out, "Status", buf_text(&status));
	out_num(out, "Pid", c->status == STATE_STOPPED ? 0 : c->state.pid);
	out_bool(out, "Exited", c->status == STATE_STOPPED);
	out_key(out, "ExitCode");
	if (c->status == STATE_STOPPED && !c->has_end)
		buf_str(out, "null");
	else
		buf_printf(out, "%" PRIu64, c->has_end ? c->end.status : 0);
	out_unsigned(out, "ExitedAt", c->has_end ? c->end.sec : 0);
	put_labels(c, out);
	out_close(out, '}');
}

int people_ps(struct cli *cli)
{
	_cleanup_buf_ struct buf out = { 0 };
	const struct spec_strings *filters = &cli->o.life.filters;
	struct container *all = NULL;
	bool json = false;
	size_t n = 0;
	int r = cli_format(cli, "table", &json);

	for (size_t i = 0; i < filters->n && r == 0; i++) {
		const char *value, *key = value_part(&cli->arena, filters->v[i], '=', &value);

		r = check_filter(cli, key, value, filters->v[i]);
	}
	if (r == 0)
		r = load(cli, &all, &n);
	if (r < 0)
		return r;
	if (json) {
		out_open(&out, NULL, '[');
		for (size_t i = 0; i < n; i++)
			put_container(&all[i], &out);
		out_close(&out, ']');
		buf_str(&out, "\n");
	} else if (cli->o.quiet) {
		for (size_t i = 0; i < n; i++)
			buf_printf(&out, "%s\n", all[i].state.id);
	} else {
		r = print_table(cli, all, n, &out);
	}
	return r < 0 ? r : cli_print(cli, &out);
}
