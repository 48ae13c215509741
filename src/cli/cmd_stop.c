/*
 * cmd_stop.c - containers on their way out, for people: stop, kill, pause, unpause, wait and rm.
 *
 * Each takes several names, says which it is through with, and goes on after a failure, of which
 * the exit status tells.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/containers.h"
#include "cli/parts.h"
#include "cli/people.h"
#include "cli/rows.h"
#include "cli/signals.h"

enum { STATUS_OURS = 125, STATUS_NONE = 1, STATUS_RUNS = 2 };

#define MAX_SECONDS (INT32_MAX / 1000)

#define ALL                                                                                        \
	{                                                                                          \
		"all", 'a', OPTION_FLAG, AT(all), NULL, "all containers"                           \
	}
#define IGNORE                                                                                     \
	{                                                                                          \
		"ignore", 'i', OPTION_FLAG, AT(life.ignore), NULL, "no error if there is none"     \
	}

const struct option_row people_stop_options[] = {
	ALL,
	IGNORE,
	{ "time", 't', OPTION_TEXT, AT(life.time), "seconds",
	  "until it is killed (10, or its --stop-timeout); -1: never" },
	{ "timeout", 0, OPTION_TEXT, AT(life.time), "seconds", "the same" },
	{ "signal", 's', OPTION_TEXT, AT(life.signal), "signal",
	  "what is sent first (TERM, or its --stop-signal)" },
	{ 0 },
};

const struct option_row people_kill_options[] = {
	ALL,
	{ "signal", 's', OPTION_TEXT, AT(life.signal), "signal", "a name or a number (KILL)" },
	{ 0 },
};

const struct option_row people_pause_options[] = { ALL, { 0 } };

const struct option_row people_wait_options[] = { IGNORE, { 0 } };

const struct option_row people_rm_options[] = {
	ALL,
	IGNORE,
	{ "force", 'f', OPTION_FLAG, AT(force), NULL,
	  "kill what still runs; no error if there is no such container" },
	{ 0 },
};

/* ---- several containers ----------------------------------------------------------------------
 */

/* The names that were given, or all that are there. */
static int find_names(struct cli *cli, struct spec_strings *ret)
{
	*ret = cli->args;
	if (cli->o.all && cli->args.n > 0)
		return err_say(&cli->err, -EINVAL, "--all: expected no name beside it");
	if (cli->o.all)
		return state_list(cli_root(cli), &cli->arena, ret, &cli->err);
	if (cli->args.n == 0)
		return err_say(&cli->err, -EINVAL, "\"%s\" requires the name of a container",
			       cli->command->name);
	return 0;
}

static int status_of(const struct cli *cli, int code)
{
	if (strcmp(cli->command->name, "rm") != 0)
		return STATUS_OURS;
	return code == -ENOENT ? STATUS_NONE : code == -EBUSY ? STATUS_RUNS : STATUS_OURS;
}

/* Another failure than the first makes it an ordinary one, as podman has it. */
static int say_failure(struct cli *cli, int code, int status)
{
	log_error(cli);
	cli->err = (struct err){ 0 };
	if (status == 0 || status == status_of(cli, code))
		return status_of(cli, code);
	return STATUS_OURS;
}

static int say_name(struct cli *cli, const char *id)
{
	_cleanup_buf_ struct buf out = { 0 };

	buf_printf(&out, "%s\n", id);
	return cli_print(cli, &out);
}

typedef int (*each_fn)(struct cli *cli, const char *id);

/* Does something to each: 0 says its name, 1 does not, a negative errno says cli->err. */
static int for_each(struct cli *cli, each_fn act)
{
	struct spec_strings names;
	int status = 0, r = find_names(cli, &names);

	if (r < 0)
		return r;
	for (size_t i = 0; i < names.n; i++) {
		r = act(cli, names.v[i]);
		if (r == 0)
			r = say_name(cli, names.v[i]);
		if (r == -ENOENT && (cli->o.life.ignore || cli->o.all))
			continue;
		if (r < 0)
			status = say_failure(cli, r, status);
	}
	return status;
}

/* ---- stop ------------------------------------------------------------------------------------
 */

static int stop_signal(struct cli *cli, const struct state *state, int *ret)
{
	const char *text = cli->o.life.signal;

	if (!given(text))
		text = containers_annotation(state, PEOPLE_STOP_SIGNAL);
	*ret = given(text) ? signals_number(text) : SIGTERM;
	if (*ret > 0)
		return 0;
	return err_say(&cli->err, -EINVAL, "--signal %.100s: expected a number up to %d or a name",
		       text, SIGNALS_MAX);
}

static int stop_ms(struct cli *cli, const struct state *state, int *ret)
{
	const char *text = cli->o.life.time;
	int64_t seconds = PEOPLE_STOP_SECONDS;
	int r;

	if (!given(text))
		text = containers_annotation(state, PEOPLE_STOP_TIMEOUT);
	r = given(text) ? value_number(&cli->err, "time", text, -1, MAX_SECONDS, &seconds) : 0;
	*ret = seconds < 0 ? -1 : (int)seconds * 1000;
	return r;
}

