/*
 * criu.h - what checkpoint and restore have in common.
 */
#pragma once

#include "plan/checkpoint.h"
#include "run/run.h"
#include "run/walk.h"

/* Fills in what the plan needs to know of criu: where the program is, and what was asked for. */
int criu_prepare(const struct criu_request *request, struct arena *arena, struct criu_said *said,
		 struct plan_criu *ret, struct err *err);

/*
 * After a walk that failed: criu's own reason in place of the step's, if it was criu that failed.
 * `what` is "checkpoint" or "restore". Returns the error's code.
 */
int criu_error(const struct walk *w, const struct plan_criu *criu, const char *what, const char *id,
	       struct err *err);
