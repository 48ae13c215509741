/*
 * chain.c - conditions on arguments, which have 64 bits where BPF compares 32.
 *
 * The usual case, each rule with one comparison and all of the same argument (personality, socket,
 * clone's flags excepted), becomes ranges of that argument and a search in them: first its upper
 * half, then its lower one. All else is tried rule by rule, condition by condition.
 */
#include "seccomp/chain.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>

enum op { OP_NE = 1, OP_LT, OP_LE, OP_EQ, OP_GE, OP_GT, OP_MASKED_EQ };

/* As the kernel does between filters: actions as signed numbers, lower is stricter. */
static int32_t strictness(uint32_t action)
{
	return (int32_t)(action & SECCOMP_RET_ACTION_FULL);
}

static bool same_conditions(const struct chain_rule *a, const struct chain_rule *b)
{
	bool same = a->n_args == b->n_args;

	for (size_t i = 0; same && i < a->n_args; i++)
		same = a->args[i].index == b->args[i].index && a->args[i].op == b->args[i].op &&
		       a->args[i].value == b->args[i].value &&
		       a->args[i].value_two == b->args[i].value_two;
	return same;
}

int chain_add(struct chain *c, const struct chain_rule *rule)
{
	struct chain_rule **at = &c->rules, *copy;

	if (c->n_rules == BPF_MAXINSNS)
		return -E2BIG;
	while (*at && strictness((*at)->action) <= strictness(rule->action)) {
		if (same_conditions(*at, rule))
			return 0;
		at = &(*at)->next;
	}
	copy = arena_copy(c->arena, rule, sizeof(*rule));
	if (!copy)
		return -ENOMEM;
	copy->next = *at;
	*at = copy;
	c->n_rules++;
	return 0;
}

bool chain_equal(const struct chain *a, const struct chain *b)
{
	const struct chain_rule *x = a->rules, *y = b->rules;

	if (a->is_64bit != b->is_64bit || a->is_big_endian != b->is_big_endian)
		return false;
	while (x && y && x->action == y->action && x->args == y->args && x->n_args == y->n_args) {
		x = x->next;
		y = y->next;
	}
	return !x && !y;
}

static uint32_t offset_of(const struct chain *c, uint32_t index, bool upper)
{
	uint32_t offset = (uint32_t)offsetof(struct seccomp_data, args) + 8 * index;

	return offset + (upper == c->is_big_endian ? 0 : 4);
}

/* ---- condition by condition --------------------------------------------------------------- */

static uint32_t compare_half(struct emitter *e, const struct chain *c,
			     const struct spec_seccomp_arg *arg, bool upper, uint32_t label)
{
	uint32_t mask =
	    arg->op == OP_MASKED_EQ ? (uint32_t)(arg->value >> (upper ? 32 : 0)) : UINT32_MAX;

	if (mask != UINT32_MAX)
		label = emit_and(e, mask, label);
	return emit_load(e, offset_of(c, arg->index, upper), label);
}

static uint32_t equal(struct emitter *e, const struct chain *c, const struct spec_seccomp_arg *arg,
		      uint32_t *pass, uint32_t *fail)
{
	uint64_t value = arg->op == OP_MASKED_EQ ? arg->value_two : arg->value;
	uint32_t label = emit_jump(e, BPF_JEQ, (uint32_t)value, pass, fail);

	label = compare_half(e, c, arg, false, label);
	if (!c->is_64bit)
		return label;
	if (arg->op == OP_MASKED_EQ && arg->value >> 32 == 0 && value >> 32 == 0)
		return label;
	label = emit_jump(e, BPF_JEQ, (uint32_t)(value >> 32), &label, fail);
	return compare_half(e, c, arg, true, label);
}

/* `op` is BPF_JGT or BPF_JGE. */
static uint32_t greater(struct emitter *e, const struct chain *c, uint16_t op,
			const struct spec_seccomp_arg *arg, uint32_t *pass, uint32_t *fail)
{
	uint32_t label = emit_jump(e, op, (uint32_t)arg->value, pass, fail);

	label = compare_half(e, c, arg, false, label);
	if (!c->is_64bit)
		return label;
	label = emit_jump(e, BPF_JEQ, (uint32_t)(arg->value >> 32), &label, fail);
	label = emit_jump(e, BPF_JGT, (uint32_t)(arg->value >> 32), pass, &label);
	return compare_half(e, c, arg, true, label);
}

static uint32_t condition(struct emitter *e, const struct chain *c,
			  const struct spec_seccomp_arg *arg, uint32_t *pass, uint32_t *fail)
{
	switch ((enum op)arg->op) {
	case OP_EQ:
	case OP_MASKED_EQ:
		return equal(e, c, arg, pass, fail);
	case OP_NE:
		return equal(e, c, arg, fail, pass);
	case OP_GE:
		return greater(e, c, BPF_JGE, arg, pass, fail);
	case OP_LT:
		return greater(e, c, BPF_JGE, arg, fail, pass);
	case OP_GT:
		return greater(e, c, BPF_JGT, arg, pass, fail);
	case OP_LE:
		return greater(e, c, BPF_JGT, arg, fail, pass);
	}
	return *fail;
}

static uint32_t *target_label(struct emitter *e, struct target *t)
{
	if (t->label == LABEL_NONE)
		t->label = emit_ret(e, t->action);
	return &t->label;
}

