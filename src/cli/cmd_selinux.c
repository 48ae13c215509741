/*
 * cmd_selinux.c - `containr selinux install`: the policy module for hosts without containers.
 */
#include <errno.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/commands.h"
#include "host/selinux.h"

int cmd_selinux(struct cli *cli)
{
	if (strcmp(cli->args.v[0], "install") != 0)
		return err_say(&cli->err, -EINVAL, "selinux %.100s: expected install",
			       cli->args.v[0]);
	if (!selinux_is_enabled()) {
		(void)err_say(&cli->err, -EOPNOTSUPP,
			      "selinux install: SELinux is not active on this host");
		return err_hint(&cli->err, "`containr info` tells which layers are");
	}
	return selinux_install_policy(&cli->err);
}
