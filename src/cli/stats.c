/*
 * stats.c - see stats.h.
 *
 * Names and units are runc's: those of cgroup v1, nanoseconds and bytes, on v2, too. So engines and
 * their users read the same wherever a container runs. Members that are 0 are left out where runc
 * does so.
 */
#include "cli/stats.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json_out.h"

#define NS_PER_US 1000

static void out_nonzero(struct buf *out, const char *key, uint64_t value)
{
	if (value > 0)
		out_unsigned(out, key, value);
}

static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return *line ? line + 1 : line;
}

/* ---- pressure ---------------------------------------------------------------------------- */

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0", and a line for "full". */
static void out_pressure(const struct cgroup_dirs *dirs, const char *file, struct buf *out)
{
	_cleanup_buf_ struct buf text = { 0 };

	cgroup_read_text(cgroup_dirs_v2(dirs), file, &text);
	if (text.len == 0)
		return;
	out_open(out, "psi", '{');
	for (const char *line = buf_text(&text); *line; line = next_line(line)) {
		double avg10, avg60, avg300;
		char name[8];
		unsigned long long total;

		if (sscanf(line, "%7s avg10=%lf avg60=%lf avg300=%lf total=%llu", name, &avg10,
			   &avg60, &avg300, &total) != 5)
			continue;
		out_open(out, name, '{');
		buf_printf(out, "\"avg10\":%g,\"avg60\":%g,\"avg300\":%g,\"total\":%llu", avg10,
			   avg60, avg300, total);
		out_close(out, '}');
	}
	out_close(out, '}');
}

/* ---- cpu --------------------------------------------------------------------------------- */

/* A column of numbers by CPU, from the words of a line or the lines of a table with a title. */
static void out_column(struct buf *out, const char *key, const char *text, int column)
{
	const char *at = column > 0 ? next_line(text) : text;
	char *end;

	if (!isdigit((unsigned char)*at))
		return;
	out_open(out, key, '[');
	while (isdigit((unsigned char)*at)) {
		unsigned long long value = strtoull(at, &end, 10);

		for (int i = 0; i < column; i++)
			value = strtoull(end, &end, 10);
		out_unsigned(out, NULL, value);
		at = column > 0 ? next_line(end) : end + strspn(end, " ");
	}
	out_close(out, ']');
}

/* cpuacct.stat counts in ticks of a clock whose rate has been 100 Hz for ever. */
static uint64_t ticks(const char *text, const char *key)
{
	uint64_t hz = (uint64_t)sysconf(_SC_CLK_TCK);

	return cgroup_find_u64(text, key, 0) * (1000000000 / hz);
}

static void out_usage_v1(const struct cgroup_dirs *dirs, struct buf *out)
{
	const struct cgroup_dir *dir = cgroup_dirs_find(dirs, "cpuacct");
	_cleanup_buf_ struct buf stat = { 0 }, percpu = { 0 }, all = { 0 };

	cgroup_read_text(dir, "cpuacct.stat", &stat);
	cgroup_read_text(dir, "cpuacct.usage_percpu", &percpu);
	cgroup_read_text(dir, "cpuacct.usage_all", &all);
	out_nonzero(out, "total", cgroup_read_u64(dir, "cpuacct.usage", 0));
	out_column(out, "percpu", buf_text(&percpu), 0);
	out_column(out, "percpu_kernel", buf_text(&all), 2);
	out_column(out, "percpu_user", buf_text(&all), 1);
	out_unsigned(out, "kernel", ticks(buf_text(&stat), "system"));
	out_unsigned(out, "user", ticks(buf_text(&stat), "user"));
}

static void out_usage_v2(const char *stat, struct buf *out)
{
	out_nonzero(out, "total", cgroup_find_u64(stat, "usage_usec", 0) * NS_PER_US);
	out_unsigned(out, "kernel", cgroup_find_u64(stat, "system_usec", 0) * NS_PER_US);
	out_unsigned(out, "user", cgroup_find_u64(stat, "user_usec", 0) * NS_PER_US);
}

