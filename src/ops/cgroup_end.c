/*
 * cgroup_end.c - see cgroup_end.h.
 *
 * A process that was killed for want of memory looks like one that somebody killed, and a fork that
 * fails at a limit like one that fails on a full machine. The counters tell them apart.
 */
#include "ops/cgroup_end.h"

#include <inttypes.h>

#include "base/cleanup.h"

static void read_memory(const struct cgroup_dir *dir, struct cgroup_end *end)
{
	_cleanup_buf_ struct buf events = { 0 };

	cgroup_read_text(dir, dir->v2 ? "memory.events" : "memory.oom_control", &events);
	end->oom_kills = cgroup_find_u64(buf_text(&events), "oom_kill", 0);
	end->memory_high = cgroup_find_u64(buf_text(&events), "high", 0);
	if (end->oom_kills == 0)
		return;
	end->memory_peak =
	    cgroup_read_u64(dir, dir->v2 ? "memory.peak" : "memory.max_usage_in_bytes", 0);
	end->memory_limit =
	    cgroup_read_u64(dir, dir->v2 ? "memory.max" : "memory.limit_in_bytes", CGROUP_NO_LIMIT);
	if (!dir->v2)
		end->memory_limit = cgroup_limit_v1(end->memory_limit);
}

static void read_pids(const struct cgroup_dir *dir, struct cgroup_end *end)
{
	_cleanup_buf_ struct buf events = { 0 };

	cgroup_read_text(dir, "pids.events", &events);
	end->pids_refused = cgroup_find_u64(buf_text(&events), "max", 0);
	if (end->pids_refused > 0)
		end->pids_limit = cgroup_read_u64(dir, "pids.max", CGROUP_NO_LIMIT);
}

static void read_cpu(const struct cgroup_dir *dir, struct cgroup_end *end)
{
	_cleanup_buf_ struct buf stat = { 0 };

	cgroup_read_text(dir, "cpu.stat", &stat);
	end->cpu_periods = cgroup_find_u64(buf_text(&stat), "nr_periods", 0);
	end->cpu_throttled = cgroup_find_u64(buf_text(&stat), "nr_throttled", 0);
	end->cpu_throttled_ns = dir->v2
				    ? cgroup_find_u64(buf_text(&stat), "throttled_usec", 0) * 1000
				    : cgroup_find_u64(buf_text(&stat), "throttled_time", 0);
}

void cgroup_end_read_dirs(const struct cgroup_dirs *dirs, struct cgroup_end *ret)
{
	const struct cgroup_dir *memory = cgroup_dirs_find(dirs, "memory");
	const struct cgroup_dir *pids = cgroup_dirs_find(dirs, "pids");
	const struct cgroup_dir *cpu = cgroup_dirs_find(dirs, "cpu");

	*ret =
	    (struct cgroup_end){ .memory_limit = CGROUP_NO_LIMIT, .pids_limit = CGROUP_NO_LIMIT };
	if (memory)
		read_memory(memory, ret);
	if (pids)
		read_pids(pids, ret);
	if (cpu)
		read_cpu(cpu, ret);
	/* Last, for the log is long, and the files may go. */
	if (memory && ret->oom_kills > 0)
		cgroup_victim_find(memory->path, &ret->victim);
}

void cgroup_end_read(const struct spec_strings *paths, struct cgroup_end *ret)
{
	_cleanup_(cgroup_dirs_done) struct cgroup_dirs dirs = { 0 };
	static const char *const controllers[] = { "memory", "pids", "cpu", NULL };
	struct err ignored;

	(void)cgroup_dirs_open(paths, controllers, &dirs, &ignored);
	cgroup_end_read_dirs(&dirs, ret);
}

/* ---- sentences --------------------------------------------------------------------------------
 */

/* In the largest unit that leaves no more than four digits, rounded down: "512 MiB". */
static void say_size(uint64_t size, struct buf *out)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
	size_t i = 0;

	while (size >= 10240 && i + 1 < sizeof(units) / sizeof(units[0])) {
		size >>= 10;
		i++;
	}
	buf_printf(out, "%" PRIu64 " %s", size, units[i]);
}

static void say_victim(const struct cgroup_victim *victim, struct buf *out)
{
	if (victim->pid > 0)
		buf_printf(out, ": %s%s (pid %d)", *victim->name ? "" : "a process without a name",
			   victim->name, victim->pid);
}

static void say_memory(const struct cgroup_end *end, struct buf *out)
{
	buf_printf(out, "out of memory: the kernel killed %" PRIu64 " process%s", end->oom_kills,
		   end->oom_kills == 1 ? "" : "es");
	if (end->memory_limit == CGROUP_NO_LIMIT) {
		buf_str(out, " (the container has no limit of its own: a cgroup above it has one, "
			     "or the machine had no memory left)");
		say_victim(&end->victim, out);
		return;
	}
	buf_str(out, " (limit ");
	say_size(end->memory_limit, out);
	if (end->memory_peak > 0) {
		buf_str(out, ", peak ");
		say_size(end->memory_peak, out);
	}
	buf_str(out, ")");
	say_victim(&end->victim, out);
}

static void say_pids(const struct cgroup_end *end, struct buf *out)
{
	if (end->pids_limit == CGROUP_NO_LIMIT)
		buf_printf(out, "a limit on processes of a cgroup above was reached %" PRIu64 "x",
			   end->pids_refused);
	else
		buf_printf(out,
			   "the limit of %" PRIu64 " processes was reached: %" PRIu64
			   " could not be started",
			   end->pids_limit, end->pids_refused);
}

static void say_high(const struct cgroup_end *end, struct buf *out)
{
	buf_printf(out, "memory.high was exceeded %" PRIu64 "x, and slowed it down",
		   end->memory_high);
}

static void say_cpu(const struct cgroup_end *end, struct buf *out)
{
	buf_printf(out,
		   "the CPU limit slowed it down in %" PRIu64 " of %" PRIu64
		   " periods: it waited %" PRIu64 ".%" PRIu64 " s",
		   end->cpu_throttled, end->cpu_periods, end->cpu_throttled_ns / 1000000000,
		   end->cpu_throttled_ns / 100000000 % 10);
}

/* A limit that is met now and then is what limits are for; one met all the time explains much. */
static bool is_slow(const struct cgroup_end *end)
{
	return end->cpu_throttled >= 10 && end->cpu_throttled * 10 >= end->cpu_periods;
}

void cgroup_end_say(const struct cgroup_end *end, struct buf *out)
{
	const struct {
		bool applies;
		void (*say)(const struct cgroup_end *end, struct buf *out);
	} sentences[] = {
		{ end->oom_kills > 0, say_memory },
		{ end->pids_refused > 0, say_pids },
		{ end->memory_high > 0, say_high },
		{ is_slow(end), say_cpu },
	};

	for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
		if (!sentences[i].applies)
			continue;
		buf_str(out, out->len > 0 ? "\n" : "");
		sentences[i].say(end, out);
	}
}
