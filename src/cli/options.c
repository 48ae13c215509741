/*
 * options.c - the options of a command line, in the forms that runc takes.
 *
 * --name VALUE and --name=VALUE; flags alone or with =true and =false; letters -n VALUE, -nVALUE
 * and -abc; one dash before a long name, as Go's programs take it; "--" ends the options. Options
 * may follow arguments, unless what follows belongs to another program.
 */
#include <errno.h>
#include <string.h>

#include "base/num.h"
#include "cli/parts.h"

struct parser {
	struct cli *cli;
	const struct option_row *const *tables;
	char *const *argv;
	int i; /* the word at hand */
};

static const struct option_row *find_name(const struct parser *p, const char *name, size_t len)
{
	for (const struct option_row *const *t = p->tables; *t; t++)
		for (const struct option_row *row = *t; row->name; row++)
			if (strlen(row->name) == len && memcmp(row->name, name, len) == 0)
				return row;
	return NULL;
}

static const struct option_row *find_letter(const struct parser *p, char letter)
{
	for (const struct option_row *const *t = p->tables; *t; t++)
		for (const struct option_row *row = *t; row->name; row++)
			if (row->letter == letter)
				return row;
	return NULL;
}

/* ---- values ------------------------------------------------------------------------------ */

static int add(struct cli *cli, struct spec_strings *list, const char *value)
{
	char **v = arena_array(&cli->arena, list->n + 2, sizeof(*v));
	char *copy = arena_strndup(&cli->arena, value, strlen(value));

	if (!v || !copy)
		return err_set(&cli->err, -ENOMEM, "read the command line");
	if (list->n > 0)
		memcpy(v, list->v, list->n * sizeof(*v));
	v[list->n++] = copy;
	list->v = v;
	return 0;
}

/* The words that Go's strconv.ParseBool takes, in small letters. */
static int set_flag(struct cli *cli, const struct option_row *row, const char *value, bool *ret)
{
	if (!value || strcmp(value, "true") == 0 || strcmp(value, "1") == 0 ||
	    strcmp(value, "t") == 0)
		*ret = true;
	else if (strcmp(value, "false") == 0 || strcmp(value, "0") == 0 || strcmp(value, "f") == 0)
		*ret = false;
	else
		return err_say(&cli->err, -EINVAL, "--%s=%s: expected true or false", row->name,
			       value);
	return 0;
}

static int set_number(struct cli *cli, const struct option_row *row, const char *value,
		      unsigned int *ret)
{
	uint64_t number;

	if (num_u64(value, INT32_MAX, &number) < 0)
		return err_say(&cli->err, -EINVAL, "--%s %s: expected a whole number", row->name,
			       value);
	*ret = (unsigned int)number;
	return 0;
}

static int set(struct cli *cli, const struct option_row *row, const char *value)
{
	void *at = (char *)&cli->o + row->at;

	switch (row->type) {
	case OPTION_FLAG:
		return set_flag(cli, row, value, at);
	case OPTION_TEXT:
		*(const char **)at = value;
		return 0;
	case OPTION_NUMBER:
		return set_number(cli, row, value, at);
	case OPTION_LIST:
		return add(cli, at, value);
	case OPTION_REFUSED:
		break;
	}
	return -EINVAL;
}

/* The value that stands behind the option, or is the next word. */
static int take(struct parser *p, const struct option_row *row, const char *value)
{
	if (row->type == OPTION_REFUSED)
		return err_say(&p->cli->err, -EOPNOTSUPP, "--%s is not supported: %s", row->name,
			       row->help);
	if (row->type != OPTION_FLAG && !value) {
		value = p->argv[p->i + 1];
		if (!value)
			return err_say(&p->cli->err, -EINVAL, "--%s needs a value: --%s <%s>",
				       row->name, row->name, row->value);
		p->i++;
	}
	return set(p->cli, row, value);
}

/* ---- words ------------------------------------------------------------------------------- */

static int unknown(const struct parser *p, const char *word)
{
	const char *nearest = help_nearest_option(p->tables, word + strspn(word, "-"));

	(void)err_say(&p->cli->err, -EINVAL, "unknown option %.100s", word);
	return nearest ? err_hint(&p->cli->err, "did you mean --%s?", nearest) : -EINVAL;
}

static int parse_letters(struct parser *p, const char *word)
{
	for (const char *letter = word + 1; *letter; letter++) {
		const struct option_row *row = find_letter(p, *letter);
		int r;

		if (!row)
			return unknown(p, word);
		if (row->type != OPTION_FLAG || letter[1] == '=')
			return take(p, row,
				    letter[1] == '=' ? letter + 2
				    : letter[1]      ? letter + 1
						     : NULL);
		r = set(p->cli, row, NULL);
		if (r < 0)
			return r;
	}
	return 0;
}

static int parse_option(struct parser *p, const char *word)
{
	const char *name = word + (word[1] == '-' ? 2 : 1);
	const char *equals = strchr(name, '=');
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct option_row *row = len > 1 ? find_name(p, name, len) : NULL;

	if (row)
		return take(p, row, equals ? equals + 1 : NULL);
	return word[1] == '-' ? unknown(p, word) : parse_letters(p, word);
}

int options_parse(struct cli *cli, const struct option_row *const *tables, int i, bool stop)
{
	struct parser p = { cli, tables, cli->argv, i };
	bool ended = false;
	int r = 0;

	for (; cli->argv[p.i] && r >= 0; p.i++) {
		const char *word = cli->argv[p.i];

		if (!ended && strcmp(word, "--") == 0)
			ended = true;
		else if (!ended && word[0] == '-' && word[1] != '\0')
			r = parse_option(&p, word);
		else if (stop)
			return p.i;
		else
			r = add(cli, &cli->args, word);
	}
	return r < 0 ? r : p.i;
}