static void out_cpu(const struct cgroup_dirs *dirs, struct buf *out)
{
	const struct cgroup_dir *cpu = cgroup_dirs_find(dirs, "cpu");
	const struct cgroup_dir *cpuacct = cgroup_dirs_find(dirs, "cpuacct");
	_cleanup_buf_ struct buf text = { 0 };
	const char *stat;
	uint64_t throttled;

	cgroup_read_text(cpu, "cpu.stat", &text);
	stat = buf_text(&text);
	throttled = cgroup_find_u64(stat, "throttled_usec", 0) * NS_PER_US;
	out_open(out, "cpu", '{');
	out_open(out, "usage", '{');
	if (cpuacct && !cpuacct->v2)
		out_usage_v1(dirs, out);
	else
		out_usage_v2(stat, out);
	out_close(out, '}');
	out_open(out, "throttling", '{');
	out_nonzero(out, "periods", cgroup_find_u64(stat, "nr_periods", 0));
	out_nonzero(out, "throttledPeriods", cgroup_find_u64(stat, "nr_throttled", 0));
	out_nonzero(out, "throttledTime", cgroup_find_u64(stat, "throttled_time", throttled));
	out_close(out, '}');
	out_pressure(dirs, "cpu.pressure", out);
	out_close(out, '}');
}

/* ---- cpuset ------------------------------------------------------------------------------ */

/* "0-3,7" */
static void out_list(struct buf *out, const char *key, const struct cgroup_dir *dir,
		     const char *file)
{
	_cleanup_buf_ struct buf text = { 0 };
	const char *at;

	cgroup_read_text(dir, file, &text);
	at = buf_text(&text);
	if (!isdigit((unsigned char)*at))
		return;
	out_open(out, key, '[');
	while (isdigit((unsigned char)*at)) {
		char *end;
		unsigned long from = strtoul(at, &end, 10), to = from;

		if (*end == '-')
			to = strtoul(end + 1, &end, 10);
		for (; from <= to; from++)
			out_unsigned(out, NULL, from);
		at = *end == ',' ? end + 1 : end;
	}
	out_close(out, ']');
}

static void out_cpuset(const struct cgroup_dirs *dirs, struct buf *out)
{
	static const struct {
		const char *key, *file;
	} flags[] = {
		{ "mem_hardwall", "cpuset.mem_hardwall" },
		{ "mem_exclusive", "cpuset.mem_exclusive" },
		{ "memory_migrate", "cpuset.memory_migrate" },
		{ "memory_spread_page", "cpuset.memory_spread_page" },
		{ "memory_spread_slab", "cpuset.memory_spread_slab" },
		{ "memory_pressure", "cpuset.memory_pressure" },
		{ "sched_load_balance", "cpuset.sched_load_balance" },
	};
	const struct cgroup_dir *dir = cgroup_dirs_find(dirs, "cpuset");
	_cleanup_buf_ struct buf level = { 0 };

	out_open(out, "cpuset", '{');
	out_list(out, "cpus", dir, "cpuset.cpus");
	out_unsigned(out, "cpu_exclusive", cgroup_read_u64(dir, "cpuset.cpu_exclusive", 0));
	out_list(out, "mems", dir, "cpuset.mems");
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		out_unsigned(out, flags[i].key, cgroup_read_u64(dir, flags[i].file, 0));
	cgroup_read_text(dir, "cpuset.sched_relax_domain_level", &level);
	out_num(out, "sched_relax_domain_level", strtol(buf_text(&level), NULL, 10));
	out_close(out, '}');
}

/* ---- memory ------------------------------------------------------------------------------ */

static void out_memory_entry(struct buf *out, const char *key, const uint64_t entry[4])
{
	out_open(out, key, '{');
	out_unsigned(out, "limit", entry[0]);
	out_nonzero(out, "usage", entry[1]);
	out_nonzero(out, "max", entry[2]);
	out_unsigned(out, "failcnt", entry[3]);
	out_close(out, '}');
}

