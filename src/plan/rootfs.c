/*
 * rootfs.c - see rootfs.h. The steps that every root file system has, and their order.
 */
#include "plan/rootfs.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>

#include "plan/namespaces.h"
#include "plan/rootfs_plan.h"

static bool is_privileged(const struct planner *p)
{
	return p->facts->euid == 0 && (p->facts->caps & 1ULL << CAP_SYS_ADMIN);
}

/* Into init's mount namespace the host gets by its pidfd, for which it takes CAP_SYS_PTRACE. */
static enum tree_taker choose_taker(const struct planner *p)
{
	if (!is_privileged(p))
		return TAKER_INIT;
	if (!spec_namespace(p->spec, CLONE_NEWUSER))
		return TAKER_HOST;
	return p->facts->caps & 1ULL << CAP_SYS_PTRACE ? TAKER_HOST_LATE : TAKER_INIT;
}

/* Hooks that expect the root with all its mounts at the bundle's path, in init's namespace. */
static bool has_mount_hooks(const struct planner *p)
{
	const struct spec_hooks *h = &p->spec->hooks;

	return h->prestart.n > 0 || h->create_runtime.n > 0 || h->create_container.n > 0;
}

bool rootfs_wants_seed(const struct planner *p)
{
	return p->rootfs && p->rootfs->taker == TAKER_HOST && !has_mount_hooks(p);
}

static int check_namespace(struct planner *p)
{
	const struct spec_namespace *ns = spec_namespace(p->spec, CLONE_NEWNS);

	if (ns && !ns->path)
		return 0;
	(void)err_say(
	    p->err, -EINVAL,
	    ns ? "linux.namespaces: the mount namespace %s cannot be joined, a container's "
		 "root file system needs a new one"
	       : "linux.namespaces: a new mount namespace is missing%s",
	    ns ? ns->path : "");
	return err_hint(p->err, "add {\"type\": \"mount\"}: without one of its own the container's "
				"mounts would be the host's");
}

static int check_propagation(struct planner *p)
{
	/* As in runc: the host's mounts stay in a chroot's namespace, and what the host unmounts
	 * would be kept busy there for ever. */
	if (!p->options->no_pivot || p->spec->linux.rootfs_propagation != MS_PRIVATE)
		return 0;
	return err_say(p->err, -EINVAL,
		       "linux.rootfsPropagation: private is not safe with --no-pivot, use slave");
}

static int check_label(struct planner *p)
{
	if (!p->spec->linux.mount_label || p->facts->lsm.selinux)
		return 0;
	(void)err_say(p->err, -EINVAL,
		      "linux.mountLabel: %s is set, but SELinux is not active on this host",
		      p->spec->linux.mount_label);
	return err_hint(p->err, "remove linux.mountLabel, or start with the engine's option "
				"--security-opt label=disable");
}

static int check_id_map(struct planner *p, const struct rootfs_mount *m)
{
	bool uids = m->spec->uid_mappings.n > 0, gids = m->spec->gid_mappings.n > 0;

	if (p->rootfs->taker == TAKER_INIT) {
		(void)err_say(p->err, -EPERM,
			      "mounts[%zu]: the id-mapped mount at %s needs root on the host: of a "
			      "file system owners can be shown otherwise only by root of the user "
			      "namespace that it was mounted in",
			      m->index, m->destination);
		return err_hint(
		    p->err, "remove idmap, ridmap and the mappings of this mount; to have your "
			    "own files under your own id, use --userns keep-id, or give the files "
			    "to the ids of the container (-v SRC:DST:U of podman)");
	}
	if (uids != gids)
		return err_say(p->err, -EINVAL,
			       "mounts[%zu]: %s is missing for the id-mapped mount at %s", m->index,
			       uids ? "gidMappings" : "uidMappings", m->destination);
	if (!uids && p->rootfs->taker != TAKER_HOST_LATE)
		return err_say(p->err, -EINVAL,
			       "mounts[%zu]: the id-mapped mount at %s needs uidMappings and "
			       "gidMappings, or a user namespace of the container",
			       m->index, m->destination);
	return 0;
}

static int check_id_maps(struct planner *p)
{
	for (size_t i = 0; i < p->spec->n_mounts; i++)
		if (p->rootfs->mounts[i].options.id_map &&
		    check_id_map(p, &p->rootfs->mounts[i]) < 0)
			return p->err->code;
	return 0;
}

