/*
 * cgroup_enter.c - how processes get into the container's cgroups: its first one as it is born, and
 * those of exec, which find the directories there.
 *
 * A further process may be asked into a cgroup that somebody made below the container's own, in all
 * hierarchies ("jobs/1") or in some ("memory:jobs/1"). Below means below: the directory is opened
 * from its mount without a way up or across.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "plan/cgroup.h"
#include "plan/cgroup_part.h"
#include "plan/exec.h"

#define ROOT "/sys/fs/cgroup"

/* ---- exec: directories that are there ---------------------------------------------------------
 */

/* "/sys/fs/cgroup" on v2, else the directory below it. */
static size_t mount_len(const char *path, enum cgroup_mode mode)
{
	const size_t root = strlen(ROOT);

	if (strlen(path) <= root)
		return strlen(path);
	return mode == CGROUP_V2 ? root : root + 1 + strcspn(path + root + 1, "/");
}

static struct step_cgroup directory(struct planner *p, const char *path)
{
	const enum cgroup_mode mode = p->facts->cgroup.mode;
	const char unified[] = ROOT "/unified/";
	const bool v2 = mode == CGROUP_V2 ||
			(mode == CGROUP_HYBRID && strncmp(path, unified, strlen(unified)) == 0);

	return (struct step_cgroup){
		.path = path,
		.mount = arena_strndup(plan_arena(p), path, mount_len(path, mode)),
		.slot = v2 ? SLOT_CGROUP : plan_slot(p),
		.v1 = !v2,
	};
}

void add_cgroup_open(struct planner *p, const struct spec_strings *dirs)
{
	for (size_t i = 0; i < dirs->n; i++) {
		struct step_cgroup dir = directory(p, dirs->v[i]);

		dir.optional = cgroup_is_rootless(p);
		plan_add(p, LANE_HOST, (struct step){ .kind = STEP_CGROUP_OPEN, .cgroup = dir });
	}
}

/* ---- exec: a cgroup below the container's -----------------------------------------------------
 */

/* What stands before the path in "cpu,cpuacct:path": its length; -1: no list of controllers. */
static int prefix_len(const char *wanted)
{
	const char *colon = strchr(wanted, ':');

	return colon ? (int)(colon - wanted) : -1;
}

/* Is `name` an item of the first `len` bytes of a list, "cpu,cpuacct"? */
static bool in_list(const char *list, size_t len, const char *name, size_t name_len)
{
	for (size_t at = 0; at < len;) {
		size_t n = 0;

		while (at + n < len && list[at + n] != ',')
			n++;
		if (n == name_len && strncmp(list + at, name, n) == 0)
			return true;
		at += n + 1;
	}
	return false;
}

/*
 * Has the hierarchy one of the controllers? It is mounted under their names, and v1's named one
 * under its name: "name=systemd" at systemd.
 */
static bool has_one(const struct step_cgroup *dir, const char *controllers, size_t len)
{
	const char *mounted = strrchr(dir->mount, '/') + 1;

	if (!dir->v1)
		return false;
	for (size_t at = 0; mounted[at]; at += mounted[at] == ',') {
		size_t n = strcspn(mounted + at, ",");

		if (in_list(controllers, len, mounted + at, n))
			return true;
		at += n;
	}
	return false;
}

static bool knows(struct planner *p, const char *controller, size_t len)
{
	const struct spec_strings *dirs = &p->exec->cgroups;

	for (size_t i = 0; i < dirs->n; i++) {
		struct step_cgroup dir = directory(p, dirs->v[i]);

		if (has_one(&dir, controller, len))
			return true;
	}
	return false;
}

