/*
 * read_resources.c - the rows of `linux.resources`, which `update --resources` reads alone.
 */
#include "spec/field.h"

/* ---- devices ------------------------------------------------------------------------------ */

static const struct field device_rule_fields[] = {
	{ KEY("allow"), REQUIRED, IS_BOOL(struct spec_device_rule, allow) },
	{ KEY("type"), IS_NAME(struct spec_device_rule, type, spec_device_rule_type_names) },
	{ KEY("major"), IS_OPT_NUMBER(struct spec_device_rule, major, -1, UINT32_MAX) },
	{ KEY("minor"), IS_OPT_NUMBER(struct spec_device_rule, minor, -1, UINT32_MAX) },
	{ KEY("access"), IS_STRING(struct spec_device_rule, access) },
};

/* A rule without type is about all devices; denying without access denies all access. */
static int finish_device_rule(const struct reader *r, const struct json *object, void *base)
{
	struct spec_device_rule *rule = base;

	if (rule->type == '\0')
		rule->type = 'a';
	if (rule->access)
		return 0;
	if (rule->allow)
		return json_refuse(
		    r->doc, object, r->err,
		    "allows nothing: access is missing, expected letters out of \"rwm\"");
	rule->access = "rwm";
	return 0;
}

static const struct field_table device_rule_table = {
	TABLE(device_rule_fields, struct spec_device_rule),
	.finish = finish_device_rule,
};

/* ---- memory, cpu, pids -------------------------------------------------------------------- */

/* Bytes, or -1 for as much as there is. */
#define IS_BYTES(member) IS_OPT_NUMBER(struct spec_memory, member, -1, INT64_MAX)

static const struct field memory_fields[] = {
	{ KEY("limit"), IS_BYTES(limit) },
	{ KEY("reservation"), IS_BYTES(reservation) },
	{ KEY("swap"), IS_BYTES(swap) },
	{ KEY("kernel"), IS_BYTES(kernel) },
	{ KEY("kernelTCP"), IS_BYTES(kernel_tcp) },
	{ KEY("swappiness"), IS_OPT_NUMBER(struct spec_memory, swappiness, 0, 100) },
	{ KEY("disableOOMKiller"), IS_OPT_BOOL(struct spec_memory, disable_oom_killer) },
	{ KEY("useHierarchy"), IS_OPT_BOOL(struct spec_memory, use_hierarchy) },
	{ KEY("checkBeforeUpdate"), IS_OPT_BOOL(struct spec_memory, check_before_update) },
};

static const struct field_table memory_table = { TABLE(memory_fields, struct spec_memory) };

static const struct field cpu_fields[] = {
	{ KEY("shares"), IS_OPT_NUMBER(struct spec_cpu, shares, 0, UINT64_MAX) },
	{ KEY("quota"), IS_OPT_NUMBER(struct spec_cpu, quota, INT64_MIN, INT64_MAX) },
	{ KEY("burst"), IS_OPT_NUMBER(struct spec_cpu, burst, 0, UINT64_MAX) },
	{ KEY("period"), IS_OPT_NUMBER(struct spec_cpu, period, 0, UINT64_MAX) },
	{ KEY("realtimeRuntime"),
	  IS_OPT_NUMBER(struct spec_cpu, realtime_runtime, INT64_MIN, INT64_MAX) },
	{ KEY("realtimePeriod"), IS_OPT_NUMBER(struct spec_cpu, realtime_period, 0, UINT64_MAX) },
	{ KEY("cpus"), IS_STRING(struct spec_cpu, cpus) },
	{ KEY("mems"), IS_STRING(struct spec_cpu, mems) },
	{ KEY("idle"), IS_OPT_NUMBER(struct spec_cpu, idle, 0, 1) },
};

static const struct field_table cpu_table = { TABLE(cpu_fields, struct spec_cpu) };

static const struct field pids_fields[] = {
	{ KEY("limit"), IS_OPT_NUMBER(struct spec_resources, pids_limit, INT64_MIN, INT64_MAX) },
};

static const struct field_table pids_table = { TABLE(pids_fields, struct spec_resources) };

/* ---- blockIO ------------------------------------------------------------------------------ */

#define IS_DEVICE_NUMBER(member)                                                                   \
	REQUIRED, IS_NUMBER(struct spec_blkio_device, member, 0, UINT32_MAX)

/* 0 is what Docker sends for "not set"; cgroup v1 wants 10 to 1000, v2 1 to 10000 in other units.
 */
#define IS_WEIGHT(type, member) IS_OPT_NUMBER(type, member, 0, 1000)

