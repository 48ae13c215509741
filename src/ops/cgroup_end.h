/*
 * cgroup_end.h - why a container ended, as far as its cgroups know.
 */
#pragma once

#include "ops/cgroup_dirs.h"
#include "ops/cgroup_victim.h"

struct cgroup_end {
	uint64_t oom_kills;          /* processes that the kernel killed for want of memory */
	uint64_t memory_limit;       /* CGROUP_NO_LIMIT: none */
	uint64_t memory_peak;        /* 0: the kernel does not tell (v2 before Linux 5.19) */
	struct cgroup_victim victim; /* the last of them, as far as the kernel's log tells */
	uint64_t memory_high;        /* times that memory.high was exceeded, and slowed it down */
	uint64_t cpu_periods, cpu_throttled; /* of a CPU limit: all, and those that it cut short */
	uint64_t cpu_throttled_ns;           /* how long its processes waited for the next one */
	uint64_t pids_refused;               /* forks that failed at the limit */
	uint64_t pids_limit;                 /* CGROUP_NO_LIMIT: none */
};

/* To be read before the directories are removed. All 0 where nothing is there. */
void cgroup_end_read(const struct spec_strings *paths, struct cgroup_end *ret);
void cgroup_end_read_dirs(const struct cgroup_dirs *dirs, struct cgroup_end *ret);

/*
 * The same in sentences, one a line without a newline at the end: nothing when there is nothing to
 * say.
 */
void cgroup_end_say(const struct cgroup_end *end, struct buf *out);