static int stop_begin(struct cli *cli, const char *id)
{
	enum state_status status;
	struct state state;
	int sig = SIGTERM, ms,
	    r = run_state(cli_root(cli), id, &cli->arena, &state, &status, &cli->err);

	if (r == 0)
		r = stop_signal(cli, &state, &sig);
	if (r == 0)
		r = stop_ms(cli, &state, &ms);
	if (r < 0 || status == STATE_STOPPED)
		return r;
	r = run_kill(cli_root(cli), id, sig, false, &cli->err);
	/* It has to run to hear of it. */
	if (r == 0 && status == STATE_PAUSED)
		r = run_resume(cli_root(cli), id, &cli->err);
	return r == -ESRCH ? 0 : r;
}

static int stop_end(struct cli *cli, const char *id, int64_t begin)
{
	const char *root = cli_root(cli);
	enum state_status status;
	struct state_exit end;
	struct state state;
	int ms = 0, r = run_state(root, id, &cli->arena, &state, &status, &cli->err);

	if (r == 0)
		r = stop_ms(cli, &state, &ms);
	if (r < 0)
		return r == -ENOENT ? 0 : r; /* --rm */
	if (ms > 0) {
		int64_t left = begin + ms - clock_ms();

		ms = left > 0 ? (int)left : 0;
	}
	r = run_wait(root, id, ms, &end, &cli->err);
	if (r != -ETIMEDOUT)
		return r == -ENOENT || r > 0 ? 0 : r;
	r = run_kill(root, id, SIGKILL, false, &cli->err);
	if (r == 0 || r == -ESRCH)
		r = run_wait(root, id, -1, &end, &cli->err);
	return r == -ENOENT || r > 0 ? 0 : r;
}

/* All hear of it before one is waited for, so the time is that of the slowest. */
int people_stop(struct cli *cli)
{
	struct spec_strings names;
	int64_t begin = clock_ms();
	int status = 0, r = find_names(cli, &names);

	if (r < 0)
		return r;
	for (size_t i = 0; i < names.n; i++) {
		r = stop_begin(cli, names.v[i]);
		if (r == 0)
			continue;
		if (r != -ENOENT || !(cli->o.life.ignore || cli->o.all))
			status = say_failure(cli, r, status);
		names.v[i] = NULL;
	}
	for (size_t i = 0; i < names.n; i++) {
		if (!names.v[i])
			continue;
		r = stop_end(cli, names.v[i], begin);
		if (r == 0)
			r = say_name(cli, names.v[i]);
		if (r < 0)
			status = say_failure(cli, r, status);
	}
	return status;
}

/* ---- kill, pause, unpause --------------------------------------------------------------------
 */

static int kill_one(struct cli *cli, const char *id)
{
	const char *text = given(cli->o.life.signal) ? cli->o.life.signal : "KILL";
	int sig = signals_number(text), r;
	struct state_exit end;

	if (sig < 0)
		return err_say(&cli->err, -EINVAL,
			       "--signal %.100s: expected a number up to %d or a name such as TERM",
			       text, SIGNALS_MAX);
	r = run_kill(cli_root(cli), id, sig, false, &cli->err);
	if (r == -ESRCH && cli->o.all)
		return 1;
	if (r < 0)
		return r == -ESRCH ? err_prefix(&cli->err, "%s", id) : r;
	/* Whoever looks next finds it as it is then: stopped, with its exit status. */
	if (sig == SIGKILL)
		(void)run_wait(cli_root(cli), id, -1, &end, &(struct err){ 0 });
	return 0;
}

int people_kill(struct cli *cli)
{
	return for_each(cli, kill_one);
}

static bool is(struct cli *cli, const char *id, enum state_status wanted)
{
	enum state_status status;
	struct state state;

	return run_state(cli_root(cli), id, &cli->arena, &state, &status, &cli->err) == 0 &&
	       status == wanted;
}

static int pause_one(struct cli *cli, const char *id)
{
	if (cli->o.all && !is(cli, id, STATE_RUNNING))
		return 1;
	return run_pause(cli_root(cli), id, &cli->err);
}

static int unpause_one(struct cli *cli, const char *id)
{
	if (cli->o.all && !is(cli, id, STATE_PAUSED))
		return 1;
	return run_resume(cli_root(cli), id, &cli->err);
}

int people_pause(struct cli *cli)
{
	return for_each(cli, pause_one);
}

int people_unpause(struct cli *cli)
{
	return for_each(cli, unpause_one);
}

/* ---- wait, rm --------------------------------------------------------------------------------
 */

static int wait_one(struct cli *cli, const char *id)
{
	_cleanup_buf_ struct buf out = { 0 };
	struct state_exit end;
	int r = run_wait(cli_root(cli), id, -1, &end, &cli->err);

	if (r < 0)
		return r;
	if (r == 0) {
		(void)err_say(&cli->err, -ECHILD, "the exit status of container %s is not known",
			      id);
		return err_hint(&cli->err,
				"whoever watched it was killed, or it was made by containr-oci");
	}
	buf_printf(&out, "%" PRIu64 "\n", end.status);
	r = cli_print(cli, &out);
	return r < 0 ? r : 1;
}

int people_wait(struct cli *cli)
{
	return for_each(cli, wait_one);
}

static int rm_one(struct cli *cli, const char *id)
{
	int r = run_delete(cli_root(cli), id, cli->o.force, &cli->err);

	if (r > 0)
		cli_warn(cli, cli->err.msg);
	return r < 0 ? r : 0;
}

int people_rm(struct cli *cli)
{
	return for_each(cli, rm_one);
}
