/*
 * update.h - the plan of changed limits for a container that is there.
 */
#pragma once

#include "plan/plan.h"

/* What is set now, where a setting of the specification is a part of one of the kernel's (v2). */
struct plan_current {
	struct opt_u64 period; /* of cpu.max */
	struct opt_i64 quota;  /* -1: none */
	struct opt_i64 memory; /* memory.max, -1: none */

	const char *unit; /* of systemd that it is in, or NULL */
	bool user;        /* it is of the manager of a user */
};

/*
 * Steps of the host alone: they open those of the recorded directories that are needed, and write.
 * linux.resources of `spec` has what is to change; devices are left as they are.
 */
int plan_build_update(struct plan *plan, const struct spec *spec, const struct facts *facts,
		      const struct spec_strings *cgroups, const struct plan_current *current,
		      struct err *err);
