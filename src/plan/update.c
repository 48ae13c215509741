/*
 * update.c - see update.h.
 *
 * The settings are translated as for a start. What cgroup v2 has in one file and the specification
 * in two is completed by what is set now: a new period alone must not lift the quota.
 */
#include "plan/update.h"

#include <errno.h>

#include "plan/cgroup.h"
#include "plan/scope.h"

/* cpu.max is "QUOTA PERIOD". */
static void complete_bandwidth(struct spec_cpu *cpu, const struct plan_current *current)
{
	bool has_quota = cpu->quota.has && cpu->quota.value != 0;
	bool has_period = cpu->period.has && cpu->period.value != 0;

	if (has_quota && !has_period)
		cpu->period = current->period;
	if (has_period && !has_quota)
		cpu->quota = current->quota;
}

/* Of swap the specification has the sum with memory, the kernel the difference. */
static void complete_swap(struct spec_memory *memory, const struct plan_current *current)
{
	if (memory->swap.has && memory->swap.value > 0 && !memory->limit.has)
		memory->limit = current->memory;
}

int plan_build_update(struct plan *plan, const struct spec *spec, const struct facts *facts,
		      const struct spec_strings *cgroups, const struct plan_current *current,
		      struct err *err)
{
	struct spec completed = *spec;
	struct planner p = { .plan = plan, .spec = &completed, .facts = facts, .err = err };

	complete_bandwidth(&completed.linux.resources.cpu, current);
	complete_swap(&completed.linux.resources.memory, current);
	*plan = (struct plan){ .n_slots = SLOT_FIRST_FREE };
	err->code = 0;
	add_cgroup_update(&p, cgroups);
	if (current->unit && err->code == 0)
		plan_scope_update(&p, current->unit, current->user);
	if (err->code == 0 && !arena_failed(&plan->arena))
		return 0;
	plan_done(plan);
	return err->code < 0 ? err->code : err_set(err, -ENOMEM, "plan new limits");
}