static void prepare(struct planner *p)
{
	struct arena *arena = plan_arena(p);
	struct rootfs_plan *r = arena_alloc(arena, sizeof(*r));
	const char *root = p->spec->root.path;

	if (!r || check_namespace(p) < 0 || check_propagation(p) < 0 || check_label(p) < 0)
		return;
	if (!root) {
		(void)err_say(p->err, -EINVAL, "root.path: missing");
		return;
	}
	r->taker = choose_taker(p);
	r->root = root[0] == '/' ? root : arena_printf(arena, "%s/%s", p->options->bundle, root);
	r->label = p->spec->linux.mount_label;
	r->null = r->dev = SLOT_NONE;
	r->bind_devices = rootfs_in_userns(p);
	p->rootfs = r;
	rootfs_choose_fuse(p);
	if (rootfs_read_mounts(p) < 0 || check_id_maps(p) < 0)
		p->rootfs = NULL;
}

void rootfs_add_tree(struct planner *p, enum lane lane, struct step_tree tree)
{
	plan_add(p, lane, (struct step){ .kind = STEP_TREE, .tree = tree });
}

static bool is_root_made_apart(const struct planner *p)
{
	return p->rootfs->fuse && p->options->root_in_memory;
}

static void add_root_tree(struct planner *p, enum lane lane, bool in_init)
{
	if (p->options->new_root || is_root_made_apart(p))
		return;
	rootfs_add_tree(p, lane,
			(struct step_tree){ .slot = SLOT_ROOTFS,
					    .path = p->rootfs->root,
					    .recursive = true,
					    .in_init = in_init });
}

void add_rootfs_handle(struct planner *p)
{
	prepare(p);
	if (p->rootfs && p->rootfs->taker == TAKER_HOST)
		add_root_tree(p, LANE_HOST, false);
}

static void add_new_root(struct planner *p)
{
	const char *label = p->spec->linux.mount_label;

	plan_add(
	    p, LANE_INIT,
	    (struct step){ .kind = STEP_ROOT_NEW, .text.text = label && *label ? label : NULL });
}

static void fill_new_root(struct planner *p)
{
	const struct plan_root *root = p->options->new_root;

	for (size_t i = 0; i < root->n_links; i++)
		plan_add(p, LANE_INIT,
			 (struct step){ .kind = STEP_LINK,
					.link = { .target = root->links[i].target,
						  .path = root->links[i].path,
						  .dir = SLOT_NONE } });
	for (size_t i = 0; i < root->n_files; i++)
		plan_add(p, LANE_INIT,
			 (struct step){ .kind = STEP_ROOT_FILE,
					.text = { root->files[i].path, root->files[i].text } });
}

/* ---- sources -------------------------------------------------------------------------------- */

static void add_id_mapped(struct planner *p, const struct rootfs_mount *m)
{
	struct step_id_mapped map = { .slot = m->tree, .recursive = m->options.id_map_recursive };

	if (m->spec->uid_mappings.n > 0) {
		map.uid_map = plan_map_text(p, &m->spec->uid_mappings);
		map.gid_map = plan_map_text(p, &m->spec->gid_mappings);
	}
	plan_add(p, LANE_HOST, (struct step){ .kind = STEP_ID_MAPPED, .id_mapped = map });
}

static void add_bind_sources(struct planner *p, bool in_init)
{
	for (size_t i = 0; i < p->spec->n_mounts; i++) {
		const struct rootfs_mount *m = &p->rootfs->mounts[i];

		if (m->tree == SLOT_NONE || rootfs_is_made_apart(p, m))
			continue;
		if (m->overlay) {
			rootfs_add_overlay(p, LANE_HOST, m, in_init);
			continue;
		}
		rootfs_add_tree(p, LANE_HOST,
				(struct step_tree){ .slot = m->tree,
						    .path = m->source,
						    .recursive = m->options.recursive,
						    .no_follow = m->options.source_no_follow,
						    .in_init = in_init });
		if (m->options.id_map)
			add_id_mapped(p, m);
	}
}

/* The host's own null device, to cover files with. */
static void add_null(struct planner *p, enum lane lane)
{
	if (p->spec->linux.masked_paths.n == 0)
		return;
	p->rootfs->null = plan_slot(p);
	rootfs_add_tree(p, lane,
			(struct step_tree){ .slot = p->rootfs->null, .path = "/dev/null" });
}

void add_mount_sources(struct planner *p)
{
	if (!p->rootfs || p->rootfs->taker != TAKER_HOST)
		return;
	rootfs_add_overlays_apart(p);
	add_bind_sources(p, false);
	rootfs_add_cgroup_sources(p);
	rootfs_add_device_sources(p, LANE_HOST);
	add_null(p, LANE_HOST);
}

void add_user_overlays(struct planner *p)
{
	if (p->rootfs && p->rootfs->taker == TAKER_INIT)
		rootfs_add_overlays_apart(p);
}

void add_late_mount_sources(struct planner *p)
{
	if (!p->rootfs || p->rootfs->taker != TAKER_HOST_LATE)
		return;
	add_root_tree(p, LANE_HOST, true);
	add_bind_sources(p, true);
}

