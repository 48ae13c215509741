/*
 * main.c - containr, for people.
 */
#include <stdint.h>

#include "cli/commands.h"

#define AT(member) offsetof(struct options, member)

static const struct option_row options[] = {
	{ "root", 0, OPTION_TEXT, AT(root), "dir", "where the state of containers is" },
	{ "debug", 0, OPTION_FLAG, AT(debug), NULL, "say more" },
	{ "version", 'v', OPTION_FLAG, AT(version), NULL, "show the version" },
	{ 0 },
};

static const struct command commands[] = {
	{ .name = "run",
	  .args = "[--] [command [arguments]]",
	  .help = "run a command, or a shell, in a container",
	  .options = people_options,
	  .more = people_run_options,
	  .max_args = SIZE_MAX,
	  .stop = true,
	  .protect = true,
	  .failure = 125,
	  .preset = run_preset,
	  .run = people_run },
	{ .name = "plan",
	  .args = "[--] [command [arguments]]",
	  .help = "show what a start would do, step by step, and do nothing",
	  .options = people_options,
	  .more = people_plan_options,
	  .max_args = SIZE_MAX,
	  .stop = true,
	  .preset = run_preset,
	  .run = people_plan },
	{ .name = "state",
	  .args = "<container-id>",
	  .help = "show the state of a container as JSON, and the limits that it met",
	  .options = no_options,
	  .min_args = 1,
	  .max_args = 1,
	  .missing = "a container id",
	  .run = people_state },
	{ .name = "info",
	  .help = "show what this host has of the layers that confine a container",
	  .options = info_options,
	  .run = cmd_info },
	{ .name = "doctor",
	  .help = "check whether containers work here, with a remedy for what is wrong",
	  .options = doctor_options,
	  .run = cmd_doctor },
	{ .name = "selinux",
	  .args = "install",
	  .help = "install the policy module that knows containers, where there is none",
	  .options = no_options,
	  .min_args = 1,
	  .max_args = 1,
	  .missing = "install",
	  .run = cmd_selinux },
	{ .name = "profile",
	  .args = "list|show|diff|lint|compile [profile]...",
	  .help = "show, compare, check and compile seccomp profiles",
	  .options = profile_options,
	  .min_args = 1,
	  .max_args = 3,
	  .missing = "list, show, diff, lint or compile",
	  .run = cmd_profile },
	{ 0 },
};

static const struct program program = {
	.name = "containr",
	.help = "runs programs in containers",
	.options = options,
	.commands = commands,
	.unknown = 125,
	.failure = 125,
};

int main(int argc, char **argv)
{
	(void)argc;
	return cli_main(&program, argv);
}
