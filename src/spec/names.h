/*
 * names.h - the words of config.json and the numbers that the kernel has for them.
 *
 * Each table ends with a row whose name is NULL.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct spec_name {
	const char *name;
	uint64_t value;
};

/* Numbers are those of the capability, 0 to 63; names begin with "CAP_". */
extern const struct spec_name spec_capability_names[];

extern const struct spec_name spec_namespace_names[];          /* CLONE_NEW* */
extern const struct spec_name spec_rlimit_names[];             /* RLIMIT_* */
extern const struct spec_name spec_scheduler_policy_names[];   /* SCHED_* */
extern const struct spec_name spec_scheduler_flag_names[];     /* SCHED_FLAG_* */
extern const struct spec_name spec_io_class_names[];           /* IOPRIO_CLASS_* */
extern const struct spec_name spec_propagation_names[];        /* MS_SHARED and so on */
extern const struct spec_name spec_device_type_names[];        /* the letter */
extern const struct spec_name spec_device_rule_type_names[];   /* the letter */
extern const struct spec_name spec_personality_names[];        /* PER_* */
extern const struct spec_name spec_memory_policy_names[];      /* MPOL_* */
extern const struct spec_name spec_memory_policy_flag_names[]; /* MPOL_F_* */
extern const struct spec_name spec_seccomp_action_names[];     /* SECCOMP_RET_* */
extern const struct spec_name spec_seccomp_operator_names[];   /* as in struct spec_seccomp_arg */
extern const struct spec_name spec_seccomp_flag_names[];       /* SECCOMP_FILTER_FLAG_* */
extern const struct spec_name spec_seccomp_arch_names[]; /* AUDIT_ARCH_*; x32 has that of x86_64 */
extern const struct spec_name spec_errno_names[];        /* those that a seccomp profile may want */

/* The row with this name, or NULL. */
const struct spec_name *spec_name_find(const struct spec_name *names, const char *name);

/* The name of the first row with this number, or NULL. */
const char *spec_name_of(const struct spec_name *names, uint64_t value);

/*
 * The path below /proc/sys of a key of linux.sysctl, as sysctl(8) understands it: with dots between
 * the parts ("net.ipv4.conf.eno2/100.rp_filter", where a slash stands for a dot) or, if the first
 * separator is a slash, as it is ("net/ipv4/conf/eno2.100/rp_filter"). 0, or -ENAMETOOLONG.
 */
int spec_sysctl_path(const char *key, char *path, size_t size);
