#include "spec/names.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/resource.h>

/* What follows is younger than the oldest headers that we build with. */
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

#define ROW(constant)                                                                              \
	{                                                                                          \
#constant, constant                                                                \
	}

const struct spec_name spec_capability_names[] = {
	ROW(CAP_CHOWN),
	ROW(CAP_DAC_OVERRIDE),
	ROW(CAP_DAC_READ_SEARCH),
	ROW(CAP_FOWNER),
	ROW(CAP_FSETID),
	ROW(CAP_KILL),
	ROW(CAP_SETGID),
	ROW(CAP_SETUID),
	ROW(CAP_SETPCAP),
	ROW(CAP_LINUX_IMMUTABLE),
	ROW(CAP_NET_BIND_SERVICE),
	ROW(CAP_NET_BROADCAST),
	ROW(CAP_NET_ADMIN),
	ROW(CAP_NET_RAW),
	ROW(CAP_IPC_LOCK),
	ROW(CAP_IPC_OWNER),
	ROW(CAP_SYS_MODULE),
	ROW(CAP_SYS_RAWIO),
	ROW(CAP_SYS_CHROOT),
	ROW(CAP_SYS_PTRACE),
	ROW(CAP_SYS_PACCT),
	ROW(CAP_SYS_ADMIN),
	ROW(CAP_SYS_BOOT),
	ROW(CAP_SYS_NICE),
	ROW(CAP_SYS_RESOURCE),
	ROW(CAP_SYS_TIME),
	ROW(CAP_SYS_TTY_CONFIG),
	ROW(CAP_MKNOD),
	ROW(CAP_LEASE),
	ROW(CAP_AUDIT_WRITE),
	ROW(CAP_AUDIT_CONTROL),
	ROW(CAP_SETFCAP),
	ROW(CAP_MAC_OVERRIDE),
	ROW(CAP_MAC_ADMIN),
	ROW(CAP_SYSLOG),
	ROW(CAP_WAKE_ALARM),
	ROW(CAP_BLOCK_SUSPEND),
	ROW(CAP_AUDIT_READ),
	{ "CAP_PERFMON", 38 },            /* 5.8 */
	{ "CAP_BPF", 39 },                /* 5.8 */
	{ "CAP_CHECKPOINT_RESTORE", 40 }, /* 5.9 */
	{ NULL, 0 },
};

const struct spec_name spec_namespace_names[] = {
	{ "pid", CLONE_NEWPID },       { "network", CLONE_NEWNET }, { "mount", CLONE_NEWNS },
	{ "ipc", CLONE_NEWIPC },       { "uts", CLONE_NEWUTS },     { "user", CLONE_NEWUSER },
	{ "cgroup", CLONE_NEWCGROUP }, { "time", CLONE_NEWTIME },   { NULL, 0 },
};

const struct spec_name spec_rlimit_names[] = {
	ROW(RLIMIT_AS),     ROW(RLIMIT_CORE),   ROW(RLIMIT_CPU),        ROW(RLIMIT_DATA),
	ROW(RLIMIT_FSIZE),  ROW(RLIMIT_LOCKS),  ROW(RLIMIT_MEMLOCK),    ROW(RLIMIT_MSGQUEUE),
	ROW(RLIMIT_NICE),   ROW(RLIMIT_NOFILE), ROW(RLIMIT_NPROC),      ROW(RLIMIT_RSS),
	ROW(RLIMIT_RTPRIO), ROW(RLIMIT_RTTIME), ROW(RLIMIT_SIGPENDING), ROW(RLIMIT_STACK),
	{ NULL, 0 },
};

/* By number: musl has not all of them (linux/sched.h cannot stand beside sched.h). */
const struct spec_name spec_scheduler_policy_names[] = {
	{ "SCHED_OTHER", 0 }, { "SCHED_FIFO", 1 }, { "SCHED_RR", 2 },       { "SCHED_BATCH", 3 },
	{ "SCHED_ISO", 4 },   { "SCHED_IDLE", 5 }, { "SCHED_DEADLINE", 6 }, { NULL, 0 },
};

