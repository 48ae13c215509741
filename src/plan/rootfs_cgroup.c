/*
 * rootfs_cgroup.c - mounts of type cgroup: one file system on hosts with cgroup v2, a directory of
 * hierarchies on those with v1 or both, as runc lays them out.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>

#include "plan/rootfs_plan.h"
#include "sys/abi.h"

#define USUAL (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

bool rootfs_is_cgroup(const struct rootfs_mount *m)
{
	return !m->options.bind && !m->options.remount && m->spec->type &&
	       (strcmp(m->spec->type, "cgroup") == 0 || strcmp(m->spec->type, "cgroup2") == 0);
}

static bool is_v1(const struct cgroup_hierarchy *h)
{
	return h->controllers[0] != '\0';
}

static bool needs_hierarchies(const struct planner *p, const struct rootfs_mount *m)
{
	enum cgroup_mode mode = p->facts->cgroup.mode;

	return strcmp(m->spec->type, "cgroup") == 0 && (mode == CGROUP_V1 || mode == CGROUP_HYBRID);
}

/* The step before this one that makes the container's directory in a hierarchy, or NULL. */
static const struct step_cgroup *made_directory(const struct planner *p,
						const struct cgroup_hierarchy *h)
{
	for (size_t i = 0; i < p->plan->n_steps; i++) {
		const struct step *s = &p->plan->steps[i];

		if ((s->kind == STEP_CGROUP_MAKE || s->kind == STEP_CGROUP_OPEN) &&
		    rootfs_is_below(s->cgroup.path, h->mount))
			return &s->cgroup;
	}
	return NULL;
}

/* Where we are ourselves. */
static const char *our_directory(struct planner *p, const struct cgroup_hierarchy *h)
{
	return strcmp(h->own, "/") == 0 ? h->mount
					: arena_printf(plan_arena(p), "%s%s", h->mount, h->own);
}

static const char *own_directory(struct planner *p, const struct cgroup_hierarchy *h)
{
	const struct step_cgroup *made = made_directory(p, h);

	return made ? made->path : our_directory(p, h);
}

/* Whoever may not make a cgroup stays in ours. */
static void add_own_tree(struct planner *p, enum lane lane, const struct cgroup_hierarchy *h,
			 int slot)
{
	const struct step_cgroup *made = made_directory(p, h);

	rootfs_add_tree(
	    p, lane,
	    (struct step_tree){ .slot = slot,
				.path = own_directory(p, h),
				.otherwise = made && made->optional ? our_directory(p, h) : NULL });
}

/* Without a cgroup namespace the container gets its own directory of each hierarchy. */
void rootfs_add_cgroup_sources(struct planner *p)
{
	const struct cgroup_facts *facts = &p->facts->cgroup;
	bool wanted = false;

	for (size_t i = 0; i < p->spec->n_mounts; i++)
		wanted = wanted || (rootfs_is_cgroup(&p->rootfs->mounts[i]) &&
				    needs_hierarchies(p, &p->rootfs->mounts[i]));
	/* systemd's are there later, and init finds them by their paths. */
	if (!wanted || spec_namespace(p->spec, CLONE_NEWCGROUP) || p->options->systemd_cgroup)
		return;
	p->rootfs->cgroup_trees = arena_array(plan_arena(p), facts->n, sizeof(int));
	for (size_t i = 0; p->rootfs->cgroup_trees && i < facts->n; i++) {
		if (!is_v1(&facts->v[i]))
			continue;
		p->rootfs->cgroup_trees[i] = plan_slot(p);
		add_own_tree(p, LANE_HOST, &facts->v[i], p->rootfs->cgroup_trees[i]);
	}
}

/*
 * A user namespace may mount its own cgroup namespace only. Where it has none of its own, or may
 * not, the host's mount is bound; of it, as runc does, no more than the cgroup namespace would
 * show.
 */
static const char *v2_fallback(struct planner *p)
{
	const struct cgroup_facts *facts = &p->facts->cgroup;

	if (!p->facts->in_userns && !spec_namespace(p->spec, CLONE_NEWUSER))
		return NULL;
	for (size_t i = 0; i < facts->n && spec_namespace(p->spec, CLONE_NEWCGROUP); i++)
		if (facts->v[i].controllers[0] == '\0')
			return own_directory(p, &facts->v[i]);
	return "/sys/fs/cgroup";
}

static void add_v2(struct planner *p, const struct rootfs_mount *m)
{

	plan_add(p, LANE_INIT,
		 (struct step){ .kind = STEP_MOUNT,
				.mount = {
				    .source = m->spec->source,
				    .destination = m->destination,
				    .type = "cgroup2",
				    .tree = SLOT_NONE,
				    .keep = SLOT_NONE,
				    .dir = SLOT_NONE,
				    .attr_set = m->options.attr_set,
				    .propagation = m->options.propagation,
				    .fallback = v2_fallback(p),
				    .n_options = m->options.n_data,
				    .options = m->options.data,
				} });
}

