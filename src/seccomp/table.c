#include "seccomp/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 100

const char *profile_arch_label(const struct seccomp_arch *arch, struct arena *arena)
{
	const char *name = arch->name + strlen("SCMP_ARCH_");
	char *label = arena_strndup(arena, name, strlen(name));

	for (char *c = label; c && *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + 'a' - 'A');
	return label ? label : "";
}

/* The whole verdict as a text in the arena; "" if memory is short. */
static const char *text_of(const struct survey *s, size_t arch, int row, struct arena *arena)
{
	_cleanup_buf_ struct buf text = { 0 };
	const char *copy;

	survey_say(s, arch, row, &text);
	copy = arena_strndup(arena, buf_text(&text), text.len);
	if (text.failed)
		arena->failed = true;
	return copy ? copy : "";
}

static bool has_call(const struct survey *s, size_t arch, int row)
{
	return syscall_offset(row, s->d[0]->arches[arch].arch->table) != SYSCALL_NONE;
}

/* ---- the table ---------------------------------------------------------------------------- */

enum kind {
	KIND_ALLOWED,
	KIND_BY_ARGUMENTS,
	KIND_BY_CAPABILITY,
	KIND_DENIED,
};

struct line {
	enum kind kind;
	const char *call, *text;
};

static enum kind classify(const struct survey *s, size_t arch, int row)
{
	bool always = true, never = true;

	for (size_t i = 0; i < s->n; i++) {
		const struct call_verdict v = verdict_of(s->d[i], &s->d[i]->arches[arch], row);

		if (v.chain)
			return KIND_BY_ARGUMENTS;
		always = always && verdict_always_passes(&v);
		never = never && verdict_never_passes(&v);
	}
	return always ? KIND_ALLOWED : never ? KIND_DENIED : KIND_BY_CAPABILITY;
}

static int by_kind(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int order;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	order = x->kind == KIND_BY_ARGUMENTS ? 0 : strcmp(x->text, y->text);
	return order != 0 ? order : strcmp(x->call, y->call);
}

/* What is different from the first architecture, if this is not that. */
static size_t collect(const struct survey *s, size_t arch, struct arena *arena, struct line *lines)
{
	size_t n = 0;

	for (int row = 0; syscall_row_name(row); row++) {
		const char *text;

		if (!has_call(s, arch, row))
			continue;
		text = text_of(s, arch, row, arena);
		if (arch > 0 && has_call(s, 0, row) && strcmp(text, text_of(s, 0, row, arena)) == 0)
			continue;
		lines[n++] = (struct line){ classify(s, arch, row), syscall_row_name(row), text };
	}
	qsort(lines, n, sizeof(*lines), by_kind);
	return n;
}

static size_t group_size(const struct line *lines, size_t n)
{
	size_t len = 1;

	while (len < n && lines[len].kind == lines[0].kind &&
	       (lines[0].kind == KIND_BY_ARGUMENTS || strcmp(lines[len].text, lines[0].text) == 0))
		len++;
	return len;
}

static void print_names(const struct line *lines, size_t n, struct buf *out)
{
	size_t column = 0;

	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(lines[i].call);

		if (column == 0 || column + 1 + len > WIDTH) {
			buf_str(out, column == 0 ? "   " : "\n   ");
			column = 3;
		}
		buf_printf(out, " %s", lines[i].call);
		column += 1 + len;
	}
	buf_str(out, "\n");
}

static void print_group(const struct line *lines, size_t n, struct buf *out)
{
	if (lines[0].kind != KIND_BY_ARGUMENTS) {
		buf_printf(out, "  %s (%zu)\n", lines[0].text, n);
		print_names(lines, n, out);
		return;
	}
	buf_printf(out, "  depends on arguments (%zu)\n", n);
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "    %-20s %s\n", lines[i].call, lines[i].text);
}

static void print_arch(const struct survey *s, size_t arch, const struct line *lines, size_t n,
		       struct arena *arena, struct buf *out)
{
	const struct decided_arch *a = &s->d[0]->arches[arch];

	buf_printf(out, "%s%s%s\n", arch > 0 ? "\n" : "", profile_arch_label(a->arch, arena),
		   arch > 0 ? ", where it differs from the first:" : "");
	for (size_t i = 0; i < n;) {
		size_t len = group_size(lines + i, n - i);

		print_group(lines + i, len, out);
		i += len;
	}
	buf_str(out, "  calls that are newer than the profile: ");
	verdict_say_action(verdict_newer(s->d[0], a), out);
	buf_str(out, "\n");
}

