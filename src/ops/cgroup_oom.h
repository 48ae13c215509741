/*
 * cgroup_oom.h - tells when a container runs out of memory.
 */
#pragma once

#include "ops/cgroup_dirs.h"

struct cgroup_oom {
	int fd;       /* to poll for `events`; -1: nothing tells */
	short events; /* POLLIN or POLLPRI */
	int control;  /* v1: memory.oom_control, which the event is about */
	uint64_t seen;
	const struct cgroup_dir *dir;
};

#define CGROUP_OOM_NONE                                                                            \
	{                                                                                          \
		.fd = -1, .control = -1                                                            \
	}

/* `dirs` stay as long as it is used. Without a memory controller nothing is watched. */
int cgroup_oom_watch(const struct cgroup_dirs *dirs, struct cgroup_oom *ret, struct err *err);

/* After poll: whether there was a shortage since it was asked last. */
bool cgroup_oom_happened(struct cgroup_oom *oom);

void cgroup_oom_done(struct cgroup_oom *oom);
