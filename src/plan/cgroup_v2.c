/*
 * cgroup_v2.c - linux.resources, whose terms are those of v1, for cgroup v2: see cgroup_part.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>

#include "plan/cgroup_part.h"

/* ---- conversions ------------------------------------------------------------------------------
 */

/*
 * Shares of 2 to 262144, 1024 being usual, become weights of 1 to 10000, 100 being usual. The curve
 * through these three points is the one that runc and crun have agreed on (runc#4785, crun#1721);
 * the straight line of before gave the usual container 39.
 */
static uint64_t weight_of_shares(uint64_t shares)
{
	double l;

	if (shares <= 2)
		return 1;
	if (shares >= 262144)
		return 10000;
	l = log2((double)shares);
	return (uint64_t)ceil(pow(10, (l * l + 125 * l) / 612.0 - 7.0 / 34.0));
}

/* Weights of 10 to 1000 become weights of 1 to 10000. */
static uint64_t io_weight(uint64_t weight)
{
	return weight < 10 ? 1 : 1 + (weight - 10) * 9999 / 990;
}

/* ---- memory -----------------------------------------------------------------------------------
 */

/* The specification limits memory and swap together, the kernel swap alone. */
static void add_swap(struct cgroup_settings *s, const struct spec_memory *m)
{
	bool limited = cgroup_wants_i64(m->limit) && m->limit.value > 0;
	int64_t swap = m->swap.value;

	if (!cgroup_wants_i64(m->swap)) {
		if (m->limit.has && m->limit.value < 0) /* unlimited means both */
			cgroup_set_optional(s, "memory.swap", "memory", "memory.swap.max", "max");
		return;
	}
	if (swap > 0 && !cgroup_wants_i64(m->limit)) {
		(void)err_say(s->err, -EINVAL,
			      "linux.resources.memory.swap: %" PRId64
			      " is memory and swap together, and memory.limit is missing",
			      swap);
		return;
	}
	if (swap > 0 && limited && swap < m->limit.value) {
		(void)err_say(s->err, -EINVAL,
			      "linux.resources.memory.swap: %" PRId64
			      " is memory and swap together, and below memory.limit, %" PRId64,
			      swap, m->limit.value);
		return;
	}
	if (swap > 0 && limited)
		swap -= m->limit.value;
	/* A kernel that counts no swap needs no limit of "max", and none of 0 where it has none. */
	if (swap <= 0)
		cgroup_set_optional(s, "memory.swap", "memory", "memory.swap.max",
				    cgroup_max(s, swap));
	else
		(void)cgroup_set(s, "memory.swap", "memory", "memory.swap.max",
				 cgroup_max(s, swap));
}

static void add_memory(struct cgroup_settings *s, const struct spec_memory *m)
{
	cgroup_check_memory(s, m);
	add_swap(s, m);
	if (cgroup_wants_i64(m->limit))
		(void)cgroup_set(s, "memory.limit", "memory", "memory.max",
				 cgroup_max(s, m->limit.value));
	if (cgroup_wants_i64(m->reservation))
		(void)cgroup_set(s, "memory.reservation", "memory", "memory.low",
				 cgroup_max(s, m->reservation.value));
	if (m->kernel.has && m->kernel.value > 0)
		cgroup_set_none(s, "memory.kernel", "memory");
	if (m->kernel_tcp.has && m->kernel_tcp.value > 0)
		cgroup_set_none(s, "memory.kernelTCP", "memory");
	if (m->swappiness.has)
		cgroup_set_none(s, "memory.swappiness", "memory");
	if (m->disable_oom_killer.has && m->disable_oom_killer.value)
		cgroup_set_none(s, "memory.disableOOMKiller", "memory");
}

/* ---- cpu --------------------------------------------------------------------------------------
 */

static void add_bandwidth(struct cgroup_settings *s, const struct spec_cpu *c)
{
	bool limited = c->quota.has && c->quota.value > 0;
	uint64_t period = cgroup_wants_u64(c->period) ? c->period.value : 100000;

	if (cgroup_wants_i64(c->quota) || cgroup_wants_u64(c->period))
		(void)cgroup_set(s, limited ? "cpu.quota" : "cpu.period", "cpu", "cpu.max",
				 arena_printf(s->arena, "%s %" PRIu64,
					      limited ? cgroup_number(s, c->quota.value) : "max",
					      period));
	if (cgroup_wants_u64(c->burst)) /* after the quota, which it must not exceed */
		(void)cgroup_set(s, "cpu.burst", "cpu", "cpu.max.burst",
				 cgroup_unsigned(s, c->burst.value));
}

