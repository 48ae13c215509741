/*
 * cmd_update.c - update: new limits for a container that is there, with runc's flags.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/people.h"
#include "cli/rows.h"
#include "run/run.h"
#include "spec/check.h"
#include "spec/read.h"

#define RESOURCES_CAP (4 * 1024 * 1024)

const struct option_row update_options[] = {
	{ "resources", 'r', OPTION_TEXT, AT(update.resources), "file",
	  "JSON as in linux.resources, - for standard input; the other options do not apply" },
	{ "memory", 0, OPTION_TEXT, AT(update.memory), "bytes", "memory limit, -1: none" },
	{ "memory-reservation", 0, OPTION_TEXT, AT(update.memory_reservation), "bytes",
	  "memory that is left to it when memory is short" },
	{ "memory-swap", 0, OPTION_TEXT, AT(update.memory_swap), "bytes",
	  "memory and swap together, -1: no limit" },
	{ "kernel-memory", 0, OPTION_TEXT, AT(update.kernel_memory), "bytes",
	  "ignored: Linux counts it in --memory" },
	{ "kernel-memory-tcp", 0, OPTION_TEXT, AT(update.kernel_memory_tcp), "bytes",
	  "memory of TCP buffers (cgroup v1)" },
	{ "cpu-period", 0, OPTION_TEXT, AT(update.cpu_period), "us", "time that the quota is of" },
	{ "cpu-quota", 0, OPTION_TEXT, AT(update.cpu_quota), "us",
	  "time on CPUs in each period, -1: no limit" },
	{ "cpu-burst", 0, OPTION_TEXT, AT(update.cpu_burst), "us",
	  "time that may be saved up beyond the quota" },
	{ "cpu-share", 0, OPTION_TEXT, AT(update.cpu_share), "shares",
	  "weight against other containers, 2 to 262144 (1024)" },
	{ "cpu-rt-period", 0, OPTION_TEXT, AT(update.cpu_rt_period), "us", "of the next" },
	{ "cpu-rt-runtime", 0, OPTION_TEXT, AT(update.cpu_rt_runtime), "us",
	  "time for real-time scheduling in each period" },
	{ "cpu-idle", 0, OPTION_TEXT, AT(update.cpu_idle), "0|1", "run only what others leave" },
	{ "cpuset-cpus", 0, OPTION_TEXT, AT(update.cpuset_cpus), "list", "CPUs: 0-3,5" },
	{ "cpuset-mems", 0, OPTION_TEXT, AT(update.cpuset_mems), "list", "memory nodes" },
	{ "pids-limit", 0, OPTION_TEXT, AT(update.pids_limit), "n", "processes, -1: no limit" },
	{ "blkio-weight", 0, OPTION_TEXT, AT(update.blkio_weight), "weight",
	  "share of block devices, 10 to 1000" },
	{ "l3-cache-schema", 0, OPTION_TEXT, AT(update.l3_cache_schema), "schema",
	  "L3 cache by resctrl" },
	{ "mem-bw-schema", 0, OPTION_TEXT, AT(update.mem_bw_schema), "schema",
	  "memory bandwidth by resctrl" },
	{ 0 },
};

/* ---- flags ------------------------------------------------------------------------------- */

struct number_flag {
	const char *name, *text;
	struct opt_i64 *i64; /* one of the two */
	struct opt_u64 *u64;
	int64_t min, max;
	bool is_size; /* "512m"; -1 where min is */
};

static int take_number(struct cli *cli, const struct number_flag *f)
{
	uint64_t size;
	int64_t value;
	int r;

	if (!given(f->text))
		return 0;
	if (f->is_size && strcmp(f->text, "-1") != 0) {
		r = value_size(&cli->err, f->name, f->text, &size);
		value = (int64_t)size;
	} else {
		r = value_number(&cli->err, f->name, f->text, f->min, f->max, &value);
	}
	if (r < 0)
		return r;
	if (f->i64)
		*f->i64 = (struct opt_i64){ true, value };
	else
		*f->u64 = (struct opt_u64){ true, (uint64_t)value };
	return 0;
}

