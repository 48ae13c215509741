/*
 * lint_part.h - what the checks of lint.h share.
 */
#pragma once

#include "seccomp/lint.h"
#include "seccomp/verdict.h"

/* What the rules have for one call, whatever verdict comes of it. */
struct lint_call {
	bool is_denied; /* a rule that applies names it to deny it */
	size_t
	    decider;  /* one more than the first rule that decides it for all arguments; 0: none */
	size_t first; /* one more than the first rule that names it and is not skipped; 0: none */
	const char *path; /* of the name in the first rule that applies, or "" */
};

struct linter {
	struct arena *arena;
	const struct spec_seccomp *spec;
	const struct seccomp_env *env;
	struct decision d;
	struct lint_call *calls; /* by row */
	struct lint *found;
};

void lint_add(struct linter *l, const char *check, bool is_note, const char *path, const char *fmt,
	      ...) __attribute__((format(printf, 5, 6)));

/* There are so many findings that no more are added. */
bool lint_is_full(const struct linter *l);

/* The compiler skips rules that have the default action. */
bool lint_is_skipped(const struct spec_seccomp *spec, const struct spec_seccomp_rule *rule);

struct call_verdict lint_verdict(const struct linter *l, size_t arch, const char *call);

/* "x86" */
const char *lint_arch(const struct linter *l, size_t arch);

/* lint_rules.c: rules by themselves, as they are written. */
void lint_rules(struct linter *l);

/* lint_calls.c: what becomes of calls. */
void lint_libc(struct linter *l);
void lint_probes(struct linter *l);
void lint_twins(struct linter *l);
void lint_io_uring(struct linter *l);

/* lint_arches.c: ways around a denial through another architecture. */
void lint_forms(struct linter *l);
void lint_multiplexed(struct linter *l);
void lint_missing_arches(struct linter *l);