static void out_memory_v1(const struct cgroup_dir *dir, struct buf *out)
{
	static const struct {
		const char *key, *files[4];
	} entries[] = {
		{ "usage",
		  { "memory.limit_in_bytes", "memory.usage_in_bytes", "memory.max_usage_in_bytes",
		    "memory.failcnt" } },
		{ "swap",
		  { "memory.memsw.limit_in_bytes", "memory.memsw.usage_in_bytes",
		    "memory.memsw.max_usage_in_bytes", "memory.memsw.failcnt" } },
		{ "kernel",
		  { "memory.kmem.limit_in_bytes", "memory.kmem.usage_in_bytes",
		    "memory.kmem.max_usage_in_bytes", "memory.kmem.failcnt" } },
		{ "kernelTCP",
		  { "memory.kmem.tcp.limit_in_bytes", "memory.kmem.tcp.usage_in_bytes",
		    "memory.kmem.tcp.max_usage_in_bytes", "memory.kmem.tcp.failcnt" } },
	};

	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		uint64_t entry[4];

		for (size_t k = 0; k < 4; k++)
			entry[k] = cgroup_read_u64(dir, entries[i].files[k], 0);
		out_memory_entry(out, entries[i].key, entry);
	}
}

static uint64_t sum_of_limits(uint64_t a, uint64_t b)
{
	return a == CGROUP_NO_LIMIT || b == CGROUP_NO_LIMIT ? CGROUP_NO_LIMIT : a + b;
}

/* As v1 has it, swap is the sum of memory and swap. */
static void out_memory_v2(const struct cgroup_dir *dir, const char *stat, struct buf *out)
{
	_cleanup_buf_ struct buf events = { 0 }, swap_events = { 0 };
	uint64_t limit = cgroup_read_u64(dir, "memory.max", 0);
	uint64_t usage = cgroup_read_u64(dir, "memory.current", 0);
	uint64_t swap_limit = cgroup_read_u64(dir, "memory.swap.max", 0);
	uint64_t swap = cgroup_read_u64(dir, "memory.swap.current", 0);
	uint64_t none[4] = { 0 };

	cgroup_read_text(dir, "memory.events", &events);
	cgroup_read_text(dir, "memory.swap.events", &swap_events);
	out_memory_entry(out, "usage",
			 (uint64_t[4]){ limit, usage, cgroup_read_u64(dir, "memory.peak", 0),
					cgroup_find_u64(buf_text(&events), "max", 0) });
	out_memory_entry(out, "swap",
			 (uint64_t[4]){ sum_of_limits(limit, swap_limit), usage + swap, 0,
					cgroup_find_u64(buf_text(&swap_events), "max", 0) });
	out_memory_entry(out, "kernel",
			 (uint64_t[4]){ 0, cgroup_find_u64(stat, "kernel", 0), 0, 0 });
	out_memory_entry(out, "kernelTCP", none);
}

/* memory.stat, line by line. */
static void out_raw(const char *stat, struct buf *out)
{
	if (*stat == '\0')
		return;
	out_open(out, "raw", '{');
	for (const char *line = stat; *line; line = next_line(line)) {
		char key[64];
		unsigned long long value;

		if (sscanf(line, "%63s %llu", key, &value) == 2)
			out_unsigned(out, key, value);
	}
	out_close(out, '}');
}

static void out_memory(const struct cgroup_dirs *dirs, struct buf *out)
{
	const struct cgroup_dir *dir = cgroup_dirs_find(dirs, "memory");
	_cleanup_buf_ struct buf stat = { 0 };
	bool v2 = dir && dir->v2;

	cgroup_read_text(dir, "memory.stat", &stat);
	out_open(out, "memory", '{');
	out_nonzero(out, "cache", cgroup_find_u64(buf_text(&stat), v2 ? "file" : "cache", 0));
	if (v2)
		out_memory_v2(dir, buf_text(&stat), out);
	else
		out_memory_v1(dir, out);
	out_raw(buf_text(&stat), out);
	out_pressure(dirs, "memory.pressure", out);
	out_close(out, '}');
}

