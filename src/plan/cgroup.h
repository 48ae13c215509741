/*
 * cgroup.h - where the container's cgroups are, what limits they get, and how init gets into them.
 */
#pragma once

#include "plan/plan.h"

/*
 * The directories, as add_cgroup() will make them: absolute, one in each hierarchy. They are
 * recorded before they are made.
 */
void plan_cgroup_paths(struct planner *p, struct spec_strings *ret);

/* Before spawn: directories and limits, so that init is born inside or enters what is ready. */
void add_cgroup(struct planner *p);

/*
 * v2: the program that limits devices. The kernel takes a while to verify it, so this is beside
 * init, which waits for it before anything of the image runs.
 */
void add_device_program(struct planner *p);

/* Opens those of a container's directories that new limits need, and writes the limits. */
void add_cgroup_update(struct planner *p, const struct spec_strings *dirs);

/* Opens the directories of a container that is there. */
void add_cgroup_open(struct planner *p, const struct spec_strings *dirs);

/* exec, before spawn: the same, or what --cgroup names below them. */
void add_cgroup_of_exec(struct planner *p);

/* The slot for step_spawn.cgroup: what add_cgroup() or add_cgroup_of_exec() planned, or SLOT_NONE.
 */
int plan_cgroup_birth(const struct planner *p);

/*
 * A memory limit so low that the start itself may meet it. Then init gets memory of its own: the
 * kernel kills all who share that of the one that it chooses, and that would be us.
 */
bool plan_memory_is_tight(const struct planner *p);

/*
 * Directly after spawn, the first that init does: it enters the hierarchies that it could not be
 * born in. Before it has a cgroup namespace, whose root is where a process is at that moment.
 */
void add_cgroup_join(struct planner *p);
