/*
 * check_resources.c - the rules of `linux.resources`.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/check_part.h"

static int check_device_rules(const struct check *c, const struct spec_resources *resources)
{
	char shown[JSON_SHOWN_SIZE];

	for (size_t i = 0; i < resources->n_devices; i++) {
		const char *access = resources->devices[i].access;

		if (access && *access && access[strspn(access, "rwm")] == '\0')
			continue;
		json_show_text(access ? access : "", shown);
		return check_refuse(c,
				    "devices[%zu].access: %s has other letters, expected letters "
				    "out of \"rwm\"",
				    i, shown);
	}
	return 0;
}

/* In cgroup v1 and in the specification, swap is memory and swap together. */
static int check_memory(const struct check *c, const struct spec_resources *resources)
{
	const struct spec_memory *memory = &resources->memory;

	if (!memory->swap.has || !memory->limit.has || memory->swap.value <= 0)
		return 0;
	if (memory->swap.value < memory->limit.value)
		return check_refuse(c,
				    "memory.swap: %" PRId64 " is below memory.limit of %" PRId64
				    ", expected memory and swap together",
				    memory->swap.value, memory->limit.value);
	return 0;
}

/* ---- cpu and pids ------------------------------------------------------------------------- */

/* "0-3,7": what the kernel's bitmap_parselist() takes, without its strides. */
static bool is_list(const char *text)
{
	for (const char *at = text;;) {
		unsigned long first, last;
		char *end;

		if (*at < '0' || *at > '9')
			return false;
		first = last = strtoul(at, &end, 10);
		if (*end == '-' && end[1] >= '0' && end[1] <= '9')
			last = strtoul(end + 1, &end, 10);
		if (last < first || last > INT32_MAX)
			return false;
		if (*end == '\0')
			return true;
		if (*end != ',')
			return false;
		at = end + 1;
	}
}

static int check_lists(const struct check *c, const struct spec_resources *resources)
{
	const struct {
		const char *key, *text;
	} lists[] = { { "cpus", resources->cpu.cpus }, { "mems", resources->cpu.mems } };
	char shown[JSON_SHOWN_SIZE];

	for (size_t i = 0; i < 2; i++) {
		if (!lists[i].text || *lists[i].text == '\0' || is_list(lists[i].text))
			continue;
		json_show_text(lists[i].text, shown);
		return check_refuse(c,
				    "cpu.%s: %s is no list, expected ascending numbers and ranges "
				    "as in \"0-3,7\"",
				    lists[i].key, shown);
	}
	return 0;
}

/* Limits of the kernel: min_cfs_quota_period, max_cfs_quota_period (kernel/sched/core.c). */
#define LEAST_US 1000
#define MOST_US  1000000

static int check_bandwidth(const struct check *c, const struct spec_resources *resources)
{
	const struct spec_cpu *cpu = &resources->cpu;

	if (cpu->period.value > 0 && (cpu->period.value < LEAST_US || cpu->period.value > MOST_US))
		return check_refuse(c, "cpu.period: %" PRIu64 ", expected %d to %d microseconds",
				    cpu->period.value, LEAST_US, MOST_US);
	if (cpu->quota.value > 0 && cpu->quota.value < LEAST_US)
		return check_refuse(c,
				    "cpu.quota: %" PRId64
				    ", expected at least %d microseconds, or -1 for no limit",
				    cpu->quota.value, LEAST_US);
	if (cpu->quota.value > 0 && cpu->burst.value > (uint64_t)cpu->quota.value)
		return check_refuse(
		    c, "cpu.burst: %" PRIu64 ", expected at most the quota of %" PRId64,
		    cpu->burst.value, cpu->quota.value);
	return 0;
}

static int check_realtime(const struct check *c, const struct spec_resources *resources)
{
	const struct spec_cpu *cpu = &resources->cpu;

	if (cpu->realtime_runtime.value < -1)
		return check_refuse(c,
				    "cpu.realtimeRuntime: %" PRId64
				    ", expected microseconds, or -1 for no limit",
				    cpu->realtime_runtime.value);
	if (cpu->realtime_runtime.value > 0 && cpu->realtime_period.value > 0 &&
	    (uint64_t)cpu->realtime_runtime.value > cpu->realtime_period.value)
		return check_refuse(c,
				    "cpu.realtimeRuntime: %" PRId64
				    ", expected at most the realtimePeriod of %" PRIu64,
				    cpu->realtime_runtime.value, cpu->realtime_period.value);
	return 0;
}

