/*
 * cmd_exec.c - exec: a further process in a container that runs.
 */
#include <errno.h>

#include "cli/commands.h"
#include "cli/rows.h"
#include "run/run.h"

const struct option_row exec_options[] = {
	{ "process", 'p', OPTION_TEXT, AT(process), "file",
	  "JSON with the whole process; the other options about it do not apply" },
	{ "env", 'e', OPTION_LIST, AT(env), "K=V", "one more environment variable" },
	{ "cwd", 0, OPTION_TEXT, AT(cwd), "dir", "working directory" },
	{ "user", 'u', OPTION_TEXT, AT(user), "uid[:gid]", "who runs it" },
	{ "additional-gids", 'g', OPTION_LIST, AT(additional_gids), "gid", "one more group" },
	{ "cap", 'c', OPTION_LIST, AT(caps), "capability", "one more capability" },
	{ "tty", 't', OPTION_FLAG, AT(tty), NULL, "give it a terminal" },
	{ "detach", 'd', OPTION_FLAG, AT(detach), NULL, "return once the program runs" },
	{ "no-new-privs", 0, OPTION_FLAG, AT(no_new_privs), NULL, "it can gain no privileges" },
	{ "apparmor", 0, OPTION_TEXT, AT(apparmor), "profile", "AppArmor profile" },
	{ "process-label", 0, OPTION_TEXT, AT(process_label), "label", "SELinux label" },
	{ "cgroup", 0, OPTION_LIST, AT(cgroups), "[controller:]path",
	  "existing cgroup below the container's" },
	{ "ignore-paused", 0, OPTION_FLAG, AT(ignore_paused), NULL,
	  "also if the container is paused: then it begins when that ends" },
	ROW_CONSOLE_SOCKET,
	ROW_PID_FILE,
	ROW_PIDFD_SOCKET,
	{ "preserve-fds", 0, OPTION_NUMBER, AT(preserve_fds), "n",
	  "pass n more descriptors, from 3 on" },
	ROW_NO_SUBREAPER,
	{ 0 },
};

int cmd_exec(struct cli *cli)
{
	const struct options *o = &cli->o;
	struct exec_request request = {
		.root = cli_root(cli),
		.id = cli->args.v[0],
		.process_file = o->process,
		.args = { cli->args.n - 1, cli->args.v + 1 },
		.env = o->env,
		.cwd = o->cwd,
		.user = o->user,
		.caps = o->caps,
		.additional_gids = o->additional_gids,
		.apparmor = o->apparmor,
		.process_label = o->process_label,
		.cgroups = o->cgroups,
		.tty = o->tty,
		.detach = o->detach,
		.no_new_privs = o->no_new_privs,
		.ignore_paused = o->ignore_paused,
		.console_socket = cli_absolute(cli, o->console_socket),
		.pid_file = cli_absolute(cli, o->pid_file),
		.pidfd_socket = cli_absolute(cli, o->pidfd_socket),
		.view = cli->view,
		.preserve_fds = o->preserve_fds,
	};

	if (!o->process && request.args.n == 0) {
		(void)err_say(&cli->err, -EINVAL, "process args cannot be empty");
		return err_hint(&cli->err, "name the command to run behind %s, or use --process",
				request.id);
	}
	return run_exec(&request, &cli->err);
}
