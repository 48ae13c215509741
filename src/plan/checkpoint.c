/*
 * checkpoint.c - the order in which a container is checkpointed. Read build() from top to bottom.
 *
 * The container is not touched by us but by criu, and that may go on without us: it hears when we
 * are gone, and lets the container run again.
 */
#include "plan/checkpoint.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mount.h>

#include "plan/criu_parts.h"
#include "plan/rootfs_plan.h"
#include "sys/abi.h"

static void add_preparation(struct planner *p, const struct plan_checkpoint *c)
{
	criu_add_directories(p, &c->criu, true);
	criu_add_sockets(p);
	plan_add(p, LANE_HOST,
		 (struct step){ .kind = STEP_FILE,
				.file = { .name = "descriptors.json",
					  .data = c->descriptors,
					  .len = strlen(c->descriptors),
					  .dir = SLOT_IMAGES,
					  .replace = true } });
}

static void add_program(struct planner *p, const struct plan_checkpoint *c)
{
	static const int slots[] = { SLOT_CRIU_PEER };

	criu_add_spawn(p);
	/* It waits for who fetches the pages, whether we are there or not. */
	if (c->criu.options->lazy_pages)
		plan_add(p, LANE_HOST, (struct step){ .kind = STEP_RECORD_SERVER });
	plan_add(p, LANE_INIT,
		 (struct step){ .kind = STEP_PROPAGATION, .propagation.type = MS_PRIVATE });
	plan_add(p, LANE_INIT, (struct step){ .kind = STEP_OUTLIVE_PARENT });
	criu_add_exec(p, &c->criu, slots, 1);
}

/* What lies outside of the container and is found again by its name when it is restored. */
static void add_mounts(struct planner *p, const struct plan_checkpoint *c, struct step_criu *step)
{
	const struct spec_strings *masked = &p->spec->linux.masked_paths;
	struct criu_pairs list = criu_pairs_for(p);

	for (size_t i = 0; i < p->spec->n_mounts; i++)
		if (criu_is_bind(p, i))
			criu_add_pair(
			    &list, c->mount_points[i],
			    rootfs_clean_path(plan_arena(p), p->spec->mounts[i].destination));
	for (size_t i = 0; i < masked->n; i++)
		if (c->masked_files[i])
			criu_add_pair(&list, masked->v[i], masked->v[i]);
	criu_add_device_pairs(p, &list);
	step->mounts = list.v;
	step->n_mounts = list.n;
}

static void add_externals(struct planner *p, const struct plan_checkpoint *c,
			  struct step_criu *step)
{
	const char **list = arena_array(plan_arena(p), 2, sizeof(*list));

	if (!list)
		return;
	if (c->net_inode)
		list[step->n_externals++] =
		    arena_printf(plan_arena(p), "net[%" PRIu64 "]:" CRIU_NET_KEY, c->net_inode);
	if (c->pid_inode)
		list[step->n_externals++] =
		    arena_printf(plan_arena(p), "pid[%" PRIu64 "]:" CRIU_PID_KEY, c->pid_inode);
	step->externals = list;
}

/* The directory by which the whole container is frozen: that of v1's freezer, or that of v2. */
static const char *freezer(const struct planner *p, const struct spec_strings *cgroups)
{
	const char v1[] = "/sys/fs/cgroup/freezer/";

	for (size_t i = 0; i < cgroups->n; i++)
		if (strncmp(cgroups->v[i], v1, sizeof(v1) - 1) == 0)
			return cgroups->v[i];
	return p->facts->cgroup.mode == CGROUP_V2 && cgroups->n > 0 ? cgroups->v[0] : NULL;
}

static void add_dump(struct planner *p, const struct plan_checkpoint *c)
{
	struct step_criu step = {
		.action = c->pre_dump ? CRIU_PRE_DUMP : CRIU_DUMP,
		.options = c->criu.options,
		.log_file = "dump.log",
		.freezer = freezer(p, c->cgroups),
		.pid = c->pid,
		.said = c->criu.said,
	};
	const char *root = p->spec->root.path;

	step.root =
	    root[0] == '/' ? root : arena_printf(plan_arena(p), "%s/%s", p->options->bundle, root);
	add_mounts(p, c, &step);
	add_externals(p, c, &step);
	plan_add(p, LANE_HOST, (struct step){ .kind = STEP_CRIU, .criu = step });
}

static void build(struct planner *p, const struct plan_checkpoint *c)
{
	add_preparation(p, c); /* H what is wrong with the directories is found first */
	add_program(p, c);     /* I criu, in its own mount namespace */
	add_dump(p, c);        /* H */
}

int plan_build_checkpoint(struct plan *plan, const struct spec *spec,
			  const struct plan_options *options, const struct facts *facts,
			  const struct plan_checkpoint *checkpoint, struct err *err)
{
	struct planner p = {
		.plan = plan, .spec = spec, .options = options, .facts = facts, .err = err
	};

	*plan = (struct plan){ .n_slots = SLOT_FIRST_FREE };
	err->code = 0;
	if (criu_check(&p, "checkpoint") == 0)
		build(&p, checkpoint);
	if (err->code == 0 && !arena_failed(&plan->arena))
		return 0;
	plan_done(plan);
	return err->code < 0 ? err->code
			     : err_set(err, -ENOMEM, "plan the checkpoint of %s", options->id);
}
