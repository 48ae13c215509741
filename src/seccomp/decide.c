/*
 * decide.c - the rules of a profile, one after the other, into arrays of decisions. The meaning of
 * a profile is here; what follows only writes it down as BPF.
 */
#include "seccomp/decide.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>

#include "base/num.h"
#include "seccomp/chain.h"

#define MAX_ERRNO 4095 /* of the kernel, which caps what is above */
#define OP_EQ     4    /* SCMP_CMP_EQ */
#define OP_MAX    7    /* SCMP_CMP_MASKED_EQ */

/* ---- actions ------------------------------------------------------------------------------ */

static bool has_data(uint32_t action)
{
	return action == SECCOMP_RET_ERRNO || action == SECCOMP_RET_TRACE;
}

/* The value that BPF returns: runc's default for the data is EPERM. */
static int full_action(uint32_t action, const struct opt_u64 *errno_ret, const char *key,
		       uint32_t *ret, struct err *err)
{
	uint64_t max = action == SECCOMP_RET_ERRNO ? MAX_ERRNO : SECCOMP_RET_DATA;
	uint64_t data = errno_ret->has ? errno_ret->value : EPERM;

	if (!has_data(action)) {
		*ret = action;
		return 0;
	}
	if (data > max)
		return err_say(err, -EINVAL, "linux.seccomp.%s: %llu is above %llu", key,
			       (unsigned long long)data, (unsigned long long)max);
	*ret = action | (uint32_t)data;
	return 0;
}

static struct target *return_of(struct decision *d, uint32_t action)
{
	struct target *t;

	for (size_t i = 0; i < d->n_returns; i++)
		if (d->returns[i]->action == action)
			return d->returns[i];
	if (d->n_returns == d->room) {
		size_t room = d->room ? 2 * d->room : 8;
		struct target **v = arena_array(d->arena, room, sizeof(struct target *));

		if (!v)
			return NULL;
		if (d->n_returns > 0)
			memcpy(v, d->returns, d->n_returns * sizeof(struct target *));
		d->returns = v;
		d->room = room;
	}
	t = arena_alloc(d->arena, sizeof(*t));
	if (t) {
		*t = (struct target){ .label = LABEL_NONE, .action = action };
		d->returns[d->n_returns++] = t;
	}
	return t;
}

/* Where the default lets calls pass, unknown ones pass too (or the tracer sees them). */
static bool is_permissive(uint32_t action)
{
	return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG ||
	       action == SECCOMP_RET_TRACE;
}

static int decide_default(const struct spec_seccomp *spec, struct decision *d, struct err *err)
{
	uint32_t action = 0, unknown = SECCOMP_RET_ERRNO | ENOSYS;
	int r = full_action(spec->default_action, &spec->default_errno_ret, "defaultErrnoRet",
			    &action, err);

	if (r < 0)
		return r;
	d->by_default = return_of(d, action);
	d->unknown = return_of(d, is_permissive(spec->default_action) ? action : unknown);
	/* libseccomp's value, which nobody changes: the thread dies of SIGSYS. */
	d->bad_arch = return_of(d, SECCOMP_RET_KILL_THREAD);
	d->notifies = spec->default_action == SECCOMP_RET_USER_NOTIF;
	return 0;
}

/* ---- architectures ------------------------------------------------------------------------ */

static int add_arch(struct decision *d, const struct seccomp_arch *arch, struct err *err)
{
	const struct seccomp_arch *native = d->n_arches > 0 ? d->arches[0].arch : arch;

	for (size_t i = 0; i < d->n_arches; i++)
		if (d->arches[i].arch == arch)
			return 0;
	if (arch->is_big_endian != native->is_big_endian)
		return err_say(
		    err, -EINVAL,
		    "linux.seccomp.architectures: %s has another byte order than this host "
		    "(%s)",
		    arch->name, native->name);
	d->arches[d->n_arches++] = (struct decided_arch){
		.arch = arch,
		.slots = arena_array(d->arena, syscall_span() + SYSCALL_PRIVATES,
				     sizeof(struct target *)),
	};
	return 0;
}