static void out_pids(const struct cgroup_dirs *dirs, struct buf *out)
{
	const struct cgroup_dir *dir = cgroup_dirs_find(dirs, "pids");
	uint64_t limit = cgroup_read_u64(dir, "pids.max", 0);

	out_open(out, "pids", '{');
	out_nonzero(out, "current", cgroup_read_u64(dir, "pids.current", 0));
	out_nonzero(out, "limit", limit == CGROUP_NO_LIMIT ? 0 : limit);
	out_close(out, '}');
}

/* ---- block devices ----------------------------------------------------------------------- */

static void out_io_entry(struct buf *out, unsigned int major, unsigned int minor, const char *op,
			 uint64_t value)
{
	out_open(out, NULL, '{');
	out_nonzero(out, "major", major);
	out_nonzero(out, "minor", minor);
	if (*op)
		out_str(out, "op", op);
	out_nonzero(out, "value", value);
	out_close(out, '}');
}

/* "8:0 Read 4096", or "8:0 4096"; the last line is a sum of all devices. */
static void out_io_v1(const struct cgroup_dir *dir, const char *key, const char *file,
		      struct buf *out)
{
	_cleanup_buf_ struct buf text = { 0 };
	const char *line;

	cgroup_read_text(dir, file, &text);
	line = buf_text(&text);
	if (!isdigit((unsigned char)*line))
		return;
	out_open(out, key, '[');
	for (; *line; line = next_line(line)) {
		unsigned int major, minor;
		unsigned long long value;
		char op[16] = "";

		if (sscanf(line, "%u:%u %15[A-Za-z] %llu", &major, &minor, op, &value) == 4 ||
		    sscanf(line, "%u:%u %llu", &major, &minor, &value) == 3)
			out_io_entry(out, major, minor, op, value);
	}
	out_close(out, ']');
}

static void out_blkio_v1(const struct cgroup_dir *dir, struct buf *out)
{
	static const struct {
		const char *key, *bfq, *throttle;
	} files[] = {
		{ "ioServiceBytesRecursive", "blkio.bfq.io_service_bytes_recursive",
		  "blkio.throttle.io_service_bytes_recursive" },
		{ "ioServicedRecursive", "blkio.bfq.io_serviced_recursive",
		  "blkio.throttle.io_serviced_recursive" },
		{ "ioQueueRecursive", "blkio.bfq.io_queued_recursive", NULL },
		{ "ioServiceTimeRecursive", "blkio.bfq.io_service_time_recursive", NULL },
		{ "ioWaitTimeRecursive", "blkio.bfq.io_wait_time_recursive", NULL },
		{ "ioMergedRecursive", "blkio.bfq.io_merged_recursive", NULL },
		{ "ioTimeRecursive", "blkio.bfq.time_recursive", NULL },
		{ "sectorsRecursive", "blkio.bfq.sectors_recursive", NULL },
	};
	_cleanup_buf_ struct buf text = { 0 };
	bool bfq;

	/* Devices are counted by their scheduler, or, without BFQ, where they are throttled. */
	cgroup_read_text(dir, "blkio.bfq.io_serviced_recursive", &text);
	bfq = isdigit((unsigned char)*buf_text(&text));
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (bfq || files[i].throttle)
			out_io_v1(dir, files[i].key, bfq ? files[i].bfq : files[i].throttle, out);
}

/* "8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0" */
static void out_io_v2(const char *stat, const char *key, const char *const words[3],
		      struct buf *out)
{
	static const char *const ops[3] = { "Read", "Write", "Discard" };

	out_open(out, key, '[');
	for (const char *line = stat; *line; line = next_line(line)) {
		unsigned int major, minor;
		int len = (int)strcspn(line, "\n");

		if (sscanf(line, "%u:%u ", &major, &minor) != 2)
			continue;
		for (size_t i = 0; i < 3; i++) {
			const char *at = memmem(line, (size_t)len, words[i], strlen(words[i]));

			if (at)
				out_io_entry(out, major, minor, ops[i],
					     strtoull(at + strlen(words[i]), NULL, 10));
		}
	}
	out_close(out, ']');
}

