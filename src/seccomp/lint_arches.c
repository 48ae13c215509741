/*
 * lint_arches.c - a 64-bit kernel also takes the calls of 32-bit programs, and any program can make
 * them (int 0x80 on x86_64, x32): what is denied must be denied there, under other names too.
 */
#include "seccomp/chain.h"
#include "seccomp/group.h"
#include "seccomp/lint_part.h"

#define LIST_MAX 300 /* of names in one message */
#define OP_EQ    4   /* SCMP_CMP_EQ */

/* ---- forms of a call ---------------------------------------------------------------------- */

static void check_form(struct linter *l, size_t arch, int row, const char *form)
{
	const struct call_verdict v = lint_verdict(l, arch, form);

	if (verdict_always_passes(&v))
		lint_add(l, "architecture", false, l->calls[row].path,
			 "%s is denied, but programs of %s can call %s: name it, too",
			 syscall_row_name(row), lint_arch(l, arch), form);
}

/* chown is denied, but i386 has chown32, too. */
void lint_forms(struct linter *l)
{
	const char *form;

	for (int row = 0; syscall_row_name(row); row++) {
		if (!l->calls[row].is_denied)
			continue;
		for (size_t arch = 0; arch < l->d.n_arches; arch++)
			for (unsigned int i = 0; (form = group_variant(syscall_row_name(row), i));
			     i++)
				check_form(l, arch, row, form);
	}
}

/* ---- socketcall and ipc ------------------------------------------------------------------- */

/* What becomes of socketcall(selector, …). */
static bool multiplexer_passes(const struct call_verdict *v, uint32_t selector)
{
	for (const struct chain_rule *r = v->chain ? v->chain->rules : NULL; r; r = r->next)
		if (r->n_args > 0 && r->args[0].index == 0 && r->args[0].op == OP_EQ &&
		    r->args[0].value == selector)
			return verdict_passes(r->action);
	return v->exists && verdict_passes(v->action);
}

static void list_name(struct buf *names, const char *name)
{
	if (names->len < LIST_MAX)
		buf_printf(names, "%s%s", names->len > 0 ? ", " : "", name);
}

static void check_multiplexer(struct linter *l, size_t arch, const char *call,
			      uint32_t (*selector)(int row))
{
	const struct call_verdict multiplexer = lint_verdict(l, arch, call);
	_cleanup_buf_ struct buf denied = { 0 }, limited = { 0 };

	for (int row = 0; syscall_row_name(row); row++) {
		const struct call_verdict v = verdict_of(&l->d, &l->d.arches[0], row);

		if (selector(row) == 0 || !v.exists ||
		    !multiplexer_passes(&multiplexer, selector(row)))
			continue;
		if (l->calls[row].is_denied && verdict_never_passes(&v))
			list_name(&denied, syscall_row_name(row));
		else if (v.chain && !verdict_always_passes(&v))
			list_name(&limited, syscall_row_name(row));
	}
	if (denied.len > 0)
		lint_add(l, "multiplexed", false, l->calls[syscall_row(call)].path,
			 "programs of %s can make calls that are denied through %s: %s; leave %s "
			 "out, the rules for single calls hold behind it",
			 lint_arch(l, arch), call, buf_text(&denied), call);
	if (limited.len > 0)
		lint_add(l, "multiplexed", true, l->calls[syscall_row(call)].path,
			 "the conditions on %s do not hold behind %s of %s, where the arguments "
			 "are in memory",
			 buf_text(&limited), call, lint_arch(l, arch));
	l->arena->failed = l->arena->failed || denied.failed || limited.failed;
}

void lint_multiplexed(struct linter *l)
{
	for (size_t arch = 0; arch < l->d.n_arches; arch++) {
		if (l->d.arches[arch].arch->socketcall)
			check_multiplexer(l, arch, "socketcall", syscall_socketcall);
		if (l->d.arches[arch].arch->ipc)
			check_multiplexer(l, arch, "ipc", syscall_ipc);
	}
}

/* ---- architectures that are not there ----------------------------------------------------- */

void lint_missing_arches(struct linter *l)
{
	static const struct {
		enum syscall_table native, other;
		const char *name;
	} pairs[] = {
		{ TABLE_X86_64, TABLE_X86, "x86" },
		{ TABLE_X86_64, TABLE_X32, "x32" },
		{ TABLE_AARCH64, TABLE_ARM, "arm" },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		bool listed = l->d.arches[0].arch->table != pairs[i].native;

		for (size_t k = 0; k < l->d.n_arches; k++)
			listed = listed || l->d.arches[k].arch->table == pairs[i].other;
		if (!listed)
			lint_add(l, "architecture", true, "architectures",
				 "%s is not listed: its programs are killed at their first call; "
				 "runtimes that do not do so leave all of its calls unfiltered",
				 pairs[i].name);
	}
}
