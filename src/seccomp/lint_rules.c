/*
 * lint_rules.c - rules that are not what they look like: never reached, contradicted, or with
 * conditions that never hold, always hold, or look at bits that the kernel does not.
 */
#include <inttypes.h>
#include <string.h>

#include "base/nearest.h"
#include "seccomp/arch.h"
#include "seccomp/lint_part.h"
#include "spec/names.h"

enum op { OP_NE = 1, OP_LT, OP_LE, OP_EQ, OP_GE, OP_GT, OP_MASKED_EQ };

/* ---- names -------------------------------------------------------------------------------- */

static void check_known(struct linter *l, const char *name, const char *path)
{
	struct nearest nearest = nearest_to(name);
	char shown[JSON_SHOWN_SIZE];

	if (lint_is_full(l))
		return;
	for (int row = 0; syscall_row_name(row); row++)
		nearest_consider(&nearest, syscall_row_name(row));
	json_show_text(name, shown);
	lint_add(l, "unknown", false, path,
		 "%s is the name of no system call, so nothing is said about any%s%s%s", shown,
		 nearest.name ? "; did you mean " : "", nearest.name ? nearest.name : "",
		 nearest.name ? "?" : "");
}

/* Of the rules for a call, the first one without conditions decides (compile.h). */
static void check_reached(struct linter *l, size_t i, const char *name, const char *path)
{
	const struct lint_call *call = &l->calls[syscall_row(name)];
	const struct spec_seccomp_rule *rule = &l->spec->rules[i], *other;

	if (lint_is_skipped(l->spec, rule)) {
		if (call->first != 0)
			lint_add(l, "unreached", false, path,
				 "this rule for %s has no effect beside syscalls[%zu]: it has the "
				 "default action",
				 name, call->first - 1);
		return;
	}
	if (call->decider == 0 || call->decider == i + 1)
		return;
	other = &l->spec->rules[call->decider - 1];
	if (other->action == rule->action && rule->n_args == 0)
		lint_add(l, "unreached", true, path, "%s is decided by syscalls[%zu] already", name,
			 call->decider - 1);
	else
		lint_add(l, "unreached", false, path,
			 "this rule for %s has no effect: syscalls[%zu] decides with %s", name,
			 call->decider - 1, spec_name_of(spec_seccomp_action_names, other->action));
}

static void check_names(struct linter *l, size_t i)
{
	const struct spec_seccomp_rule *rule = &l->spec->rules[i];

	for (size_t k = 0; k < rule->names.n; k++) {
		const char *name = rule->names.v[k];
		const char *path = arena_printf(l->arena, "syscalls[%zu].names[%zu]", i, k);

		if (syscall_row(name) < 0)
			check_known(l, name, path);
		else
			check_reached(l, i, name, path);
	}
}

/* ---- conditions --------------------------------------------------------------------------- */

static bool never_holds(const struct spec_seccomp_arg *arg)
{
	switch ((enum op)arg->op) {
	case OP_LT:
		return arg->value == 0;
	case OP_GT:
		return arg->value == UINT64_MAX;
	case OP_MASKED_EQ:
		return (arg->value_two & ~arg->value) != 0;
	case OP_NE:
	case OP_LE:
	case OP_EQ:
	case OP_GE:
		break;
	}
	return false;
}

static bool always_holds(const struct spec_seccomp_arg *arg)
{
	switch ((enum op)arg->op) {
	case OP_LE:
		return arg->value == UINT64_MAX;
	case OP_GE:
		return arg->value == 0;
	case OP_MASKED_EQ:
		return arg->value == 0 && arg->value_two == 0;
	case OP_NE:
	case OP_LT:
	case OP_EQ:
	case OP_GT:
		break;
	}
	return false;
}

