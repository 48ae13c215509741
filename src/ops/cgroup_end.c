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

void cgroup_end_read(const struct spec_strings *paths, struct cgroup_end *ret)
{
	_cleanup_(cgroup_dirs_done) struct cgroup_dirs dirs = { 0 };
	static const char *const controllers[] = { "memory", "pids", NULL };
	const struct cgroup_dir *memory, *pids;
	struct err ignored;

	*ret =
	    (struct cgroup_end){ .memory_limit = CGROUP_NO_LIMIT, .pids_limit = CGROUP_NO_LIMIT };
	if (cgroup_dirs_open(paths, controllers, &dirs, &ignored) < 0)
		return;
	memory = cgroup_dirs_find(&dirs, "memory");
	pids = cgroup_dirs_find(&dirs, "pids");
	if (memory)
		read_memory(memory, ret);
	if (pids)
		read_pids(pids, ret);
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

static void say_memory(const struct cgroup_end *end, struct buf *out)
{
	buf_printf(out, "out of memory: the kernel killed %" PRIu64 " process%s", end->oom_kills,
		   end->oom_kills == 1 ? "" : "es");
	if (end->memory_limit == CGROUP_NO_LIMIT) {
		buf_str(out, " (the container has no limit of its own: a cgroup above it has one, "
			     "or the machine had no memory left)");
		return;
	}
	buf_str(out, " (limit ");
	say_size(end->memory_limit, out);
	if (end->memory_peak > 0) {
		buf_str(out, ", peak ");
		say_size(end->memory_peak, out);
	}
	buf_str(out, ")");
}

void cgroup_end_say(const struct cgroup_end *end, struct buf *out)
{
	if (end->oom_kills > 0)
		say_memory(end, out);
	if (end->oom_kills > 0 && end->pids_refused > 0)
		buf_str(out, "\n");
	if (end->pids_refused == 0)
		return;
	if (end->pids_limit == CGROUP_NO_LIMIT)
		buf_printf(out, "a limit on processes of a cgroup above was reached %" PRIu64 "x",
			   end->pids_refused);
	else
		buf_printf(out,
			   "the limit of %" PRIu64 " processes was reached: %" PRIu64
			   " could not be started",
			   end->pids_limit, end->pids_refused);
}
