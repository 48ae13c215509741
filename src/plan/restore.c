/*
 * restore.c - the order in which a container is restored. Read build() from top to bottom; see
 * sequence.c for a start, from which the parts are taken that make what criu does not: the run
 * directory, the cgroup with its limits, the sockets.
 *
 * criu is born inside the container's cgroup, and what it restores is made there. A scope needs a
 * process: systemd makes it around criu, which goes when the container is there. It runs in a
 * mount namespace of its own, in which the root file system is a mount, as it wants it; none of
 * that is seen on the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>

#include "plan/cgroup.h"
#include "plan/criu_parts.h"
#include "plan/hooks.h"
#include "plan/lsm.h"
#include "plan/namespaces.h"
#include "plan/rootfs.h"
#include "plan/rootfs_plan.h"
#include "plan/rundir.h"
#include "plan/scope.h"
#include "state/state.h"
#include "sys/abi.h"

#define RESTORED_ROOT                                                                              \
	"root" /* directory in the run directory, where the root is attached for criu */

static const char *run_dir(struct planner *p)
{
	return arena_printf(plan_arena(p), "%s/%s", p->options->root, p->options->id);
}

static const char *root_path(struct planner *p)
{
	return arena_printf(plan_arena(p), "%s/" RESTORED_ROOT, run_dir(p));
}

/*
 * criu opens its images when it has become root of the container's user namespace already, who has
 * no rights over what root of the host has written. In a mount that nobody but criu sees they are
 * his; on the disk nobody owns anything else. Returns the slot of that tree, or SLOT_NONE.
 */
static int add_images_of_userns(struct planner *p, const struct plan_restore *r)
{
	const struct spec_linux *linux = &p->spec->linux;
	struct step_id_mapped map;

	if (!spec_has_new_namespace(p->spec, CLONE_NEWUSER))
		return SLOT_NONE;
	map = (struct step_id_mapped){
		.slot = plan_slot(p),
		.uid_map = plan_map_text(p, &linux->uid_mappings),
		.gid_map = plan_map_text(p, &linux->gid_mappings),
	};
	rootfs_add_tree(p, LANE_HOST, (struct step_tree){ .slot = map.slot, .path = r->top });
	plan_add(p, LANE_HOST, (struct step){ .kind = STEP_ID_MAPPED, .id_mapped = map });
	return map.slot;
}

static void add_way_to_images(struct planner *p, const struct plan_restore *r, int tree)
{
	if (tree != SLOT_NONE)
		plan_add(p, LANE_HOST,
			 (struct step){ .kind = STEP_IMAGES,
					.images = { tree, r->below, r->criu.images } });
}

static void add_images_end(struct planner *p, int tree)
{
	if (tree != SLOT_NONE)
		plan_add(p, LANE_HOST, (struct step){ .kind = STEP_IMAGES_END });
}

/* Opened once, as for a start, but always by us: criu needs it before there is a namespace. */
static void add_root_handle(struct planner *p)
{
	add_rootfs_handle(p);
	if (p->rootfs && p->rootfs->taker != TAKER_HOST)
		rootfs_add_tree(p, LANE_HOST,
				(struct step_tree){ .slot = SLOT_ROOTFS,
						    .path = p->rootfs->root,
						    .recursive = true });
}

static void add_root_directory(struct planner *p)
{
	plan_add(p, LANE_HOST,
		 (struct step){ .kind = STEP_DIRECTORY,
				.directory = { SLOT_NONE, root_path(p), true, SLOT_NONE } });
}

/* A source that is missing is found now, with its name. */
static void add_sources(struct planner *p)
{
	for (size_t i = 0; p->rootfs && i < p->spec->n_mounts; i++) {
		const struct rootfs_mount *m = &p->rootfs->mounts[i];

		if (m->tree == SLOT_NONE)
			continue;
		if (spec_has_new_namespace(p->spec, CLONE_NEWUSER))
			rootfs_add_tree(
			    p, LANE_HOST,
			    (struct step_tree){ .slot = m->tree,
						.path = m->source,
						.recursive = m->options.recursive,
						.no_follow = m->options.source_no_follow });
		else
			plan_add(p, LANE_HOST,
				 (struct step){ .kind = STEP_OPEN,
						.open = { m->tree, m->source, O_PATH } });
	}
}

/* Those that criu has to have a way to: their slots, in the order of the mounts. */
static size_t list_sources(struct planner *p, int *slots)
{
	size_t n = 0;

	for (size_t i = 0; p->rootfs && slots && i < p->spec->n_mounts; i++)
		if (p->rootfs->mounts[i].tree != SLOT_NONE)
			slots[n++] = p->rootfs->mounts[i].tree;
	return n;
}

