/*
 * read_linux.c - the rows of `linux`, except resources and seccomp, which have files of their own.
 */
#include "spec/field.h"

#define MODE_MAX 07777

/* ---- namespaces and mappings -------------------------------------------------------------- */

static const struct field id_mapping_fields[] = {
	{ KEY("containerID"), REQUIRED,
	  IS_NUMBER(struct spec_id_mapping, container_id, 0, ID_MAX) },
	{ KEY("hostID"), REQUIRED, IS_NUMBER(struct spec_id_mapping, host_id, 0, ID_MAX) },
	{ KEY("size"), REQUIRED, IS_NUMBER(struct spec_id_mapping, size, 1, UINT32_MAX) },
};

const struct field_table id_mapping_table = { TABLE(id_mapping_fields, struct spec_id_mapping) };

static const struct field namespace_fields[] = {
	{ KEY("type"), REQUIRED, IS_NAME(struct spec_namespace, flag, spec_namespace_names),
	  .text_offset = offsetof(struct spec_namespace, type) },
	{ KEY("path"), IS_STRING(struct spec_namespace, path) },
};

static const struct field_table namespace_table = {
	TABLE(namespace_fields, struct spec_namespace),
};

static const struct field offset_fields[] = {
	{ KEY("secs"), IS_NUMBER(struct spec_time_offset, secs, INT64_MIN, INT64_MAX) },
	{ KEY("nanosecs"), IS_NUMBER(struct spec_time_offset, nanosecs, 0, 999999999) },
};

static const struct field_table offset_table = {
	TABLE(offset_fields, struct spec_time_offset),
	.has = true,
};

static const struct field time_offset_fields[] = {
	{ KEY("monotonic"), IS_OBJECT(struct spec_linux, monotonic_offset, offset_table) },
	{ KEY("boottime"), IS_OBJECT(struct spec_linux, boottime_offset, offset_table) },
};

static const struct field_table time_offsets_table = {
	TABLE(time_offset_fields, struct spec_linux),
	.closed = true, /* the kernel offers these two clocks */
};

/* ---- devices ------------------------------------------------------------------------------ */

/* Docker sent the type of the file in this number, too; what counts is `type`. */
static int read_mode(const struct reader *r, const struct field *field, const struct json *value,
		     void *base)
{
	struct spec_device *device = base;
	uint64_t mode;

	if (json_u64(value, UINT32_MAX, &mode) < 0)
		return field_wrong(
		    r, value, "a whole number from 0 to 4095 (octal 7777, written in decimal)");
	(void)field;
	device->file_mode = (struct opt_u64){ .has = true, .value = mode & MODE_MAX };
	return 0;
}

/* The kernel packs both into 32 bits and would drop what is beyond. */
static const struct field device_fields[] = {
	{ KEY("type"), REQUIRED, IS_NAME(struct spec_device, type, spec_device_type_names) },
	{ KEY("path"), REQUIRED, IS_STRING(struct spec_device, path) },
	{ KEY("major"), IS_NUMBER(struct spec_device, major, 0, 0xfff) },
	{ KEY("minor"), IS_NUMBER(struct spec_device, minor, 0, 0xfffff) },
	{ KEY("fileMode"), IS_CUSTOM(read_mode) },
	{ KEY("uid"), IS_OPT_NUMBER(struct spec_device, uid, 0, ID_MAX) },
	{ KEY("gid"), IS_OPT_NUMBER(struct spec_device, gid, 0, ID_MAX) },
};

static int finish_device(const struct reader *r, const struct json *object, void *base)
{
	const struct spec_device *device = base;

	if (device->type != 'p' && (!json_get(object, "major") || !json_get(object, "minor")))
		return json_refuse(r->doc, object, r->err,
				   "a device of type %c needs major and minor", device->type);
	return 0;
}

static const struct field_table device_table = {
	TABLE(device_fields, struct spec_device),
	.finish = finish_device,
};

static const struct field net_device_fields[] = {
	{ KEY("name"), IS_STRING(struct spec_net_device, name) },
};

static const struct field_table net_device_table = {
	TABLE(net_device_fields, struct spec_net_device),
};

/* ---- memory and cpu ----------------------------------------------------------------------- */

