/*
 * cgroup.c - see cgroup.h.
 *
 * A container is in every hierarchy that is mounted, under the same name: v1 has one for each
 * controller, v2 is one with all of them, a hybrid host has both. A limit goes to the hierarchy
 * that has its controller. cgroupsPath means what it means to runc: absolute, below the root of
 * each hierarchy; relative or missing, below our own cgroup (v1) or beside it (v2, where a cgroup
 * with processes cannot give controllers to children).
 */
#include "plan/cgroup.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <string.h>

#include "plan/cgroup_part.h"
#include "plan/scope.h"
#include "sys/abi.h"

static bool is_v2(const struct cgroup_hierarchy *h)
{
	return *h->controllers == '\0';
}

bool cgroup_is_rootless(const struct planner *p)
{
	return p->facts->euid != 0 || p->facts->in_userns ||
	       !(p->facts->caps & 1ULL << CAP_SYS_ADMIN);
}

/* ---- paths ------------------------------------------------------------------------------------
 */

const char *cgroup_clean_path(struct planner *p, const char *key, const char *path)
{
	char *out = arena_alloc(plan_arena(p), strlen(path) + 2);
	char *end = out;

	if (!out)
		return NULL;
	for (const char *part = path; *part;) {
		size_t len = strcspn(part, "/");

		if (len == 2 && strncmp(part, "..", 2) == 0) {
			(void)err_say(p->err, -EINVAL, "%s: %s: \"..\" is not allowed", key, path);
			return NULL;
		}
		if (len > 0 && !(len == 1 && *part == '.')) {
			*end++ = '/';
			memcpy(end, part, len);
			end += len;
		}
		part += len;
		part += *part == '/';
	}
	*end = '\0';
	return out;
}

/* The length of the part of a path before its last "/". */
static int parent_len(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (int)(slash - path) : 0;
}

/* What comes before a relative path in a hierarchy. */
static const char *own_parent(const struct planner *p, const struct cgroup_hierarchy *h,
			      int *ret_len)
{
	size_t len = strlen(h->own);

	while (len > 0 && h->own[len - 1] == '/')
		len--;
	*ret_len = (int)len;
	if (p->facts->cgroup.mode == CGROUP_V2)
		*ret_len = parent_len(h->own);
	return h->own;
}

/* Where it is without systemd, or NULL with a message. */
static const char *own_directory(struct planner *p, const struct cgroup_hierarchy *h)
{
	const char *given = p->spec->linux.cgroups_path;
	const char *wanted = given && *given ? given : p->options->id;
	const char *below = cgroup_clean_path(p, "linux.cgroupsPath", wanted), *own = "", *path;
	int own_len = 0;

	if (!below)
		return NULL;
	if (*below == '\0') {
		(void)err_say(p->err, -EINVAL, "linux.cgroupsPath: %s: is the root of all cgroups",
			      wanted);
		return NULL;
	}
	if (*wanted != '/')
		own = own_parent(p, h, &own_len);
	path = arena_printf(plan_arena(p), "%s%.*s%s", h->mount, own_len, own, below);
	if (strlen(path) < PATH_MAX)
		return path;
	(void)err_say(p->err, -ENAMETOOLONG, "linux.cgroupsPath: is longer than %d bytes",
		      PATH_MAX);
	return NULL;
}

/* The container's directory in a hierarchy, or NULL with a message. */
static const char *directory(struct planner *p, const struct cgroup_hierarchy *h)
{
	return p->options->systemd_cgroup ? plan_scope_directory(p, h) : own_directory(p, h);
}

void plan_cgroup_paths(struct planner *p, struct spec_strings *ret)
{
	const struct cgroup_facts *facts = &p->facts->cgroup;
	char **v = arena_array(plan_arena(p), facts->n + 1, sizeof(*v));

	*ret = (struct spec_strings){ 0 };
	if (!v || p->options->no_cgroup)
		return;
	for (size_t i = 0; i < facts->n; i++) {
		const char *path = directory(p, &facts->v[i]);

		if (!path)
			return;
		v[i] = arena_strndup(plan_arena(p), path, strlen(path));
	}
	ret->n = facts->n;
	ret->v = v;
}

