/*
 * scope.c - see scope.h.
 *
 * The names are those of runc (its docs/systemd.md): a slice "a-b.slice" is in "a.slice", the scope
 * is PREFIX-NAME.scope. The path is known before the scope is made, and written down.
 */
#include "plan/scope.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "plan/exec.h"

#define PREFIX        "containr"
#define MAX_UNIT_NAME 255 /* systemd's UNIT_NAME_MAX */
#define BELOW         "/container"

static bool refuse(struct planner *p, const char *why)
{
	(void)err_say(p->err, -EINVAL, "linux.cgroupsPath: \"%s\": %s", p->spec->linux.cgroups_path,
		      why);
	return false;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len >= n && strcmp(text + len - n, end) == 0;
}

static bool is_unit_name(const char *name)
{
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr(":_.\\-", *c))
			return false;
	return *name && strlen(name) <= MAX_UNIT_NAME;
}

/* ---- slices -----------------------------------------------------------------------------------
 */

/* "a-b.slice": neither an empty part nor anything that is no name. */
static bool is_slice(const char *slice)
{
	if (strcmp(slice, "-.slice") == 0)
		return true;
	return is_unit_name(slice) && ends_with(slice, ".slice") && *slice != '-' &&
	       !strstr(slice, "--") && !ends_with(slice, "-.slice") &&
	       strcmp(slice, ".slice") != 0 && !strchr(slice, ':');
}

/* "a-b.slice" becomes "/a.slice/a-b.slice", "-.slice" becomes "". */
static const char *expand(struct planner *p, const char *slice)
{
	const size_t len = strlen(slice) - strlen(".slice");
	const char *path = "";

	if (strcmp(slice, "-.slice") == 0)
		return path;
	for (size_t i = 1; i <= len; i++)
		if (i == len || slice[i] == '-')
			path = arena_printf(plan_arena(p), "%s/%.*s.slice", path, (int)i, slice);
	return path;
}

/* ---- names ------------------------------------------------------------------------------------
 */

/* Of an id only '+' is no part of a unit's name: systemd-escape(1) has it so. */
static const char *escape(struct planner *p, const char *id)
{
	const char *name = "";

	for (const char *c = id; *c; c++)
		name = arena_printf(plan_arena(p), *c == '+' ? "%s\\x2b" : "%s%c", name, *c);
	return name;
}

struct parts {
	const char *slice, *prefix, *name;
};

static bool split(struct planner *p, struct parts *ret)
{
	const char *path = p->spec->linux.cgroups_path;
	const char *first = path ? strchr(path, ':') : NULL;
	const char *second = first ? strchr(first + 1, ':') : NULL;

	if (!path || !*path)
		return true;
	if (!second || strchr(second + 1, ':') || strchr(path, '/'))
		return refuse(p, "expected SLICE:PREFIX:NAME, as in "
				 "\"machine.slice:containr:c1\", since systemd makes the cgroup");
	if (first > path)
		ret->slice = arena_strndup(plan_arena(p), path, (size_t)(first - path));
	ret->prefix = arena_strndup(plan_arena(p), first + 1, (size_t)(second - first - 1));
	ret->name = second + 1;
	if (arena_failed(plan_arena(p)))
		return false;
	if (!is_slice(ret->slice))
		return refuse(p, "what is before the first \":\" is no slice such as "
				 "\"machine.slice\" or \"a-b.slice\"");
	if (*ret->name == '\0')
		return refuse(p, "the name behind the second \":\" is empty");
	if (ends_with(ret->name, ".slice"))
		return refuse(p, "a slice has no processes of its own: expected the name of a "
				 "scope");
	return true;
}

bool plan_scope_read(struct planner *p, struct plan_scope *ret)
{
	struct parts parts = {
		.slice = p->facts->systemd.user ? "user.slice" : "system.slice",
		.prefix = PREFIX,
		.name = escape(p, p->options->id),
	};
	const char *unit;

	if (!split(p, &parts))
		return false;
	unit = arena_printf(plan_arena(p), "%s%s%s.scope", parts.prefix, *parts.prefix ? "-" : "",
			    parts.name);
	if (!is_unit_name(unit)) {
		(void)err_say(
		    p->err, -EINVAL,
		    "linux.cgroupsPath: \"%s\" is no name for a unit of systemd: expected "
		    "at most %d of letters, digits and : _ . \\ -",
		    unit, MAX_UNIT_NAME);
		return false;
	}
	*ret = (struct plan_scope){
		.slice = parts.slice,
		.unit = unit,
		.description = arena_printf(plan_arena(p), "containr container %s of %s",
					    p->options->id, p->options->root),
		.path = arena_printf(plan_arena(p), "%s/%s", expand(p, parts.slice), unit),
	};
	return true;
}

