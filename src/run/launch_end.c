/*
 * launch_end.c - how a container that we wait for ends, and why, as far as its cgroups know.
 */
#include <time.h>

#include "run/launch.h"
#include "run/supervise.h"

/* Counters are only looked at where there is a limit that they could tell of. */
static bool has_counters(const struct launch *l)
{
	const struct spec_resources *r = &l->spec.linux.resources;

	return r->memory.limit.has || r->memory.swap.has || r->pids_limit.has || r->cpu.quota.has ||
	       r->unified.n > 0;
}

void launch_watch(const struct launch *l, struct supervise *s)
{
	const struct opt_i64 *limit = &l->spec.linux.resources.memory.limit;

	if (l->options.systemd_cgroup && has_counters(l))
		end_watch_begin(&s->end, &l->plan.cgroups,
				limit->has && limit->value > 0 ? (uint64_t)limit->value
							       : CGROUP_NO_LIMIT);
}

int launch_wait(struct walk *w, struct supervise *s, struct err *err)
{
	end_watch_open(&s->end);
	return supervise_wait(s, w, err);
}

bool launch_end(const struct launch *l, const struct supervise *s, struct cgroup_end *ret)
{
	if (!has_counters(l))
		return false;
	end_watch_read(&s->end, &l->plan.cgroups, ret);
	return true;
}

void launch_record(const struct launch *l, int fd, int status, const struct supervise *s)
{
	struct state_exit e = { .status = (uint64_t)status, .signal = (uint64_t)s->signal };
	struct cgroup_end end = { .oom_kills = 0 };
	struct timespec now = { 0 };

	(void)launch_end(l, s, &end);
	(void)clock_gettime(CLOCK_REALTIME, &now);
	e.sec = (uint64_t)now.tv_sec;
	e.nsec = (uint64_t)now.tv_nsec;
	e.oom_kills = end.oom_kills;
	e.memory_limit = end.memory_limit;
	e.memory_peak = end.memory_peak;
	e.pids_refused = end.pids_refused;
	e.pids_limit = end.pids_limit;
	/* Who asks for what could not be written hears that it is not known. */
	(void)state_exit_write(fd, &e);
}