static const struct field weight_device_fields[] = {
	{ KEY("major"), IS_DEVICE_NUMBER(major) },
	{ KEY("minor"), IS_DEVICE_NUMBER(minor) },
	{ KEY("weight"), IS_WEIGHT(struct spec_blkio_device, weight) },
	{ KEY("leafWeight"), IS_WEIGHT(struct spec_blkio_device, leaf_weight) },
};

static const struct field_table weight_device_table = {
	TABLE(weight_device_fields, struct spec_blkio_device),
};

static const struct field throttle_device_fields[] = {
	{ KEY("major"), IS_DEVICE_NUMBER(major) },
	{ KEY("minor"), IS_DEVICE_NUMBER(minor) },
	{ KEY("rate"), REQUIRED, IS_OPT_NUMBER(struct spec_blkio_device, rate, 0, UINT64_MAX) },
};

static const struct field_table throttle_device_table = {
	TABLE(throttle_device_fields, struct spec_blkio_device),
};

#define IS_DEVICES(member, table_)                                                                 \
	.kind = FIELD_LIST, AT(struct spec_blkio, member), .table = &(table_)

static const struct field blkio_fields[] = {
	{ KEY("weight"), IS_WEIGHT(struct spec_blkio, weight) },
	{ KEY("leafWeight"), IS_WEIGHT(struct spec_blkio, leaf_weight) },
	{ KEY("weightDevice"), IS_DEVICES(weight_device, weight_device_table) },
	{ KEY("throttleReadBpsDevice"), IS_DEVICES(throttle_read_bps, throttle_device_table) },
	{ KEY("throttleWriteBpsDevice"), IS_DEVICES(throttle_write_bps, throttle_device_table) },
	{ KEY("throttleReadIOPSDevice"), IS_DEVICES(throttle_read_iops, throttle_device_table) },
	{ KEY("throttleWriteIOPSDevice"), IS_DEVICES(throttle_write_iops, throttle_device_table) },
};

static const struct field_table blkio_table = { TABLE(blkio_fields, struct spec_blkio) };

/* ---- hugetlb, network, rdma --------------------------------------------------------------- */

static const struct field hugepage_fields[] = {
	{ KEY("pageSize"), REQUIRED, IS_STRING(struct spec_hugepage_limit, page_size) },
	{ KEY("limit"), REQUIRED, IS_NUMBER(struct spec_hugepage_limit, limit, 0, UINT64_MAX) },
};

static const struct field_table hugepage_table = {
	TABLE(hugepage_fields, struct spec_hugepage_limit),
};

static const struct field net_priority_fields[] = {
	{ KEY("name"), REQUIRED, IS_STRING(struct spec_net_priority, name) },
	{ KEY("priority"), REQUIRED, IS_NUMBER(struct spec_net_priority, priority, 0, UINT32_MAX) },
};

static const struct field_table net_priority_table = {
	TABLE(net_priority_fields, struct spec_net_priority),
};

static const struct field network_fields[] = {
	{ KEY("classID"), IS_OPT_NUMBER(struct spec_resources, net_class_id, 0, UINT32_MAX) },
	{ KEY("priorities"),
	  IS_LIST(struct spec_resources, n_net_priorities, net_priorities, net_priority_table) },
};

static const struct field_table network_table = { TABLE(network_fields, struct spec_resources) };

static const struct field rdma_fields[] = {
	{ KEY("hcaHandles"), IS_OPT_NUMBER(struct spec_rdma, hca_handles, 0, UINT32_MAX) },
	{ KEY("hcaObjects"), IS_OPT_NUMBER(struct spec_rdma, hca_objects, 0, UINT32_MAX) },
};

static const struct field_table rdma_table = { TABLE(rdma_fields, struct spec_rdma) };

/* ---- the whole ---------------------------------------------------------------------------- */

static const struct field resources_fields[] = {
	{ KEY("devices"), IS_LIST(struct spec_resources, n_devices, devices, device_rule_table) },
	{ KEY("memory"), IS_OBJECT(struct spec_resources, memory, memory_table) },
	{ KEY("cpu"), IS_OBJECT(struct spec_resources, cpu, cpu_table) },
	{ KEY("pids"), IS_GROUP(pids_table) },
	{ KEY("blockIO"), IS_OBJECT(struct spec_resources, block_io, blkio_table) },
	{ KEY("hugepageLimits"),
	  IS_LIST(struct spec_resources, n_hugepage_limits, hugepage_limits, hugepage_table) },
	{ KEY("network"), IS_GROUP(network_table) },
	{ KEY("rdma"), IS_MAP(struct spec_resources, n_rdma, rdma, rdma_table) },
	{ KEY("unified"), IS_PAIRS(struct spec_resources, unified) },
};

const struct field_table resources_table = {
	TABLE(resources_fields, struct spec_resources),
	.has = true,
};
