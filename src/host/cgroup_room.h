/*
 * cgroup_room.h - whether a container of ours can be given a controller, and if not, who would have
 * to give it.
 */
#pragma once

#include "base/buf.h"
#include "host/cgroup.h"

enum cgroup_lack {
	CGROUP_LACKS_NOTHING,
	CGROUP_LACKS_CONTROLLER, /* the kernel, or the container that we are in, does not have it */
	CGROUP_LACKS_DELEGATION, /* it is not given on to `parent` by `giver` */
	CGROUP_LACKS_RIGHTS,     /* `parent` is not ours to make cgroups in */
	CGROUP_LACKS_WRITING,    /* `parent` is mounted read-only, as in most containers */
};

struct cgroup_room {
	enum cgroup_lack lack;
	bool v1;
	const char *parent; /* directory in which the container's is made; NULL: there is none */
	const char *giver;  /* directory whose cgroup.subtree_control lacks the controller */
};

/* "memory", "cpu", "io" (or "blkio"), … for a container without a cgroupsPath. */
void cgroup_room_find(const struct cgroup_facts *facts, const char *controller, struct arena *arena,
		      struct cgroup_room *ret);

/*
 * Why a controller cannot be had, in words, and what would give it, a command where there is one.
 */
void cgroup_room_say(const struct cgroup_room *room, const char *controller, struct buf *why,
		     struct buf *remedy);
