/*
 * lint.h - looks through a profile for what its author cannot have meant: calls whose denial breaks
 * every program, rules that never matter, and denials that do not hold.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/json.h"
#include "seccomp/compile.h"

struct lint_finding {
	const char *check; /* a word: which check found it */
	bool is_note;      /* worth knowing, nothing wrong with the profile */
	const char *path;  /* "syscalls[3].names[1]", "" for the whole */
	const char *text;
};

struct lint {
	size_t n, room;
	struct lint_finding *v;
};

/* Verdicts are those for `env`. Errors: the profile does not compile. */
int lint_profile(const struct spec_seccomp *spec, const struct seccomp_env *env,
		 struct arena *arena, struct lint *ret, struct err *err);

/* "FILE:LINE:COLUMN: warning: PATH: TEXT [check]"; without place if `doc` is NULL. */
void lint_say(const struct lint_finding *finding, const struct json_doc *doc, struct buf *out);
