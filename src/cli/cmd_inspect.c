/*
 * cmd_inspect.c - `containr inspect`: a JSON array with all that is known about containers, under
 * the keys of docker and podman where they have one.
 *
 * Config and Mounts are what was asked for; InForce and Limits are read back from the kernel.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json_out.h"
#include "base/num.h"
#include "cli/commands.h"
#include "cli/inspect.h"
#include "cli/parts.h"
#include "cli/people.h"
#include "cli/rows.h"
#include "cli/signals.h"

const struct option_row people_inspect_options[] = {
	{ "format", 'f', OPTION_TEXT, AT(format), "format", "json" },
	{ 0 },
};

static void put_strings(const char *key, const struct spec_strings *strings, struct buf *out)
{
	out_open(out, key, '[');
	for (size_t i = 0; i < strings->n; i++)
		out_str(out, NULL, strings->v[i]);
	out_close(out, ']');
}

static void put_time(const char *key, int64_t sec, uint32_t nsec, struct buf *out)
{
	_cleanup_buf_ struct buf text = { 0 };

	containers_time(sec, nsec, &text);
	out_str(out, key, buf_text(&text));
}

/* ---- state -----------------------------------------------------------------------------------
 */

/* What was met so far, or was at the end: cgroups may be gone by then. */
static void read_troubles(struct cli *cli, const struct container *c, struct cgroup_end *ret)
{
	struct err ignored;

	*ret =
	    (struct cgroup_end){ .memory_limit = CGROUP_NO_LIMIT, .pids_limit = CGROUP_NO_LIMIT };
	if (c->has_end)
		*ret = (struct cgroup_end){ .oom_kills = c->end.oom_kills,
					    .memory_limit = c->end.memory_limit,
					    .memory_peak = c->end.memory_peak,
					    .pids_refused = c->end.pids_refused,
					    .pids_limit = c->end.pids_limit };
	else
		(void)run_end(cli_root(cli), c->state.id, ret, &ignored);
}

static void put_reason(const struct container *c, const struct cgroup_end *end, struct buf *out)
{
	_cleanup_buf_ struct buf why = { 0 };
	const char *name = c->has_end ? signals_name(c->end.signal) : NULL;

	if (c->has_end && c->end.signal > 0)
		buf_printf(&why, "killed by signal %" PRIu64 "%s%s", c->end.signal,
			   name ? ", SIG" : "", name ? name : "");
	if (why.len > 0 && (end->oom_kills > 0 || end->pids_refused > 0))
		buf_str(&why, "\n");
	cgroup_end_say(end, &why);
	for (size_t i = 0; i < why.len; i++)
		if (why.data[i] == '\n')
			why.data[i] = ';';
	out_str(out, "Reason", buf_text(&why));
	out_bool(out, "OOMKilled", end->oom_kills > 0);
	out_unsigned(out, "OOMKills", end->oom_kills);
	out_unsigned(out, "PidsLimitReached", end->pids_refused);
	if (end->memory_peak > 0)
		out_unsigned(out, "MemoryPeak", end->memory_peak);
}

static pid_t watcher_of(struct cli *cli, const struct container *c)
{
	struct err ignored;
	struct state_watcher watcher = { .pid = 0 };
	_cleanup_close_ int dir = state_open(cli_root(cli), c->state.id, false, &ignored);
	_cleanup_close_ int pidfd = dir < 0 ? -1 : state_watcher_open(dir, &watcher);

	return pidfd < 0 ? 0 : watcher.pid;
}

static void put_state(struct cli *cli, const struct container *c, struct buf *out)
{
	const bool ended = c->status == STATE_STOPPED;
	struct cgroup_end end;

	read_troubles(cli, c, &end);
	out_open(out, "State", '{');
	out_str(out, "OciVersion", c->state.oci_version);
	out_str(out, "Status", ended ? "exited" : state_status_name(c->status));
	out_bool(out, "Running", c->status == STATE_RUNNING || c->status == STATE_PAUSED);
	out_bool(out, "Paused", c->status == STATE_PAUSED);
	out_num(out, "Pid", ended ? 0 : c->state.pid);
	out_num(out, "ConmonPid", watcher_of(cli, c));
	out_key(out, "ExitCode");
	if (ended && !c->has_end)
		buf_str(out, "null");
	else
		buf_printf(out, "%" PRIu64, c->has_end ? c->end.status : 0);
	put_reason(c, &end, out);
	put_time("StartedAt", c->state.created_sec, c->state.created_nsec, out);
	if (c->has_end)
		put_time("FinishedAt", (int64_t)c->end.sec, (uint32_t)c->end.nsec, out);
	else
		out_str(out, "FinishedAt", NULL);
	out_close(out, '}');
}

/* ---- what was asked for ----------------------------------------------------------------------
 */

static void put_annotations(const char *key, const struct state *state, bool ours, struct buf *out)
{
	out_open(out, key, '{');
	for (size_t i = 0; i < state->annotations.n; i++) {
		const struct spec_pair *pair = &state->annotations.v[i];

		if (ours || strncmp(pair->key, PEOPLE_OURS, strlen(PEOPLE_OURS)) != 0)
			out_str(out, pair->key, pair->value);
	}
	out_close(out, '}');
}