static void check_condition(struct linter *l, const struct spec_seccomp_arg *arg, const char *path)
{
	if (never_holds(arg))
		lint_add(l, "condition", false, path,
			 arg->op == OP_MASKED_EQ
			     ? "never holds: valueTwo has bits that value, the mask, takes away"
			     : "never holds: no number is there to compare with");
	if (always_holds(arg))
		lint_add(l, "condition", false, path, "always holds");
}

/* Two conditions on one argument mean either of them, as in runc. */
static void check_repeated(struct linter *l, size_t i)
{
	const struct spec_seccomp_rule *rule = &l->spec->rules[i];
	uint32_t seen = 0;

	for (size_t k = 0; k < rule->n_args; k++) {
		uint32_t bit = 1U << rule->args[k].index;

		if (seen & bit) {
			lint_add(l, "condition", false,
				 arena_printf(l->arena, "syscalls[%zu].args[%zu]", i, k),
				 "another condition on argument %" PRIu32
				 ": the rule holds if any of its conditions does, not all",
				 rule->args[k].index);
			return;
		}
		seen |= bit;
	}
}

/* ---- what the kernel makes of arguments --------------------------------------------------- */

/* Bit n: argument n is an int, of which the kernel ignores the upper 32 bits. */
static const struct call_arguments {
	const char *call;
	uint32_t mask;
} int_arguments[] = {
	{ "arch_prctl", 0x01 },  { "bpf", 0x05 },          { "clock_settime", 0x01 },
	{ "clone", 0x01 },       { "fchmod", 0x03 },       { "fchmodat", 0x05 },
	{ "fchmodat2", 0x0d },   { "fcntl", 0x03 },        { "getsockopt", 0x07 },
	{ "ioctl", 0x03 },       { "keyctl", 0x01 },       { "kill", 0x03 },
	{ "madvise", 0x04 },     { "memfd_create", 0x02 }, { "mknod", 0x06 },
	{ "mknodat", 0x0d },     { "open", 0x06 },         { "openat", 0x0d },
	{ "personality", 0x01 }, { "pidfd_open", 0x03 },   { "prctl", 0x01 },
	{ "prlimit64", 0x03 },   { "quotactl", 0x01 },     { "sched_setscheduler", 0x03 },
	{ "seccomp", 0x03 },     { "setns", 0x03 },        { "setpriority", 0x07 },
	{ "setrlimit", 0x01 },   { "setsockopt", 0x17 },   { "shmget", 0x05 },
	{ "socket", 0x07 },      { "socketpair", 0x07 },   { "syslog", 0x05 },
	{ "tgkill", 0x07 },      { "tkill", 0x03 },
};

/* Bit n: argument n is the address of what matters, which a filter cannot read. */
static const struct call_arguments address_arguments[] = {
	{ "bind", 0x02 },          { "bpf", 0x02 },        { "clone3", 0x01 },
	{ "connect", 0x02 },       { "execve", 0x07 },     { "execveat", 0x0e },
	{ "mount", 0x17 },         { "move_mount", 0x0a }, { "open", 0x01 },
	{ "openat", 0x02 },        { "openat2", 0x06 },    { "perf_event_open", 0x01 },
	{ "sched_setattr", 0x02 }, { "sendmsg", 0x02 },    { "socketcall", 0x02 },
	{ "unlinkat", 0x02 },
};

/* Whether a number with other upper bits than those meant slips past the rule. */
static bool ignores_upper(const struct spec_seccomp_arg *arg, bool allows)
{
	switch ((enum op)arg->op) {
	case OP_NE:
	case OP_GE:
	case OP_GT:
		return allows;
	case OP_LT:
	case OP_LE:
	case OP_EQ:
		return !allows;
	case OP_MASKED_EQ:
		return !allows && arg->value >> 32 != 0;
	}
	return false;
}

static bool names_call(const struct spec_seccomp_rule *rule, const char *call)
{
	for (size_t i = 0; i < rule->names.n; i++)
		if (strcmp(rule->names.v[i], call) == 0)
			return true;
	return false;
}

