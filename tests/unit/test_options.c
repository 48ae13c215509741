/* The words of a command line: every form that runc takes, and mistakes that are told by name. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/parts.h"

#define AT(member) offsetof(struct options, member)

static const struct option_row rows[] = {
	{ "bundle", 'b', OPTION_TEXT, AT(bundle), "dir", "" },
	{ "detach", 'd', OPTION_FLAG, AT(detach), NULL, "" },
	{ "tty", 't', OPTION_FLAG, AT(tty), NULL, "" },
	{ "env", 'e', OPTION_LIST, AT(env), "K=V", "" },
	{ "preserve-fds", 0, OPTION_NUMBER, AT(preserve_fds), "n", "" },
	{ "systemd-cgroup", 0, OPTION_FLAG, AT(systemd_cgroup), NULL, "" },
	{ 0 },
};
static const struct option_row *const tables[] = { rows, NULL };

#define MAX_WORDS 12

/* Splits at '|', so that a word can be empty or have spaces. */
static int parse(struct cli *cli, const char *line, bool stop)
{
	static char text[200];
	static char *words[MAX_WORDS];
	char *rest = text;
	size_t n = 1;

	memset(cli, 0, sizeof(*cli));
	memset(words, 0, sizeof(words));
	words[0] = text;
	strcpy(text, line);
	while (*line && rest && n < MAX_WORDS - 1)
		words[n++] = strsep(&rest, "|");
	cli->argv = words;
	return options_parse(cli, tables, 1, stop);
}

#define OK(line) assert_true(parse(&cli, line, false) > 0)
#define DONE()   arena_done(&cli.arena)
#define BAD(line, what)                                                                            \
	do {                                                                                       \
		assert_int_equal(parse(&cli, line, false), -EINVAL);                               \
		assert_non_null(strstr(cli.err.msg, what));                                        \
		DONE();                                                                            \
	} while (0)

static void test_forms_of_values(void **state)
{
	static const char *const forms[] = { "--bundle|/b", "--bundle=/b", "-b|/b",     "-b/b",
					     "-b=/b",       "-bundle|/b",  "-bundle=/b" };
	struct cli cli;

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		OK(forms[i]);
		assert_string_equal(cli.o.bundle, "/b");
		assert_int_equal(cli.args.n, 0);
		DONE();
	}
	OK("--bundle=");
	assert_string_equal(cli.o.bundle, "");
	DONE();
	/* A value may look like an option: paths and labels do. */
	OK("--bundle|--detach");
	assert_string_equal(cli.o.bundle, "--detach");
	assert_false(cli.o.detach);
	DONE();
	OK("--bundle|a|--bundle|b");
	assert_string_equal(cli.o.bundle, "b");
	DONE();
}

static void test_flags(void **state)
{
	struct cli cli;

	(void)state;
	OK("--detach|-t");
	assert_true(cli.o.detach && cli.o.tty);
	DONE();
	OK("--detach=true|--tty=false");
	assert_true(cli.o.detach && !cli.o.tty);
	DONE();
	OK("-dt|--detach=0");
	assert_true(cli.o.tty && !cli.o.detach);
	DONE();
	/* Letters together, the last one with a value. */
	OK("-dtb|/x|id");
	assert_true(cli.o.tty && cli.o.detach);
	assert_string_equal(cli.o.bundle, "/x");
	assert_string_equal(cli.args.v[0], "id");
	DONE();
	OK("--systemd-cgroup=true");
	assert_true(cli.o.systemd_cgroup);
	DONE();
	BAD("--detach=yes", "--detach=yes: expected true or false");
}

static void test_lists_and_numbers(void **state)
{
	struct cli cli;

	(void)state;
	OK("-e|A=1|--env=B=2,3|-eC");
	assert_int_equal(cli.o.env.n, 3);
	assert_string_equal(cli.o.env.v[0], "A=1");
	assert_string_equal(cli.o.env.v[1], "B=2,3"); /* a comma is no separator */
	assert_string_equal(cli.o.env.v[2], "C");
	assert_null(cli.o.env.v[3]);
	DONE();
	OK("--preserve-fds|3");
	assert_int_equal(cli.o.preserve_fds, 3);
	DONE();
	BAD("--preserve-fds|-1", "expected a whole number");
	BAD("--preserve-fds|3x", "expected a whole number");
	BAD("--preserve-fds=", "expected a whole number");
	BAD("--preserve-fds|4294967296", "expected a whole number");
}

static void test_arguments(void **state)
{
	struct cli cli;

	(void)state;
	OK("id|--detach|9|-");
	assert_true(cli.o.detach);
	assert_int_equal(cli.args.n, 3);
	assert_string_equal(cli.args.v[2], "-");
	DONE();
	OK("--|--detach|-x");
	assert_false(cli.o.detach);
	assert_int_equal(cli.args.n, 2);
	DONE();
	/* Behind a command that is to be run stand its own options. */
	assert_int_equal(parse(&cli, "-t|id|ls|--detach", true), 2);
	assert_true(cli.o.tty && !cli.o.detach);
	assert_int_equal(cli.args.n, 0);
	DONE();
	assert_int_equal(parse(&cli, "--|--odd|ls", true), 2);
	DONE();
}

static void test_mistakes(void **state)
{
	struct cli cli;

	(void)state;
	BAD("--bundel|x", "unknown option --bundel");
	assert_string_equal(cli.err.hint, "did you mean --bundle?");
	BAD("--quite-another", "unknown option");
	assert_string_equal(cli.err.hint, "");
	BAD("-x", "unknown option -x");
	BAD("-dx", "unknown option -dx");
	BAD("--bundle", "--bundle needs a value");
	BAD("-b", "--bundle needs a value");
	BAD("--=x", "unknown option");
	BAD("--detach=", "expected true or false");
}

static void test_nearest_command(void **state)
{
	static const struct command commands[] = { { .name = "start" },
						   { .name = "state" },
						   { .name = "ps" },
						   { .name = "delete" },
						   { 0 } };

	(void)state;
	assert_string_equal(help_nearest_command(commands, "strat"), "start");
	assert_string_equal(help_nearest_command(commands, "stat"), "start");
	assert_string_equal(help_nearest_command(commands, "delte"), "delete");
	assert_null(help_nearest_command(commands, "checkpoint"));
	assert_null(help_nearest_command(commands, "xy"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms_of_values),   cmocka_unit_test(test_flags),
		cmocka_unit_test(test_lists_and_numbers), cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_mistakes),          cmocka_unit_test(test_nearest_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