/* The controllers before the colon: each is there, and none was named before. */
static bool check_controllers(struct planner *p, const char *wanted, size_t nth)
{
	const struct spec_strings *all = &p->exec->sub_cgroups;
	const int len = prefix_len(wanted);

	if (len < 0 && all->n == 1)
		return true;
	for (int at = 0; at <= len;) {
		const char *name = wanted + at;
		const size_t n = strcspn(name, ",:");
		bool twice = in_list(wanted, at > 0 ? (size_t)at - 1 : 0, name, n);

		for (size_t i = 0; i < nth && !twice; i++)
			twice = in_list(all->v[i], (size_t)prefix_len(all->v[i]), name, n);
		if (twice)
			(void)err_say(p->err, -EINVAL, "--cgroup %s: %.*s is named twice", wanted,
				      (int)n, name);
		else if (!knows(p, name, n))
			(void)err_say(p->err, -EINVAL,
				      "--cgroup %s: the container has no cgroup of a controller "
				      "\"%.*s\" alone",
				      wanted, (int)n, name);
		if (p->err->code != 0)
			return false;
		at += (int)n + 1;
	}
	if (len < 0)
		(void)err_say(p->err, -EINVAL,
			      "--cgroup %s: expected CONTROLLER:PATH, since there is more than one",
			      wanted);
	return p->err->code == 0;
}

/* The path of --cgroup for a hierarchy, or NULL: none is meant for it. */
static const char *wanted_below(const struct planner *p, const struct step_cgroup *dir)
{
	const struct spec_strings *all = &p->exec->sub_cgroups;

	for (size_t i = 0; i < all->n; i++) {
		int len = prefix_len(all->v[i]);

		if (len < 0 || has_one(dir, all->v[i], (size_t)len))
			return all->v[i] + len + 1;
	}
	return NULL;
}

/* Each one into the directory that it is meant for. On v1 a controller may be named alone. */
static void open_below(struct planner *p, const char *recorded)
{
	struct step_cgroup dir = directory(p, recorded);
	const char *below = wanted_below(p, &dir);

	if (below)
		below = cgroup_clean_path(p, "--cgroup", below);
	if (p->err->code != 0)
		return;
	dir.optional = cgroup_is_rootless(p) && !below;
	if (below && *below)
		dir.path = arena_printf(plan_arena(p), "%s%s", recorded, below);
	else if (!dir.v1)
		dir.init = p->exec->pid;
	plan_add(p, LANE_HOST, (struct step){ .kind = STEP_CGROUP_OPEN, .cgroup = dir });
}

void add_cgroup_of_exec(struct planner *p)
{
	const struct plan_exec *exec = p->exec;

	if (exec->sub_cgroups.n > 0 && exec->cgroups.n == 0)
		(void)err_say(p->err, -ENOENT, "--cgroup %s: the container has no cgroup",
			      exec->sub_cgroups.v[0]);
	for (size_t i = 0; i < exec->sub_cgroups.n && p->err->code == 0; i++)
		(void)check_controllers(p, exec->sub_cgroups.v[i], i);
	for (size_t i = 0; i < exec->cgroups.n && p->err->code == 0; i++)
		open_below(p, exec->cgroups.v[i]);
}

/* ---- entering ---------------------------------------------------------------------------------
 */

static bool is_directory(const struct step *s)
{
	return s->kind == STEP_CGROUP_MAKE || s->kind == STEP_CGROUP_OPEN;
}

/* CLONE_INTO_CGROUP: Linux 5.7. */
static bool can_be_born_inside(const struct planner *p)
{
	const struct facts *f = p->facts;

	return f->kernel_major > 5 || (f->kernel_major == 5 && f->kernel_minor >= 7);
}

int plan_cgroup_birth(const struct planner *p)
{
	for (size_t i = 0; i < p->plan->n_steps && can_be_born_inside(p); i++)
		if (is_directory(&p->plan->steps[i]) && !p->plan->steps[i].cgroup.v1)
			return SLOT_CGROUP;
	return SLOT_NONE;
}

/* A mount costs one KiB or two of it, and what the kernel keeps for a process a hundred. */
#define TIGHT (8 << 20)

bool plan_memory_is_tight(const struct planner *p)
{
	const struct opt_i64 *limit = &p->spec->linux.resources.memory.limit;

	return limit->has && limit->value > 0 && limit->value < TIGHT;
}

void add_cgroup_join(struct planner *p)
{
	size_t n = p->plan->n_steps;

	for (size_t i = 0; i < n; i++) {
		const struct step *s = &p->plan->steps[i];
		struct step join = { .kind = STEP_CGROUP_JOIN, .cgroup = s->cgroup };

		/* Of those that systemd made itself, init is in. */
		if (is_directory(s) && !s->cgroup.scope &&
		    (s->cgroup.v1 || !can_be_born_inside(p) || p->options->systemd_cgroup))
			plan_add(p, LANE_INIT, join);
	}
}