/* CVE-2019-10063: flatpak's rule against TIOCSTI compared 64 bits of an int. */
static void check_width(struct linter *l, size_t i, const char *call, uint32_t ints)
{
	const struct spec_seccomp_rule *rule = &l->spec->rules[i];
	bool allows = verdict_passes(rule->action);

	if (!l->d.arches[0].arch->is_64bit || allows == verdict_passes(l->spec->default_action))
		return;
	for (size_t k = 0; k < rule->n_args; k++)
		if (ints & 1U << rule->args[k].index && ignores_upper(&rule->args[k], allows))
			lint_add(l, "width", false,
				 arena_printf(l->arena, "syscalls[%zu].args[%zu]", i, k),
				 "compares 64 bits, but argument %" PRIu32
				 " of %s is an int: with upper bits set, %s; %s",
				 rule->args[k].index, call,
				 allows ? "any value is allowed" : "the denial does not hold",
				 allows ? "list what is allowed with SCMP_CMP_EQ"
					: "use SCMP_CMP_MASKED_EQ with the mask 4294967295");
}

static void check_address(struct linter *l, size_t i, const char *call, uint32_t addresses)
{
	const struct spec_seccomp_rule *rule = &l->spec->rules[i];

	for (size_t k = 0; k < rule->n_args; k++)
		if (addresses & 1U << rule->args[k].index)
			lint_add(l, "address", false,
				 arena_printf(l->arena, "syscalls[%zu].args[%zu]", i, k),
				 "argument %" PRIu32
				 " of %s is an address: a filter sees it, not what is there",
				 rule->args[k].index, call);
}

static void check_args(struct linter *l, size_t i)
{
	const struct spec_seccomp_rule *rule = &l->spec->rules[i];

	if (rule->n_args == 0)
		return;
	for (size_t k = 0; k < rule->n_args; k++)
		check_condition(l, &rule->args[k],
				arena_printf(l->arena, "syscalls[%zu].args[%zu]", i, k));
	for (size_t k = 0; k < sizeof(int_arguments) / sizeof(int_arguments[0]); k++)
		if (names_call(rule, int_arguments[k].call))
			check_width(l, i, int_arguments[k].call, int_arguments[k].mask);
	for (size_t k = 0; k < sizeof(address_arguments) / sizeof(address_arguments[0]); k++)
		if (names_call(rule, address_arguments[k].call))
			check_address(l, i, address_arguments[k].call, address_arguments[k].mask);
	check_repeated(l, i);
}

/* ---- conditions on the host --------------------------------------------------------------- */

static bool is_docker_arch(const char *word)
{
	/* What Docker's own profile has for architectures that Docker has no builds for. */
	static const char *const more[] = {
		"x86", "x32", "s390", "ppc", "mips64n32", "mipsel64n32"
	};

	for (unsigned int i = 0; arch_at(i); i++)
		if (arch_at(i)->docker && strcmp(arch_at(i)->docker, word) == 0)
			return true;
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
		if (strcmp(more[i], word) == 0)
			return true;
	return false;
}

static void check_arches(struct linter *l, size_t i, const char *key,
			 const struct spec_strings *arches)
{
	char shown[JSON_SHOWN_SIZE];

	for (size_t k = 0; k < arches->n; k++) {
		if (is_docker_arch(arches->v[k]))
			continue;
		json_show_text(arches->v[k], shown);
		lint_add(l, "unknown", false,
			 arena_printf(l->arena, "syscalls[%zu].%s.arches[%zu]", i, key, k),
			 "no host is called %s, expected names such as amd64 and arm64", shown);
	}
}

void lint_rules(struct linter *l)
{
	for (size_t i = 0; i < l->spec->n_rules; i++) {
		check_names(l, i);
		check_args(l, i);
		check_arches(l, i, "includes", &l->spec->rules[i].includes.arches);
		check_arches(l, i, "excludes", &l->spec->rules[i].excludes.arches);
	}
}
