#include "seccomp/verdict.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/seccomp.h>
#include <string.h>

#include "seccomp/chain.h"
#include "spec/names.h"

#define MAX_SETS 64

/* ---- from the arrays of numbers ----------------------------------------------------------- */

uint32_t verdict_newer(const struct decision *d, const struct decided_arch *a)
{
	return a->known > 0 ? d->unknown->action : d->by_default->action;
}

struct call_verdict verdict_of(const struct decision *d, const struct decided_arch *a, int row)
{
	uint32_t offset = syscall_offset(row, a->arch->table), slot = offset, known = a->known;
	const struct target *target;

	if (offset == SYSCALL_NONE)
		return (struct call_verdict){ .exists = false };
	if (offset >= SYSCALL_PRIVATE) {
		offset -= SYSCALL_PRIVATE;
		slot = syscall_span() + offset;
		/* Without a private call of its own, the profile has nothing newer to refuse. */
		known = a->known_private > 0 ? a->known_private : 0;
	}
	if (offset >= known)
		return (struct call_verdict){ .exists = true, .action = verdict_newer(d, a) };
	target = a->slots[slot] ? a->slots[slot] : d->by_default;
	if (target->kind == TARGET_CHAIN)
		return (struct call_verdict){ .exists = true,
					      .action = target->chain->otherwise->action,
					      .chain = target->chain };
	return (struct call_verdict){ .exists = true, .action = target->action };
}

bool verdict_passes(uint32_t action)
{
	switch (action & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
	case SECCOMP_RET_LOG:
	case SECCOMP_RET_TRACE:
	case SECCOMP_RET_USER_NOTIF:
		return true;
	default:
		return false;
	}
}

bool verdict_always_passes(const struct call_verdict *v)
{
	for (const struct chain_rule *r = v->chain ? v->chain->rules : NULL; r; r = r->next)
		if (!verdict_passes(r->action))
			return false;
	return v->exists && verdict_passes(v->action);
}

bool verdict_never_passes(const struct call_verdict *v)
{
	for (const struct chain_rule *r = v->chain ? v->chain->rules : NULL; r; r = r->next)
		if (verdict_passes(r->action))
			return false;
	return !v->exists || !verdict_passes(v->action);
}

/* ---- in words ----------------------------------------------------------------------------- */

static void say_errno(uint32_t code, struct buf *out)
{
	const char *name = spec_name_of(spec_errno_names, code);

	if (name)
		buf_str(out, name);
	else
		buf_printf(out, "errno %" PRIu32, code);
}

void verdict_say_action(uint32_t action, struct buf *out)
{
	switch (action & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
		buf_str(out, "allowed");
		break;
	case SECCOMP_RET_LOG:
		buf_str(out, "allowed and logged");
		break;
	case SECCOMP_RET_ERRNO:
		say_errno(action & SECCOMP_RET_DATA, out);
		break;
	case SECCOMP_RET_TRACE:
		buf_printf(out, "tracer decides (%" PRIu32 ")", action & SECCOMP_RET_DATA);
		break;
	case SECCOMP_RET_USER_NOTIF:
		buf_str(out, "agent decides");
		break;
	case SECCOMP_RET_TRAP:
		buf_str(out, "SIGSYS");
		break;
	case SECCOMP_RET_KILL_THREAD:
		buf_str(out, "kills the thread");
		break;
	default:
		buf_str(out, "kills the process");
		break;
	}
}

/* Small numbers are counts or families, large ones mostly flags. */
static void say_value(uint64_t value, struct buf *out)
{
	buf_printf(out, value < 4096 ? "%" PRIu64 : "%#" PRIx64, value);
}

static void say_condition(const struct spec_seccomp_arg *arg, struct buf *out)
{
	static const char *const signs[] = { "", "!=", "<", "<=", "=", ">=", ">", "&" };

	buf_printf(out, "arg%" PRIu32 " %s ", arg->index, signs[arg->op]);
	say_value(arg->value, out);
	if (strcmp(signs[arg->op], "&") == 0) {
		buf_str(out, " = ");
		say_value(arg->value_two, out);
	}
}

static bool is_equality(const struct chain_rule *r)
{
	return r->n_args == 1 && r->args[0].op == 4; /* SCMP_CMP_EQ */
}

/* Whether the rule can join the list of values that the one before it has begun. */
static bool continues(const struct chain_rule *before, const struct chain_rule *r)
{
	return is_equality(before) && is_equality(r) && before->args[0].index == r->args[0].index;
}

static void say_conditions(const struct chain_rule *r, struct buf *out)
{
	for (size_t i = 0; i < r->n_args; i++) {
		buf_str(out, i > 0 ? " and " : "");
		say_condition(&r->args[i], out);
	}
}

