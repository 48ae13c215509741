/*
 * parts.h - the parts that cli.c is made of.
 */
#pragma once

#include "cli/cli.h"

/*
 * options.c: takes the options out of argv[i …], as far as `tables` (NULL-terminated) know them,
 * and the arguments into cli->args. Stops before the first argument if `stop`. Returns the index of
 * what is left, or a negative errno with a message.
 */
int options_parse(struct cli *cli, const struct option_row *const *tables, int i, bool stop);

/* help.c */
void help_program(const struct program *program, struct buf *out);
void help_command(const struct program *program, const struct command *command, struct buf *out);
void help_usage(const struct program *program, const struct command *command, struct buf *out);

/* help.c: the name of the table's row that a mistyped word is nearest to, or NULL. */
const char *help_nearest_command(const struct command *commands, const char *word);
const char *help_nearest_option(const struct option_row *const *tables, const char *word);

/* log.c */
void log_error(const struct cli *cli);
void log_line(const struct cli *cli, const char *level, const char *text);
