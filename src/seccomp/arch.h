/*
 * arch.h - the architectures a filter can be made for, and what differs between them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "seccomp/syscalls.h"

struct seccomp_arch {
	const char *name;   /* "SCMP_ARCH_X86_64", as config.json has it */
	const char *docker; /* "amd64", as includes.arches has it; NULL where Docker does not run */
	uint32_t audit;     /* seccomp_data.arch */
	uint32_t base;      /* the number of the first call */
	enum syscall_table table;
	bool is_64bit; /* arguments are compared with 64 bits */
	bool is_big_endian;
	uint32_t socketcall, ipc; /* offsets of the calls that stand for many; 0: none */
};

/* x32 has the audit value of x86_64 and differs by this bit of the number. */
#define SECCOMP_X32_BIT 0x40000000u

const struct seccomp_arch *arch_find(const char *name); /* NULL: unknown */
const struct seccomp_arch *arch_native(void);           /* what this program was built for */

/* All of them in turn; NULL after the last one. */
const struct seccomp_arch *arch_at(unsigned int i);
