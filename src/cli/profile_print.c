#include "cli/profile.h"

#include <string.h>

#include "base/json_out.h"
#include "seccomp/arch.h"
#include "seccomp/profile.h"

#define UNCONFINED_SUMMARY "no filter"

static void print_profile(const char *name, const char *summary, bool json, struct buf *out)
{
	if (!json) {
		buf_printf(out, "%-16s %s\n", name, summary);
		return;
	}
	out_open(out, NULL, '{');
	out_str(out, "name", name);
	out_str(out, "summary", summary);
	out_close(out, '}');
}

void profile_print_list(bool json, struct buf *out)
{
	if (json)
		out_open(out, NULL, '[');
	for (unsigned int i = 0; profile_at(i); i++)
		print_profile(profile_at(i)->name, profile_at(i)->summary, json, out);
	print_profile("unconfined", UNCONFINED_SUMMARY, json, out);
	buf_str(out, json ? "]\n" : "");
}

/* ---- differences -------------------------------------------------------------------------- */

static void diff_json(const struct profile_diff *diff, struct buf *out)
{
	out_open(out, NULL, '[');
	for (size_t i = 0; i < diff->n; i++) {
		const struct profile_difference *d = &diff->v[i];

		out_open(out, NULL, '{');
		out_str(out, "arch", d->arch);
		out_str(out, "call", d->call);
		out_str(out, "a", d->a);
		out_str(out, "b", d->b);
		out_close(out, '}');
	}
	buf_str(out, "]\n");
}

void profile_print_diff(const struct profile_diff *diff, bool json, struct buf *out)
{
	const char *arch = "";

	if (json) {
		diff_json(diff, out);
		return;
	}
	for (size_t i = 0; i < diff->n; i++) {
		const struct profile_difference *d = &diff->v[i];

		if (strcmp(arch, d->arch) != 0)
			buf_printf(out, "%s%s\n", i > 0 ? "\n" : "", d->arch);
		arch = d->arch;
		buf_printf(out, "  %s\n    - %s\n    + %s\n", d->call, d->a, d->b);
	}
}

/* ---- findings ----------------------------------------------------------------------------- */

static void finding_json(const struct lint_finding *f, const struct json_doc *doc, struct buf *out)
{
	out_open(out, NULL, '{');
	out_str(out, "check", f->check);
	out_str(out, "level", f->is_note ? "note" : "warning");
	out_str(out, "path", f->path);
	if (doc) {
		struct json_place place = json_place(doc, json_locate(doc, f->path));

		out_unsigned(out, "line", place.line);
		out_unsigned(out, "column", place.column);
	}
	out_str(out, "text", f->text);
	out_close(out, '}');
}

size_t profile_print_lint(const struct lint *lint, const struct json_doc *doc, bool json,
			  struct buf *out)
{
	size_t warnings = 0;

	if (json)
		out_open(out, NULL, '[');
	for (size_t i = 0; i < lint->n; i++) {
		warnings += !lint->v[i].is_note;
		if (json)
			finding_json(&lint->v[i], doc, out);
		else
			lint_say(&lint->v[i], doc, out);
	}
	buf_str(out, json ? "]\n" : "");
	return warnings;
}

/* ---- BPF ---------------------------------------------------------------------------------- */

void profile_print_bpf(const struct seccomp_program *program, const struct seccomp_arch *arch,
		       struct buf *out)
{
	bool is_foreign = arch->is_big_endian != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);

	for (size_t i = 0; i < program->n; i++) {
		struct sock_filter insn = program->insns[i];

		if (is_foreign) {
			insn.code = __builtin_bswap16(insn.code);
			insn.k = __builtin_bswap32(insn.k);
		}
		buf_add(out, &insn, sizeof(insn));
	}
}