/* ---- which hierarchy has which controller -----------------------------------------------------
 */

static bool has_word(const char *list, const char *word, const char *separator)
{
	size_t len = strlen(word);

	for (const char *at = list; *at; at += strspn(at, separator)) {
		size_t n = strcspn(at, separator);

		if (n == len && strncmp(at, word, len) == 0)
			return true;
		at += n;
	}
	return false;
}

/* The v1 hierarchy of a controller, by either name of it, or NULL. */
static const struct cgroup_hierarchy *find_v1(const struct cgroup_facts *facts,
					      const char *controller)
{
	const char *name = strcmp(controller, "io") == 0 ? "blkio" : controller;

	for (size_t i = 0; i < facts->n; i++)
		if (!is_v2(&facts->v[i]) && has_word(facts->v[i].controllers, name, ","))
			return &facts->v[i];
	return NULL;
}

static const struct cgroup_hierarchy *find_v2(const struct cgroup_facts *facts)
{
	for (size_t i = 0; i < facts->n; i++)
		if (is_v2(&facts->v[i]))
			return &facts->v[i];
	return NULL;
}

/* What belongs to no controller ("cgroup.max.depth") every cgroup of v2 has. */
static bool v2_has(const struct cgroup_facts *facts, const char *controller)
{
	const char *name = strcmp(controller, "blkio") == 0 ? "io" : controller;

	return find_v2(facts) && (*name == '\0' || has_word(facts->v2_controllers, name, " "));
}

static void refuse(struct planner *p, const struct cgroup_setting *s)
{
	const struct cgroup_facts *facts = &p->facts->cgroup;

	(void)err_say(p->err, -ENODEV,
		      "linux.resources.%s: the requested cgroup controller `%s` is not available",
		      s->key, s->controller);
	if (facts->mode == CGROUP_NONE)
		(void)err_hint(p->err, "no cgroup file system is mounted at /sys/fs/cgroup");
	else if (facts->mode == CGROUP_V2)
		(void)err_hint(p->err,
			       "%s/cgroup.controllers has \"%s\": boot the kernel with "
			       "cgroup_enable=%s (see /proc/cgroups), have the container that we "
			       "are in given it, or leave the limit out",
			       facts->v[0].mount, facts->v2_controllers, s->controller);
	else
		(void)err_hint(p->err,
			       "no hierarchy below /sys/fs/cgroup has it: see /proc/cgroups");
}

static void refuse_version(struct planner *p, const struct cgroup_setting *s, int version)
{
	(void)err_say(p->err, -EOPNOTSUPP,
		      "linux.resources.%s: there is no such limit in cgroup v%d", s->key, version);
	(void)err_hint(p->err, "leave it out: this host has the controller in cgroup v%d", version);
}

/* Each setting must have somewhere to go: a limit that was asked for is not dropped. */
static void check_settings(struct planner *p, const struct cgroup_settings *settings, int version)
{
	const struct cgroup_facts *facts = &p->facts->cgroup;

	for (const struct cgroup_setting *s = settings->first; s; s = s->next) {
		bool on_v1 = find_v1(facts, s->controller);
		bool on_v2 = !on_v1 && v2_has(facts, s->controller);

		if (!on_v1 && !on_v2 && !s->optional)
			refuse(p, s);
		else if (!s->file && (version == 1 ? on_v1 : on_v2))
			refuse_version(p, s, version);
		if (p->err->code != 0)
			return;
	}
}

void cgroup_translate(struct planner *p, struct cgroup_work *ret)
{
	const struct spec_resources *r = &p->spec->linux.resources;

	ret->v1 = ret->v2 = (struct cgroup_settings){ plan_arena(p), p->err, NULL, NULL };
	if (p->facts->cgroup.mode != CGROUP_V2) {
		cgroup_v1_settings(&ret->v1, r);
		check_settings(p, &ret->v1, 1);
	}
	if (p->err->code == 0 && find_v2(&p->facts->cgroup)) {
		cgroup_v2_settings(&ret->v2, r);
		check_settings(p, &ret->v2, 2);
	}
}

/* ---- steps ------------------------------------------------------------------------------------
 */

