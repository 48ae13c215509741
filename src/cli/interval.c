/*
 * interval.c - see interval.h.
 */
#include "cli/interval.h"

#include <errno.h>
#include <string.h>

#include "cli/people.h"

/* The length of the unit behind a number, and how many nanoseconds it has; 0: none. */
static size_t take_unit(const char *text, uint64_t *ret)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "ns", 1 },
		{ "us", 1000 },
		{ "\xc2\xb5s", 1000 },
		{ "ms", 1000000 },
		{ "s", 1000000000 },
		{ "m", 60000000000 },
		{ "h", 3600000000000 },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strncmp(text, units[i].name, strlen(units[i].name)) == 0) {
			*ret = units[i].ns;
			return strlen(units[i].name);
		}
	return 0;
}

int interval_take(struct cli *cli, const char *otherwise, int *ret)
{
	const char *text = cli->o.interval ? cli->o.interval : otherwise;
	uint64_t ns = 0;

	for (const char *at = text; *at || at == text;) {
		size_t n = strspn(at, "0123456789."), unit_len;
		uint64_t unit = 0, part;
		struct err ignored;

		unit_len = take_unit(at + n, &unit);
		if (n == 0 || unit_len == 0 ||
		    value_decimal(&ignored, "interval", arena_strndup(&cli->arena, at, n), unit,
				  &part) < 0 ||
		    __builtin_add_overflow(ns, part, &ns))
			return err_say(&cli->err, -EINVAL,
				       "--interval %.50s: expected a duration such as 5s or 500ms",
				       text);
		at += n + unit_len;
	}
	if (ns < 1000000 || ns / 1000000 > INT32_MAX)
		return err_say(&cli->err, -EINVAL,
			       "--interval %.50s: expected a duration of 1ms to 596h", text);
	*ret = (int)(ns / 1000000);
	return 0;
}
