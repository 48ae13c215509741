/*
 * cgroup_part.h - what the files about cgroups share: linux.resources as a list of values for
 * files.
 */
#pragma once

#include "plan/cgroup.h"

/* One value for one file, as it stands in linux.resources. */
struct cgroup_setting {
	struct cgroup_setting *next;
	const char *controller;   /* that the file belongs to: "memory", "io" (v2), "blkio" (v1) */
	const char *key;          /* "memory.limit": linux.resources goes before it in messages */
	const char *file, *value; /* no file: this version of cgroups has no such limit */
	const char *other_file, *other_value; /* where the kernel has no such file */
	bool optional;                        /* where the kernel has no such file, do without */
};

struct cgroup_settings {
	struct arena *arena;
	struct err *err; /* err->code is set when something cannot be had */
	struct cgroup_setting *first, *last;
};

/* The settings that a plan puts to use: those of v1 where v1 has the controller, else of v2. */
struct cgroup_work {
	struct cgroup_settings v1, v2;
};

/* linux.resources, checked against what this host has; p->err->code is set when it has not. */
void cgroup_translate(struct planner *p, struct cgroup_work *ret);

/* All directories of the container with their limits. */
void add_cgroup_directories(struct planner *p);

/* linux.resources for the back ends, in the order in which the kernel takes them. */
void cgroup_v1_settings(struct cgroup_settings *s, const struct spec_resources *r);
void cgroup_v2_settings(struct cgroup_settings *s, const struct spec_resources *r);

/* Someone without rights over the host: has the cgroups that were delegated to it, maybe none. */
bool cgroup_is_rootless(const struct planner *p);

/* "a//./b/" becomes "/a/b"; NULL with a message that names `key` where a part is "..". */
const char *cgroup_clean_path(struct planner *p, const char *key, const char *path);

/*
 * cgroup_owner.c: whether the container may make cgroups below its own, and then the user of the
 * host that it does so as.
 */
bool cgroup_owner(const struct planner *p, uid_t *ret);

/* cgroup_devices.c: the steps for linux.resources.devices in one directory. */
void add_cgroup_devices_v1(struct planner *p, struct step_cgroup dir);
void add_cgroup_devices_v2(struct planner *p, struct step_cgroup dir);

/* ---- cgroup_settings.c: for the translations ------------------------------------------------- */

/* Appends a setting; NULL when memory is short, which the arena remembers. */
struct cgroup_setting *cgroup_set(struct cgroup_settings *s, const char *key,
				  const char *controller, const char *file, const char *value);

/* The same for what is done without where the kernel does not have it. */
void cgroup_set_optional(struct cgroup_settings *s, const char *key, const char *controller,
			 const char *file, const char *value);

/* For what has two names, by kernel. */
void cgroup_set_either(struct cgroup_settings *s, struct cgroup_setting either);

/* For what this version of cgroups does not have: refused, unless the other one takes it. */
void cgroup_set_none(struct cgroup_settings *s, const char *key, const char *controller);

const char *cgroup_number(struct cgroup_settings *s, int64_t value);
const char *cgroup_unsigned(struct cgroup_settings *s, uint64_t value);

/* "max" for what is below 0, else the number. */
const char *cgroup_max(struct cgroup_settings *s, int64_t value);

/* A line of blkio or io.max: "8:0 1048576", "8:0 rbps=1048576". */
const char *cgroup_device_line(struct cgroup_settings *s, const struct spec_blkio_device *d,
			       const char *before, uint64_t value);

/* Given, and not 0, which is what engines send for "not set". */
bool cgroup_wants_i64(struct opt_i64 value);
bool cgroup_wants_u64(struct opt_u64 value);

/* Refuses a memory limit with which no program could be started. */
void cgroup_check_memory(struct cgroup_settings *s, const struct spec_memory *m);

/* What differs in nothing, or in the end of a file's name. */
void cgroup_set_pids(struct cgroup_settings *s, const struct spec_resources *r);
void cgroup_set_hugetlb(struct cgroup_settings *s, const struct spec_resources *r,
			const char *suffix);
void cgroup_set_rdma(struct cgroup_settings *s, const struct spec_resources *r);
void cgroup_set_unified(struct cgroup_settings *s, const struct spec_resources *r, bool v2);
