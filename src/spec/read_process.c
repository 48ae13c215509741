/*
 * read_process.c - the rows of `process`.
 */
#include "spec/field.h"

static const struct field box_fields[] = {
	{ KEY("height"), REQUIRED, IS_NUMBER(struct spec_box, height, 0, UINT16_MAX) },
	{ KEY("width"), REQUIRED, IS_NUMBER(struct spec_box, width, 0, UINT16_MAX) },
};

static const struct field_table box_table = { TABLE(box_fields, struct spec_box) };

/* Both ids are required: to be root because somebody forgot a line would be the wrong default. */
static const struct field user_fields[] = {
	{ KEY("uid"), REQUIRED, IS_NUMBER(struct spec_user, uid, 0, ID_MAX) },
	{ KEY("gid"), REQUIRED, IS_NUMBER(struct spec_user, gid, 0, ID_MAX) },
	{ KEY("umask"), IS_OPT_NUMBER(struct spec_user, umask, 0, 0777) },
	{ KEY("additionalGids"),
	  IS_NUMBERS(struct spec_user, n_additional_gids, additional_gids, ID_MAX) },
	{ KEY("username"), IS_IGNORED }, /* Windows */
};

static const struct field_table user_table = { TABLE(user_fields, struct spec_user) };

static const struct field capability_fields[] = {
	{ KEY("bounding"), IS_CAPABILITIES(struct spec_capabilities, bounding) },
	{ KEY("effective"), IS_CAPABILITIES(struct spec_capabilities, effective) },
	{ KEY("inheritable"), IS_CAPABILITIES(struct spec_capabilities, inheritable) },
	{ KEY("permitted"), IS_CAPABILITIES(struct spec_capabilities, permitted) },
	{ KEY("ambient"), IS_CAPABILITIES(struct spec_capabilities, ambient) },
};

/*
 * The kernel raises an ambient capability only if it is permitted and inheritable. Engines (and
 * `runc spec`) ask for more, and runc goes on without: what is left here can be had.
 */
static int finish_capabilities(const struct reader *r, const struct json *object, void *base)
{
	struct spec_capabilities *caps = base;
	uint64_t can = caps->permitted & caps->inheritable;

	for (unsigned int i = 0; i < 64; i++)
		if ((caps->ambient & ~can) >> i & 1)
			field_report(r, json_get(object, "ambient"),
				     spec_name_of(spec_capability_names, i),
				     "cannot be had without the same in permitted and inheritable");
	caps->ambient &= can;
	return 0;
}

static const struct field_table capabilities_table = {
	TABLE(capability_fields, struct spec_capabilities),
	.has = true,
	.finish = finish_capabilities,
};

static const struct field rlimit_fields[] = {
	{ KEY("type"), REQUIRED, IS_NAME(struct spec_rlimit, resource, spec_rlimit_names),
	  .text_offset = offsetof(struct spec_rlimit, type) },
	{ KEY("hard"), REQUIRED, IS_NUMBER(struct spec_rlimit, hard, 0, UINT64_MAX) },
	{ KEY("soft"), REQUIRED, IS_NUMBER(struct spec_rlimit, soft, 0, UINT64_MAX) },
};

static const struct field_table rlimit_table = { TABLE(rlimit_fields, struct spec_rlimit) };

static const struct field scheduler_fields[] = {
	{ KEY("policy"), REQUIRED,
	  IS_NAME(struct spec_scheduler, policy, spec_scheduler_policy_names) },
	{ KEY("nice"), IS_NUMBER(struct spec_scheduler, nice, -20, 19) },
	{ KEY("priority"), IS_NUMBER(struct spec_scheduler, priority, 0, 99) },
	{ KEY("flags"), IS_FLAGS(struct spec_scheduler, flags, spec_scheduler_flag_names) },
	{ KEY("runtime"), IS_NUMBER(struct spec_scheduler, runtime, 0, UINT64_MAX) },
	{ KEY("deadline"), IS_NUMBER(struct spec_scheduler, deadline, 0, UINT64_MAX) },
	{ KEY("period"), IS_NUMBER(struct spec_scheduler, period, 0, UINT64_MAX) },
};

static const struct field_table scheduler_table = {
	TABLE(scheduler_fields, struct spec_scheduler),
	.has = true,
};

static const struct field io_priority_fields[] = {
	{ KEY("class"), REQUIRED, IS_NAME(struct spec_io_priority, class, spec_io_class_names) },
	{ KEY("priority"), IS_NUMBER(struct spec_io_priority, priority, 0, 7) },
};

static const struct field_table io_priority_table = {
	TABLE(io_priority_fields, struct spec_io_priority),
	.has = true,
};

static const struct field affinity_fields[] = {
	{ KEY("initial"), IS_STRING(struct spec_affinity, initial) },
	{ KEY("final"), IS_STRING(struct spec_affinity, final) },
};

static const struct field_table affinity_table = { TABLE(affinity_fields, struct spec_affinity) };

static const struct field process_fields[] = {
	{ KEY("args"), IS_STRINGS(struct spec_process, args) },
	{ KEY("env"), IS_STRINGS(struct spec_process, env) },
	{ KEY("cwd"), REQUIRED, IS_STRING(struct spec_process, cwd) },
	{ KEY("user"), IS_OBJECT(struct spec_process, user, user_table) },
	{ KEY("capabilities"), IS_OBJECT(struct spec_process, capabilities, capabilities_table) },
	{ KEY("rlimits"), IS_LIST(struct spec_process, n_rlimits, rlimits, rlimit_table) },
	{ KEY("noNewPrivileges"), IS_BOOL(struct spec_process, no_new_privileges) },
	{ KEY("oomScoreAdj"), IS_OPT_NUMBER(struct spec_process, oom_score_adj, -1000, 1000) },
	{ KEY("terminal"), IS_BOOL(struct spec_process, terminal) },
	{ KEY("consoleSize"), IS_OBJECT(struct spec_process, console_size, box_table) },
	{ KEY("apparmorProfile"), IS_STRING(struct spec_process, apparmor_profile) },
	{ KEY("selinuxLabel"), IS_STRING(struct spec_process, selinux_label) },
	{ KEY("scheduler"), IS_OBJECT(struct spec_process, scheduler, scheduler_table) },
	{ KEY("ioPriority"), IS_OBJECT(struct spec_process, io_priority, io_priority_table) },
	{ KEY("execCPUAffinity"),
	  IS_OBJECT(struct spec_process, exec_cpu_affinity, affinity_table) },
	{ KEY("commandLine"), IS_IGNORED }, /* Windows */
};

const struct field_table process_table = {
	TABLE(process_fields, struct spec_process),
	.has = true,
};
