#include "model.h"

#include <errno.h>
#include <linux/seccomp.h>

static uint32_t full(uint32_t action, const struct opt_u64 *data)
{
	if (action != SECCOMP_RET_ERRNO && action != SECCOMP_RET_TRACE)
		return action;
	return action | (uint32_t)(data->has ? data->value : EPERM);
}

static bool repeats(const struct spec_seccomp_rule *rule)
{
	for (size_t i = 0; i < rule->n_args; i++)
		for (size_t k = 0; k < i; k++)
			if (rule->args[i].index == rule->args[k].index)
				return true;
	return false;
}

static void add(struct model *m, uint32_t nr, uint32_t selector,
		const struct spec_seccomp_rule *rule)
{
	struct model_entry entry = { nr, selector, rule, rule->args, rule->n_args };

	if (!repeats(rule)) {
		m->entries[m->n++] = entry;
		return;
	}
	for (size_t i = 0; i < rule->n_args; i++) {
		entry.args = &rule->args[i];
		entry.n_args = 1;
		m->entries[m->n++] = entry;
	}
}

static void add_name(struct model *m, const char *name, const struct spec_seccomp_rule *rule)
{
	int row = syscall_row(name);
	uint32_t offset;

	if (row < 0)
		return;
	offset = syscall_offset(row, m->arch->table);
	if (offset >= SYSCALL_PRIVATE && offset != SYSCALL_NONE)
		add(m, SYSCALL_PRIVATE_BASE + offset - SYSCALL_PRIVATE, 0, rule);
	else if (offset != SYSCALL_NONE)
		add(m, m->arch->base + offset, 0, rule);
	if (m->arch->socketcall && syscall_socketcall(row))
		add(m, m->arch->base + m->arch->socketcall, syscall_socketcall(row), rule);
	if (m->arch->ipc && syscall_ipc(row))
		add(m, m->arch->base + m->arch->ipc, syscall_ipc(row), rule);
}

void model_make(const struct spec_seccomp *spec, const struct seccomp_arch *arch,
		struct arena *arena, struct model *m)
{
	uint32_t by_default = full(spec->default_action, &spec->default_errno_ret);
	size_t n = 0;

	for (size_t i = 0; i < spec->n_rules; i++)
		n += spec->rules[i].names.n * 2 * (1 + spec->rules[i].n_args);
	*m = (struct model){ spec, arch, 0, arena_array(arena, n, sizeof(*m->entries)) };
	for (size_t i = 0; i < spec->n_rules; i++) {
		const struct spec_seccomp_rule *rule = &spec->rules[i];

		if (full(rule->action, &rule->errno_ret) == by_default)
			continue;
		for (size_t k = 0; k < rule->names.n; k++)
			add_name(m, rule->names.v[k], rule);
	}
}

static bool holds(const struct model *m, const struct spec_seccomp_arg *arg,
		  const struct call *call)
{
	uint64_t mask = m->arch->is_64bit ? UINT64_MAX : UINT32_MAX;
	uint64_t have = call->args[arg->index] & mask, value = arg->value & mask;

	switch (arg->op) {
	case 1:
		return have != value;
	case 2:
		return have < value;
	case 3:
		return have <= value;
	case 4:
		return have == value;
	case 5:
		return have >= value;
	case 6:
		return have > value;
	default:
		return (have & value) == (arg->value_two & mask);
	}
}

static bool matches(const struct model *m, const struct model_entry *entry, const struct call *call)
{
	uint64_t first = m->arch->is_64bit ? call->args[0] : (uint32_t)call->args[0];

	if (entry->nr != call->nr || (entry->selector && first != entry->selector))
		return false;
	for (size_t i = 0; i < entry->n_args; i++)
		if (!(entry->selector && entry->args[i].index == 0) &&
		    !holds(m, &entry->args[i], call))
			return false;
	return true;
}

uint32_t model_verdict(const struct model *m, const struct call *call)
{
	bool found = false;
	uint32_t best = full(m->spec->default_action, &m->spec->default_errno_ret);

	for (size_t i = 0; i < m->n; i++)
		if (m->entries[i].nr == call->nr && !m->entries[i].selector &&
		    m->entries[i].n_args == 0)
			return full(m->entries[i].rule->action, &m->entries[i].rule->errno_ret);
	for (size_t i = 0; i < m->n; i++) {
		const struct spec_seccomp_rule *rule = m->entries[i].rule;
		uint32_t action = full(rule->action, &rule->errno_ret);

		if (!matches(m, &m->entries[i], call))
			continue;
		if (!found || (int32_t)(action & SECCOMP_RET_ACTION_FULL) <
				  (int32_t)(best & SECCOMP_RET_ACTION_FULL))
			best = action;
		found = true;
	}
	return best;
}

static uint32_t arguments(const struct model_entry *entry)
{
	uint32_t set = entry->selector ? 1 : 0;

	for (size_t i = 0; i < entry->n_args; i++)
		set |= 1U << entry->args[i].index;
	return set;
}

bool model_is_tangled(const struct model *m, uint32_t nr)
{
	const struct model_entry *first = NULL;

	for (size_t i = 0; i < m->n; i++) {
		if (m->entries[i].nr != nr)
			continue;
		if (first && (arguments(first) != arguments(&m->entries[i]) ||
			      (arguments(first) & (arguments(first) - 1)) != 0))
			return true;
		first = &m->entries[i];
	}
	return false;
}