/* ---- init's part ---------------------------------------------------------------------------- */

uint64_t rootfs_default_propagation(const struct planner *p)
{
	uint64_t type = p->spec->linux.rootfs_propagation;

	if (type == 0)
		return MS_SLAVE;
	return type == MS_UNBINDABLE ? MS_PRIVATE : type;
}

bool rootfs_in_userns(const struct planner *p)
{
	return p->facts->in_userns || spec_namespace(p->spec, CLONE_NEWUSER);
}

/* Never shared, whatever is asked for: the root is attached in it, and the host must not see that.
 * Copies that the host took need nothing from it. */
static void add_propagation(struct planner *p)
{
	bool alone = p->rootfs->taker == TAKER_HOST;

	plan_add(p, LANE_INIT,
		 (struct step){ .kind = STEP_PROPAGATION,
				.propagation.type = alone ? MS_PRIVATE : MS_SLAVE });
}

/*
 * Over "/" there is always room, also in a seed namespace; only hooks want it where the bundle is.
 * Paths of the host go on working until the pivot, for init's own root is still the old one.
 */
static void add_root(struct planner *p)
{
	const bool in_memory = p->options->root_in_memory && !is_root_made_apart(p);

	plan_add(p, LANE_INIT,
		 (struct step){ .kind = STEP_ROOT_TREE,
				.tree = { .slot = SLOT_ROOTFS,
					  .path = has_mount_hooks(p) ? p->rootfs->root : "/",
					  .propagation = rootfs_default_propagation(p),
					  .in_memory = in_memory,
					  .userxattr = in_memory && rootfs_in_userns(p) } });
}

/* Settings and labels are written through a procfs of ours, if the container's is not one. */
static void add_own_proc(struct planner *p)
{
	const struct spec_process *process = &p->spec->process;

	if (p->rootfs->has_proc ||
	    (p->spec->linux.sysctl.n == 0 && !process->apparmor_profile && !process->selinux_label))
		return;
	/* A user namespace may mount the procfs of its own pid namespace only. */
	if (p->rootfs->taker != TAKER_HOST && !spec_has_new_namespace(p->spec, CLONE_NEWPID))
		rootfs_add_tree(p, LANE_INIT,
				(struct step_tree){ .slot = SLOT_PROC, .path = "/proc" });
	else
		plan_add(p, LANE_INIT, (struct step){ .kind = STEP_PROC });
}

void add_rootfs(struct planner *p)
{
	if (!p->rootfs)
		return;
	add_propagation(p);
	if (p->options->new_root)
		add_new_root(p);
	else if (p->rootfs->taker == TAKER_INIT)
		add_root_tree(p, LANE_INIT, false);
	if (p->rootfs->taker != TAKER_HOST) {
		rootfs_add_device_sources(p, LANE_INIT);
		add_null(p, LANE_INIT);
	}
	add_root(p);
	add_own_proc(p);
	if (p->options->new_root)
		fill_new_root(p);
	rootfs_add_mounts(p);
	rootfs_add_devices(p);
	rootfs_add_late_mounts(p);
}

static void add_paths(struct planner *p, enum step_kind kind, const struct spec_strings *list)
{
	const bool mask = kind == STEP_MASK;
	/* The strings are not ours to change, and a step says so. */
	const char *const *paths = (const char *const *)list->v;

	if (list->n == 0)
		return;
	plan_add(p, LANE_INIT,
		 (struct step){ .kind = kind,
				.paths = { .n = list->n,
					   .v = paths,
					   .proc = p->rootfs->has_proc ? SLOT_PROC : SLOT_NONE,
					   .null = mask ? p->rootfs->null : SLOT_NONE,
					   .label = mask ? p->rootfs->label : NULL } });
}

void add_restricted_paths(struct planner *p)
{
	if (!p->rootfs)
		return;
	rootfs_add_late_read_only(p);
	/* Read-only first: a copy of /proc/sys must not be taken from under a mask. */
	add_paths(p, STEP_READONLY, &p->spec->linux.readonly_paths);
	add_paths(p, STEP_MASK, &p->spec->linux.masked_paths);
	if (p->spec->root.readonly)
		plan_add(p, LANE_INIT, (struct step){ .kind = STEP_ROOT_READONLY });
}

void add_pivot(struct planner *p)
{
	uint64_t type = p->spec->linux.rootfs_propagation;

	if (!p->rootfs)
		return;
	/* It is private already, and so a slave of nobody. */
	if (type == MS_PRIVATE || type == MS_SLAVE)
		type = 0;
	plan_add(
	    p, LANE_INIT,
	    (struct step){ .kind = STEP_PIVOT,
			   .pivot = { .no_pivot = p->options->no_pivot, .propagation = type } });
}
