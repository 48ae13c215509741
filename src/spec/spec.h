/*
 * spec.h - what is to be run: the OCI runtime specification 1.3 as types, one to one.
 *
 * Every way in (config.json, the command line, the library) ends here. Names are those of the
 * specification in snake case. Strings are NUL-terminated and never contain a NUL of their own; a
 * missing string is NULL, a missing array has n == 0, a missing number has has == false. All memory
 * belongs to the arena that the spec was read into. A spec is never changed once it is checked.
 *
 * Source: https://github.com/opencontainers/runtime-spec, config.md and config-linux.md, 1.3.0.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct opt_u64 {
	bool has;
	uint64_t value;
};

struct opt_i64 {
	bool has;
	int64_t value;
};

struct opt_bool {
	bool has, value;
};

struct spec_strings {
	size_t n;
	char **v; /* v[n] == NULL, so that v can be argv or envp; NULL when n == 0 */
};

/* A JSON object whose values are strings (annotations, sysctl, unified), in the order of the file.
 */
struct spec_pair {
	const char *key, *value;
};

struct spec_pairs {
	size_t n;
	struct spec_pair *v;
};

/* ---- process ------------------------------------------------------------------------------ */

struct spec_box {
	uint16_t height, width;
};

struct spec_user {
	uint32_t uid, gid;
	struct opt_u64 umask; /* at most 0777 */
	size_t n_additional_gids;
	uint32_t *additional_gids;
};

struct spec_capabilities {
	bool has; /* the object was given, maybe empty */
	uint64_t bounding, effective, inheritable, permitted, ambient; /* bit n: capability n */
};

struct spec_rlimit {
	int resource; /* RLIMIT_* */
	const char *type;
	uint64_t hard, soft;
};

struct spec_scheduler {
	bool has;
	uint32_t policy; /* SCHED_* */
	int32_t nice, priority;
	uint64_t flags; /* SCHED_FLAG_* */
	uint64_t runtime, deadline, period;
};

struct spec_io_priority {
	bool has;
	uint32_t class;   /* IOPRIO_CLASS_* */
	int32_t priority; /* 0 to 7 */
};

struct spec_affinity {
	const char *initial, *final; /* CPU lists such as "0-3,7" */
};

struct spec_process {
	bool has;
	bool terminal;
	struct spec_box console_size;
	struct spec_user user;
	struct spec_strings args, env;
	const char *cwd;
	struct spec_capabilities capabilities;
	size_t n_rlimits;
	struct spec_rlimit *rlimits;
	bool no_new_privileges;
	const char *apparmor_profile, *selinux_label;
	struct opt_i64 oom_score_adj;
	struct spec_scheduler scheduler;
	struct spec_io_priority io_priority;
	struct spec_affinity exec_cpu_affinity;
};

/* ---- file systems ------------------------------------------------------------------------- */

struct spec_root {
	bool has;
	const char *path; /* relative to the bundle unless absolute */
	bool readonly;
};

struct spec_id_mapping {
	uint32_t container_id, host_id, size;
};

struct spec_id_mappings {
	size_t n;
	struct spec_id_mapping *v;
};

struct spec_mount {
	const char *destination, *type, *source;
	struct spec_strings options;
	struct spec_id_mappings uid_mappings, gid_mappings;
};

/* ---- hooks -------------------------------------------------------------------------------- */

struct spec_hook {
	const char *path;
	struct spec_strings args, env;
	struct opt_i64 timeout; /* seconds, above 0 */
};

struct spec_hook_list {
	size_t n;
	struct spec_hook *v;
};

struct spec_hooks {
	struct spec_hook_list prestart, create_runtime, create_container, start_container,
	    poststart, poststop;
};

/* ---- linux -------------------------------------------------------------------------------- */

struct spec_namespace {
	int flag;                /* CLONE_NEW* */
	const char *type, *path; /* path NULL: a new one */
};

struct spec_time_offset {
	bool has;
	int64_t secs;
	uint32_t nanosecs;
};

struct spec_device {
	char type; /* 'c', 'u', 'b' or 'p' */
	const char *path;
	int64_t major, minor;
	struct opt_u64 file_mode; /* permission bits */
	struct opt_u64 uid, gid;
};

struct spec_net_device {
	const char *host, *name; /* name NULL: keep the host's */
};

/* linux.resources */
struct spec_device_rule {
	bool allow;
	char type;                   /* 'a', 'c' or 'b' */
	struct opt_i64 major, minor; /* absent or -1: any */
	const char *access;          /* letters out of "rwm" */
};

struct spec_memory {
	struct opt_i64 limit, reservation, swap, kernel, kernel_tcp; /* bytes, -1: unlimited */
	struct opt_u64 swappiness;                                   /* 0 to 100 */
	struct opt_bool disable_oom_killer, use_hierarchy, check_before_update;
};

struct spec_cpu {
	struct opt_u64 shares, burst, period, realtime_period;
	struct opt_i64 quota, realtime_runtime, idle;
	const char *cpus, *mems;
};

struct spec_blkio_device {
	int64_t major, minor;
	struct opt_u64 weight, leaf_weight, rate;
};

struct spec_blkio_devices {
	size_t n;
	struct spec_blkio_device *v;
};

