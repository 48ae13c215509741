/*
 * cgroup_v1.c - linux.resources for the hierarchies of cgroup v1, see cgroup_part.h.
 *
 * The directory is new, so that every limit begins as unlimited; the order follows from what the
 * kernel demands of each value (memory+swap not below memory, burst not above quota).
 */
#include <errno.h>
#include <inttypes.h>

#include "plan/cgroup_part.h"

static void add_memory(struct cgroup_settings *s, const struct spec_memory *m)
{
	cgroup_check_memory(s, m);
	if (cgroup_wants_i64(m->limit))
		(void)cgroup_set(s, "memory.limit", "memory", "memory.limit_in_bytes",
				 cgroup_number(s, m->limit.value));
	if (cgroup_wants_i64(m->swap))
		(void)cgroup_set(s, "memory.swap", "memory", "memory.memsw.limit_in_bytes",
				 cgroup_number(s, m->swap.value));
	else if (m->limit.has && m->limit.value < 0) /* unlimited means both */
		cgroup_set_optional(s, "memory.swap", "memory", "memory.memsw.limit_in_bytes",
				    "-1");
	if (cgroup_wants_i64(m->reservation))
		(void)cgroup_set(s, "memory.reservation", "memory", "memory.soft_limit_in_bytes",
				 cgroup_number(s, m->reservation.value));
	/* Optional: kernels from 5.16 on count kernel memory in memory.limit and refuse this. */
	if (cgroup_wants_i64(m->kernel))
		cgroup_set_optional(s, "memory.kernel", "memory", "memory.kmem.limit_in_bytes",
				    cgroup_number(s, m->kernel.value));
	if (cgroup_wants_i64(m->kernel_tcp))
		(void)cgroup_set(s, "memory.kernelTCP", "memory", "memory.kmem.tcp.limit_in_bytes",
				 cgroup_number(s, m->kernel_tcp.value));
	if (m->disable_oom_killer.has && m->disable_oom_killer.value)
		(void)cgroup_set(s, "memory.disableOOMKiller", "memory", "memory.oom_control", "1");
	if (m->swappiness.has)
		(void)cgroup_set(s, "memory.swappiness", "memory", "memory.swappiness",
				 cgroup_unsigned(s, m->swappiness.value));
}

static void add_cpu(struct cgroup_settings *s, const struct spec_cpu *c)
{
	if (cgroup_wants_u64(c->realtime_period))
		(void)cgroup_set(s, "cpu.realtimePeriod", "cpu", "cpu.rt_period_us",
				 cgroup_unsigned(s, c->realtime_period.value));
	if (cgroup_wants_i64(c->realtime_runtime))
		(void)cgroup_set(s, "cpu.realtimeRuntime", "cpu", "cpu.rt_runtime_us",
				 cgroup_number(s, c->realtime_runtime.value));
	/* The kernel would take the nearest that it has, without a word. */
	if (cgroup_wants_u64(c->shares) && (c->shares.value < 2 || c->shares.value > 262144))
		(void)err_say(s->err, -EINVAL,
			      "linux.resources.cpu.shares: %" PRIu64 ", expected 2 to 262144",
			      c->shares.value);
	if (cgroup_wants_u64(c->shares))
		(void)cgroup_set(s, "cpu.shares", "cpu", "cpu.shares",
				 cgroup_unsigned(s, c->shares.value));
	if (cgroup_wants_u64(c->period))
		(void)cgroup_set(s, "cpu.period", "cpu", "cpu.cfs_period_us",
				 cgroup_unsigned(s, c->period.value));
	if (cgroup_wants_i64(c->quota))
		(void)cgroup_set(s, "cpu.quota", "cpu", "cpu.cfs_quota_us",
				 cgroup_number(s, c->quota.value));
	if (cgroup_wants_u64(c->burst))
		(void)cgroup_set(s, "cpu.burst", "cpu", "cpu.cfs_burst_us",
				 cgroup_unsigned(s, c->burst.value));
	if (cgroup_wants_i64(c->idle)) /* after the shares, which an idle group cannot set */
		(void)cgroup_set(s, "cpu.idle", "cpu", "cpu.idle", cgroup_number(s, c->idle.value));
}