static const struct field rdt_fields[] = {
	{ KEY("closID"), IS_STRING(struct spec_intel_rdt, clos_id) },
	{ KEY("schemata"), IS_STRINGS(struct spec_intel_rdt, schemata) },
	{ KEY("l3CacheSchema"), IS_STRING(struct spec_intel_rdt, l3_cache_schema) },
	{ KEY("memBwSchema"), IS_STRING(struct spec_intel_rdt, mem_bw_schema) },
	{ KEY("enableMonitoring"), IS_BOOL(struct spec_intel_rdt, enable_monitoring) },
	{ KEY("enableCMT"), IS_IGNORED }, /* 1.1 and 1.2; no runtime did anything with them */
	{ KEY("enableMBM"), IS_IGNORED },
};

static const struct field_table rdt_table = {
	TABLE(rdt_fields, struct spec_intel_rdt),
	.has = true,
};

static const struct field memory_policy_fields[] = {
	{ KEY("mode"), REQUIRED,
	  IS_NAME(struct spec_memory_policy, mode, spec_memory_policy_names) },
	{ KEY("nodes"), IS_STRING(struct spec_memory_policy, nodes) },
	{ KEY("flags"), IS_FLAGS(struct spec_memory_policy, flags, spec_memory_policy_flag_names) },
};

static const struct field_table memory_policy_table = {
	TABLE(memory_policy_fields, struct spec_memory_policy),
	.has = true,
};

/* The specification reserves the key and names no flag. */
static int read_personality_flags(const struct reader *r, const struct field *field,
				  const struct json *value, void *base)
{
	(void)field;
	(void)base;
	if (value->type == JSON_TYPE_ARRAY && value->len == 0)
		return 0;
	return field_wrong(r, value, "an empty array: no flag is defined");
}

static const struct field personality_fields[] = {
	{ KEY("domain"), REQUIRED,
	  IS_NAME(struct spec_personality, persona, spec_personality_names) },
	{ KEY("flags"), IS_CUSTOM(read_personality_flags) },
};

static const struct field_table personality_table = {
	TABLE(personality_fields, struct spec_personality),
	.has = true,
};

/* ---- the whole ---------------------------------------------------------------------------- */

#define IS_MAPPINGS(member)                                                                        \
	.kind = FIELD_LIST, AT(struct spec_linux, member), .table = &id_mapping_table

static const struct field linux_fields[] = {
	{ KEY("namespaces"),
	  IS_LIST(struct spec_linux, n_namespaces, namespaces, namespace_table) },
	{ KEY("uidMappings"), IS_MAPPINGS(uid_mappings) },
	{ KEY("gidMappings"), IS_MAPPINGS(gid_mappings) },
	{ KEY("timeOffsets"), IS_GROUP(time_offsets_table) },
	{ KEY("devices"), IS_LIST(struct spec_linux, n_devices, devices, device_table) },
	{ KEY("netDevices"),
	  IS_MAP(struct spec_linux, n_net_devices, net_devices, net_device_table) },
	{ KEY("cgroupsPath"), IS_STRING(struct spec_linux, cgroups_path) },
	{ KEY("resources"), IS_OBJECT(struct spec_linux, resources, resources_table) },
	{ KEY("rootfsPropagation"),
	  IS_NAME(struct spec_linux, rootfs_propagation, spec_propagation_names) },
	{ KEY("seccomp"), IS_OBJECT(struct spec_linux, seccomp, seccomp_table) },
	{ KEY("sysctl"), IS_PAIRS(struct spec_linux, sysctl) },
	{ KEY("maskedPaths"), IS_STRINGS(struct spec_linux, masked_paths) },
	{ KEY("readonlyPaths"), IS_STRINGS(struct spec_linux, readonly_paths) },
	{ KEY("mountLabel"), IS_STRING(struct spec_linux, mount_label) },
	{ KEY("intelRdt"), IS_OBJECT(struct spec_linux, intel_rdt, rdt_table) },
	{ KEY("memoryPolicy"), IS_OBJECT(struct spec_linux, memory_policy, memory_policy_table) },
	{ KEY("personality"), IS_OBJECT(struct spec_linux, personality, personality_table) },
};

const struct field_table linux_table = {
	TABLE(linux_fields, struct spec_linux),
	.has = true,
};
