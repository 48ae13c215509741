/*
 * plan.c - the list of steps: adding to it, and showing it.
 */
#include "plan/plan.h"

#include <string.h>

#include "ops/describe.h"

/* A docker-like start has about a hundred steps. */
#define FIRST_STEPS 160

void plan_add(struct planner *p, enum lane lane, struct step step)
{
	struct plan *plan = p->plan;

	if (plan->n_steps == plan->max_steps) {
		size_t max = plan->max_steps ? plan->max_steps * 2 : FIRST_STEPS;
		struct step *more = arena_array(&plan->arena, max, sizeof(*more));

		if (!more)
			return; /* arena_failed() tells */
		if (plan->n_steps > 0)
			memcpy(more, plan->steps, plan->n_steps * sizeof(*more));
		plan->steps = more;
		plan->max_steps = max;
	}
	step.lane = lane;
	plan->steps[plan->n_steps++] = step;
}

int plan_slot(struct planner *p)
{
	return p->plan->n_slots++;
}

static const char *lane_name(enum lane lane)
{
	return lane == LANE_HOST ? "host" : "init";
}

void plan_print(const struct plan *plan, struct buf *out)
{
	for (size_t i = 0; i < plan->n_steps; i++) {
		buf_printf(out, "%3zu  %s  ", i, lane_name(plan->steps[i].lane));
		step_describe(&plan->steps[i], out);
		buf_str(out, "\n");
	}
}

void plan_print_json(const struct plan *plan, struct buf *out)
{
	buf_str(out, "[");
	for (size_t i = 0; i < plan->n_steps; i++) {
		_cleanup_buf_ struct buf what = { 0 };

		step_describe(&plan->steps[i], &what);
		buf_printf(out,
			   "%s\n  {\"step\": %zu, \"lane\": \"%s\", \"kind\": \"%s\", \"what\": ",
			   i > 0 ? "," : "", i, lane_name(plan->steps[i].lane),
			   step_kind_name(plan->steps[i].kind));
		buf_json_str(out, buf_text(&what));
		buf_str(out, "}");
		out->failed |= what.failed;
	}
	buf_str(out, "\n]\n");
}

void plan_done(struct plan *plan)
{
	arena_done(&plan->arena);
	*plan = (struct plan){ 0 };
}
