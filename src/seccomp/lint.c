#include "seccomp/lint.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "seccomp/lint_part.h"
#include "seccomp/table.h"

#define TEXT_SIZE    1024
#define MAX_FINDINGS 500 /* more do not help */

/* ---- for the checks ----------------------------------------------------------------------- */

bool lint_is_full(const struct linter *l)
{
	return l->found->n >= MAX_FINDINGS;
}

void lint_add(struct linter *l, const char *check, bool is_note, const char *path, const char *fmt,
	      ...)
{
	struct lint *found = l->found;
	char text[TEXT_SIZE];
	va_list ap;

	if (lint_is_full(l))
		return;
	if (found->n == found->room) {
		size_t room = found->room ? 2 * found->room : 64;
		struct lint_finding *v = arena_array(l->arena, room, sizeof(*v));

		if (!v)
			return;
		if (found->n > 0)
			memcpy(v, found->v, found->n * sizeof(*v));
		found->v = v;
		found->room = room;
	}
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	found->v[found->n++] = (struct lint_finding){
		.check = check,
		.is_note = is_note,
		.path = path,
		.text = arena_printf(l->arena, "%s", text),
	};
}

struct call_verdict lint_verdict(const struct linter *l, size_t arch, const char *call)
{
	int row = syscall_row(call);

	if (row < 0)
		return (struct call_verdict){ .exists = false };
	return verdict_of(&l->d, &l->d.arches[arch], row);
}

const char *lint_arch(const struct linter *l, size_t arch)
{
	return profile_arch_label(l->d.arches[arch].arch, l->arena);
}

/* ---- the rules of each call --------------------------------------------------------------- */

static bool is_unconditional(const struct spec_seccomp_rule *rule)
{
	const struct spec_seccomp_filter *in = &rule->includes, *ex = &rule->excludes;

	return rule->n_args == 0 && in->caps == 0 && ex->caps == 0 && in->arches.n == 0 &&
	       ex->arches.n == 0 && !in->min_kernel && !ex->min_kernel;
}

bool lint_is_skipped(const struct spec_seccomp *spec, const struct spec_seccomp_rule *rule)
{
	uint64_t a = spec->default_errno_ret.has ? spec->default_errno_ret.value : EPERM;
	uint64_t b = rule->errno_ret.has ? rule->errno_ret.value : EPERM;

	if (rule->action != spec->default_action)
		return false;
	return (rule->action != SECCOMP_RET_ERRNO && rule->action != SECCOMP_RET_TRACE) || a == b;
}

static void note_name(struct linter *l, size_t i, size_t k, bool applies)
{
	const struct spec_seccomp_rule *rule = &l->spec->rules[i];
	int row = syscall_row(rule->names.v[k]);
	struct lint_call *call = row < 0 ? NULL : &l->calls[row];

	if (!call)
		return;
	if (applies && !verdict_passes(rule->action))
		call->is_denied = true;
	if (applies && *call->path == '\0')
		call->path = arena_printf(l->arena, "syscalls[%zu].names[%zu]", i, k);
	if (lint_is_skipped(l->spec, rule))
		return;
	if (call->first == 0)
		call->first = i + 1;
	if (call->decider == 0 && is_unconditional(rule))
		call->decider = i + 1;
}

static int note_calls(struct linter *l, struct err *err)
{
	const size_t n = syscall_rows();

	l->calls = arena_array(l->arena, n, sizeof(*l->calls));
	if (!l->calls)
		return err_set(err, -ENOMEM, "check the seccomp profile");
	for (size_t row = 0; row < n; row++)
		l->calls[row].path = "";
	for (size_t i = 0; i < l->spec->n_rules; i++) {
		const struct spec_seccomp_rule *rule = &l->spec->rules[i];
		int applies = decide_applies(rule, l->env, l->d.arches[0].arch, err);

		if (applies < 0)
			return applies;
		for (size_t k = 0; k < rule->names.n; k++)
			note_name(l, i, k, applies > 0);
	}
	return 0;
}

/* ---- all checks --------------------------------------------------------------------------- */

/* A list of what is denied is out of date with the next kernel. */
static void lint_default(struct linter *l)
{
	if (verdict_passes(l->spec->default_action))
		lint_add(l, "default", false, "defaultAction",
			 "lets calls pass that no rule names, also those that later kernels bring; "
			 "a list of what is allowed fails closed");
}

int lint_profile(const struct spec_seccomp *spec, const struct seccomp_env *env,
		 struct arena *arena, struct lint *ret, struct err *err)
{
	static void (*const checks[])(struct linter *) = {
		lint_default, lint_rules,       lint_libc,           lint_probes,   lint_twins,
		lint_forms,   lint_multiplexed, lint_missing_arches, lint_io_uring,
	};
	struct lint found = { 0 };
	struct linter l = {
		.arena = arena, .spec = spec, .env = env, .d = { .arena = arena }, .found = &found
	};
	int r = decide(spec, env, &l.d, err);

	if (r == 0)
		r = note_calls(&l, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		checks[i](&l);
	if (arena_failed(arena))
		return err_set(err, -ENOMEM, "check the seccomp profile");
	*ret = found;
	return 0;
}

void lint_say(const struct lint_finding *finding, const struct json_doc *doc, struct buf *out)
{
	if (doc) {
		struct json_place place = json_place(doc, json_locate(doc, finding->path));

		buf_printf(out, "%s:%u:%u: ", doc->name, place.line, place.column);
	}
	buf_printf(out, "%s: %s%s%s [%s]\n", finding->is_note ? "note" : "warning", finding->path,
		   *finding->path ? ": " : "", finding->text, finding->check);
}