static int from_flags(struct cli *cli, struct spec_resources *r)
{
	const struct update_flags *f = &cli->o.update;
	struct spec_memory *m = &r->memory;
	struct spec_cpu *c = &r->cpu;
	const struct number_flag numbers[] = {
		{ "memory", f->memory, &m->limit, NULL, -1, -1, true },
		{ "memory-reservation", f->memory_reservation, &m->reservation, NULL, -1, -1,
		  true },
		{ "memory-swap", f->memory_swap, &m->swap, NULL, -1, -1, true },
		{ "kernel-memory-tcp", f->kernel_memory_tcp, &m->kernel_tcp, NULL, -1, -1, true },
		{ "cpu-period", f->cpu_period, NULL, &c->period, 0, 1000000, false },
		{ "cpu-quota", f->cpu_quota, &c->quota, NULL, -1, INT64_MAX, false },
		{ "cpu-burst", f->cpu_burst, NULL, &c->burst, 0, INT64_MAX, false },
		{ "cpu-share", f->cpu_share, NULL, &c->shares, 0, 262144, false },
		{ "cpu-rt-period", f->cpu_rt_period, NULL, &c->realtime_period, 0, INT64_MAX,
		  false },
		{ "cpu-rt-runtime", f->cpu_rt_runtime, &c->realtime_runtime, NULL, -1, INT64_MAX,
		  false },
		{ "cpu-idle", f->cpu_idle, &c->idle, NULL, 0, 1, false },
		{ "pids-limit", f->pids_limit, &r->pids_limit, NULL, -1, INT64_MAX, false },
		{ "blkio-weight", f->blkio_weight, NULL, &r->block_io.weight, 0, 1000, false },
	};
	int result = 0;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && result == 0; i++)
		result = take_number(cli, &numbers[i]);
	if (result < 0)
		return result;
	/* runc sends 0 for "not given". */
	if (r->pids_limit.value == 0)
		r->pids_limit.has = false;
	c->cpus = given(f->cpuset_cpus) ? f->cpuset_cpus : NULL;
	c->mems = given(f->cpuset_mems) ? f->cpuset_mems : NULL;
	if (given(f->kernel_memory))
		cli_warn(cli, "--kernel-memory is ignored: Linux counts it in --memory");
	return spec_check_resources(r, &cli->err);
}

/* ---- a file ------------------------------------------------------------------------------ */

static int from_file(struct cli *cli, struct spec_resources *ret)
{
	const char *path = cli->o.update.resources;
	bool is_stdin = strcmp(path, "-") == 0;
	_cleanup_buf_ struct buf text = { 0 };
	_cleanup_close_ int fd = is_stdin ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct spec_source source = { .name = is_stdin ? "standard input" : path };
	int r;

	if (!is_stdin && fd < 0)
		return err_set(&cli->err, -errno, "open %s", path);
	r = buf_read_fd(&text, is_stdin ? STDIN_FILENO : fd, RESOURCES_CAP);
	if (r < 0)
		return err_set(&cli->err, r, "read %s", source.name);
	source.text = arena_strndup(&cli->arena, buf_text(&text), text.len);
	source.len = text.len;
	if (!source.text)
		return err_set(&cli->err, -ENOMEM, "read %s", source.name);
	return spec_read_resources(&source, &cli->arena, ret, &cli->err);
}

int cmd_update(struct cli *cli)
{
	const struct update_flags *f = &cli->o.update;
	struct update_request request = {
		.root = cli_root(cli),
		.id = cli->args.v[0],
		.l3_cache_schema = given(f->l3_cache_schema) ? f->l3_cache_schema : NULL,
		.mem_bw_schema = given(f->mem_bw_schema) ? f->mem_bw_schema : NULL,
	};
	int r = given(f->resources) ? from_file(cli, &request.resources)
				    : from_flags(cli, &request.resources);

	return r < 0 ? r : run_update(&request, &cli->err);
}
