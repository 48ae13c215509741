#include "seccomp/compile.h"

#include <errno.h>
#include <linux/seccomp.h>

#include "seccomp/chain.h"
#include "seccomp/decide.h"
#include "seccomp/emit.h"
#include "seccomp/tree.h"

/* One chain for all calls with the same rules, on x86_64 and x32 or under two names. */
struct chains {
	size_t n;
	struct target *v[16]; /* enough for real profiles; beyond it, they are written once more */
};

static struct target *shared(struct chains *chains, struct target *t)
{
	if (t->kind != TARGET_CHAIN)
		return t;
	for (size_t i = 0; i < chains->n; i++)
		if (chain_equal(chains->v[i]->chain, t->chain))
			return chains->v[i];
	if (chains->n < sizeof(chains->v) / sizeof(chains->v[0]))
		chains->v[chains->n++] = t;
	return t;
}

static void add_slots(struct ranges *r, struct chains *chains, const struct decision *d,
		      uint32_t base, struct target **slots, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		ranges_add(r, base + i, slots[i] ? shared(chains, slots[i]) : d->by_default);
}

/* The numbers of one architecture, from its base to the end of what the profile knows. */
static void add_numbers(struct ranges *r, struct chains *chains, const struct decision *d,
			const struct decided_arch *a)
{
	/* No call known at all: then nothing is known to be newer. */
	struct target *newer = a->known > 0 ? d->unknown : d->by_default;

	add_slots(r, chains, d, a->arch->base, a->slots, a->known);
	ranges_add(r, a->arch->base + a->known, newer);
	if (a->known_private > 0) {
		add_slots(r, chains, d, SYSCALL_PRIVATE_BASE, a->slots + syscall_span(),
			  a->known_private);
		ranges_add(r, SYSCALL_PRIVATE_BASE + a->known_private, newer);
	}
}

static const struct decided_arch *find(const struct decision *d, uint32_t audit, bool is_x32)
{
	for (size_t i = 0; i < d->n_arches; i++)
		if (d->arches[i].arch->audit == audit &&
		    (d->arches[i].arch->table == TABLE_X32) == is_x32)
			return &d->arches[i];
	return NULL;
}

/* All numbers that come with one audit value. Returns where the filter for it begins. */
static uint32_t emit_audit(struct emitter *e, const struct decision *d, uint32_t audit)
{
	const struct decided_arch *plain = find(d, audit, false), *x32 = find(d, audit, true);
	struct ranges r = { .arena = e->arena };
	struct chains chains = { 0 };

	ranges_add(&r, 0, plain ? d->by_default : d->bad_arch);
	if (plain && plain->arch->base == 0)
		r.n = 0;
	if (plain)
		add_numbers(&r, &chains, d, plain);
	if (x32) {
		add_numbers(&r, &chains, d, x32);
	} else if (plain && plain->arch->table == TABLE_X86_64) {
		ranges_add(&r, SECCOMP_X32_BIT, d->bad_arch);
		/* -1 is no x32 call: a tracer has set it to have the call skipped. */
		ranges_add(&r, UINT32_MAX, plain->known > 0 ? d->unknown : d->by_default);
	}
	return emit_load(e, offsetof(struct seccomp_data, nr), tree_emit(e, &r));
}

static bool is_first_of_audit(const struct decision *d, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (d->arches[k].arch->audit == d->arches[i].arch->audit)
			return false;
	return true;
}

/* Native calls come first, and next to their own tree. */
static void emit_all(struct emitter *e, const struct decision *d)
{
	uint32_t entries[DECIDE_MAX_ARCHES], next;

	for (size_t i = d->n_arches; i > 0; i--) {
		/* What the architectures return is written once more near each of them. */
		entries[i - 1] = is_first_of_audit(d, i - 1)
				     ? emit_audit(e, d, d->arches[i - 1].arch->audit)
				     : LABEL_NONE;
	}
	next = emit_ret(e, d->bad_arch->action);
	for (size_t i = d->n_arches; i > 0; i--)
		if (entries[i - 1] != LABEL_NONE)
			next = emit_jump(e, BPF_JEQ, d->arches[i - 1].arch->audit, &entries[i - 1],
					 &next);
	(void)emit_load(e, offsetof(struct seccomp_data, arch), next);
}

/*
 * TSYNC is left out: the process that loads the filter has one thread, and with a listener the
 * kernel refuses the two together. The kernel refuses WAIT_KILLABLE_RECV without one.
 */
static uint32_t load_flags(uint32_t flags, bool needs_listener)
{
	flags &= ~(uint32_t)(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH);
	if (needs_listener)
		return flags | SECCOMP_FILTER_FLAG_NEW_LISTENER;
	return flags & ~(uint32_t)SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
}

int seccomp_compile(const struct spec_seccomp *spec, const struct seccomp_env *env,
		    struct arena *arena, struct seccomp_program *ret, struct err *err)
{
	struct decision d = { .arena = arena };
	struct emitter e = { .arena = arena };
	int r = decide(spec, env, &d, err);

	if (r < 0)
		return r;
	emit_all(&e, &d);
	if (arena_failed(arena))
		return err_set(err, -ENOMEM, "compile the seccomp profile");
	if (e.overflow) {
		(void)err_say(err, -E2BIG,
			      "the seccomp profile needs more than the %d instructions that the "
			      "kernel takes",
			      BPF_MAXINSNS);
		return err_hint(err, "name fewer architectures, or fewer conditions on arguments");
	}
	emit_finish(&e);
	*ret = (struct seccomp_program){
		.n = e.n,
		.insns = e.insns,
		.flags = load_flags(spec->flags, d.notifies),
		.needs_listener = d.notifies,
	};
	return 0;
}
