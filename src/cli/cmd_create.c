/*
 * cmd_create.c - create, run and plan: what begins with a bundle.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "cli/commands.h"
#include "cli/rows.h"
#include "run/run.h"

const struct option_row start_options[] = {
	ROW_BUNDLE,
	ROW_CONSOLE_SOCKET,
	ROW_PID_FILE,
	ROW_PIDFD_SOCKET,
	{ "preserve-fds", 0, OPTION_NUMBER, AT(preserve_fds), "n",
	  "pass n more descriptors, from 3 (or behind those of $LISTEN_FDS) on" },
	{ "no-pivot", 0, OPTION_FLAG, AT(no_pivot), NULL,
	  "keep the root mount, for a root file system in a ramdisk" },
	{ "no-new-keyring", 0, OPTION_FLAG, AT(no_new_keyring), NULL,
	  "share the caller's session keyring" },
	{ "trace", 0, OPTION_FLAG, AT(trace), NULL, "print each step with its time" },
	{ 0 },
};

const struct option_row run_options[] = {
	{ "detach", 'd', OPTION_FLAG, AT(detach), NULL, "return once the program runs" },
	{ "keep", 0, OPTION_FLAG, AT(keep), NULL, "leave the container for `delete` at its end" },
	ROW_NO_SUBREAPER,
	{ 0 },
};

const struct option_row plan_options[] = {
	{ "detach", 'd', OPTION_FLAG, AT(detach), NULL, "as of `run --detach`" },
	{ "format", 'f', OPTION_TEXT, AT(format), "format", "text or json" },
	{ 0 },
};

/* Unknown keys are ignored, as the specification says, and named for whom wants to know. */
static void tell_unknown(void *data, const char *path, const char *why, unsigned int line,
			 unsigned int column)
{
	const struct cli *cli = data;
	_cleanup_buf_ struct buf text = { 0 };

	buf_printf(&text, "config.json:%u:%u: %s %s and is ignored", line, column, path, why);
	/* runtime-spec wants a warning for a capability of a newer kernel, and none for a key. */
	if (strchr(path, '='))
		cli_warn(cli, buf_text(&text));
	else if (cli->o.debug)
		cli_debug(cli, buf_text(&text));
}

/* Descriptors that systemd passes, if they are for us (sd_listen_fds(3)). */
static unsigned int listen_fds(void)
{
	const char *count = getenv("LISTEN_FDS"), *whose = getenv("LISTEN_PID");
	uint64_t n, pid;

	if (!count || !whose || num_u64(count, 1024, &n) < 0 || num_u64(whose, INT32_MAX, &pid) < 0)
		return 0;
	return pid == (uint64_t)getpid() ? (unsigned int)n : 0;
}

static int make_request(struct cli *cli, bool run, struct run_request *ret)
{
	const struct options *o = &cli->o;
	const char *notify = getenv("NOTIFY_SOCKET");
	struct plan_options plan = {
		.id = cli->args.n > 0 ? cli->args.v[0] : "ID",
		.root = cli_root(cli),
		.bundle = cli_absolute(cli, o->bundle ? o->bundle : "."),
		.run = run,
		.detach = o->detach,
		.pid_file = cli_absolute(cli, o->pid_file),
		.console_socket = cli_absolute(cli, o->console_socket),
		.pidfd_socket = cli_absolute(cli, o->pidfd_socket),
		.notify_socket = notify && *notify ? notify : NULL,
		.view = cli->view,
		.preserve_fds = o->preserve_fds,
		.listen_fds = listen_fds(),
		.no_pivot = o->no_pivot,
		.no_new_keyring = o->no_new_keyring,
		.systemd_cgroup = o->systemd_cgroup,
	};

	if (!plan.bundle || arena_failed(&cli->arena))
		return err_say(&cli->err, -EINVAL, "--bundle is empty");
	*ret = (struct run_request){
		.plan = plan,
		.unknown = tell_unknown,
		.unknown_data = cli,
		.keep = o->keep,
		.no_subreaper = o->no_subreaper,
		.trace = o->trace,
	};
	return state_check_id(plan.id, &cli->err);
}

int cmd_create(struct cli *cli)
{
	struct run_request request;
	int r = make_request(cli, false, &request);

	return r < 0 ? r : run_create(&request, &cli->err);
}

int cmd_run(struct cli *cli)
{
	struct run_request request;
	_cleanup_buf_ struct buf reasons = { 0 };
	struct err warning = { 0 };
	int r = make_request(cli, true, &request);

	request.warning = &warning;
	request.reasons = &reasons;
	if (r == 0)
		r = run_run(&request, &cli->err);
	if (warning.code < 0)
		cli_warn(cli, warning.msg);
	cli_warn_lines(cli, &reasons);
	return r;
}

int cmd_plan(struct cli *cli)
{
	_cleanup_buf_ struct buf out = { 0 };
	struct run_request request;
	bool json = false;
	int r = cli_format(cli, "text", &json);

	if (r == 0)
		r = make_request(cli, true, &request);
	if (r == 0)
		r = run_plan(&request, json, &out, &cli->err);
	return r < 0 ? r : cli_print(cli, &out);
}