static bool belongs(const struct planner *p, const struct cgroup_hierarchy *h,
		    const struct cgroup_setting *s)
{
	const struct cgroup_hierarchy *v1 = find_v1(&p->facts->cgroup, s->controller);

	return is_v2(h) ? !v1 && (v2_has(&p->facts->cgroup, s->controller) || !s->optional)
			: v1 == h;
}

/* The controllers that a v2 directory needs: "memory pids"; NULL: none. */
static const char *needed_controllers(struct planner *p, const struct cgroup_hierarchy *h,
				      const struct cgroup_settings *settings)
{
	const char *list = NULL;

	for (const struct cgroup_setting *s = settings->first; s; s = s->next) {
		if (!belongs(p, h, s) || *s->controller == '\0' ||
		    (list && has_word(list, s->controller, " ")))
			continue;
		list = list ? arena_printf(plan_arena(p), "%s %s", list, s->controller)
			    : s->controller;
	}
	return list;
}

/* The first limit that is to be set in a hierarchy, "memory.limit", or NULL. */
static const char *first_limit(struct planner *p, const struct cgroup_hierarchy *h,
			       const struct cgroup_settings *settings)
{
	for (const struct cgroup_setting *s = settings->first; s; s = s->next)
		if (belongs(p, h, s))
			return s->key;
	return NULL;
}

static void add_settings(struct planner *p, const struct cgroup_hierarchy *h,
			 const struct cgroup_settings *settings, struct step_cgroup dir)
{
	for (const struct cgroup_setting *s = settings->first; s; s = s->next) {
		if (!belongs(p, h, s))
			continue;
		dir.file = s->file;
		dir.value = s->value;
		dir.other_file = s->other_file;
		dir.other_value = s->other_value;
		dir.optional = s->optional;
		plan_add(p, LANE_HOST, (struct step){ .kind = STEP_CGROUP_WRITE, .cgroup = dir });
	}
}

static void add_make(struct planner *p, const struct cgroup_hierarchy *h,
		     const struct cgroup_settings *settings, struct step_cgroup dir)
{
	dir.limit = first_limit(p, h, settings);
	dir.optional = cgroup_is_rootless(p) && !dir.limit;
	if (dir.v1)
		dir.inherit = has_word(h->controllers, "cpuset", ",");
	else
		dir.controllers = needed_controllers(p, h, settings);
	if (p->facts->cgroup.mode == CGROUP_V2)
		dir.delegate = cgroup_owner(p, &dir.owner);
	/* systemd has made it, and put init in. */
	dir.scope = p->options->systemd_cgroup && p->facts->cgroup.mode == CGROUP_V2;
	dir.optional &= !dir.scope;
	plan_add(p, LANE_HOST,
		 (struct step){ .kind = dir.scope ? STEP_CGROUP_OPEN : STEP_CGROUP_MAKE,
				.cgroup = dir });
}

/*
 * Who has no rights over the host cannot limit devices, and need not: in a user namespace nobody
 * makes any, and those that are there open as their permissions say.
 */
static bool limits_devices(const struct planner *p, const struct cgroup_hierarchy *h)
{
	const struct cgroup_hierarchy *v1 = find_v1(&p->facts->cgroup, "devices");

	return !cgroup_is_rootless(p) && (v1 ? v1 == h : is_v2(h));
}

static void add_hierarchy(struct planner *p, const struct cgroup_hierarchy *h,
			  const struct cgroup_work *work)
{
	const struct cgroup_settings *settings = is_v2(h) ? &work->v2 : &work->v1;
	struct step_cgroup dir = {
		.path = directory(p, h),
		.mount = h->mount,
		.slot = is_v2(h) ? SLOT_CGROUP : plan_slot(p),
		.v1 = !is_v2(h),
	};

	if (!dir.path)
		return;
	add_make(p, h, settings, dir);
	add_settings(p, h, settings, dir);
	if (dir.v1 && limits_devices(p, h))
		add_cgroup_devices_v1(p, dir);
}

void add_device_program(struct planner *p)
{
	const struct cgroup_hierarchy *h = find_v2(&p->facts->cgroup);
	struct step_cgroup dir = { .slot = SLOT_CGROUP };

	if (!h || !limits_devices(p, h) || p->options->no_cgroup)
		return;
	dir.path = directory(p, h);
	dir.mount = h->mount;
	if (dir.path)
		add_cgroup_devices_v2(p, dir);
}

