/*
 * chain.h - calls that are decided by their arguments: rules in the order in which they are tried.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "seccomp/emit.h"
#include "seccomp/tree.h"
#include "spec/spec.h"

struct chain_rule {
	uint32_t action; /* with its data */
	size_t n_args;
	const struct spec_seccomp_arg *args;
	struct target *target; /* returns `action` */
	struct chain_rule *next;
};

struct chain {
	struct arena *arena;
	bool is_64bit, is_big_endian;
	size_t n_rules;
	struct chain_rule *rules; /* the strictest action first */
	struct target *otherwise;
};

/* Puts the rule behind those that are as strict: 0, -ENOMEM or -E2BIG (it cannot fit the kernel).
 */
int chain_add(struct chain *c, const struct chain_rule *rule);

bool chain_equal(const struct chain *a, const struct chain *b);

/* Writes the chain; its beginning loads what it needs. */
uint32_t chain_emit(struct emitter *e, struct chain *c);