static void add_ways_to_sources(struct planner *p)
{
	int *slots = arena_array(plan_arena(p), p->spec->n_mounts + 1, sizeof(*slots));
	const size_t n = list_sources(p, slots);

	if (spec_has_new_namespace(p->spec, CLONE_NEWUSER))
		plan_add(p, LANE_INIT,
			 (struct step){ .kind = STEP_SOURCES,
					.sources = { run_dir(p), RESTORED_ROOT, n, slots } });
}

/* Below a file system of the container's own its mount point comes with that, out of the images. */
static bool is_on_root(const struct planner *p, const struct rootfs_mount *m)
{
	for (size_t i = 0; i < m->index; i++)
		if (rootfs_is_below(m->destination, p->rootfs->mounts[i].destination))
			return false;
	return true;
}

static void add_mount_points(struct planner *p)
{
	for (size_t i = 0; p->rootfs && i < p->spec->n_mounts; i++) {
		const struct rootfs_mount *m = &p->rootfs->mounts[i];
		const struct step_mount_point point = { m->destination, m->tree };

		if (m->tree != SLOT_NONE && is_on_root(p, m))
			plan_add(p, LANE_INIT,
				 (struct step){ .kind = STEP_MOUNT_POINT, .mount_point = point });
	}
}

/* I: what criu finds when it begins. */
static void add_surroundings(struct planner *p)
{
	plan_add(p, LANE_INIT,
		 (struct step){ .kind = STEP_PROPAGATION, .propagation.type = MS_PRIVATE });
	add_ways_to_sources(p);
	plan_add(p, LANE_INIT,
		 (struct step){ .kind = STEP_ROOT_TREE,
				.tree = { SLOT_ROOTFS, root_path(p), .propagation = MS_PRIVATE } });
	add_mount_points(p);
}

/* A namespace that criu takes over by its descriptor, and no other way. */
static bool is_inherited(const struct spec_namespace *ns)
{
	return ns->path && (ns->flag == CLONE_NEWNET || ns->flag == CLONE_NEWPID);
}

/* criu mounts what it needs in its working directory, and there it is not ours. */
static void add_work_directory(struct planner *p, const struct plan_restore *r)
{
	const char *path = r->criu.work ? r->criu.work : r->criu.images;

	plan_add(p, LANE_HOST,
		 (struct step){ .kind = STEP_OPEN,
				.open = { SLOT_WORK, path, O_RDONLY | O_DIRECTORY, true } });
}

/* I: its socket, and the namespaces that the container joins. */
static void add_program(struct planner *p, const struct plan_restore *r)
{
	const struct spec_linux *linux = &p->spec->linux;
	int *slots = arena_array(plan_arena(p), linux->n_namespaces + 1, sizeof(*slots));
	size_t n = 0;

	if (!slots)
		return;
	slots[n++] = SLOT_CRIU_PEER;
	for (size_t i = 0; i < linux->n_namespaces; i++)
		if (is_inherited(&linux->namespaces[i]))
			slots[n++] = SLOT_NAMESPACE + (int)i;
	criu_add_exec(p, &r->criu, slots, n);
}

/* ---- what criu is told ------------------------------------------------------------------- */

static void add_mounts(struct planner *p, struct step_criu *step)
{
	const struct spec_strings *masked = &p->spec->linux.masked_paths;
	struct criu_pairs list = criu_pairs_for(p);
	size_t n = 0;

	for (size_t i = 0; p->rootfs && i < p->spec->n_mounts; i++) {
		const struct rootfs_mount *m = &p->rootfs->mounts[i];
		const char *source = m->source;

		if (spec_has_new_namespace(p->spec, CLONE_NEWUSER) && m->tree != SLOT_NONE)
			source = arena_printf(plan_arena(p), "%s/%zu", run_dir(p), n++);
		criu_add_pair(&list, m->destination, source);
	}
	for (size_t i = 0; i < masked->n; i++)
		criu_add_pair(&list, masked->v[i], "/dev/null");
	criu_add_device_pairs(p, &list);
	step->mounts = list.v;
	step->n_mounts = list.n;
}

/* The other namespaces with a path, by criu's name for them. */
static void add_joins(struct planner *p, struct step_criu *step)
{
	const struct spec_linux *linux = &p->spec->linux;
	struct criu_pair *joins =
	    arena_array(plan_arena(p), linux->n_namespaces + 1, sizeof(*joins));

	for (size_t i = 0; joins && i < linux->n_namespaces; i++) {
		const struct spec_namespace *ns = &linux->namespaces[i];

		if (ns->path && !is_inherited(ns))
			joins[step->n_joins++] = (struct criu_pair){ ns->type, ns->path };
	}
	step->joins = joins;
}