void verdict_say(const struct call_verdict *v, struct buf *out)
{
	const struct chain_rule *before = NULL;

	if (!v->exists) {
		buf_str(out, "no such call");
		return;
	}
	for (const struct chain_rule *r = v->chain ? v->chain->rules : NULL; r; r = r->next) {
		if (!before || before->action != r->action) {
			buf_str(out, before ? ", else " : "");
			verdict_say_action(r->action, out);
			buf_str(out, " if ");
			say_conditions(r, out);
		} else if (continues(before, r)) {
			buf_str(out, ", ");
			say_value(r->args[0].value, out);
		} else {
			buf_str(out, " or ");
			say_conditions(r, out);
		}
		before = r;
	}
	buf_str(out, before ? ", else " : "");
	verdict_say_action(v->action, out);
}

/* ---- with all capabilities that matter ---------------------------------------------------- */

static int add_set(struct survey *s, uint64_t caps, const struct seccomp_env *env, struct err *err)
{
	caps &= ~env->caps;
	for (size_t i = 0; i < s->n; i++)
		if (s->caps[i] == caps)
			return 0;
	if (s->n == MAX_SETS)
		return err_say(err, -E2BIG,
			       "the seccomp profile tells more than %d sets of capabilities apart",
			       MAX_SETS);
	s->caps[s->n++] = caps;
	return 0;
}

static int decide_set(const struct spec_seccomp *spec, const struct seccomp_env *env, uint64_t caps,
		      struct arena *arena, struct decision **ret, struct err *err)
{
	struct seccomp_env with = *env;
	struct decision *d = arena_alloc(arena, sizeof(*d));

	if (!d)
		return err_set(err, -ENOMEM, "read the seccomp profile");
	d->arena = arena;
	with.caps |= caps;
	*ret = d;
	return decide(spec, &with, d, err);
}

int survey_make(const struct spec_seccomp *spec, const struct seccomp_env *env, struct arena *arena,
		struct survey *ret, struct err *err)
{
	struct survey s = {
		.n = 1,
		.caps = arena_array(arena, MAX_SETS, sizeof(uint64_t)),
		.d = arena_array(arena, MAX_SETS, sizeof(struct decision *)),
	};
	int r = 0;

	if (!s.caps || !s.d)
		return err_set(err, -ENOMEM, "read the seccomp profile");
	for (size_t i = 0; r == 0 && i < spec->n_rules; i++) {
		r = add_set(&s, spec->rules[i].includes.caps, env, err);
		if (r == 0)
			r = add_set(&s, spec->rules[i].excludes.caps, env, err);
	}
	for (size_t i = 0; r == 0 && i < s.n; i++)
		r = decide_set(spec, env, s.caps[i], arena, &s.d[i], err);
	if (r == 0)
		*ret = s;
	return r;
}

static void say_caps(uint64_t caps, struct buf *out)
{
	const char *between = "";

	for (const struct spec_name *cap = spec_capability_names; cap->name; cap++)
		if (caps & 1ULL << cap->value) {
			buf_printf(out, "%s%s", between, cap->name);
			between = " and ";
		}
}

/* Replaces `out`. */
static void say_set(const struct survey *s, size_t set, size_t arch, int row, struct buf *out)
{
	const struct call_verdict v = verdict_of(s->d[set], &s->d[set]->arches[arch], row);

	out->len = 0;
	verdict_say(&v, out);
}

/* Whether a set before this one has the same verdict, so that it was said. */
static bool was_said(const struct survey *s, size_t set, size_t arch, int row, const char *text)
{
	_cleanup_buf_ struct buf other = { 0 };

	for (size_t i = 0; i < set; i++) {
		say_set(s, i, arch, row, &other);
		if (strcmp(buf_text(&other), text) == 0)
			return true;
	}
	return false;
}

void survey_say(const struct survey *s, size_t arch, int row, struct buf *out)
{
	_cleanup_buf_ struct buf text = { 0 }, other = { 0 };

	say_set(s, 0, arch, row, &text);
	buf_str(out, buf_text(&text));
	for (size_t i = 1; i < s->n; i++) {
		say_set(s, i, arch, row, &text);
		if (was_said(s, i, arch, row, buf_text(&text)))
			continue;
		buf_str(out, "; with ");
		say_caps(s->caps[i], out);
		for (size_t k = i + 1; k < s->n; k++) {
			say_set(s, k, arch, row, &other);
			if (strcmp(buf_text(&other), buf_text(&text)) != 0)
				continue;
			buf_str(out, " or ");
			say_caps(s->caps[k], out);
		}
		buf_printf(out, ": %s", buf_text(&text));
	}
	out->failed = out->failed || text.failed || other.failed;
}