static void out_blkio(const struct cgroup_dirs *dirs, struct buf *out)
{
	static const char *const bytes[] = { " rbytes=", " wbytes=", " dbytes=" };
	static const char *const count[] = { " rios=", " wios=", " dios=" };
	const struct cgroup_dir *dir = cgroup_dirs_find(dirs, "blkio");
	_cleanup_buf_ struct buf stat = { 0 };

	out_open(out, "blkio", '{');
	if (dir && !dir->v2)
		out_blkio_v1(dir, out);
	else
		cgroup_read_text(dir, "io.stat", &stat);
	if (stat.len > 0) {
		out_io_v2(buf_text(&stat), "ioServiceBytesRecursive", bytes, out);
		out_io_v2(buf_text(&stat), "ioServicedRecursive", count, out);
	}
	out_pressure(dirs, "io.pressure", out);
	out_close(out, '}');
}

/* ---- huge pages -------------------------------------------------------------------------- */

static void out_page_size(const struct cgroup_dir *dir, const char *size, struct buf *out)
{
	_cleanup_buf_ struct buf events = { 0 };
	char file[64];
	uint64_t usage;

	(void)snprintf(file, sizeof(file),
		       dir->v2 ? "hugetlb.%s.current" : "hugetlb.%s.usage_in_bytes", size);
	usage = cgroup_read_u64(dir, file, CGROUP_NO_LIMIT);
	if (usage == CGROUP_NO_LIMIT)
		return;
	out_open(out, size, '{');
	out_nonzero(out, "usage", usage);
	(void)snprintf(file, sizeof(file), "hugetlb.%s.max_usage_in_bytes", size);
	out_nonzero(out, "max", dir->v2 ? 0 : cgroup_read_u64(dir, file, 0));
	(void)snprintf(file, sizeof(file), dir->v2 ? "hugetlb.%s.events" : "hugetlb.%s.failcnt",
		       size);
	cgroup_read_text(dir, file, &events);
	out_unsigned(out, "failcnt",
		     dir->v2 ? cgroup_find_u64(buf_text(&events), "max", 0)
			     : strtoull(buf_text(&events), NULL, 10));
	out_close(out, '}');
}

/* The kernel names the sizes in KiB, its cgroups in the largest unit. */
static void out_hugetlb(const struct cgroup_dirs *dirs, struct buf *out)
{
	const struct cgroup_dir *dir = cgroup_dirs_find(dirs, "hugetlb");
	DIR *sizes = dir ? opendir("/sys/kernel/mm/hugepages") : NULL;

	out_open(out, "hugetlb", '{');
	for (struct dirent *e; sizes && (e = readdir(sizes));) {
		char size[32];
		unsigned long kib;

		if (sscanf(e->d_name, "hugepages-%lukB", &kib) != 1)
			continue;
		(void)snprintf(size, sizeof(size), "%lu%s",
			       kib >= 1 << 20   ? kib >> 20
			       : kib >= 1 << 10 ? kib >> 10
						: kib,
			       kib >= 1 << 20   ? "GB"
			       : kib >= 1 << 10 ? "MB"
						: "KB");
		out_page_size(dir, size, out);
	}
	out_close(out, '}');
	if (sizes)
		(void)closedir(sizes);
}

void stats_json(const struct cgroup_dirs *dirs, struct buf *out)
{
	out_open(out, NULL, '{');
	out_cpu(dirs, out);
	out_cpuset(dirs, out);
	out_memory(dirs, out);
	out_pids(dirs, out);
	out_blkio(dirs, out);
	out_hugetlb(dirs, out);
	buf_str(out, ",\"intel_rdt\":{},\"network_interfaces\":null");
	out_close(out, '}');
}
