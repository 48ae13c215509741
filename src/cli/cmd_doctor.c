/*
 * cmd_doctor.c - `containr doctor`: whether containers will work here, before one is started.
 *
 * Exit status: 0 if nothing keeps containers from starting (warnings do not count, unless --strict
 * is given: then they make it 2), 1 if something does, 125 if we could not look.
 */
#include <errno.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json_out.h"
#include "base/num.h"
#include "cli/commands.h"
#include "cli/doctor.h"
#include "cli/people.h"
#include "cli/rows.h"

const struct option_row doctor_options[] = {
	{ "format", 'f', OPTION_TEXT, AT(format), "format", "text or json" },
	{ "json", 0, OPTION_FLAG, AT(json), NULL, "the same as --format json" },
	{ "strict", 0, OPTION_FLAG, AT(strict), NULL, "exit with 2 if there are warnings" },
	{ "quiet", 'q', OPTION_FLAG, AT(quiet), NULL, "only what is not as it should be" },
	{ 0 },
};

const struct doctor_group doctor_groups[] = {
	{ "kernel", doctor_kernel },     { "namespaces", doctor_namespaces },
	{ "users", doctor_users },       { "cgroups", doctor_cgroups },
	{ "security", doctor_security }, { "files", doctor_files },
	{ "session", doctor_session },   { 0 },
};

static const char *const verdicts[] = {
	[VERDICT_OK] = "ok",
	[VERDICT_WARNING] = "warning",
	[VERDICT_PROBLEM] = "problem",
	[VERDICT_ABSENT] = "not here",
};

/* ---- for the checks -------------------------------------------------------------------------- */

static void add_formatted(struct buf *to, const char *fmt, va_list args)
{
	char text[1024];

	(void)vsnprintf(text, sizeof(text), fmt, args);
	buf_str(to, text);
}

void finding_set(struct finding *f, enum verdict verdict, const char *fmt, ...)
{
	va_list args;

	f->verdict = verdict;
	va_start(args, fmt);
	add_formatted(&f->fact, fmt, args);
	va_end(args);
}

void finding_add(struct finding *f, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_formatted(&f->fact, fmt, args);
	va_end(args);
}

void finding_remedy(struct finding *f, const char *fmt, ...)
{
	va_list args;

	buf_str(&f->remedy, f->remedy.len > 0 ? "; " : "");
	va_start(args, fmt);
	add_formatted(&f->remedy, fmt, args);
	va_end(args);
}

int64_t doctor_sysctl(const char *name, int64_t otherwise)
{
	_cleanup_buf_ struct buf text = { 0 };
	char path[128];
	int64_t value;

	(void)snprintf(path, sizeof(path), "/proc/sys/%s", name);
	if (people_read_host_file(path, &text) < 0 || text.len == 0)
		return otherwise;
	text.data[strcspn(text.data, "\n")] = '\0';
	return num_i64(text.data, INT64_MIN, INT64_MAX, &value) < 0 ? otherwise : value;
}

const char *doctor_program(struct doctor *d, const char *name)
{
	static const char *const dirs[] = { "/usr/bin",  "/bin",  "/usr/local/bin",
					    "/usr/sbin", "/sbin", "/usr/local/sbin" };

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		const char *path = arena_printf(d->arena, "%s/%s", dirs[i], name);

		if (access(path, X_OK) == 0)
			return path;
	}
	return NULL;
}

/* ---- looking --------------------------------------------------------------------------------- */

static const char *name_of(struct arena *arena, uint32_t uid)
{
	_cleanup_buf_ struct buf text = { 0 };
	struct people_entry entry;

	if (people_read_host_file("/etc/passwd", &text) == 0 &&
	    people_find_user(arena, buf_text(&text), NULL, uid, &entry))
		return entry.name;
	return NULL;
}

int doctor_begin(struct cli *cli, struct doctor *d)
{
	*d = (struct doctor){ .cli = cli, .arena = &cli->arena, .facts.seed_fd = -1 };
	d->has_facts = facts_read(FACTS_CGROUP | FACTS_CONTROLLERS | FACTS_LSM | FACTS_LANDLOCK,
				  d->arena, &d->facts, &d->facts_err) == 0;
	d->ordinary = geteuid() != 0 || (d->has_facts && !(d->facts.caps & 1ULL << CAP_SYS_ADMIN));
	d->user_name = name_of(d->arena, geteuid());
	lsm_report(&d->lsm);
	return arena_failed(d->arena) ? err_set(&cli->err, -ENOMEM, "look at this host") : 0;
}