const struct spec_name spec_scheduler_flag_names[] = {
	{ "SCHED_FLAG_RESET_ON_FORK", 0x01 },  { "SCHED_FLAG_RECLAIM", 0x02 },
	{ "SCHED_FLAG_DL_OVERRUN", 0x04 },     { "SCHED_FLAG_KEEP_POLICY", 0x08 },
	{ "SCHED_FLAG_KEEP_PARAMS", 0x10 },    { "SCHED_FLAG_UTIL_CLAMP_MIN", 0x20 },
	{ "SCHED_FLAG_UTIL_CLAMP_MAX", 0x40 }, { NULL, 0 },
};

const struct spec_name spec_io_class_names[] = {
	{ "IOPRIO_CLASS_RT", 1 },
	{ "IOPRIO_CLASS_BE", 2 },
	{ "IOPRIO_CLASS_IDLE", 3 },
	{ NULL, 0 },
};

/* With and without r: the propagation of the root is always set recursively, as runc does. */
const struct spec_name spec_propagation_names[] = {
	{ "shared", MS_SHARED },
	{ "rshared", MS_SHARED },
	{ "slave", MS_SLAVE },
	{ "rslave", MS_SLAVE },
	{ "private", MS_PRIVATE },
	{ "rprivate", MS_PRIVATE },
	{ "unbindable", MS_UNBINDABLE },
	{ "runbindable", MS_UNBINDABLE },
	{ NULL, 0 },
};

const struct spec_name spec_device_type_names[] = {
	{ "c", 'c' }, { "u", 'u' }, { "b", 'b' }, { "p", 'p' }, { NULL, 0 },
};

const struct spec_name spec_device_rule_type_names[] = {
	{ "a", 'a' },
	{ "c", 'c' },
	{ "b", 'b' },
	{ NULL, 0 },
};

const struct spec_name spec_personality_names[] = {
	{ "LINUX", PER_LINUX },
	{ "LINUX32", PER_LINUX32 },
	{ NULL, 0 },
};

const struct spec_name spec_memory_policy_names[] = {
	{ "MPOL_DEFAULT", 0 },
	{ "MPOL_PREFERRED", 1 },
	{ "MPOL_BIND", 2 },
	{ "MPOL_INTERLEAVE", 3 },
	{ "MPOL_LOCAL", 4 },
	{ "MPOL_PREFERRED_MANY", 5 },      /* 5.15 */
	{ "MPOL_WEIGHTED_INTERLEAVE", 6 }, /* 6.9 */
	{ NULL, 0 },
};

const struct spec_name spec_memory_policy_flag_names[] = {
	{ "MPOL_F_STATIC_NODES", 1U << 15 },
	{ "MPOL_F_RELATIVE_NODES", 1U << 14 },
	{ "MPOL_F_NUMA_BALANCING", 1U << 13 }, /* 5.12 */
	{ NULL, 0 },
};