struct spec_blkio {
	struct opt_u64 weight, leaf_weight;
	struct spec_blkio_devices weight_device;
	struct spec_blkio_devices throttle_read_bps, throttle_write_bps, throttle_read_iops,
	    throttle_write_iops;
};

struct spec_hugepage_limit {
	const char *page_size;
	uint64_t limit;
};

struct spec_net_priority {
	const char *name;
	uint32_t priority;
};

struct spec_rdma {
	const char *device;
	struct opt_u64 hca_handles, hca_objects;
};

struct spec_resources {
	bool has;
	size_t n_devices;
	struct spec_device_rule *devices;
	struct spec_memory memory;
	struct spec_cpu cpu;
	struct opt_i64 pids_limit;
	struct spec_blkio block_io;
	size_t n_hugepage_limits;
	struct spec_hugepage_limit *hugepage_limits;
	struct opt_u64 net_class_id;
	size_t n_net_priorities;
	struct spec_net_priority *net_priorities;
	size_t n_rdma;
	struct spec_rdma *rdma;
	struct spec_pairs unified;
};

/* linux.seccomp */
struct spec_seccomp_arg {
	uint32_t index; /* 0 to 5 */
	uint32_t op;    /* enum scmp_compare's values: SCMP_CMP_NE 1 … SCMP_CMP_MASKED_EQ 7 */
	uint64_t value, value_two;
};

/* The condition of a rule in Docker's form of the profile: applies if all of these hold. */
struct spec_seccomp_filter {
	uint64_t caps;              /* all of these capabilities */
	struct spec_strings arches; /* one of these, Docker's names such as "amd64" */
	const char *min_kernel;     /* "4.8" */
};

struct spec_seccomp_rule {
	struct spec_strings names;
	uint32_t action; /* SECCOMP_RET_* without data */
	struct opt_u64 errno_ret;
	size_t n_args;
	struct spec_seccomp_arg *args;
	struct spec_seccomp_filter includes, excludes; /* never in config.json of OCI */
};

struct spec_seccomp_arch_map {
	const char *architecture; /* "SCMP_ARCH_X86_64" */
	struct spec_strings sub_architectures;
};

struct spec_seccomp {
	bool has;
	uint32_t default_action; /* SECCOMP_RET_* without data */
	struct opt_u64 default_errno_ret;
	struct spec_strings architectures; /* "SCMP_ARCH_*" */
	size_t n_arch_map;
	struct spec_seccomp_arch_map *arch_map; /* Docker's form only */
	uint32_t flags;                         /* SECCOMP_FILTER_FLAG_* */
	const char *listener_path, *listener_metadata;
	size_t n_rules;
	struct spec_seccomp_rule *rules;
};

struct spec_intel_rdt {
	bool has;
	const char *clos_id, *l3_cache_schema, *mem_bw_schema;
	struct spec_strings schemata;
	bool enable_monitoring;
};

struct spec_memory_policy {
	bool has;
	uint32_t mode;     /* MPOL_* */
	const char *nodes; /* "0-1" */
	uint32_t flags;    /* MPOL_F_* */
};

struct spec_personality {
	bool has;
	uint64_t persona; /* PER_LINUX or PER_LINUX32 */
};

struct spec_linux {
	bool has;
	struct spec_id_mappings uid_mappings, gid_mappings;
	struct spec_pairs sysctl;
	struct spec_resources resources;
	const char *cgroups_path;
	size_t n_namespaces;
	struct spec_namespace *namespaces;
	size_t n_devices;
	struct spec_device *devices;
	size_t n_net_devices;
	struct spec_net_device *net_devices;
	struct spec_seccomp seccomp;
	uint64_t rootfs_propagation; /* MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE or 0: none
					given */
	struct spec_strings masked_paths, readonly_paths;
	const char *mount_label;
	struct spec_intel_rdt intel_rdt;
	struct spec_memory_policy memory_policy;
	struct spec_personality personality;
	struct spec_time_offset monotonic_offset, boottime_offset;
};

/* ---- the whole ---------------------------------------------------------------------------- */

/* Where something stands in the text that was read: bytes. */
struct spec_extent {
	uint64_t at, len;
};

struct spec {
	const char *oci_version;
	struct spec_process process;
	struct spec_extent process_text; /* for who wants no more of the file than that; or 0, 0 */
	struct spec_root root;
	const char *hostname, *domainname;
	size_t n_mounts;
	struct spec_mount *mounts;
	struct spec_hooks hooks;
	struct spec_pairs annotations;
	struct spec_linux linux; /* gnu17 defines the macro linux: see meson.build (-Ulinux) */
};

/* The namespace of this type (CLONE_NEW*) that the container gets or joins; NULL: the caller's. */
static inline const struct spec_namespace *spec_namespace(const struct spec *spec, int flag)
{
	for (size_t i = 0; i < spec->linux.n_namespaces; i++)
		if (spec->linux.namespaces[i].flag == flag)
			return &spec->linux.namespaces[i];
	return NULL;
}

static inline bool spec_has_new_namespace(const struct spec *spec, int flag)
{
	const struct spec_namespace *ns = spec_namespace(spec, flag);

	return ns && !ns->path;
}
