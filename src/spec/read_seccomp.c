/*
 * read_seccomp.c - the rows of `linux.seccomp`, and of the profiles that Docker and podman ship.
 *
 * A profile has what config.json has, and conditions: rules for some capabilities, architectures or
 * kernels only, and a map of architectures. An engine resolves them before it writes config.json.
 * There they are refused unless empty: to skip them would apply every rule always.
 */
#include <errno.h>
#include <linux/seccomp.h>

#include "base/num.h"
#include "spec/field.h"

#define RET_DATA_MAX 0xffff /* SECCOMP_RET_DATA */

static const struct field arg_fields[] = {
	{ KEY("index"), REQUIRED, IS_NUMBER(struct spec_seccomp_arg, index, 0, 5) },
	{ KEY("value"), REQUIRED, IS_NUMBER(struct spec_seccomp_arg, value, 0, UINT64_MAX) },
	{ KEY("valueTwo"), IS_NUMBER(struct spec_seccomp_arg, value_two, 0, UINT64_MAX) },
	{ KEY("op"), REQUIRED, IS_NAME(struct spec_seccomp_arg, op, spec_seccomp_operator_names) },
};

static const struct field_table arg_table = { TABLE(arg_fields, struct spec_seccomp_arg) };

/* ---- what only profiles have -------------------------------------------------------------- */

/* A condition that we do not know must not be skipped: the rule would apply always. */
static const struct field filter_fields[] = {
	{ KEY("caps"), IS_CAPABILITIES(struct spec_seccomp_filter, caps),
	  .names = spec_capability_names },
	{ KEY("arches"), IS_STRINGS(struct spec_seccomp_filter, arches) },
	{ KEY("minKernel"), IS_STRING(struct spec_seccomp_filter, min_kernel) },
};

/* A version that is none would make the rule apply nowhere, or everywhere. */
static int finish_filter(const struct reader *r, const struct json *object, void *base)
{
	const struct spec_seccomp_filter *filter = base;
	uint32_t major, minor;
	char shown[JSON_SHOWN_SIZE];

	if (!filter->min_kernel || num_kernel(filter->min_kernel, &major, &minor) == 0)
		return 0;
	json_show_text(filter->min_kernel, shown);
	return json_refuse(r->doc, json_get(object, "minKernel"), r->err,
			   "%s is no kernel version, expected MAJOR.MINOR such as 4.8", shown);
}

static const struct field_table filter_table = {
	TABLE(filter_fields, struct spec_seccomp_filter),
	.closed = true,
	.finish = finish_filter,
};

static const struct field arch_map_fields[] = {
	{ KEY("architecture"), REQUIRED, IS_STRING(struct spec_seccomp_arch_map, architecture) },
	{ KEY("subArchitectures"), IS_STRINGS(struct spec_seccomp_arch_map, sub_architectures),
	  .names = spec_seccomp_arch_names },
};

static const struct field_table arch_map_table = {
	TABLE(arch_map_fields, struct spec_seccomp_arch_map),
};

static const struct field arch_map_field = {
	IS_LIST(struct spec_seccomp, n_arch_map, arch_map, arch_map_table),
};

static int refuse_in_config(const struct reader *r, const struct json *value)
{
	(void)json_refuse(
	    r->doc, value, r->err,
	    "belongs to a profile of Docker's form, expected the rules for this host");
	return err_hint(r->err, "give the profile to the engine, which resolves its conditions");
}

static bool is_empty(const struct json *value)
{
	return (value->type == JSON_TYPE_OBJECT || value->type == JSON_TYPE_ARRAY) &&
	       value->len == 0;
}

static int read_arch_map(const struct reader *r, const struct field *field,
			 const struct json *value, void *base)
{
	struct spec_seccomp *seccomp = base;

	(void)field;
	if (is_empty(value))
		return 0;
	if (!r->is_docker_profile)
		return refuse_in_config(r, value);
	return field_read_list(r, &arch_map_field, value, &seccomp->n_arch_map);
}

static int read_filter(const struct reader *r, const struct field *field, const struct json *value,
		       void *base)
{
	if (is_empty(value))
		return 0;
	if (!r->is_docker_profile)
		return refuse_in_config(r, value);
	return field_read_object(r, &filter_table, value, (char *)base + field->offset);
}

/* ---- rules -------------------------------------------------------------------------------- */

/* podman writes the errno's name beside its number, or alone. */
static int read_errno(const struct reader *r, const struct field *field, const struct json *value,
		      void *base)
{
	struct opt_u64 *number = (struct opt_u64 *)(void *)((char *)base + field->offset);
	const struct spec_name *name = NULL;
	char expected[768];

	if (value->type == JSON_TYPE_STRING && value->len == 0)
		return 0;
	if (value->type == JSON_TYPE_STRING)
		name = spec_name_find(spec_errno_names, value->text);
	if (!name) {
		field_expect_name(spec_errno_names, expected, sizeof(expected));
		return value->type == JSON_TYPE_STRING
			   ? field_not_allowed(r, value, "is unknown", expected)
			   : field_wrong(r, value, expected);
	}
	*number = (struct opt_u64){ .has = true, .value = name->value };
	return 0;
}

