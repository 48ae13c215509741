/*
 * cmd_info.c - `containr info`: what this host has of the layers that confine a container.
 */
#include <linux/capability.h>

#include "base/cleanup.h"
#include "base/json_out.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/doctor.h"
#include "cli/rows.h"
#include "host/facts.h"
#include "host/lsm.h"
#include "run/info.h"
#include "seccomp/profile.h"
#include "spec/names.h"

const struct option_row info_options[] = {
	{ "format", 'f', OPTION_TEXT, AT(format), "format", "text or json" },
	{ "json", 0, OPTION_FLAG, AT(json), NULL, "the same as --format json" },
	{ "security", 0, OPTION_FLAG, AT(security), NULL,
	  "what confines containers, tried, as `doctor` has it" },
	{ 0 },
};

static void put_capabilities(struct buf *out, uint64_t mask, const char *before)
{

	for (unsigned int cap = 0; cap < 64; cap++) {
		const char *name = spec_name_of(spec_capability_names, cap);

		if (!(mask >> cap & 1) || !name)
			continue;
		buf_printf(out, "%s%s", before, name);
		before = " ";
	}
}

static void info_text(const struct facts *facts, struct buf *out)
{
	buf_printf(out, "kernel: Linux %u.%u\n", facts->kernel_major, facts->kernel_minor);
	buf_printf(out, "caller: uid %u%s\n", facts->euid,
		   facts->in_userns ? ", in a user namespace" : "");
	buf_str(out, "capabilities that can be granted: ");
	if (facts->caps == 0)
		buf_str(out, "none but in a user namespace");
	else if (facts->caps == facts->known_caps)
		buf_str(out, "all");
	else if (facts->caps & 1ULL << CAP_SYS_ADMIN)
		put_capabilities(out, facts->known_caps & ~facts->caps, "all but ");
	else
		put_capabilities(out, facts->caps, "");
	buf_printf(out, "\ncgroups: %s\n", cgroup_mode_name(facts->cgroup.mode));
	buf_str(out, "seccomp: active; built-in profiles:");
	for (unsigned int i = 0; profile_at(i); i++)
		buf_printf(out, " %s", profile_at(i)->name);
	buf_str(out, "\n");
	lsm_report(out);
}

/* The rows of doctor's that are about it, made by the same functions. */
static int info_security(struct cli *cli, bool json)
{
	static const struct doctor_group group = { "security", doctor_security };
	_cleanup_(doctor_end) struct doctor d = { .cli = cli };
	_cleanup_buf_ struct buf out = { 0 };
	size_t counts[4] = { 0 };
	int r = doctor_begin(cli, &d);

	if (r < 0)
		return r;
	if (json) {
		out_open(&out, NULL, '{');
		out_open(&out, "security", '[');
		doctor_json(&d, &group, counts, &out);
		buf_str(&out, "]}\n");
	} else {
		doctor_text(&d, group.checks, counts, &out);
	}
	return cli_print(cli, &out);
}

int cmd_info(struct cli *cli)
{
	_cleanup_buf_ struct buf out = { 0 };
	struct facts facts = { .seed_fd = -1 };
	bool json = false;
	int r = cli_format(cli, "text", &json);

	if (r == 0 && cli->o.security)
		return info_security(cli, json);
	if (r == 0)
		r = facts_read(FACTS_CGROUP | FACTS_LSM, &cli->arena, &facts, &cli->err);
	if (r < 0)
		return r;
	if (json)
		info_json(&facts, &out);
	else
		info_text(&facts, &out);
	return cli_print(cli, &out);
}