void doctor_end(struct doctor *d)
{
	buf_done(&d->lsm);
}

static void look(struct doctor *d, const struct check *c, struct finding *f, size_t counts[4])
{
	*f = (struct finding){ .verdict = VERDICT_OK };
	c->run(d, c, f);
	counts[f->verdict]++;
}

static void finding_done(struct finding *f)
{
	buf_done(&f->fact);
	buf_done(&f->remedy);
}

/* ---- the report ------------------------------------------------------------------------------ */

void doctor_text(struct doctor *d, const struct check *checks, size_t counts[4], struct buf *out)
{
	for (const struct check *c = checks; c->name; c++) {
		_cleanup_(finding_done) struct finding f;

		look(d, c, &f, counts);
		if (d->cli->o.quiet && f.verdict != VERDICT_WARNING && f.verdict != VERDICT_PROBLEM)
			continue;
		buf_printf(out, "  %-8s  %-16s %s\n", verdicts[f.verdict], c->name,
			   buf_text(&f.fact));
		if (f.remedy.len > 0)
			buf_printf(out, "  %-8s  %-16s -> %s\n", "", "", buf_text(&f.remedy));
	}
}

void doctor_json(struct doctor *d, const struct doctor_group *group, size_t counts[4],
		 struct buf *out)
{
	for (const struct check *c = group->checks; c->name; c++) {
		_cleanup_(finding_done) struct finding f;

		look(d, c, &f, counts);
		out_open(out, NULL, '{');
		out_str(out, "group", group->name);
		out_str(out, "name", c->name);
		out_str(out, "status",
			f.verdict == VERDICT_ABSENT ? "absent" : verdicts[f.verdict]);
		out_str(out, "fact", buf_text(&f.fact));
		if (f.remedy.len > 0)
			out_str(out, "remedy", buf_text(&f.remedy));
		out_close(out, '}');
	}
}

static void report_text(struct doctor *d, size_t counts[4], struct buf *out)
{
	for (const struct doctor_group *g = doctor_groups; g->name; g++) {
		_cleanup_buf_ struct buf rows = { 0 };

		doctor_text(d, g->checks, counts, &rows);
		if (rows.len > 0)
			buf_printf(out, "%s\n%s", g->name, buf_text(&rows));
	}
	buf_printf(out, "%s: %zu problem%s, %zu warning%s\n",
		   counts[VERDICT_PROBLEM] > 0 ? "containers will not work here"
					       : "containers work here",
		   counts[VERDICT_PROBLEM], counts[VERDICT_PROBLEM] == 1 ? "" : "s",
		   counts[VERDICT_WARNING], counts[VERDICT_WARNING] == 1 ? "" : "s");
}

static void report_json(struct doctor *d, size_t counts[4], struct buf *out)
{
	out_open(out, NULL, '{');
	out_open(out, "checks", '[');
	for (const struct doctor_group *g = doctor_groups; g->name; g++)
		doctor_json(d, g, counts, out);
	out_close(out, ']');
	out_bool(out, "ok", counts[VERDICT_PROBLEM] == 0);
	out_unsigned(out, "problems", counts[VERDICT_PROBLEM]);
	out_unsigned(out, "warnings", counts[VERDICT_WARNING]);
	out_close(out, '}');
	buf_str(out, "\n");
}

int cmd_doctor(struct cli *cli)
{
	_cleanup_(doctor_end) struct doctor d = { .cli = cli };
	_cleanup_buf_ struct buf out = { 0 };
	size_t counts[4] = { 0 };
	bool json = false;
	int r = cli_format(cli, "text", &json);

	if (r == 0)
		r = doctor_begin(cli, &d);
	if (r < 0)
		return r;
	if (json)
		report_json(&d, counts, &out);
	else
		report_text(&d, counts, &out);
	r = cli_print(cli, &out);
	if (r < 0)
		return r;
	if (counts[VERDICT_PROBLEM] > 0)
		return 1;
	return cli->o.strict && counts[VERDICT_WARNING] > 0 ? 2 : 0;
}
