/*
 * describe_parts.h - between describe.c, describe_parts.c and describe_mount.c.
 */
#pragma once

#include "base/buf.h"
#include "ops/ops.h"

typedef void (*step_sentence)(const struct step *s, struct buf *out);

/* NULL: the kind has no arguments, and its sentence is fixed. */
extern const step_sentence step_sentences[STEP_KINDS];

struct describe_flag {
	uint64_t flag;
	const char *name;
};

/* The names of those that are set, with commas. */
void describe_flags(struct buf *out, const struct describe_flag *names, size_t n, uint64_t flags);