static void add_cpuset(struct cgroup_settings *s, const struct spec_cpu *c)
{
	if (c->cpus && *c->cpus)
		(void)cgroup_set(s, "cpu.cpus", "cpuset", "cpuset.cpus", c->cpus);
	if (c->mems && *c->mems)
		(void)cgroup_set(s, "cpu.mems", "cpuset", "cpuset.mems", c->mems);
}

/* CFQ's files went with it in Linux 5.0; BFQ has its own. */
static void add_weight(struct cgroup_settings *s, const struct spec_blkio *b)
{
	if (cgroup_wants_u64(b->weight)) {
		const char *weight = cgroup_unsigned(s, b->weight.value);

		cgroup_set_either(s, (struct cgroup_setting){ .key = "blockIO.weight",
							      .controller = "blkio",
							      .file = "blkio.weight",
							      .value = weight,
							      .other_file = "blkio.bfq.weight",
							      .other_value = weight });
	}
	if (cgroup_wants_u64(b->leaf_weight))
		(void)cgroup_set(s, "blockIO.leafWeight", "blkio", "blkio.leaf_weight",
				 cgroup_unsigned(s, b->leaf_weight.value));
	for (size_t i = 0; i < b->weight_device.n; i++) {
		const struct spec_blkio_device *d = &b->weight_device.v[i];

		if (cgroup_wants_u64(d->weight)) {
			const char *line = cgroup_device_line(s, d, "", d->weight.value);

			cgroup_set_either(
			    s, (struct cgroup_setting){ .key = "blockIO.weightDevice",
							.controller = "blkio",
							.file = "blkio.weight_device",
							.value = line,
							.other_file = "blkio.bfq.weight_device",
							.other_value = line });
		}
		if (cgroup_wants_u64(d->leaf_weight))
			(void)cgroup_set(s, "blockIO.weightDevice", "blkio",
					 "blkio.leaf_weight_device",
					 cgroup_device_line(s, d, "", d->leaf_weight.value));
	}
}

static void add_throttles(struct cgroup_settings *s, const struct spec_blkio *b)
{
	const struct {
		const struct spec_blkio_devices *devices;
		const char *key, *file;
	} lists[] = {
		{ &b->throttle_read_bps, "blockIO.throttleReadBpsDevice",
		  "blkio.throttle.read_bps_device" },
		{ &b->throttle_write_bps, "blockIO.throttleWriteBpsDevice",
		  "blkio.throttle.write_bps_device" },
		{ &b->throttle_read_iops, "blockIO.throttleReadIOPSDevice",
		  "blkio.throttle.read_iops_device" },
		{ &b->throttle_write_iops, "blockIO.throttleWriteIOPSDevice",
		  "blkio.throttle.write_iops_device" },
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (size_t j = 0; j < lists[i].devices->n; j++) {
			const struct spec_blkio_device *d = &lists[i].devices->v[j];

			(void)cgroup_set(s, lists[i].key, "blkio", lists[i].file,
					 cgroup_device_line(s, d, "", d->rate.value));
		}
}

static void add_network(struct cgroup_settings *s, const struct spec_resources *r)
{
	if (cgroup_wants_u64(r->net_class_id))
		(void)cgroup_set(s, "network.classID", "net_cls", "net_cls.classid",
				 cgroup_unsigned(s, r->net_class_id.value));
	for (size_t i = 0; i < r->n_net_priorities; i++)
		(void)cgroup_set(s, "network.priorities", "net_prio", "net_prio.ifpriomap",
				 arena_printf(s->arena, "%s %u", r->net_priorities[i].name,
					      r->net_priorities[i].priority));
}

void cgroup_v1_settings(struct cgroup_settings *s, const struct spec_resources *r)
{
	add_memory(s, &r->memory);
	add_cpu(s, &r->cpu);
	add_cpuset(s, &r->cpu);
	cgroup_set_pids(s, r);
	add_weight(s, &r->block_io);
	add_throttles(s, &r->block_io);
	cgroup_set_hugetlb(s, r, "limit_in_bytes");
	add_network(s, r);
	cgroup_set_rdma(s, r);
	cgroup_set_unified(s, r, false);
}
