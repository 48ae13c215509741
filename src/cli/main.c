/*
 * main.c - containr, for people.
 */
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
	  .args = "<container-id>",
	  .help = "run a container, and remove it at its end",
	  .options = start_options,
	  .more = run_options,
	  .min_args = 1,
	  .max_args = 1,
	  .missing = "a container id",
	  .protect = true,
	  .run = cmd_run },
	{ .name = "plan",
	  .args = "[container-id]",
	  .help = "show what a start would do, step by step, and do nothing",
	  .options = start_options,
	  .more = plan_options,
	  .max_args = 1,
	  .run = cmd_plan },
	{ 0 },
};

static const struct program program = {
	.name = "containr",
	.help = "runs programs in containers",
	.options = options,
	.commands = commands,
	.unknown = 125,
};

int main(int argc, char **argv)
{
	(void)argc;
	return cli_main(&program, argv);
}
