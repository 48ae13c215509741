/*
 * update.c - new limits for a container that is there.
 *
 * What is set now is read from the kernel, which is the only one who knows: others may have changed
 * it, too. Nothing about limits is written into our state.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "ops/cgroup_dirs.h"
#include "ops/cgroup_update.h"
#include "ops/host_rdt.h"
#include "ops/host_systemd.h"
#include "plan/update.h"
#include "run/launch.h"
#include "run/life.h"

/* ---- what is set now ----------------------------------------------------------------------- */

/* "max 100000", "50000 100000" */
static void read_bandwidth(const struct cgroup_dir *dir, struct plan_current *ret)
{
	_cleanup_buf_ struct buf text = { 0 };
	int64_t quota = -1;
	uint64_t period;

	cgroup_read_text(dir, "cpu.max", &text);
	if (sscanf(buf_text(&text), "max %" SCNu64, &period) != 1 &&
	    sscanf(buf_text(&text), "%" SCNd64 " %" SCNu64, &quota, &period) != 2)
		return;
	ret->quota = (struct opt_i64){ true, quota };
	ret->period = (struct opt_u64){ true, period };
}

/* Only what v2 has in other terms than the specification is asked for. */
static void read_current(const struct cgroup_dirs *dirs, struct plan_current *ret)
{
	const struct cgroup_dir *v2 = cgroup_dirs_v2(dirs);
	uint64_t memory = cgroup_read_u64(v2, "memory.max", 0);

	read_bandwidth(v2, ret);
	if (memory > 0)
		ret->memory = (struct opt_i64){ true, memory > INT64_MAX ? -1 : (int64_t)memory };
}

/* memory.checkBeforeUpdate: v2 would take the limit and end processes until it is kept. */
static int check_memory(const struct spec_memory *wanted, const struct cgroup_dirs *dirs,
			struct err *err)
{
	const struct cgroup_dir *dir = cgroup_dirs_find(dirs, "memory");
	uint64_t usage;

	if (!wanted->check_before_update.value || !wanted->limit.has || wanted->limit.value <= 0 ||
	    !dir)
		return 0;
	usage = cgroup_read_u64(dir, dir->v2 ? "memory.current" : "memory.usage_in_bytes", 0);
	if (usage <= (uint64_t)wanted->limit.value)
		return 0;
	(void)err_say(err, -EBUSY,
		      "memory.limit: %" PRId64 " is below what the container uses now, %" PRIu64
		      ": nothing was changed",
		      wanted->limit.value, usage);
	return err_hint(err, "memory.checkBeforeUpdate asks for this check");
}

/* ---- resctrl ------------------------------------------------------------------------------- */

static int change_rdt(const struct life *l, const struct update_request *request, struct buf *old,
		      struct err *err)
{
	_cleanup_buf_ struct buf text = { 0 };

	if (!request->l3_cache_schema && !request->mem_bw_schema)
		return 0;
	if (!l->state.intel_rdt) {
		(void)err_say(err, -ENODEV,
			      "container %s has no resctrl group of its own: nothing was changed",
			      request->id);
		return err_hint(err, "it gets one by linux.intelRdt when it is created");
	}
	if (request->l3_cache_schema)
		buf_printf(&text, "%s\n", request->l3_cache_schema);
	if (request->mem_bw_schema)
		buf_printf(&text, "%s\n", request->mem_bw_schema);
	return rdt_change(l->state.intel_rdt, buf_text(&text), old, err);
}

/* ---- the command --------------------------------------------------------------------------- */

static int change_cgroups(const struct plan *plan, struct arena *arena, struct err *err)
{
	_cleanup_(walk_done) struct walk w = { .baton = -1 };
	int r = walk_begin(&w, plan, err);

	return r < 0 ? r : cgroup_update(plan->steps, plan->n_steps, &w.ctx, arena, err);
}

/*
 * The files first: the kernel judges, and what it refuses is put back. systemd then writes what it
 * makes of the new limits into the same files, with quotas rounded; so they are written once more.
 */
static int change_limits(const struct plan *plan, struct arena *arena, struct err *err)
{
	int r = change_cgroups(plan, arena, err);

	if (r < 0 || !plan->scope.unit)
		return r;
	r = scope_update(&plan->scope, err);
	if (r < 0)
		return err_prefix(err, "the limits are set, but the next reload of systemd may "
				       "set the old ones");
	return change_cgroups(plan, arena, err);
}

static int make_plan(struct life *l, const struct update_request *request, struct plan *plan,
		     struct err *err)
{
	_cleanup_(cgroup_dirs_done) struct cgroup_dirs dirs = { 0 };
	struct spec spec = { .linux.resources = request->resources };
	struct plan_current current = { 0 };
	struct facts facts;
	int r = facts_read(FACTS_CGROUP | FACTS_CONTROLLERS, &l->arena, &facts, err);

	if (r == 0)
		r = cgroup_dirs_open(&l->state.cgroups, NULL, &dirs, err);
	if (r == 0)
		r = check_memory(&request->resources.memory, &dirs, err);
	if (r < 0)
		return r;
	read_current(&dirs, &current);
	current.unit = l->state.systemd_unit;
	current.user = l->state.systemd_user;
	return plan_build_update(plan, &spec, &facts, &l->state.cgroups, &current, err);
}

static int update(struct life *l, const struct update_request *request, struct err *err)
{
	_cleanup_(plan_done) struct plan plan = { 0 };
	_cleanup_buf_ struct buf old = { 0 };
	struct err ignored;
	int r = make_plan(l, request, &plan, err);

	if (r == 0)
		r = change_rdt(l, request, &old, err);
	if (r < 0)
		return r;
	r = change_limits(&plan, &l->arena, err);
	if (r < 0 && old.len > 0)
		(void)rdt_change(l->state.intel_rdt, buf_text(&old), &old, &ignored);
	return r;
}

int run_update(const struct update_request *request, struct err *err)
{
	_cleanup_(life_done) struct life l = LIFE_NONE;
	enum state_status status;
	int r = life_open(&l, request->root, request->id, true, false, err);

	if (r < 0)
		return r;
	status = life_status(&l);
	if (status == STATE_STOPPED || status == STATE_CREATING)
		return err_say(err, -ESRCH, "container not running: %s is %s", request->id,
			       state_status_name(status));
	return update(&l, request, err);
}
