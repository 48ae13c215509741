/*
 * help.c - help made from the tables, and what somebody may have meant.
 */
#include <string.h>

#include "cli/parts.h"

#define COLUMN    32 /* where explanations begin */
#define LONGEST   40 /* words longer than that are not mistyped, but something else */
#define TOLERANCE 2  /* letters that may be wrong, missing or too many */

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
		   command->options->name ? " [options]" : "", *command->args ? " " : "",
		   command->args);
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

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* How many letters are to be changed, added or left out to make one word of the other. */
static size_t distance(const char *a, const char *b)
{
	size_t row[LONGEST + 1], len = strlen(b);

	if (strlen(a) > LONGEST || len > LONGEST)
		return LONGEST;
	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= len; j++) {
			size_t above = row[j];

			row[j] = min3(above + 1, row[j - 1] + 1, corner + (a[i - 1] != b[j - 1]));
			corner = above;
		}
	}
	return row[len];
}

static void consider(const char *name, const char *word, const char **nearest, size_t *least)
{
	size_t d = distance(name, word);

	/* Of a short word everything is near. */
	if (d < *least && d < strlen(name)) {
		*least = d;
		*nearest = name;
	}
}

const char *help_nearest_command(const struct command *commands, const char *word)
{
	const char *nearest = NULL;
	size_t least = TOLERANCE + 1;

	for (; commands->name; commands++)
		consider(commands->name, word, &nearest, &least);
	return nearest;
}

const char *help_nearest_option(const struct option_row *const *tables, const char *word)
{
	const char *nearest = NULL;
	size_t least = TOLERANCE + 1;

	for (; *tables; tables++)
		for (const struct option_row *row = *tables; row->name; row++)
			consider(row->name, word, &nearest, &least);
	return nearest;
}