static void add_cpu(struct cgroup_settings *s, const struct spec_cpu *c)
{
	if (cgroup_wants_u64(c->shares))
		(void)cgroup_set(s, "cpu.shares", "cpu", "cpu.weight",
				 cgroup_unsigned(s, weight_of_shares(c->shares.value)));
	add_bandwidth(s, c);
	if (cgroup_wants_i64(c->idle)) /* after the weight, which an idle group cannot set */
		(void)cgroup_set(s, "cpu.idle", "cpu", "cpu.idle", cgroup_number(s, c->idle.value));
	if (cgroup_wants_i64(c->realtime_runtime))
		cgroup_set_none(s, "cpu.realtimeRuntime", "cpu");
	if (cgroup_wants_u64(c->realtime_period))
		cgroup_set_none(s, "cpu.realtimePeriod", "cpu");
	if (c->cpus && *c->cpus)
		(void)cgroup_set(s, "cpu.cpus", "cpuset", "cpuset.cpus", c->cpus);
	if (c->mems && *c->mems)
		(void)cgroup_set(s, "cpu.mems", "cpuset", "cpuset.mems", c->mems);
}

/* ---- io ---------------------------------------------------------------------------------------
 */

/* BFQ takes the weights of v1 as they are; the I/O cost model has the scale of v2. */
static void add_weights(struct cgroup_settings *s, const struct spec_blkio *b)
{
	struct cgroup_setting either = { .controller = "io",
					 .file = "io.bfq.weight",
					 .other_file = "io.weight" };

	if (cgroup_wants_u64(b->weight)) {
		either.key = "blockIO.weight";
		either.value = cgroup_unsigned(s, b->weight.value);
		either.other_value =
		    arena_printf(s->arena, "default %" PRIu64, io_weight(b->weight.value));
		cgroup_set_either(s, either);
	}
	if (cgroup_wants_u64(b->leaf_weight))
		cgroup_set_none(s, "blockIO.leafWeight", "io");
	for (size_t i = 0; i < b->weight_device.n; i++) {
		const struct spec_blkio_device *d = &b->weight_device.v[i];

		if (cgroup_wants_u64(d->weight)) {
			either.key = "blockIO.weightDevice";
			either.value = cgroup_device_line(s, d, "", d->weight.value);
			either.other_value =
			    cgroup_device_line(s, d, "", io_weight(d->weight.value));
			cgroup_set_either(s, either);
		}
		if (cgroup_wants_u64(d->leaf_weight))
			cgroup_set_none(s, "blockIO.weightDevice", "io");
	}
}

static void add_throttles(struct cgroup_settings *s, const struct spec_blkio *b)
{
	const struct {
		const struct spec_blkio_devices *devices;
		const char *key, *name;
	} lists[] = {
		{ &b->throttle_read_bps, "blockIO.throttleReadBpsDevice", "rbps" },
		{ &b->throttle_write_bps, "blockIO.throttleWriteBpsDevice", "wbps" },
		{ &b->throttle_read_iops, "blockIO.throttleReadIOPSDevice", "riops" },
		{ &b->throttle_write_iops, "blockIO.throttleWriteIOPSDevice", "wiops" },
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (size_t j = 0; j < lists[i].devices->n; j++) {
			const struct spec_blkio_device *d = &lists[i].devices->v[j];
			uint64_t rate = d->rate.value;

			/* 0 is no limit in v1, and refused in v2. */
			(void)cgroup_set(s, lists[i].key, "io", "io.max",
					 arena_printf(s->arena, "%" PRId64 ":%" PRId64 " %s=%s",
						      d->major, d->minor, lists[i].name,
						      rate ? cgroup_unsigned(s, rate) : "max"));
		}
}

/* ---- the whole --------------------------------------------------------------------------------
 */

void cgroup_v2_settings(struct cgroup_settings *s, const struct spec_resources *r)
{
	add_memory(s, &r->memory);
	add_cpu(s, &r->cpu);
	cgroup_set_pids(s, r);
	add_weights(s, &r->block_io);
	add_throttles(s, &r->block_io);
	cgroup_set_hugetlb(s, r, "max");
	if (cgroup_wants_u64(r->net_class_id))
		cgroup_set_none(s, "network.classID", "net_cls");
	if (r->n_net_priorities > 0)
		cgroup_set_none(s, "network.priorities", "net_prio");
	cgroup_set_rdma(s, r);
	cgroup_set_unified(s, r, true);
}
