#include "oracle.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define SPAN 1000

/* ARM's own calls are far above the newest ordinary one. */
#define PRIVATE     (int64_t) SYSCALL_PRIVATE_BASE
#define PRIVATE_END (PRIVATE + SYSCALL_PRIVATES)

static void require(bool ok, const char *what, const char *name, int code)
{
	if (ok)
		return;
	(void)fprintf(stderr, "oracle: %s %s: %s\n", what, name, strerror(-code));
	exit(1);
}

static uint32_t token(const struct seccomp_arch *arch)
{
	char name[32];
	size_t i = 0;

	for (const char *s = arch->name + strlen("SCMP_ARCH_"); *s && i + 1 < sizeof(name); s++)
		name[i++] = (char)(*s >= 'A' && *s <= 'Z' ? *s - 'A' + 'a' : *s);
	name[i] = '\0';
	return seccomp_arch_resolve_name(name);
}

/* Behind socketcall (-101 to -120) or ipc (-201 to -224). */
static bool is_multiplexed(int nr)
{
	return nr < -100 && nr > -300;
}

bool oracle_knows(const char *name)
{
	int nr = seccomp_syscall_resolve_name(name), row = syscall_row(name);
	_cleanup_free_ char *back =
	    nr == __NR_SCMP_ERROR ? NULL
				  : seccomp_syscall_resolve_num_arch(seccomp_arch_native(), nr);
	const struct seccomp_arch *arch;

	/* Some of its stand-ins for foreign calls (sys_debug_setcontext) lead back to another name.
	 */
	if (!back || strcmp(back, name) != 0)
		return false;
	for (unsigned int i = 0; (arch = arch_at(i)); i++) {
		if (!token(arch) || syscall_offset(row, arch->table) == SYSCALL_NONE)
			continue;
		nr = seccomp_syscall_resolve_name_arch(token(arch), name);
		if (nr < 0 && !is_multiplexed(nr))
			return false; /* newer than this libseccomp there */
	}
	return true;
}

static uint32_t full(uint32_t action, const struct opt_u64 *data)
{
	if (action != SECCOMP_RET_ERRNO && action != SECCOMP_RET_TRACE)
		return action;
	return action | (uint32_t)(data->has ? data->value : EPERM);
}

static void add_one(scmp_filter_ctx ctx, uint32_t action, const char *name,
		    const struct spec_seccomp_arg *args, size_t n)
{
	struct scmp_arg_cmp cmp[6];
	int nr = seccomp_syscall_resolve_name(name), r;

	if (nr == __NR_SCMP_ERROR)
		return;
	for (size_t i = 0; i < n; i++)
		cmp[i] = (struct scmp_arg_cmp){ args[i].index, (enum scmp_compare)args[i].op,
						args[i].value, args[i].value_two };
	r = seccomp_rule_add_array(ctx, action, nr, (unsigned int)n, cmp);
	/* socketcall and ipc lose a condition, so that two rules can become the same one. */
	require(r == 0 || r == -EEXIST, "add rule", name, r);
}

static bool repeats(const struct spec_seccomp_rule *rule)
{
	for (size_t i = 0; i < rule->n_args; i++)
		for (size_t k = 0; k < i; k++)
			if (rule->args[i].index == rule->args[k].index)
				return true;
	return false;
}

/* As runc's matchCall. */
static void add_rule(scmp_filter_ctx ctx, uint32_t default_action,
		     const struct spec_seccomp_rule *rule)
{
	uint32_t action = full(rule->action, &rule->errno_ret);

	if (action == default_action)
		return;
	for (size_t i = 0; i < rule->names.n; i++) {
		if (!repeats(rule))
			add_one(ctx, action, rule->names.v[i], rule->args, rule->n_args);
		else
			for (size_t k = 0; k < rule->n_args; k++)
				add_one(ctx, action, rule->names.v[i], &rule->args[k], 1);
	}
}

/* The number without libseccomp's detour over socketcall and ipc. */
static int64_t direct_number(uint32_t arch, const struct seccomp_arch *a, const char *name)
{
	int nr = seccomp_syscall_resolve_name_arch(arch, name);

	if (!is_multiplexed(nr))
		return nr;
	for (uint32_t i = 0; i < SPAN; i++) {
		_cleanup_free_ char *found =
		    seccomp_syscall_resolve_num_arch(arch, (int)(a->base + i));

		if (found && strcmp(found, name) == 0)
			return a->base + i;
	}
	return -1;
}

static int64_t newest(const struct spec_seccomp *spec, const struct seccomp_arch *a, int64_t from,
		      int64_t to)
{
	int64_t max = -1;

	for (size_t i = 0; i < spec->n_rules; i++)
		for (size_t k = 0; k < spec->rules[i].names.n; k++) {
			int64_t nr = direct_number(token(a), a, spec->rules[i].names.v[k]);

			if (nr > max && nr >= from && nr < to)
				max = nr;
		}
	return max;
}