static int add_arches(struct decision *d, const struct spec_strings *names, struct err *err)
{
	for (size_t i = 0; i < names->n; i++) {
		const struct seccomp_arch *arch = arch_find(names->v[i]);
		int r;

		if (!arch) {
			(void)err_say(err, -EINVAL,
				      "linux.seccomp.architectures: %s is no architecture that has "
				      "seccomp",
				      names->v[i]);
			return err_hint(err, "names are those of libseccomp, such as "
					     "SCMP_ARCH_X86_64; leave the key out for this host's");
		}
		r = add_arch(d, arch, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The native one always: without it the container's first call would kill it. */
static int decide_arches(const struct spec_seccomp *spec, const struct seccomp_arch *native,
			 struct decision *d, struct err *err)
{
	int r = add_arch(d, native, err);

	if (r == 0)
		r = add_arches(d, &spec->architectures, err);
	for (size_t i = 0; r == 0 && i < spec->n_arch_map; i++)
		if (strcmp(spec->arch_map[i].architecture, native->name) == 0)
			r = add_arches(d, &spec->arch_map[i].sub_architectures, err);
	return r;
}

/* ---- conditions of rules ------------------------------------------------------------------ */

static bool lists(const struct spec_strings *list, const char *word)
{
	for (size_t i = 0; word && i < list->n; i++)
		if (strcmp(list->v[i], word) == 0)
			return true;
	return false;
}

/* 1 if the host's kernel is at least that, 0 if it is older. */
static int kernel_is_at_least(const struct seccomp_env *env, const char *version, struct err *err)
{
	uint32_t major, minor;

	if (num_kernel(version, &major, &minor) < 0)
		return err_say(err, -EINVAL,
			       "linux.seccomp.syscalls.minKernel: \"%s\" is no kernel version; "
			       "allowed is MAJOR.MINOR, such as 4.8",
			       version);
	if (env->kernel_major != major)
		return env->kernel_major > major;
	return env->kernel_minor >= minor;
}

int decide_applies(const struct spec_seccomp_rule *rule, const struct seccomp_env *env,
		   const struct seccomp_arch *native, struct err *err)
{
	const struct spec_seccomp_filter *in = &rule->includes, *ex = &rule->excludes;
	int r;

	if ((in->caps & ~env->caps) != 0 || (ex->caps & env->caps) != 0)
		return 0;
	if (in->arches.n > 0 && !lists(&in->arches, native->docker))
		return 0;
	if (lists(&ex->arches, native->docker))
		return 0;
	if (in->min_kernel) {
		r = kernel_is_at_least(env, in->min_kernel, err);
		if (r <= 0)
			return r;
	}
	if (ex->min_kernel) {
		r = kernel_is_at_least(env, ex->min_kernel, err);
		return r < 0 ? r : !r;
	}
	return 1;
}

/* ---- rules -------------------------------------------------------------------------------- */

/* A rule on its way into the arrays. */
struct pending {
	struct chain_rule rule;
	uint32_t number;   /* of the rule in the profile, from 1 */
	bool is_redundant; /* has the default action: counts only as a mention of its calls */
	const char *name;
	struct err *err;
};

static int add_to_slot(struct decision *d, const struct decided_arch *a, uint32_t slot,
		       const struct pending *p)
{
	struct target **at = &a->slots[slot];
	int r;

	if (p->is_redundant || (*at && (*at)->kind == TARGET_RET))
		return 0;
	if (p->rule.n_args == 0) {
		*at = p->rule.target;
		return 0;
	}
	if (!*at) {
		struct target *t = arena_alloc(d->arena, sizeof(*t));
		struct chain *c = arena_alloc(d->arena, sizeof(*c));

		if (!t || !c)
			return -ENOMEM;
		*c = (struct chain){ .arena = d->arena,
				     .is_64bit = a->arch->is_64bit,
				     .is_big_endian = a->arch->is_big_endian,
				     .otherwise = d->by_default };
		*t = (struct target){ .kind = TARGET_CHAIN, .label = LABEL_NONE, .chain = c };
		*at = t;
	}
	r = chain_add((*at)->chain, &p->rule);
	return r < 0 ? err_set(p->err, r, "compile the seccomp rules for %s", p->name) : 0;
}

/* The rule with "the first argument says that this call is meant" for its first condition. */
static int add_behind(struct decision *d, const struct decided_arch *a, uint32_t slot,
		      uint32_t selector, const struct pending *p)
{
	struct spec_seccomp_arg *args = arena_array(d->arena, p->rule.n_args + 1, sizeof(*args));
	struct pending behind = *p;
	size_t n = 0;

	if (!args)
		return -ENOMEM;
	args[n++] = (struct spec_seccomp_arg){ .index = 0, .op = OP_EQ, .value = selector };
	for (size_t i = 0; i < p->rule.n_args; i++)
		if (p->rule.args[i].index != 0)
			args[n++] = p->rule.args[i];
	behind.rule.args = args;
	behind.rule.n_args = n;
	return add_to_slot(d, a, slot, &behind);
}

static void mention(struct decided_arch *a, uint32_t offset)
{
	uint32_t *known = offset < SYSCALL_PRIVATE ? &a->known : &a->known_private;
	uint32_t count = 1 + (offset < SYSCALL_PRIVATE ? offset : offset - SYSCALL_PRIVATE);

	if (count > *known)
		*known = count;
}

static int add_call(struct decision *d, int row, const struct pending *p)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < d->n_arches; i++) {
		struct decided_arch *a = &d->arches[i];
		uint32_t offset = syscall_offset(row, a->arch->table);
		uint32_t socketcall = syscall_socketcall(row), ipc = syscall_ipc(row);

		if (a->arch->socketcall && socketcall)
			r = add_behind(d, a, a->arch->socketcall, socketcall, p);
		if (r == 0 && a->arch->ipc && ipc)
			r = add_behind(d, a, a->arch->ipc, ipc, p);
		if (r < 0 || offset == SYSCALL_NONE)
			continue;
		mention(a, offset);
		if (offset >= SYSCALL_PRIVATE)
			offset = syscall_span() + offset - SYSCALL_PRIVATE;
		r = add_to_slot(d, a, offset, p);
	}
	return r;
}

static int check_args(const struct spec_seccomp_rule *rule, struct err *err)
{
	for (size_t i = 0; i < rule->n_args; i++)
		if (rule->args[i].index > 5 || rule->args[i].op < 1 || rule->args[i].op > OP_MAX)
			return err_say(err, -EINVAL,
				       "linux.seccomp.syscalls.args: index %u, operator %u do not "
				       "exist",
				       rule->args[i].index, rule->args[i].op);
	return 0;
}

static bool repeats_argument(const struct spec_seccomp_rule *rule)
{
	uint32_t seen = 0;

	for (size_t i = 0; i < rule->n_args; i++) {
		if (seen & 1U << rule->args[i].index)
			return true;
		seen |= 1U << rule->args[i].index;
	}
	return false;
}

static int add_name(struct decision *d, const struct seccomp_env *env,
		    const struct spec_seccomp_rule *rule, const struct pending *p)
{
	int row = syscall_row(p->name), r = 0;
	struct pending single = *p;

	if (row < 0) {
		if (env->unknown)
			env->unknown(env->unknown_data, p->name);
		return 0;
	}
	/* Once is enough: else a profile of some megabytes would take hours. */
	if (d->named[row] == p->number)
		return 0;
	d->named[row] = p->number;
	if (!repeats_argument(rule))
		return add_call(d, row, p);
	single.rule.n_args = 1;
	for (size_t i = 0; r == 0 && i < rule->n_args; i++) {
		single.rule.args = &rule->args[i];
		r = add_call(d, row, &single);
	}
	return r;
}

static int add_rule(struct decision *d, const struct seccomp_env *env,
		    const struct spec_seccomp *spec, size_t at, struct err *err)
{
	const struct spec_seccomp_rule *rule = &spec->rules[at];
	struct pending p = { .number = (uint32_t)at + 1,
			     .rule = { .n_args = rule->n_args, .args = rule->args },
			     .err = err };
	int r = decide_applies(rule, env, d->arches[0].arch, err);

	if (r <= 0)
		return r;
	r = full_action(rule->action, &rule->errno_ret, "syscalls.errnoRet", &p.rule.action, err);
	if (r == 0)
		r = check_args(rule, err);
	if (r < 0)
		return r;
	p.is_redundant = p.rule.action == d->by_default->action;
	p.rule.target = return_of(d, p.rule.action);
	if (!p.rule.target)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < rule->names.n; i++) {
		p.name = rule->names.v[i];
		r = add_name(d, env, rule, &p);
	}
	if (rule->action == SECCOMP_RET_USER_NOTIF && rule->names.n > 0)
		d->notifies = true;
	return r;
}

