/*
 * tree.h - from ranges of values to a balanced search, whatever the values are: numbers of system
 * calls, or one half of an argument.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "seccomp/emit.h"

struct chain;

/* Where a search ends. Written when it is first needed; many ranges share one. */
struct target {
	enum target_kind {
		TARGET_RET,    /* return `action` */
		TARGET_CHAIN,  /* compare arguments */
		TARGET_CODE,   /* is written already */
		TARGET_EXCEPT, /* `hit` for one value, else `miss` */
	} kind;
	uint32_t label; /* LABEL_NONE until written */
	uint32_t action;
	struct chain *chain;
	uint32_t value;
	struct target *hit, *miss;
};

#define LABEL_NONE UINT32_MAX

/* Values from `start` up to the next range's start. */
struct range {
	uint32_t start;
	struct target *target;
};

struct ranges {
	struct arena *arena;
	struct range *v;
	size_t n, room;
};

/* Starts must ascend. A range with the target of the one before it disappears. */
void ranges_add(struct ranges *r, uint32_t start, struct target *target);

/* Writes the search for A in `r`, which starts at 0 and is used up by this. */
uint32_t tree_emit(struct emitter *e, struct ranges *r);
