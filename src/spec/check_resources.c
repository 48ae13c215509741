/*
 * check_resources.c - the rules of `linux.resources`.
 */
#include <inttypes.h>
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
		check_device_rules, check_memory, check_unified, check_hugepages, check_names,
	};

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		int r = checks[i](c, resources);

		if (r < 0)
			return r;
	}
	return 0;
}
