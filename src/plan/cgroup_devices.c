/*
 * cgroup_devices.c - the steps that limit devices: a list of exceptions on v1, a program on v2.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "plan/cgroup_part.h"
#include "plan/device_bpf.h"

/* A policy that denies nothing leaves the cgroup as it was born: with what its parent may. */
static bool denies_nothing(const struct device_policy *policy)
{
	return policy->allow && policy->n == 0;
}

static const char *number(struct arena *arena, int64_t value)
{
	return value < 0 ? "*" : arena_printf(arena, "%" PRId64, value);
}

/* "c 1:3 rwm" for each exception, one a line. */
static const char *exceptions(struct arena *arena, const struct device_policy *policy)
{
	const char *text = "";

	for (size_t i = 0; i < policy->n; i++) {
		const struct device_rule *rule = &policy->rules[i];

		text = arena_printf(arena, "%s%s%c %s:%s %s%s%s", text, i ? "\n" : "", rule->type,
				    number(arena, rule->major), number(arena, rule->minor),
				    rule->access & DEVICE_READ ? "r" : "",
				    rule->access & DEVICE_WRITE ? "w" : "",
				    rule->access & DEVICE_MKNOD ? "m" : "");
	}
	return text;
}

static void add_write(struct planner *p, struct step_cgroup dir, const char *file,
		      const char *value)
{
	dir.file = file;
	dir.value = value;
	plan_add(p, LANE_HOST, (struct step){ .kind = STEP_CGROUP_WRITE, .cgroup = dir });
}

void add_cgroup_devices_v1(struct planner *p, struct step_cgroup dir)
{
	struct device_policy policy;

	if (device_policy_make(&p->spec->linux, plan_arena(p), &policy, p->err) < 0)
		return;
	if (!policy.plain) {
		(void)err_say(p->err, -EOPNOTSUPP,
			      "linux.resources.devices: cgroup v1 cannot except a part of what an "
			      "earlier rule is about");
		(void)err_hint(p->err, "list the single devices instead of a wildcard and its "
				       "exceptions");
		return;
	}
	if (!policy.allow)
		add_write(p, dir, "devices.deny", "a");
	if (policy.n > 0)
		add_write(p, dir, policy.allow ? "devices.deny" : "devices.allow",
			  exceptions(plan_arena(p), &policy));
}

void add_cgroup_devices_v2(struct planner *p, struct step_cgroup dir)
{
	struct device_policy policy;

	if (device_policy_make(&p->spec->linux, plan_arena(p), &policy, p->err) < 0 ||
	    denies_nothing(&policy))
		return;
	dir.devices = device_bpf_compile(&policy, plan_arena(p), &dir.n_devices);
	plan_add(p, LANE_HOST, (struct step){ .kind = STEP_CGROUP_DEVICES, .cgroup = dir });
}
