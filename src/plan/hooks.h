/*
 * hooks.h - parts of the sequence that run the hooks of the configuration, and the state they get.
 */
#pragma once

#include "plan/plan.h"

void add_host_hooks(struct planner *p);
void add_init_hooks(struct planner *p);
void add_start_hooks(struct planner *p);

/* The step that runs hooks of that name, for a plan that runs them at another place. */
struct step plan_hooks_step(struct planner *p, const char *name, const char *status,
			    const struct spec_hook_list *list);

/* The state as JSON up to the pid, which is known when it is sent, and what follows that. */
void plan_hook_state_head(const struct planner *p, const char *status, struct buf *out);
#define HOOK_STATE_TAIL "}"
