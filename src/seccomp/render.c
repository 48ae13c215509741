#include "seccomp/render.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "seccomp/decide.h"
#include "spec/names.h"

/* ---- without conditions ------------------------------------------------------------------- */

static void list_arches(const struct decision *d, struct arena *arena, struct spec_strings *ret)
{
	char **v = arena_array(arena, d->n_arches + 1, sizeof(*v));

	for (size_t i = 0; v && i < d->n_arches; i++) {
		const char *name = d->arches[i].arch->name;

		v[i] = arena_strndup(arena, name, strlen(name));
	}
	*ret = (struct spec_strings){ .n = v ? d->n_arches : 0, .v = v };
}

int profile_flatten(const struct spec_seccomp *spec, const struct seccomp_env *env,
		    struct arena *arena, struct spec_seccomp *ret, struct err *err)
{
	struct decision d = { .arena = arena };
	struct spec_seccomp flat = *spec;
	int r = decide(spec, env, &d, err);

	if (r < 0)
		return r;
	flat.n_arch_map = 0;
	flat.arch_map = NULL;
	list_arches(&d, arena, &flat.architectures);
	flat.n_rules = 0;
	flat.rules = arena_array(arena, spec->n_rules + 1, sizeof(*flat.rules));
	for (size_t i = 0; flat.rules && i < spec->n_rules; i++) {
		struct spec_seccomp_rule rule = spec->rules[i];

		r = decide_applies(&rule, env, d.arches[0].arch, err);
		if (r < 0)
			return r;
		rule.includes = rule.excludes = (struct spec_seccomp_filter){ 0 };
		if (r > 0)
			flat.rules[flat.n_rules++] = rule;
	}
	if (arena_failed(arena))
		return err_set(err, -ENOMEM, "resolve the seccomp profile");
	*ret = flat;
	return 0;
}

/* ---- JSON --------------------------------------------------------------------------------- */

static void render_strings(const struct spec_strings *list, struct buf *out)
{
	buf_str(out, "[");
	for (size_t i = 0; i < list->n; i++) {
		buf_str(out, i > 0 ? ", " : "");
		buf_json_str(out, list->v[i]);
	}
	buf_str(out, "]");
}

/* The names of all bits that are set. */
static void render_caps(uint64_t caps, struct buf *out)
{
	const char *between = "";

	buf_str(out, "[");
	for (const struct spec_name *cap = spec_capability_names; cap->name; cap++)
		if (caps & 1ULL << cap->value) {
			buf_printf(out, "%s\"%s\"", between, cap->name);
			between = ", ";
		}
	buf_str(out, "]");
}

static void render_flags(uint32_t flags, struct buf *out)
{
	const char *between = "";

	buf_str(out, "[");
	for (const struct spec_name *flag = spec_seccomp_flag_names; flag->name; flag++)
		if (flags & flag->value) {
			buf_printf(out, "%s\"%s\"", between, flag->name);
			between = ", ";
		}
	buf_str(out, "]");
}

static void render_filter(const char *key, const struct spec_seccomp_filter *filter,
			  struct buf *out)
{
	const char *between = "";

	if (filter->caps == 0 && filter->arches.n == 0 && !filter->min_kernel)
		return;
	buf_printf(out, ", \"%s\": {", key);
	if (filter->caps != 0) {
		buf_str(out, "\"caps\": ");
		render_caps(filter->caps, out);
		between = ", ";
	}
	if (filter->arches.n > 0) {
		buf_printf(out, "%s\"arches\": ", between);
		render_strings(&filter->arches, out);
		between = ", ";
	}
	if (filter->min_kernel) {
		buf_printf(out, "%s\"minKernel\": ", between);
		buf_json_str(out, filter->min_kernel);
	}
	buf_str(out, "}");
}

static void render_args(const struct spec_seccomp_rule *rule, struct buf *out)
{
	if (rule->n_args == 0)
		return;
	buf_str(out, ", \"args\": [");
	for (size_t i = 0; i < rule->n_args; i++) {
		const struct spec_seccomp_arg *arg = &rule->args[i];

		buf_printf(out, "%s{\"index\": %" PRIu32 ", \"op\": \"%s\", \"value\": %" PRIu64,
			   i > 0 ? ", " : "", arg->index,
			   spec_name_of(spec_seccomp_operator_names, arg->op), arg->value);
		if (arg->value_two != 0)
			buf_printf(out, ", \"valueTwo\": %" PRIu64, arg->value_two);
		buf_str(out, "}");
	}
	buf_str(out, "]");
}

static void render_rules(const struct spec_seccomp *spec, struct buf *out)
{
	buf_str(out, ",\n  \"syscalls\": [");
	for (size_t i = 0; i < spec->n_rules; i++) {
		const struct spec_seccomp_rule *rule = &spec->rules[i];

		buf_printf(out, "%s\n    {\"names\": ", i > 0 ? "," : "");
		render_strings(&rule->names, out);
		buf_printf(out, ", \"action\": \"%s\"",
			   spec_name_of(spec_seccomp_action_names, rule->action));
		if (rule->errno_ret.has)
			buf_printf(out, ", \"errnoRet\": %" PRIu64, rule->errno_ret.value);
		render_args(rule, out);
		render_filter("includes", &rule->includes, out);
		render_filter("excludes", &rule->excludes, out);
		buf_str(out, "}");
	}
	buf_str(out, spec->n_rules > 0 ? "\n  ]" : "]");
}

static void render_arch_map(const struct spec_seccomp *spec, struct buf *out)
{
	if (spec->n_arch_map == 0)
		return;
	buf_str(out, ",\n  \"archMap\": [");
	for (size_t i = 0; i < spec->n_arch_map; i++) {
		buf_printf(out, "%s\n    {\"architecture\": ", i > 0 ? "," : "");
		buf_json_str(out, spec->arch_map[i].architecture);
		buf_str(out, ", \"subArchitectures\": ");
		render_strings(&spec->arch_map[i].sub_architectures, out);
		buf_str(out, "}");
	}
	buf_str(out, "\n  ]");
}

static void render_text(const char *key, const char *text, struct buf *out)
{
	if (!text)
		return;
	buf_printf(out, ",\n  \"%s\": ", key);
	buf_json_str(out, text);
}

void profile_render_json(const struct spec_seccomp *spec, struct buf *out)
{
	buf_printf(out, "{\n  \"defaultAction\": \"%s\"",
		   spec_name_of(spec_seccomp_action_names, spec->default_action));
	if (spec->default_errno_ret.has)
		buf_printf(out, ",\n  \"defaultErrnoRet\": %" PRIu64,
			   spec->default_errno_ret.value);
	if (spec->architectures.n > 0) {
		buf_str(out, ",\n  \"architectures\": ");
		render_strings(&spec->architectures, out);
	}
	render_arch_map(spec, out);
	if (spec->flags != 0) {
		buf_str(out, ",\n  \"flags\": ");
		render_flags(spec->flags, out);
	}
	render_text("listenerPath", spec->listener_path, out);
	render_text("listenerMetadata", spec->listener_metadata, out);
	render_rules(spec, out);
	buf_str(out, "\n}\n");
}
