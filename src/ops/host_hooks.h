/*
 * host_hooks.h - hooks that run on the host (prestart, createRuntime, poststart, poststop).
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "ops/ops.h"

/*
 * Runs the hooks one after the other; the first that fails ends it. Each gets the state, which is
 * head, pid and tail, on its standard input, and starts in the bundle that the state names. Without
 * a pid (0) the state is head and tail. 0, or a negative errno with "error running NAME hook #N:
 * …": ECANCELED for a hook's own failure.
 */
int hooks_run(const char *name, const struct spec_hook_list *list, const char *head, pid_t pid,
	      const char *tail, struct err *err);

/* The same, but a hook that fails keeps none of the others back; the first failure is told. */
int hooks_run_all(const char *name, const struct spec_hook_list *list, const char *head, pid_t pid,
		  const char *tail, struct err *err);

int host_hooks(const struct step *s, struct op_ctx *ctx);