/* The number and the name of the same errno may both be there, but must agree. */
static int check_errno(const struct reader *r, const struct json *object, const char *number_key,
		       const char *name_key)
{
	const struct json *number = json_get(object, number_key),
			  *name = json_get(object, name_key);
	const struct spec_name *found = name ? spec_name_find(spec_errno_names, name->text) : NULL;
	uint64_t value;

	if (!number || !found || json_u64(number, RET_DATA_MAX, &value) < 0)
		return 0;
	if (value == found->value)
		return 0;
	return json_refuse(r->doc, number, r->err, "%s is not %s, which %s says", number->text,
			   name->text, name_key);
}

/* "name" is the older form of "names" with one of them. */
static int read_single_name(const struct reader *r, const struct field *field,
			    const struct json *value, void *base)
{
	struct spec_seccomp_rule *rule = base;
	char **v;

	(void)field;
	if (value->type != JSON_TYPE_STRING)
		return field_wrong(r, value, "the name of a system call");
	if (value->len == 0)
		return 0;
	v = arena_array(r->arena, 2, sizeof(*v));
	if (!v)
		return err_set(r->err, -ENOMEM, "read %s", r->source->name);
	v[0] = arena_strndup(r->arena, value->text, value->len);
	rule->names = (struct spec_strings){ .n = 1, .v = v };
	return 0;
}

static const struct field rule_fields[] = {
	{ KEY("names"), IS_STRINGS(struct spec_seccomp_rule, names) },
	{ KEY("action"), REQUIRED,
	  IS_NAME(struct spec_seccomp_rule, action, spec_seccomp_action_names) },
	{ KEY("args"), IS_LIST(struct spec_seccomp_rule, n_args, args, arg_table) },
	{ KEY("errnoRet"), IS_OPT_NUMBER(struct spec_seccomp_rule, errno_ret, 0, RET_DATA_MAX) },
	{ KEY("errno"), IS_CUSTOM(read_errno), AT(struct spec_seccomp_rule, errno_ret) },
	{ KEY("name"), IS_CUSTOM(read_single_name) },
	{ KEY("includes"), IS_CUSTOM(read_filter), AT(struct spec_seccomp_rule, includes) },
	{ KEY("excludes"), IS_CUSTOM(read_filter), AT(struct spec_seccomp_rule, excludes) },
	{ KEY("comment"), IS_IGNORED },
};

static int finish_rule(const struct reader *r, const struct json *object, void *base)
{
	const struct spec_seccomp_rule *rule = base;
	const struct json *name = json_get(object, "name"), *names = json_get(object, "names");

	if (name && names && name->len > 0 && names->len > 0)
		return json_refuse(r->doc, name, r->err,
				   "name is given beside names, expected one of them");
	if (rule->names.n == 0)
		return json_refuse(r->doc, object, r->err,
				   "names is missing or empty, expected names of system calls");
	return check_errno(r, object, "errnoRet", "errno");
}

static const struct field_table rule_table = {
	TABLE(rule_fields, struct spec_seccomp_rule),
	.finish = finish_rule,
};

static const struct field seccomp_fields[] = {
	{ KEY("defaultAction"), REQUIRED,
	  IS_NAME(struct spec_seccomp, default_action, spec_seccomp_action_names) },
	{ KEY("defaultErrnoRet"),
	  IS_OPT_NUMBER(struct spec_seccomp, default_errno_ret, 0, RET_DATA_MAX) },
	{ KEY("defaultErrno"), IS_CUSTOM(read_errno), AT(struct spec_seccomp, default_errno_ret) },
	{ KEY("architectures"), IS_STRINGS(struct spec_seccomp, architectures),
	  .names = spec_seccomp_arch_names },
	{ KEY("archMap"), IS_CUSTOM(read_arch_map) },
	{ KEY("flags"), IS_FLAGS(struct spec_seccomp, flags, spec_seccomp_flag_names) },
	{ KEY("listenerPath"), IS_STRING(struct spec_seccomp, listener_path) },
	{ KEY("listenerMetadata"), IS_STRING(struct spec_seccomp, listener_metadata) },
	{ KEY("syscalls"), IS_LIST(struct spec_seccomp, n_rules, rules, rule_table) },
};

static int finish_seccomp(const struct reader *r, const struct json *object, void *base)
{
	(void)base;
	return check_errno(r, object, "defaultErrnoRet", "defaultErrno");
}

const struct field_table seccomp_table = {
	TABLE(seccomp_fields, struct spec_seccomp),
	.has = true,
	.finish = finish_seccomp,
};
