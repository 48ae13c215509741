/*
 * help.c - help made from the tables, and what somebody may have meant.
 */
#include <string.h>

#include "base/nearest.h"
#include "cli/parts.h"

#define COLUMN 32 /* where explanations begin */

static void pad(struct buf *out, size_t begin)
{
	do
		buf_str(out, " ");
	while (out->len - begin < COLUMN);
}

static void say_options(const struct option_row *row, struct buf *out)
{
	for (; row->name; row++) {
		size_t begin = out->len;

		if (row->type == OPTION_REFUSED)
			continue;
		if (row->letter)
			buf_printf(out, "  -%c, --%s", row->letter, row->name);
		else
			buf_printf(out, "      --%s", row->name);
		if (row->value)
			buf_printf(out, " <%s>", row->value);
		pad(out, begin);
		buf_printf(out, "%s\n", row->help);
	}
}

void help_program(const struct program *program, struct buf *out)
{
	buf_printf(out, "%s - %s\n\nUsage: %s [options] <command> [arguments]\n\nCommands:\n",
		   program->name, program->help, program->name);
	for (const struct command *c = program->commands; c->name; c++) {
		size_t begin = out->len;

		buf_printf(out, "  %s", c->name);
		pad(out, begin);
		buf_printf(out, "%s\n", c->help);
	}
	buf_str(out, "\nOptions before the command:\n");
	say_options(program->options, out);
	buf_printf(out, "\n`%s <command> --help` tells more about a command.\n", program->name);
}

void help_usage(const struct program *program, const struct command *command, struct buf *out)
{
	buf_printf(out, "%s %s%s%s%s", program->name, command->name,
		   command->options->name ? " [options]" : "", command->args ? " " : "",
		   command->args ? command->args : "");
}

void help_command(const struct program *program, const struct command *command, struct buf *out)
{
	buf_printf(out, "%s %s - %s\n\nUsage: ", program->name, command->name, command->help);
	help_usage(program, command, out);
	buf_str(out, "\n");
	if (command->options->name)
		buf_str(out, "\nOptions:\n");
	say_options(command->options, out);
	if (command->more)
		say_options(command->more, out);
}

/* ---- what was meant ---------------------------------------------------------------------- */

const char *help_nearest_command(const struct command *commands, const char *word)
{
	struct nearest nearest = nearest_to(word);

	for (; commands->name; commands++)
		nearest_consider(&nearest, commands->name);
	return nearest.name;
}

const char *help_nearest_option(const struct option_row *const *tables, const char *word)
{
	struct nearest nearest = nearest_to(word);

	for (; *tables; tables++)
		for (const struct option_row *row = *tables; row->name; row++)
			nearest_consider(&nearest, row->name);
	return nearest.name;
}