/* Pipes become those that we have as standard input, output and error. */
static void add_inherits(struct planner *p, const struct plan_restore *r, struct step_criu *step)
{
	const struct spec_linux *linux = &p->spec->linux;
	struct criu_inherit *list =
	    arena_array(plan_arena(p), linux->n_namespaces + 3, sizeof(*list));

	for (size_t i = 0; list && i < linux->n_namespaces; i++) {
		const struct spec_namespace *ns = &linux->namespaces[i];
		const char *key = ns->flag == CLONE_NEWNET ? CRIU_NET_KEY : CRIU_PID_KEY;

		if (is_inherited(ns))
			list[step->n_inherits++] =
			    (struct criu_inherit){ key, SLOT_NAMESPACE + (int)i, -1 };
	}
	for (int fd = 0; list && fd < 3; fd++)
		if (r->pipes[fd])
			list[step->n_inherits++] =
			    (struct criu_inherit){ r->pipes[fd], SLOT_NONE, fd };
	step->inherits = list;
}

static const struct step *hooks(struct planner *p, const char *name,
				const struct spec_hook_list *list)
{
	struct step *step = list->n > 0 ? arena_alloc(plan_arena(p), sizeof(*step)) : NULL;

	if (step)
		*step = plan_hooks_step(p, name, "creating", list);
	return step;
}

static void add_restore(struct planner *p, const struct plan_restore *r)
{
	struct step_criu step = {
		.action = CRIU_RESTORE,
		.options = r->criu.options,
		.log_file = "restore.log",
		.root = root_path(p),
		.prestart = hooks(p, "prestart", &p->spec->hooks.prestart),
		.create_runtime = hooks(p, "createRuntime", &p->spec->hooks.create_runtime),
		.said = r->criu.said,
	};

	add_mounts(p, &step);
	add_joins(p, &step);
	add_inherits(p, r, &step);
	plan_add(p, LANE_HOST, (struct step){ .kind = STEP_CRIU, .criu = step });
}

static void add_pid_file(struct planner *p)
{
	if (p->options->pid_file)
		plan_add(p, LANE_HOST,
			 (struct step){ .kind = STEP_PID_FILE, .text.file = p->options->pid_file });
}

static void build(struct planner *p, const struct plan_restore *r)
{
	int images;

	criu_add_directories(p, &r->criu, false); /* H images that are missing are found first */
	images = add_images_of_userns(p, r); /* H and file systems that cannot show them to criu */
	add_rundir(p);                       /* H all that will be made is on disk before it is */
	add_way_to_images(p, r, images);     /* H */
	add_root_handle(p);                  /* H */
	add_profile(p);                      /* H */
	add_sockets(p);                      /* H who wants the terminal has to listen */
	add_cgroup(p);         /* H with its limits: criu and the container are born inside */
	add_namespace_fds(p);  /* H */
	add_sources(p);        /* H */
	add_root_directory(p); /* H */
	criu_add_sockets(p);   /* H */
	criu_add_spawn(p);     /* H and it waits, until it is on record */
	plan_add(p, LANE_HOST, (struct step){ .kind = STEP_RECORD_RESTORER });
	add_scope(p);             /* H systemd makes the cgroup, and moves criu */
	add_scope_cgroup(p);      /* H its limits, once systemd is done */
	add_work_directory(p, r); /* H */
	add_device_program(p);    /* H before anything of the container is there */
	add_copies(p);            /* H for exec and hooks */
	add_birth(p);        /* I criu does not outlive us: what it made is found by the cgroup */
	add_cgroup_join(p);  /* I where it could not be born inside */
	add_surroundings(p); /* I the root as a mount, mount points that are missing */
	add_program(p, r);   /* I criu */
	add_restore(p, r);   /* H the container is there, and on record */
	add_images_end(p, images); /* H */
	add_pid_file(p);           /* H the caller learns of it */
}

int plan_build_restore(struct plan *plan, const struct spec *spec,
		       const struct plan_options *options, const struct facts *facts,
		       const struct plan_restore *restore, struct err *err)
{
	struct planner p = {
		.plan = plan, .spec = spec, .options = options, .facts = facts, .err = err
	};

	*plan = (struct plan){ .n_slots = SLOT_FIRST_FREE };
	err->code = 0;
	if (criu_check(&p, "restore") == 0) {
		build(&p, restore);
		finish_rundir(&p);
	}
	if (err->code == 0 && !arena_failed(&plan->arena))
		return 0;
	plan_done(plan);
	return err->code < 0 ? err->code
			     : err_set(err, -ENOMEM, "plan the restore of %s", options->id);
}