/*
 * On s390, calls above 255 once came through setup(2), number 0, and still do where the kernel does
 * not know them: 0 then means an unknown call.
 */
static void decide_multiplexed_zero(struct decision *d)
{
	for (size_t i = 0; i < d->n_arches; i++) {
		enum syscall_table table = d->arches[i].arch->table;

		if ((table == TABLE_S390 || table == TABLE_S390X) && d->arches[i].known > 0)
			d->arches[i].slots[0] = d->unknown;
	}
}

int decide(const struct spec_seccomp *spec, const struct seccomp_env *env, struct decision *d,
	   struct err *err)
{
	int r = decide_default(spec, d, err);

	if (r == 0)
		r = decide_arches(spec, env->native ? env->native : arch_native(), d, err);
	d->named = arena_array(d->arena, syscall_rows(), sizeof(*d->named));
	if (r == 0 && arena_failed(d->arena))
		r = -ENOMEM;
	for (size_t i = 0; r == 0 && i < spec->n_rules; i++)
		r = add_rule(d, env, spec, i, err);
	if (r == 0 && d->unknown != d->by_default)
		decide_multiplexed_zero(d);
	if (r == -ENOMEM || arena_failed(d->arena))
		return err_set(err, -ENOMEM, "compile the seccomp profile");
	return r;
}