const struct spec_name spec_seccomp_action_names[] = {
	{ "SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW },
	{ "SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO },
	{ "SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD },
	{ "SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD },
	{ "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS },
	{ "SCMP_ACT_TRAP", SECCOMP_RET_TRAP },
	{ "SCMP_ACT_TRACE", SECCOMP_RET_TRACE },
	{ "SCMP_ACT_LOG", SECCOMP_RET_LOG },
	{ "SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF },
	{ NULL, 0 },
};

const struct spec_name spec_seccomp_operator_names[] = {
	{ "SCMP_CMP_NE", 1 },        { "SCMP_CMP_LT", 2 }, { "SCMP_CMP_LE", 3 },
	{ "SCMP_CMP_EQ", 4 },        { "SCMP_CMP_GE", 5 }, { "SCMP_CMP_GT", 6 },
	{ "SCMP_CMP_MASKED_EQ", 7 }, { NULL, 0 },
};

const struct spec_name spec_seccomp_flag_names[] = {
	ROW(SECCOMP_FILTER_FLAG_TSYNC),
	ROW(SECCOMP_FILTER_FLAG_LOG),
	ROW(SECCOMP_FILTER_FLAG_SPEC_ALLOW),
	ROW(SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV), /* 5.19 */
	{ NULL, 0 },
};

/* x32 shares the kernel's number with x86_64; the bit of its system call numbers tells them apart.
 */
const struct spec_name spec_seccomp_arch_names[] = {
	{ "SCMP_ARCH_X86_64", AUDIT_ARCH_X86_64 },
	{ "SCMP_ARCH_X86", AUDIT_ARCH_I386 },
	{ "SCMP_ARCH_X32", AUDIT_ARCH_X86_64 },
	{ "SCMP_ARCH_ARM", AUDIT_ARCH_ARM },
	{ "SCMP_ARCH_AARCH64", AUDIT_ARCH_AARCH64 },
	{ "SCMP_ARCH_MIPS", AUDIT_ARCH_MIPS },
	{ "SCMP_ARCH_MIPS64", AUDIT_ARCH_MIPS64 },
	{ "SCMP_ARCH_MIPS64N32", AUDIT_ARCH_MIPS64N32 },
	{ "SCMP_ARCH_MIPSEL", AUDIT_ARCH_MIPSEL },
	{ "SCMP_ARCH_MIPSEL64", AUDIT_ARCH_MIPSEL64 },
	{ "SCMP_ARCH_MIPSEL64N32", AUDIT_ARCH_MIPSEL64N32 },
	{ "SCMP_ARCH_PPC", AUDIT_ARCH_PPC },
	{ "SCMP_ARCH_PPC64", AUDIT_ARCH_PPC64 },
	{ "SCMP_ARCH_PPC64LE", AUDIT_ARCH_PPC64LE },
	{ "SCMP_ARCH_S390", AUDIT_ARCH_S390 },
	{ "SCMP_ARCH_S390X", AUDIT_ARCH_S390X },
	{ "SCMP_ARCH_PARISC", AUDIT_ARCH_PARISC },
	{ "SCMP_ARCH_PARISC64", AUDIT_ARCH_PARISC64 },
	{ "SCMP_ARCH_RISCV64", AUDIT_ARCH_RISCV64 },
	{ "SCMP_ARCH_LOONGARCH64", AUDIT_ARCH_LOONGARCH64 },
	{ "SCMP_ARCH_M68K", AUDIT_ARCH_M68K },
	{ "SCMP_ARCH_SH", AUDIT_ARCH_SHEL },
	{ "SCMP_ARCH_SHEB", AUDIT_ARCH_SH },
	{ NULL, 0 },
};

const struct spec_name spec_errno_names[] = {
	ROW(EPERM),           ROW(ENOENT),       ROW(ESRCH),
	ROW(EINTR),           ROW(EIO),          ROW(ENXIO),
	ROW(EBADF),           ROW(EAGAIN),       ROW(ENOMEM),
	ROW(EACCES),          ROW(EFAULT),       ROW(EBUSY),
	ROW(EEXIST),          ROW(EXDEV),        ROW(ENODEV),
	ROW(ENOTDIR),         ROW(EISDIR),       ROW(EINVAL),
	ROW(ENFILE),          ROW(EMFILE),       ROW(ENOTTY),
	ROW(EFBIG),           ROW(ENOSPC),       ROW(ESPIPE),
	ROW(EROFS),           ROW(EPIPE),        ROW(EDOM),
	ROW(ERANGE),          ROW(ENAMETOOLONG), ROW(ENOSYS),
	ROW(ELOOP),           ROW(ENODATA),      ROW(EOVERFLOW),
	ROW(ENOTSOCK),        ROW(EPROTO),       ROW(EPROTONOSUPPORT),
	ROW(ESOCKTNOSUPPORT), ROW(EOPNOTSUPP),   ROW(EAFNOSUPPORT),
	ROW(EADDRNOTAVAIL),   ROW(ENETDOWN),     ROW(ENETUNREACH),
	ROW(ECONNREFUSED),    ROW(ETIMEDOUT),    ROW(ECANCELED),
	{ NULL, 0 },
};

const struct spec_name *spec_name_find(const struct spec_name *names, const char *name)
{
	for (; names->name; names++)
		if (strcmp(names->name, name) == 0)
			return names;
	return NULL;
}

const char *spec_name_of(const struct spec_name *names, uint64_t value)
{
	for (; names->name; names++)
		if (names->value == value)
			return names->name;
	return NULL;
}

int spec_sysctl_path(const char *key, char *path, size_t size)
{
	size_t len = strlen(key);
	bool has_dots = key[strcspn(key, "./")] == '.';

	if (len >= size)
		return -ENAMETOOLONG;
	memcpy(path, key, len + 1);
	for (; has_dots && *path; path++) {
		if (*path == '.')
			*path = '/';
		else if (*path == '/')
			*path = '.';
	}
	return 0;
}