/* From the last rule to the first, so that each knows where to go on when it does not hold. */
static uint32_t rule_by_rule(struct emitter *e, const struct chain *c,
			     const struct chain_rule *rule)
{
	uint32_t fail, next, *pass;

	if (!rule)
		return *target_label(e, c->otherwise);
	fail = rule_by_rule(e, c, rule->next);
	pass = target_label(e, rule->target);
	for (size_t i = rule->n_args; i > 0; i--) {
		next = condition(e, c, &rule->args[i - 1], pass, &fail);
		pass = &next;
	}
	return *pass;
}

/* ---- as ranges ---------------------------------------------------------------------------- */

/* Values from `start` up to the next segment's. */
struct segment {
	uint64_t start;
	struct target *target;
};

static bool is_search(const struct chain *c)
{
	uint32_t index = c->rules->args[0].index;

	for (const struct chain_rule *rule = c->rules; rule; rule = rule->next)
		if (rule->n_args != 1 || rule->args[0].index != index ||
		    rule->args[0].op == OP_MASKED_EQ)
			return false;
	return true;
}

static uint64_t narrowed(const struct chain *c, uint64_t value)
{
	return c->is_64bit ? value : (uint32_t)value;
}

static bool holds(enum op op, uint64_t value, uint64_t limit)
{
	switch (op) {
	case OP_NE:
		return value != limit;
	case OP_LT:
		return value < limit;
	case OP_LE:
		return value <= limit;
	case OP_EQ:
		return value == limit;
	case OP_GE:
		return value >= limit;
	case OP_GT:
		return value > limit;
	case OP_MASKED_EQ:
		break;
	}
	return false;
}

static struct target *decide(const struct chain *c, uint64_t value)
{
	for (const struct chain_rule *rule = c->rules; rule; rule = rule->next)
		if (holds((enum op)rule->args[0].op, value, narrowed(c, rule->args[0].value)))
			return rule->target;
	return c->otherwise;
}

static int by_start(const void *a, const void *b)
{
	const struct segment *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* The verdict can only change at a rule's value and just behind it. */
static size_t segments_of(const struct chain *c, struct segment *v)
{
	uint64_t greatest = narrowed(c, UINT64_MAX);
	size_t n = 1, kept = 0;

	for (const struct chain_rule *rule = c->rules; rule; rule = rule->next) {
		uint64_t value = narrowed(c, rule->args[0].value);

		v[n++].start = value;
		if (value < greatest)
			v[n++].start = value + 1;
	}
	qsort(v, n, sizeof(*v), by_start);
	for (size_t i = 0; i < n; i++) {
		struct target *target = decide(c, v[i].start);

		if (kept == 0 || v[kept - 1].target != target)
			v[kept++] = (struct segment){ v[i].start, target };
	}
	return kept;
}

/*
 * The search for the lower half within the values that share one upper half. *i is the segment that
 * holds the first of them, and afterwards the one that holds the last.
 */
static struct target *lower_halves(struct emitter *e, const struct chain *c,
				   const struct segment *v, size_t n, size_t *i)
{
	uint64_t upper = v[*i].start >> 32;
	struct target *code = arena_alloc(c->arena, sizeof(*code));
	struct ranges r = { .arena = c->arena };
	uint32_t label;

	if (!code)
		return c->otherwise;
	if ((uint32_t)v[*i].start != 0)
		ranges_add(&r, 0, v[*i - 1].target);
	ranges_add(&r, (uint32_t)v[*i].start, v[*i].target);
	for (; *i + 1 < n && v[*i + 1].start >> 32 == upper; (*i)++)
		ranges_add(&r, (uint32_t)v[*i + 1].start, v[*i + 1].target);
	label = tree_emit(e, &r);
	code->kind = TARGET_CODE;
	code->label = emit_load(e, offset_of(c, c->rules->args[0].index, false), label);
	return code;
}

static bool is_whole_half(const struct segment *v, size_t n, size_t i)
{
	return (uint32_t)v[i].start == 0 &&
	       (i + 1 == n || v[i + 1].start >> 32 != v[i].start >> 32);
}

static uint32_t search(struct emitter *e, struct chain *c)
{
	struct segment *v = arena_array(c->arena, 2 * c->n_rules + 1, sizeof(*v));
	struct ranges r = { .arena = c->arena };
	size_t n;

	if (!v)
		return 0;
	n = segments_of(c, v);
	if (!c->is_64bit) {
		size_t i = 0;

		return lower_halves(e, c, v, n, &i)->label;
	}
	for (size_t i = 0; i < n; i++) {
		uint32_t upper = (uint32_t)(v[i].start >> 32);

		if (is_whole_half(v, n, i))
			ranges_add(&r, upper, v[i].target);
		else
			ranges_add(&r, upper, lower_halves(e, c, v, n, &i));
		if (upper < UINT32_MAX && (i + 1 == n || v[i + 1].start >> 32 > upper + 1ULL))
			ranges_add(&r, upper + 1, v[i].target);
	}
	return emit_load(e, offset_of(c, c->rules->args[0].index, true), tree_emit(e, &r));
}

uint32_t chain_emit(struct emitter *e, struct chain *c)
{
	return is_search(c) ? search(e, c) : rule_by_rule(e, c, c->rules);
}
