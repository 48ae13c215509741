/*
 * cgroup_victim.h - whom the kernel killed for want of memory: the cgroups only count them.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct cgroup_victim {
	char name[16]; /* as the process called itself; "" if nobody is known */
	pid_t pid;
};

/*
 * The last one of the cgroup in a directory of the memory controller, or of one below it, as the
 * kernel's log has it. Who may not read the log learns nothing, and the kernel tells of ten in five
 * seconds at most.
 */
void cgroup_victim_find(const char *dir, struct cgroup_victim *ret);

/* The same of one record of the log: "6,1234,5678,-;oom-kill:…". False: it tells of another. */
bool cgroup_victim_parse(const char *record, const char *dir, struct cgroup_victim *ret);
