/*
 * namespaces.h - parts of the sequence about namespaces; their order is in sequence.c.
 */
#pragma once

#include "plan/plan.h"

void add_namespace_fds(struct planner *p);
void add_netns(struct planner *p);
void add_netns_up(struct planner *p);
/* Before anybody of the container can see init: before its birth, unless only its owner could write
 * its maps. */
void add_undumpable(struct planner *p);
void add_spawn(struct planner *p);
/* Before init is born it is our own, which init inherits. */
void add_parent_oom_score(struct planner *p);
void add_id_maps(struct planner *p);
void add_birth(struct planner *p);
void add_namespaces(struct planner *p);
/* Of a user namespace: after it made its time namespace, before anything enters that. */
void add_clocks(struct planner *p);
void add_network_join(struct planner *p);
void add_names(struct planner *p);

/* As /proc/PID/uid_map wants it. */
const char *plan_map_text(struct planner *p, const struct spec_id_mappings *maps);

/* Does the new user namespace have the caller's own id alone, mapped by the caller himself? */
bool plan_maps_own_id(const struct planner *p);

/* Does the parent write the maps while it is dumpable still? It has no rights but its user's. */
bool maps_come_first(const struct planner *p);

/* Is the network namespace made beside, and joined by init later? */
bool host_makes_net(const struct planner *p);

/* Joins the network namespace that is made beside, if that is not done yet: sysfs belongs to it. */
void add_netns_before_sysfs(struct planner *p);
