/*
 * describe_parts.h - between describe.c and describe_parts.c.
 */
#pragma once

#include "base/buf.h"
#include "ops/ops.h"

typedef void (*step_sentence)(const struct step *s, struct buf *out);

/* NULL: the kind has no arguments, and its sentence is fixed. */
extern const step_sentence step_sentences[STEP_KINDS];