/* "cpu,cpuacct" and "name=systemd" as options of a file system. */
static void set_controllers(struct planner *p, const char *controllers, struct step_mount *step)
{
	char *text = arena_strndup(plan_arena(p), controllers, strlen(controllers));
	struct mount_option *options =
	    arena_array(plan_arena(p), strlen(controllers) + 1, sizeof(*options));
	char *rest = NULL;

	if (!text || !options)
		return;
	for (char *s = strtok_r(text, ",", &rest); s; s = strtok_r(NULL, ",", &rest)) {
		char *equals = strchr(s, '=');

		if (equals)
			*equals = '\0';
		options[step->n_options++] = (struct mount_option){ s, equals ? equals + 1 : NULL };
	}
	step->options = options;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void add_hierarchy(struct planner *p, const struct rootfs_mount *m, size_t i)
{
	const struct cgroup_hierarchy *h = &p->facts->cgroup.v[i];
	struct step_mount step = {
		.source = "cgroup",
		.destination =
		    arena_printf(plan_arena(p), "%s/%s", m->destination, base_name(h->mount)),
		.type = "cgroup",
		.tree = SLOT_NONE,
		.keep = SLOT_NONE,
		.dir = SLOT_NONE,
		.attr_set = USUAL | (m->options.attr_set & MOUNT_ATTR_RDONLY),
	};

	if (spec_namespace(p->spec, CLONE_NEWCGROUP)) {
		set_controllers(p, h->controllers, &step);
	} else {
		step.type = "bind";
		step.source = own_directory(p, h);
		step.propagation = rootfs_default_propagation(p);
		step.tree = p->rootfs->cgroup_trees ? p->rootfs->cgroup_trees[i] : plan_slot(p);
		if (!p->rootfs->cgroup_trees)
			add_own_tree(p, LANE_INIT, h, step.tree);
	}
	plan_add(p, LANE_INIT, (struct step){ .kind = STEP_MOUNT, .mount = step });
}

/* cpu -> cpu,cpuacct: programs look for a controller under its own name. */
static void add_links(struct planner *p, const struct rootfs_mount *m, int dir,
		      const struct cgroup_hierarchy *h)
{
	const char *target = base_name(h->mount);

	for (const char *s = target; strchr(target, ',') && *s;) {
		size_t len = strcspn(s, ",");
		const char *name = arena_strndup(plan_arena(p), s, len);

		plan_add(
		    p, LANE_INIT,
		    (struct step){ .kind = STEP_LINK,
				   .link = { .target = target,
					     .path = arena_printf(plan_arena(p), "%s/%s",
								  m->destination, name ? name : ""),
					     .dir = dir } });
		s += len + (s[len] == ',');
	}
}

static void add_directory(struct planner *p, const struct rootfs_mount *m, int slot)
{
	static const struct mount_option mode[] = { { "mode", "755" } };
	struct mount_option *labelled;
	struct step_mount step = {
		.source = "cgroup",
		.destination = m->destination,
		.type = "tmpfs",
		.tree = SLOT_NONE,
		.keep = slot,
		.dir = SLOT_NONE,
		.attr_set = USUAL,
		.propagation = m->options.propagation,
		.n_options = 1,
		.options = mode,
	};

	labelled = p->rootfs->label ? arena_array(plan_arena(p), 2, sizeof(*labelled)) : NULL;
	if (labelled) {
		labelled[0] = mode[0];
		labelled[1] = (struct mount_option){ "context", p->rootfs->label };
		step.options = labelled;
		step.n_options = 2;
	}
	plan_add(p, LANE_INIT, (struct step){ .kind = STEP_MOUNT, .mount = step });
}

static void add_hierarchies(struct planner *p, struct rootfs_mount *m)
{
	const struct cgroup_facts *facts = &p->facts->cgroup;
	int slot = plan_slot(p);

	add_directory(p, m, slot);
	for (size_t i = 0; i < facts->n; i++)
		if (is_v1(&facts->v[i]))
			add_hierarchy(p, m, i);
	for (size_t i = 0; i < facts->n; i++)
		if (is_v1(&facts->v[i]))
			add_links(p, m, slot, &facts->v[i]);
	if (m->options.attr_set & MOUNT_ATTR_RDONLY)
		m->late_read_only = slot;
}

void rootfs_add_cgroup(struct planner *p, struct rootfs_mount *m)
{
	if (p->facts->cgroup.mode == CGROUP_NONE) {
		(void)err_say(p->err, -ENODEV,
			      "mounts[%zu]: no cgroup file system is mounted on this host",
			      m->index);
		(void)err_hint(p->err, "remove the mount of type %s at %s", m->spec->type,
			       m->destination);
		return;
	}
	if (needs_hierarchies(p, m))
		add_hierarchies(p, m);
	else
		add_v2(p, m);
}
