/*
 * describe.h - steps in words: for the plan's listing, traces, error messages and the audit.
 *
 * The sentences are made when somebody reads them. A start makes none, which is worth a tenth of
 * it.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "ops/ops.h"

/* The name of the kind in listings and JSON: "mount", "id-map". */
const char *step_kind_name(enum step_kind kind);

/* A sentence in the imperative, without a full stop: "mount proc on /proc (nosuid,nodev,noexec)".
 */
void step_describe(const struct step *step, struct buf *out);

/* What a step was busy with; "" for none, and for a number that is no phase. */
const char *phase_text(enum phase phase);

/* "chown,kill", or "none". */
void describe_capabilities(uint64_t mask, struct buf *out);

/*
 * Sets the error of a step that failed with `code` in the phase that was reported, in the words
 * that engines look for where there are such words, and a hint where one helps. `number` is the
 * step's.
 */
int step_error(const struct step *step, size_t number, int code, enum phase phase, const char *note,
	       struct err *err);