/* PID_MAX_LIMIT: above it the kernel refuses the number. */
#define MOST_PIDS 4194304

static int check_pids(const struct check *c, const struct spec_resources *resources)
{
	if (resources->pids_limit.value <= MOST_PIDS)
		return 0;
	return check_refuse(c, "pids.limit: %" PRId64 ", expected at most %d, or -1 for no limit",
			    resources->pids_limit.value, MOST_PIDS);
}

/* ---- blockIO ------------------------------------------------------------------------------ */

static int check_weight(const struct check *c, const char *key, struct opt_u64 weight)
{
	if (weight.value == 0 || weight.value >= 10)
		return 0;
	return check_refuse(c, "blockIO.%s: %" PRIu64 ", expected 10 to 1000", key, weight.value);
}

static int check_weights(const struct check *c, const struct spec_resources *resources)
{
	const struct spec_blkio *b = &resources->block_io;
	int r = check_weight(c, "weight", b->weight);

	if (r == 0)
		r = check_weight(c, "leafWeight", b->leaf_weight);
	for (size_t i = 0; i < b->weight_device.n && r == 0; i++) {
		char key[64];

		(void)snprintf(key, sizeof(key), "weightDevice[%zu].weight", i);
		r = check_weight(c, key, b->weight_device.v[i].weight);
		(void)snprintf(key, sizeof(key), "weightDevice[%zu].leafWeight", i);
		if (r == 0)
			r = check_weight(c, key, b->weight_device.v[i].leaf_weight);
	}
	return r;
}

/* ---- names -------------------------------------------------------------------------------- */

/* A name that becomes a file name below a cgroup. */
static bool is_file_name(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/') && !check_has_control(name);
}

static int check_unified(const struct check *c, const struct spec_resources *resources)
{
	char shown[JSON_SHOWN_SIZE];

	for (size_t i = 0; i < resources->unified.n; i++) {
		const char *key = resources->unified.v[i].key;

		if (is_file_name(key) && strchr(key, '.'))
			continue;
		json_show_text(key, shown);
		return check_refuse(c,
				    "unified: %s is no file of a cgroup, expected one as in "
				    "\"memory.high\"",
				    shown);
	}
	return 0;
}

/* It becomes hugetlb.SIZE.limit_in_bytes. */
static int check_hugepages(const struct check *c, const struct spec_resources *resources)
{
	char shown[JSON_SHOWN_SIZE];

	for (size_t i = 0; i < resources->n_hugepage_limits; i++) {
		const char *size = resources->hugepage_limits[i].page_size;
		size_t digits = strspn(size, "0123456789");

		if (digits > 0 && size[digits] != '\0' && strchr("KMG", size[digits]) &&
		    strcmp(size + digits + 1, "B") == 0)
			continue;
		json_show_text(size, shown);
		return check_refuse(c,
				    "hugepageLimits[%zu].pageSize: %s is no size, expected one as "
				    "in \"2MB\"",
				    i, shown);
	}
	return 0;
}

/* Both are written into files of lines "NAME VALUE". */
static int check_names(const struct check *c, const struct spec_resources *resources)
{
	char shown[JSON_SHOWN_SIZE];

	for (size_t i = 0; i < resources->n_net_priorities; i++) {
		const char *name = resources->net_priorities[i].name;

		if (!check_has_control(name) && !strpbrk(name, " /"))
			continue;
		json_show_text(name, shown);
		return check_refuse(c, "network.priorities[%zu].name: %s is no name of a device", i,
				    shown);
	}
	for (size_t i = 0; i < resources->n_rdma; i++) {
		const char *name = resources->rdma[i].device;

		if (!check_has_control(name) && !strpbrk(name, " /"))
			continue;
		json_show_text(name, shown);
		return check_refuse(c, "rdma: %s is no name of a device", shown);
	}
	return 0;
}

int check_resources(const struct check *c, const struct spec_resources *resources)
{
	static int (*const checks[])(const struct check *, const struct spec_resources *) = {
		check_device_rules, check_memory,  check_lists,   check_bandwidth, check_realtime,
		check_pids,         check_weights, check_unified, check_hugepages, check_names,
	};

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		int r = checks[i](c, resources);

		if (r < 0)
			return r;
	}
	return 0;
}
