/*
 * syscalls.c - the lookup in the generated table: a hash for names, since a profile has hundreds of
 * them and every start of a container resolves them all.
 */
#include "seccomp/syscalls.h"

#include <stddef.h>
#include <string.h>

#include "seccomp/syscalls.inc"

#define IPC_FLAG 0x80u

_Static_assert(NONE == SYSCALL_NONE, "the generated table and this file disagree");
_Static_assert(SYSCALL_SPAN <= SYSCALL_PRIVATE, "the private offsets overlap");
_Static_assert(sizeof(numbers) / sizeof(numbers[0]) == SYSCALL_ROWS, "rows are missing");

uint32_t syscall_span(void)
{
	return SYSCALL_SPAN;
}

uint32_t syscall_rows(void)
{
	return SYSCALL_ROWS;
}

/* FNV-1a with its high bits folded in; tools/gen-syscalls has the same. */
static uint32_t hash(const char *name)
{
	uint32_t value = 2166136261U;

	for (; *name; name++)
		value = (value ^ (unsigned char)*name) * 16777619U;
	return value ^ value >> 15;
}

int syscall_row(const char *name)
{
	const size_t mask = sizeof(slots) / sizeof(slots[0]) - 1;

	for (size_t at = hash(name) & mask; slots[at] != NONE; at = (at + 1) & mask)
		if (strcmp(names + name_at[slots[at]], name) == 0)
			return slots[at];
	return -1;
}

uint32_t syscall_offset(int row, enum syscall_table table)
{
	return numbers[row][table];
}

const char *syscall_row_name(int row)
{
	return row >= 0 && row < SYSCALL_ROWS ? names + name_at[row] : NULL;
}

const char *syscall_name(enum syscall_table table, uint32_t offset)
{
	for (int row = 0; row < SYSCALL_ROWS && offset != NONE; row++)
		if (numbers[row][table] == offset)
			return names + name_at[row];
	return NULL;
}

uint32_t syscall_socketcall(int row)
{
	return muxes[row] & IPC_FLAG ? 0 : muxes[row];
}

uint32_t syscall_ipc(int row)
{
	return muxes[row] & IPC_FLAG ? muxes[row] & ~IPC_FLAG : 0;
}
