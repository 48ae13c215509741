/*
 * describe_scope.h - steps about a scope of systemd in words, and what to do when they fail.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "ops/ops.h"

void describe_scope(const struct step *s, struct buf *out);
void describe_scope_await(const struct step *s, struct buf *out);
void describe_scope_attach(const struct step *s, struct buf *out);

/* Sets the hint, where there is something to say. */
void describe_scope_hint(const struct step *step, int code, enum phase phase, struct err *err);