static bool is_action(uint32_t k)
{
	switch (k & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ERRNO:
	case SECCOMP_RET_TRACE:
		return (k & SECCOMP_RET_DATA) <= 4095;
	case SECCOMP_RET_KILL_PROCESS:
	case SECCOMP_RET_KILL_THREAD:
	case SECCOMP_RET_TRAP:
	case SECCOMP_RET_USER_NOTIF:
	case SECCOMP_RET_LOG:
	case SECCOMP_RET_ALLOW:
		return (k & SECCOMP_RET_DATA) == 0;
	default:
		return false;
	}
}

/*
 * libseccomp writes in the byte order of the target. Where it copies a return because the jump to
 * it would be too long, 2.5.4 swaps the action once too often.
 */
static void swap(struct sock_filter *in)
{
	in->code = __builtin_bswap16(in->code);
	in->k = __builtin_bswap32(in->k);
	if (BPF_CLASS(in->code) == BPF_RET && !is_action(in->k))
		in->k = __builtin_bswap32(in->k);
}

static void export(scmp_filter_ctx ctx, bool is_big_endian, struct oracle *o)
{
	FILE *file = tmpfile();
	int r = file ? seccomp_export_bpf(ctx, fileno(file)) : -errno;
	ssize_t size;

	require(r == 0, "export", "", r);
	size = pread(fileno(file), o->insns, sizeof(o->insns), 0);
	require(size > 0, "read", "", -errno);
	o->n = (size_t)size / sizeof(o->insns[0]);
	for (size_t i = 0; is_big_endian && i < o->n; i++)
		swap(&o->insns[i]);
	(void)fclose(file);
}

static void add_arch(scmp_filter_ctx ctx, const struct spec_seccomp *spec,
		     const struct seccomp_arch *arch, struct oracle *o)
{
	int r = seccomp_arch_add(ctx, token(arch));

	require(r == 0 || r == -EEXIST, "add architecture", arch->name, r);
	for (size_t i = 0; i < o->n_arches; i++)
		if (o->arches[i].arch == arch)
			return;
	o->arches[o->n_arches++] = (struct oracle_arch){
		.arch = arch,
		.newest = newest(spec, arch, arch->base, (int64_t)arch->base + SPAN),
		.newest_private = newest(spec, arch, PRIVATE, PRIVATE_END),
	};
}

void oracle_compile(const struct spec_seccomp *spec, const struct seccomp_arch *native,
		    bool has_tangles, struct oracle *o)
{
	scmp_filter_ctx ctx;

	o->n = 0;
	o->n_arches = 0;
	o->default_action = full(spec->default_action, &spec->default_errno_ret);
	o->enosys_above = spec->default_action != SECCOMP_RET_ALLOW &&
			  spec->default_action != SECCOMP_RET_LOG &&
			  spec->default_action != SECCOMP_RET_TRACE;
	ctx = seccomp_init(o->default_action);
	require(ctx != NULL, "init", "", -EINVAL);
	if (token(native) != seccomp_arch_native())
		(void)seccomp_arch_remove(ctx, seccomp_arch_native());
	add_arch(ctx, spec, native, o);
	for (size_t i = 0; i < spec->architectures.n; i++)
		add_arch(ctx, spec, arch_find(spec->architectures.v[i]), o);
	for (size_t i = 0; !has_tangles && i < spec->n_rules; i++)
		add_rule(ctx, o->default_action, &spec->rules[i]);
	if (!has_tangles)
		export(ctx, native->is_big_endian, o);
	seccomp_release(ctx);
}

const struct oracle_arch *oracle_arch_of(const struct oracle *o, const struct call *call)
{
	const struct oracle_arch *found = NULL;
	bool is_x32 = call->nr >= SECCOMP_X32_BIT && call->nr != UINT32_MAX;

	for (size_t i = 0; i < o->n_arches; i++) {
		const struct seccomp_arch *a = o->arches[i].arch;

		if (a->audit == call->arch && (!found || call->nr >= a->base))
			found = &o->arches[i];
	}
	if (found && found->arch->table == TABLE_X86_64 && is_x32)
		return NULL; /* another architecture, which is not in the filter */
	return found;
}

uint32_t oracle_patched(const struct oracle *o, const struct call *call, uint32_t action)
{
	const struct oracle_arch *a = oracle_arch_of(o, call);
	bool is_s390, is_private = call->nr >= PRIVATE && call->nr < PRIVATE_END;

	if (!a || !o->enosys_above || a->newest < 0)
		return action;
	is_s390 = a->arch->table == TABLE_S390 || a->arch->table == TABLE_S390X;
	if (is_s390 && call->nr == 0)
		return SECCOMP_RET_ERRNO | ENOSYS;
	if (action == o->default_action && call->nr > (is_private ? a->newest_private : a->newest))
		return SECCOMP_RET_ERRNO | ENOSYS;
	return action;
}
