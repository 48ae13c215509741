/*
 * cgroup.h - how cgroups are mounted on this host, and where we are in them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

enum cgroup_mode {
	CGROUP_NONE,
	CGROUP_V1,     /* v1 hierarchies only */
	CGROUP_V2,     /* /sys/fs/cgroup is cgroup2 */
	CGROUP_HYBRID, /* v1 hierarchies, and cgroup2 at /sys/fs/cgroup/unified */
};

struct cgroup_hierarchy {
	const char *controllers; /* "memory", "cpu,cpuacct", "name=systemd"; "" for v2 */
	const char *mount;       /* "/sys/fs/cgroup/memory" */
	const char *own;         /* our own path in it, "/" at its root */
};

struct cgroup_facts {
	enum cgroup_mode mode;
	size_t n;
	struct cgroup_hierarchy *v;
	const char *v2_controllers; /* cgroup.controllers of the v2 root, "" if none, or not read */
};

/* "none", "v1", "v2" or "hybrid". */
const char *cgroup_mode_name(enum cgroup_mode mode);

/* How cgroups are mounted: one or two system calls. Never CGROUP_NONE: v1 is what is left. */
enum cgroup_mode cgroup_mode_read(void);

/*
 * All of it: four system calls on v2, three for its controllers, which only limits depend on, and
 * one for each hierarchy of v1; one more for each in which we are not at the root.
 */
int cgroup_facts_read(bool controllers, struct arena *arena, struct cgroup_facts *ret,
		      struct err *err);
