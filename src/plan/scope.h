/*
 * scope.h - a container's cgroup that systemd makes: the unit, its slice, what systemd is told of
 * its limits. The cgroups and limits themselves are as with the cgroup file system (cgroup.h).
 */
#pragma once

#include "plan/cgroup_part.h"

/* linux.cgroupsPath as "SLICE:PREFIX:NAME", and what is usual where a part is missing. */
struct plan_scope {
	const char *slice, *unit, *description;
	const char *path; /* "/machine.slice/containr-c1.scope", below the manager's cgroup */
};

/* False with a message. */
bool plan_scope_read(struct planner *p, struct plan_scope *ret);

/*
 * The container's directory in a hierarchy, or NULL with a message. v1 has one below the scope: of
 * the scope's own systemd takes back what it does not know of, device rules among them.
 */
const char *plan_scope_directory(struct planner *p, const struct cgroup_hierarchy *h);

/* After init was made, which waits: systemd begins to make the scope around it. */
void add_scope(struct planner *p);

/* systemd is waited for; directories and limits follow. */
void add_scope_cgroup(struct planner *p);

/* update: what systemd is to know of it, in plan->scope. */
void plan_scope_update(struct planner *p, const char *unit, bool user);

/* exec: whether only systemd can move a process there. */
bool plan_scope_attaches(const struct planner *p);
void add_scope_attach(struct planner *p);

/* ---- scope_limits.c --------------------------------------------------------------------------
 */

/* What systemd has a property for, in its terms: appended to ret, which has room for `room`. */
size_t scope_limits(struct planner *p, const struct cgroup_settings *settings, bool v2,
		    struct dbus_property *ret, size_t room);

/* The annotations org.systemd.property.NAME; false with a message. */
bool scope_annotations(struct planner *p, struct dbus_property *ret, size_t room, size_t *n);
