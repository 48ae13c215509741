/*
 * landlock.h - the kernel's interface of Landlock as of Linux 6.15 (ABI 7), which the headers of
 * older systems know in part. Numbers are the same on every architecture
 * (include/uapi/linux/landlock.h).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sys/abi.h"
#include "sys/raw.h"

#define LANDLOCK_CREATE_RULESET_VERSION 1U

enum landlock_rule {
	LANDLOCK_RULE_PATH = 1,
	LANDLOCK_RULE_PORT = 2,
};

/* Rights to files, with the ABI that brought them where it is not the first. */
#define LANDLOCK_FS_EXECUTE     (1ULL << 0)
#define LANDLOCK_FS_WRITE_FILE  (1ULL << 1)
#define LANDLOCK_FS_READ_FILE   (1ULL << 2)
#define LANDLOCK_FS_READ_DIR    (1ULL << 3)
#define LANDLOCK_FS_REMOVE_DIR  (1ULL << 4)
#define LANDLOCK_FS_REMOVE_FILE (1ULL << 5)
#define LANDLOCK_FS_MAKE_CHAR   (1ULL << 6)
#define LANDLOCK_FS_MAKE_DIR    (1ULL << 7)
#define LANDLOCK_FS_MAKE_REG    (1ULL << 8)
#define LANDLOCK_FS_MAKE_SOCK   (1ULL << 9)
#define LANDLOCK_FS_MAKE_FIFO   (1ULL << 10)
#define LANDLOCK_FS_MAKE_BLOCK  (1ULL << 11)
#define LANDLOCK_FS_MAKE_SYM    (1ULL << 12)
#define LANDLOCK_FS_REFER       (1ULL << 13) /* 2: Linux 5.19 */
#define LANDLOCK_FS_TRUNCATE    (1ULL << 14) /* 3: Linux 6.2 */
#define LANDLOCK_FS_IOCTL_DEV   (1ULL << 15) /* 5: Linux 6.10 */

#define LANDLOCK_NET_BIND_TCP    (1ULL << 0) /* 4: Linux 6.7 */
#define LANDLOCK_NET_CONNECT_TCP (1ULL << 1)

#define LANDLOCK_SCOPE_UNIX   (1ULL << 0) /* 6: Linux 6.12; abstract Unix sockets */
#define LANDLOCK_SCOPE_SIGNAL (1ULL << 1)

/* 7: Linux 6.15. What a program does after execve() is not in the audit log without it. */
#define LANDLOCK_LOG_NEW_EXEC (1U << 1)

/* Those of them that make sense for what is not a directory. */
#define LANDLOCK_FS_OF_FILES                                                                       \
	(LANDLOCK_FS_EXECUTE | LANDLOCK_FS_WRITE_FILE | LANDLOCK_FS_READ_FILE |                    \
	 LANDLOCK_FS_TRUNCATE | LANDLOCK_FS_IOCTL_DEV)

/* Kernels that know less accept the longer struct if the rest is zero. */
struct landlock_attr {
	uint64_t fs, net, scoped;
};

struct landlock_path_attr {
	uint64_t access;
	int32_t fd;
} __attribute__((packed));

struct landlock_port_attr {
	uint64_t access, port;
};

static inline int sys_landlock_create_ruleset(const struct landlock_attr *attr, size_t size,
					      uint32_t flags)
{
	return (int)sys_call_3(SYS_landlock_create_ruleset, attr, size, flags);
}

static inline int sys_landlock_add_rule(int ruleset, enum landlock_rule type, const void *rule)
{
	return (int)sys_call_4(SYS_landlock_add_rule, ruleset, type, rule, 0);
}

static inline int sys_landlock_restrict_self(int ruleset, uint32_t flags)
{
	return (int)sys_call_2(SYS_landlock_restrict_self, ruleset, flags);
}
