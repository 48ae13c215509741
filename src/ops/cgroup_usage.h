/*
 * cgroup_usage.h - what a container uses, in the few numbers of a table: one read a file, for many
 * containers in a row. All that there is, is in cli/stats.c.
 */
#pragma once

#include "host/cgroup.h"
#include "ops/cgroup_dirs.h"

enum { PRESSURE_CPU, PRESSURE_MEMORY, PRESSURE_IO, PRESSURES };

struct cgroup_usage {
	bool frozen;
	uint64_t cpu_ns;
	uint64_t cpu_periods, cpu_throttled; /* of a quota: all, and those that it cut short */
	uint64_t memory;                     /* bytes, without cache that nobody used lately */
	uint64_t memory_limit;               /* CGROUP_NO_LIMIT: none */
	uint64_t memory_high;                /* times that memory.high slowed it down */
	uint64_t oom_kills;
	uint64_t pids, pids_limit, pids_refused;
	uint64_t read_bytes, write_bytes; /* of block devices */
	int pressure[PRESSURES];          /* "some" of the last ten seconds in 1/100 percent;
					     -1: the kernel does not tell */
};

/* What is read besides: each costs one file or a few. */
enum {
	USAGE_IO = 1,
	USAGE_LIMITS_MET = 2, /* oom_kills, pids_refused, memory_high, cpu_throttled */
	USAGE_PRESSURE = 4,
};

/* The hierarchies that were met, open, so that a path need not be walked from the root each time.
 */
struct cgroup_mounts {
	size_t n;
	struct cgroup_mount {
		char path[48];
		size_t len;
		int fd; /* -1: it cannot be opened */
	} v[16];
};

void cgroup_mounts_done(struct cgroup_mounts *m);

/*
 * All 0, or no limit, where a controller or the cgroup is not there. `mode` is that of the host.
 * What `mounts` has serves for many in a row: it starts as { 0 } and is the caller's to end.
 */
void cgroup_usage_read(const struct spec_strings *paths, enum cgroup_mode mode, unsigned int wanted,
		       struct cgroup_mounts *mounts, struct cgroup_usage *ret);