static bool can_limit_devices(const struct planner *p)
{
	return cgroup_is_rootless(p) || find_v2(&p->facts->cgroup) ||
	       find_v1(&p->facts->cgroup, "devices");
}

void add_cgroup_directories(struct planner *p)
{
	const struct cgroup_facts *facts = &p->facts->cgroup;
	struct cgroup_work work;

	if (!can_limit_devices(p)) {
		(void)err_say(p->err, -ENODEV,
			      "limit devices: the requested cgroup controller "
			      "`devices` is not available");
		(void)err_hint(p->err,
			       "mount cgroup v2 at /sys/fs/cgroup, or v1 with devices below");
		return;
	}
	cgroup_translate(p, &work);
	for (size_t i = 0; i < facts->n && p->err->code == 0; i++)
		add_hierarchy(p, &facts->v[i], &work);
}

/* What cannot be without a cgroup is refused: a limit, and a guard over devices that are made. */
static void check_without(struct planner *p)
{
	const uint64_t mknod = 1ULL << CAP_MKNOD;
	struct cgroup_settings v2 = { plan_arena(p), p->err, NULL, NULL };

	cgroup_v2_settings(&v2, &p->spec->linux.resources);
	if (p->err->code == 0 && v2.first) {
		(void)err_say(p->err, -EINVAL, "linux.resources.%s: cannot be set without a cgroup",
			      v2.first->key);
		(void)err_hint(p->err, "leave it out, or let the cgroup be made (--cgroup-manager "
				       "cgroupfs or systemd)");
	} else if (!cgroup_is_rootless(p) && !spec_namespace(p->spec, CLONE_NEWUSER) &&
		   (p->spec->process.capabilities.bounding & mknod)) {
		(void)err_say(p->err, -EINVAL,
			      "without a cgroup nothing limits devices, and CAP_MKNOD would make "
			      "any of the host's");
		(void)err_hint(p->err, "drop it (--cap-drop mknod), or use a user namespace");
	}
}

void add_cgroup(struct planner *p)
{
	if (p->options->no_cgroup)
		check_without(p);
	else if (!p->options->systemd_cgroup)
		add_cgroup_directories(p);
}

/* ---- update -----------------------------------------------------------------------------------
 */

/* The recorded directory in a hierarchy, or NULL. */
static const char *recorded_in(const struct cgroup_hierarchy *h, const struct spec_strings *dirs)
{
	size_t len = strlen(h->mount);

	for (size_t i = 0; i < dirs->n; i++)
		if (strncmp(dirs->v[i], h->mount, len) == 0 && dirs->v[i][len] == '/')
			return dirs->v[i];
	return NULL;
}

static void update_hierarchy(struct planner *p, const struct cgroup_hierarchy *h,
			     const struct cgroup_settings *settings,
			     const struct spec_strings *dirs)
{
	struct step_cgroup dir = {
		.path = recorded_in(h, dirs),
		.mount = h->mount,
		.slot = is_v2(h) ? SLOT_CGROUP : plan_slot(p),
		.v1 = !is_v2(h),
	};

	if (!first_limit(p, h, settings))
		return;
	if (!dir.path) {
		(void)err_say(p->err, -ENOENT,
			      "the container has no cgroup below %s to set limits in", h->mount);
		return;
	}
	if (!dir.v1)
		dir.controllers = needed_controllers(p, h, settings);
	plan_add(p, LANE_HOST, (struct step){ .kind = STEP_CGROUP_OPEN, .cgroup = dir });
	add_settings(p, h, settings, dir);
}

void add_cgroup_update(struct planner *p, const struct spec_strings *dirs)
{
	const struct cgroup_facts *facts = &p->facts->cgroup;
	struct cgroup_work work;

	cgroup_translate(p, &work);
	for (size_t i = 0; i < facts->n && p->err->code == 0; i++)
		update_hierarchy(p, &facts->v[i], is_v2(&facts->v[i]) ? &work.v2 : &work.v1, dirs);
}