static void put_config(struct cli *cli, const struct container *c, const struct spec *spec,
		       struct buf *out)
{
	const struct spec_process *p = &spec->process;
	const char *sig = containers_annotation(&c->state, PEOPLE_STOP_SIGNAL);
	const char *timeout = containers_annotation(&c->state, PEOPLE_STOP_TIMEOUT);
	int64_t seconds = PEOPLE_STOP_SECONDS;

	out_open(out, "Config", '{');
	out_str(out, "Hostname", spec->hostname);
	out_str(out, "Domainname", spec->domainname);
	out_str(out, "User", arena_printf(&cli->arena, "%u:%u", p->user.uid, p->user.gid));
	out_bool(out, "Tty", p->terminal);
	put_strings("Env", &p->env, out);
	put_strings("Cmd", &p->args, out);
	out_str(out, "WorkingDir", p->cwd);
	put_annotations("Labels", &c->state, false, out);
	put_annotations("Annotations", &c->state, true, out);
	out_str(out, "StopSignal", given(sig) ? sig : "TERM");
	if (given(timeout))
		(void)num_i64(timeout, -1, INT32_MAX, &seconds);
	out_num(out, "StopTimeout", seconds);
	out_close(out, '}');
}

static bool has_option(const struct spec_mount *m, const char *option)
{
	for (size_t i = 0; i < m->options.n; i++)
		if (strcmp(m->options.v[i], option) == 0)
			return true;
	return false;
}

static void put_mounts(const struct spec *spec, struct buf *out)
{
	out_open(out, "Mounts", '[');
	for (size_t i = 0; i < spec->n_mounts; i++) {
		const struct spec_mount *m = &spec->mounts[i];

		out_open(out, NULL, '{');
		out_str(out, "Type", m->type);
		out_str(out, "Source", m->source);
		out_str(out, "Destination", m->destination);
		put_strings("Options", &m->options, out);
		out_bool(out, "RW", !has_option(m, "ro") && !has_option(m, "rro"));
		out_close(out, '}');
	}
	out_close(out, ']');
}

static void put_optional(const char *key, bool has, int64_t value, struct buf *out)
{
	if (has)
		out_num(out, key, value);
}

static void put_host_config(const struct spec *spec, struct buf *out)
{
	const struct spec_resources *r = &spec->linux.resources;

	out_open(out, "HostConfig", '{');
	out_bool(out, "ReadonlyRootfs", spec->root.readonly);
	put_optional("Memory", r->memory.limit.has, r->memory.limit.value, out);
	put_optional("MemorySwap", r->memory.swap.has, r->memory.swap.value, out);
	put_optional("MemoryReservation", r->memory.reservation.has, r->memory.reservation.value,
		     out);
	put_optional("CpuShares", r->cpu.shares.has, (int64_t)r->cpu.shares.value, out);
	put_optional("CpuPeriod", r->cpu.period.has, (int64_t)r->cpu.period.value, out);
	put_optional("CpuQuota", r->cpu.quota.has, r->cpu.quota.value, out);
	put_optional("PidsLimit", r->pids_limit.has, r->pids_limit.value, out);
	if (r->cpu.cpus)
		out_str(out, "CpusetCpus", r->cpu.cpus);
	put_strings("MaskedPaths", &spec->linux.masked_paths, out);
	put_strings("ReadonlyPaths", &spec->linux.readonly_paths, out);
	out_close(out, '}');
}

/* ---- the whole -------------------------------------------------------------------------------
 */

static int put_container(struct cli *cli, const char *id, struct buf *out)
{
	struct container c = { .has_end = false };
	struct spec spec = { .hostname = NULL };
	int r = containers_read(cli, id, &c);

	if (r == 0)
		r = run_config(cli_root(cli), id, &cli->arena, &spec, &cli->err);
	if (r < 0)
		return r;
	out_open(out, NULL, '{');
	out_str(out, "Id", c.state.id);
	out_str(out, "Name", c.state.id);
	put_time("Created", c.state.created_sec, c.state.created_nsec, out);
	out_str(out, "Path", c.command.n > 0 ? c.command.v[0] : NULL);
	out_open(out, "Args", '[');
	for (size_t i = 1; i < c.command.n; i++)
		out_str(out, NULL, c.command.v[i]);
	out_close(out, ']');
	put_state(cli, &c, out);
	inspect_in_force(cli, &c, out);
	inspect_limits(&c, out);
	out_str(out, "Rootfs", c.state.rootfs);
	out_str(out, "OCIConfigPath",
		arena_printf(&cli->arena, "%s/%s/" STATE_CONFIG, cli_root(cli), id));
	out_str(out, "LogPath", arena_printf(&cli->arena, "%s/%s/" STATE_LOG, cli_root(cli), id));
	put_config(cli, &c, &spec, out);
	put_host_config(&spec, out);
	put_mounts(&spec, out);
	out_close(out, '}');
	return 0;
}

/* As docker does it, what could be found is shown, whatever else could not. */
int people_inspect(struct cli *cli)
{
	_cleanup_buf_ struct buf out = { 0 };
	bool json = true;
	int status = 0, r = cli_format(cli, "json", &json);

	if (r < 0)
		return r;
	out_open(&out, NULL, '[');
	for (size_t i = 0; i < cli->args.n; i++) {
		r = put_container(cli, cli->args.v[i], &out);
		if (r == 0)
			continue;
		log_error(cli);
		status = 125;
	}
	out_close(&out, ']');
	buf_str(&out, "\n");
	r = cli_print(cli, &out);
	return r < 0 ? r : status;
}
