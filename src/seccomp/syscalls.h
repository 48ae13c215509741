/*
 * syscalls.h - names and numbers of system calls on all architectures, from one generated table.
 */
#pragma once

#include <stdint.h>

/* Columns of syscalls.inc, in the order of tools/gen-syscalls. */
enum syscall_table {
	TABLE_X86_64,
	TABLE_X86,
	TABLE_X32,
	TABLE_AARCH64,
	TABLE_ARM,
	TABLE_RISCV64,
	TABLE_LOONGARCH64,
	TABLE_PPC64,
	TABLE_PPC,
	TABLE_S390X,
	TABLE_S390,
	TABLE_MIPS,
	TABLE_MIPS64,
	TABLE_MIPS64N32,
	TABLE_PARISC,
	TABLE_PARISC64,
	SYSCALL_TABLES,
};

/*
 * Numbers are offsets from the first number of the architecture. ARM's private calls (set_tls and
 * the like, from 0x0f0000 on) have the offsets from SYSCALL_PRIVATE on.
 */
#define SYSCALL_NONE         0xffffu
#define SYSCALL_PRIVATE      0x4000u
#define SYSCALL_PRIVATE_BASE 0x0f0000u
#define SYSCALL_PRIVATES     16u

/* One more than the greatest offset that is not private. */
uint32_t syscall_span(void);

/* How many rows there are, from 0 on. */
uint32_t syscall_rows(void);

/* The row of a name, or -1. */
int syscall_row(const char *name);

/* The offset of a row's call, or SYSCALL_NONE where the architecture does not have it. */
uint32_t syscall_offset(int row, enum syscall_table table);

/* The name of a row, or NULL beyond the last one. */
const char *syscall_row_name(int row);

/* The name of an offset, or NULL. A search: for messages, not for compiling. */
const char *syscall_name(enum syscall_table table, uint32_t offset);

/* The first argument with which socketcall(2), or ipc(2), means this call; 0: it does not. */
uint32_t syscall_socketcall(int row);
uint32_t syscall_ipc(int row);
