/*
 * emit.h - writes BPF from its end to its beginning.
 *
 * Jumps only go forward, so when an instruction is written, all that it can jump to is there, and
 * its distance is known. A label is the number of instructions behind the labelled one. Conditional
 * jumps reach 255 instructions: a label that is too far gets a copy (of a return) or a long jump to
 * it close by, and from then on stands for that, which is why labels are passed by address.
 */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct emitter {
	struct arena *arena;
	struct sock_filter *insns; /* in reverse, until emit_finish */
	uint32_t n, room;
	bool overflow; /* more than BPF_MAXINSNS, or no memory */
};

uint32_t emit_ret(struct emitter *e, uint32_t action);

/* A = 32 bits of seccomp_data at `offset`; A &= mask. */
uint32_t emit_load(struct emitter *e, uint32_t offset, uint32_t next);
uint32_t emit_and(struct emitter *e, uint32_t mask, uint32_t next);

/* `op` is BPF_JEQ, BPF_JGT or BPF_JGE: compares A with k. */
uint32_t emit_jump(struct emitter *e, uint16_t op, uint32_t k, uint32_t *yes, uint32_t *no);

/* Puts the program into the order in which it runs. */
void emit_finish(struct emitter *e);
