/*
 * profile.h - `containr profile`: what its sub-commands print.
 */
#pragma once

#include "base/json.h"
#include "cli/cli.h"
#include "seccomp/lint.h"
#include "seccomp/table.h"

void profile_print_list(bool json, struct buf *out);
void profile_print_diff(const struct profile_diff *diff, bool json, struct buf *out);

/* `doc` is NULL where the profile is no text. Returns how many warnings there are. */
size_t profile_print_lint(const struct lint *lint, const struct json_doc *doc, bool json,
			  struct buf *out);

/* The instructions as the kernel of `arch` takes them, in its byte order. */
void profile_print_bpf(const struct seccomp_program *program, const struct seccomp_arch *arch,
		       struct buf *out);