const char *plan_scope_directory(struct planner *p, const struct cgroup_hierarchy *h)
{
	struct plan_scope scope;
	const char *path;

	if (!plan_scope_read(p, &scope))
		return NULL;
	path = arena_printf(plan_arena(p), "%s%s%s%s", h->mount, p->facts->systemd.cgroup,
			    scope.path, p->facts->cgroup.mode == CGROUP_V2 ? "" : BELOW);
	if (strlen(path) < PATH_MAX)
		return path;
	(void)err_say(p->err, -ENAMETOOLONG, "linux.cgroupsPath: is longer than %d bytes",
		      PATH_MAX);
	return NULL;
}

/* ---- steps ------------------------------------------------------------------------------------
 */

#define MAX_PROPERTIES 128

static bool limits(struct planner *p, struct dbus_property *ret, size_t *ret_n)
{
	const bool v2 = p->facts->cgroup.mode == CGROUP_V2;
	struct cgroup_work work;

	cgroup_translate(p, &work);
	if (p->err->code != 0)
		return false;
	*ret_n = scope_limits(p, v2 ? &work.v2 : &work.v1, v2, ret, MAX_PROPERTIES);
	return true;
}

static bool make_scope(struct planner *p, struct step_scope *ret)
{
	struct dbus_property *properties =
	    arena_array(plan_arena(p), MAX_PROPERTIES, sizeof(*properties));
	struct plan_scope scope;
	size_t n;

	if (!properties || !plan_scope_read(p, &scope) || !limits(p, properties, &n) ||
	    !scope_annotations(p, properties, MAX_PROPERTIES, &n))
		return false;
	*ret = (struct step_scope){ scope.unit,
				    scope.slice,
				    scope.description,
				    p->facts->systemd.user,
				    p->facts->systemd.bus,
				    n,
				    properties };
	return true;
}

void add_scope(struct planner *p)
{
	struct step step = { .kind = STEP_SYSTEMD_SCOPE };

	if (p->options->systemd_cgroup && p->err->code == 0 && make_scope(p, &step.scope))
		plan_add(p, LANE_HOST, step);
}

void add_scope_cgroup(struct planner *p)
{
	const size_t n = p->plan->n_steps;

	for (size_t i = 0; i < n && p->err->code == 0; i++) {
		struct step step = p->plan->steps[i];

		if (step.kind != STEP_SYSTEMD_SCOPE)
			continue;
		step.kind = STEP_SYSTEMD_AWAIT;
		plan_add(p, LANE_HOST, step);
		add_cgroup_directories(p);
	}
}

/* ---- update -----------------------------------------------------------------------------------
 */

void plan_scope_update(struct planner *p, const char *unit, bool user)
{
	struct dbus_property *properties =
	    arena_array(plan_arena(p), MAX_PROPERTIES, sizeof(*properties));
	size_t n;

	if (!properties || !limits(p, properties, &n) || n == 0)
		return;
	p->plan->scope = (struct step_scope){
		.unit = unit, .user = user, .n_properties = n, .properties = properties
	};
}

/* ---- exec -------------------------------------------------------------------------------------
 */

/*
 * A user moves processes only within what was delegated to him, which begins at his systemd's own
 * cgroup. A login's is beside that: from there systemd has it done by the system's.
 */
bool plan_scope_attaches(const struct planner *p)
{
	const struct plan_exec *exec = p->exec;
	const struct cgroup_facts *facts = &p->facts->cgroup;
	size_t len = exec->systemd_root ? strlen(exec->systemd_root) : 0;

	if (len == 0 || !exec->systemd_user || facts->mode != CGROUP_V2 || facts->n == 0 ||
	    exec->sub_cgroups.n > 0)
		return false;
	return strncmp(facts->v[0].own, exec->systemd_root, len) != 0 ||
	       (facts->v[0].own[len] != '/' && facts->v[0].own[len] != '\0');
}

void add_scope_attach(struct planner *p)
{
	struct step step = { .kind = STEP_SYSTEMD_ATTACH,
			     .scope = { .unit = p->exec->systemd_unit, .user = true } };

	if (plan_scope_attaches(p))
		plan_add(p, LANE_HOST, step);
}
