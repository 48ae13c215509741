#include "plan/rdt.h"

#include <string.h>

/* Where everybody mounts it; the step looks whether it is there. */
#define RESCTRL "/sys/fs/resctrl"

/* The lines of l3CacheSchema, without those for memory bandwidth when memBwSchema speaks for it. */
static const char *cache_lines(struct planner *p, const char *schema, bool without_bandwidth)
{
	const char *text = "";

	while (*schema) {
		int len = (int)strcspn(schema, "\n");

		if (len > 0 && !(without_bandwidth && strncmp(schema, "MB:", 3) == 0))
			text = arena_printf(plan_arena(p), "%s%.*s\n", text, len, schema);
		schema += len;
		schema += *schema == '\n';
	}
	return text;
}

/* What a group that is there must have: NULL if nothing is said. */
static const char *expected_lines(struct planner *p, const struct spec_intel_rdt *rdt)
{
	const char *cache = rdt->l3_cache_schema ? rdt->l3_cache_schema : "";
	const char *text = cache_lines(p, cache, rdt->mem_bw_schema != NULL);

	if (rdt->mem_bw_schema)
		text = arena_printf(plan_arena(p), "%s%s\n", text, rdt->mem_bw_schema);
	return *text ? text : NULL;
}

/* All that is written: the lines of `schemata` last (runtime-spec 1.3). */
static const char *written_lines(struct planner *p, const struct spec_intel_rdt *rdt,
				 const char *expected)
{
	const char *text = expected ? expected : "";

	for (size_t i = 0; i < rdt->schemata.n; i++)
		text = arena_printf(plan_arena(p), "%s%s\n", text, rdt->schemata.v[i]);
	return *text ? text : NULL;
}

void add_intel_rdt(struct planner *p)
{
	const struct spec_intel_rdt *rdt = &p->spec->linux.intel_rdt;
	const char *expected, *schemata;

	if (!rdt->has)
		return;
	expected = expected_lines(p, rdt);
	schemata = written_lines(p, rdt, expected);
	plan_add(p, LANE_HOST,
		 (struct step){ .kind = STEP_INTEL_RDT,
				.intel_rdt = {
				    .root = RESCTRL,
				    .group = rdt->clos_id ? rdt->clos_id : p->options->id,
				    /* A name without a schema means a group that somebody has
				     * prepared; no name, one of our own. */
				    .may_be_made = !rdt->clos_id || schemata,
				    .may_be_there = rdt->clos_id,
				    .expected = expected,
				    .schemata = schemata,
				    .monitor = rdt->enable_monitoring ? p->options->id : NULL,
				    .made = plan_slot(p),
				    .monitor_made = plan_slot(p),
				} });
}

const char *plan_intel_rdt_path(struct planner *p)
{
	const struct spec_intel_rdt *rdt = &p->spec->linux.intel_rdt;

	if (!rdt->has)
		return NULL;
	if (!rdt->clos_id) /* the monitoring group goes with it */
		return arena_printf(plan_arena(p), RESCTRL "/%s", p->options->id);
	if (rdt->enable_monitoring)
		return arena_printf(plan_arena(p), RESCTRL "/%s/mon_groups/%s", rdt->clos_id,
				    p->options->id);
	return NULL;
}