int profile_table(const struct survey *s, struct arena *arena, struct buf *out, struct err *err)
{
	struct line *lines = arena_array(arena, syscall_rows(), sizeof(*lines));

	for (size_t arch = 0; lines && arch < s->d[0]->n_arches; arch++) {
		size_t n = collect(s, arch, arena, lines);

		print_arch(s, arch, lines, n, arena, out);
	}
	buf_str(out, "\nother architectures: ");
	verdict_say_action(s->d[0]->bad_arch->action, out);
	buf_str(out, "\n");
	if (arena_failed(arena) || out->failed)
		return err_set(err, -ENOMEM, "print the seccomp profile");
	return 0;
}

/* ---- differences -------------------------------------------------------------------------- */

struct comparison {
	const struct survey *a, *b;
	struct arena *arena;
	struct profile_diff diff;
};

static void differs(struct comparison *c, const struct seccomp_arch *arch, const char *call,
		    const char *a, const char *b)
{
	c->diff.v[c->diff.n++] = (struct profile_difference){
		.arch = profile_arch_label(arch, c->arena), .call = call, .a = a, .b = b
	};
}

static const char *action_text(uint32_t action, struct arena *arena)
{
	_cleanup_buf_ struct buf text = { 0 };
	const char *copy;

	verdict_say_action(action, &text);
	copy = arena_strndup(arena, buf_text(&text), text.len);
	return copy ? copy : "";
}

/* The place of an architecture in the other survey, or SIZE_MAX. */
static size_t find_arch(const struct survey *s, const struct seccomp_arch *arch)
{
	for (size_t i = 0; i < s->d[0]->n_arches; i++)
		if (s->d[0]->arches[i].arch == arch)
			return i;
	return SIZE_MAX;
}

static void compare_newer(struct comparison *c, size_t at_a, size_t at_b)
{
	const struct decided_arch *a = &c->a->d[0]->arches[at_a], *b = &c->b->d[0]->arches[at_b];
	uint32_t x = verdict_newer(c->a->d[0], a), y = verdict_newer(c->b->d[0], b);

	if (x != y)
		differs(c, a->arch, "newer calls", action_text(x, c->arena),
			action_text(y, c->arena));
}

static void compare_row(struct comparison *c, size_t at_a, size_t at_b, int row)
{
	const char *a = text_of(c->a, at_a, row, c->arena);
	const char *b = text_of(c->b, at_b, row, c->arena);

	if (strcmp(a, b) == 0)
		return;
	if (at_a > 0 && has_call(c->a, 0, row) && strcmp(a, text_of(c->a, 0, row, c->arena)) == 0 &&
	    strcmp(b, text_of(c->b, 0, row, c->arena)) == 0)
		return;
	differs(c, c->a->d[0]->arches[at_a].arch, syscall_row_name(row), a, b);
}

static void compare_arch(struct comparison *c, size_t at_a)
{
	const struct seccomp_arch *arch = c->a->d[0]->arches[at_a].arch;
	size_t at_b = find_arch(c->b, arch);

	if (at_b == SIZE_MAX) {
		differs(c, arch, "every call", "as the profile has it",
			action_text(c->b->d[0]->bad_arch->action, c->arena));
		return;
	}
	for (int row = 0; syscall_row_name(row); row++)
		if (has_call(c->a, at_a, row))
			compare_row(c, at_a, at_b, row);
	compare_newer(c, at_a, at_b);
}

int profile_compare(const struct survey *a, const struct survey *b, struct arena *arena,
		    struct profile_diff *ret, struct err *err)
{
	struct comparison c = { .a = a, .b = b, .arena = arena };
	size_t n_arches = a->d[0]->n_arches + b->d[0]->n_arches;

	/* Every call and one line more for each architecture. */
	c.diff.v = arena_array(arena, n_arches * (syscall_rows() + 1), sizeof(*c.diff.v));
	for (size_t i = 0; c.diff.v && i < a->d[0]->n_arches; i++)
		compare_arch(&c, i);
	for (size_t i = 0; c.diff.v && i < b->d[0]->n_arches; i++)
		if (find_arch(a, b->d[0]->arches[i].arch) == SIZE_MAX)
			differs(&c, b->d[0]->arches[i].arch, "every call",
				action_text(a->d[0]->bad_arch->action, arena),
				"as the profile has it");
	if (arena_failed(arena))
		return err_set(err, -ENOMEM, "compare the seccomp profiles");
	*ret = c.diff;
	return 0;
}
