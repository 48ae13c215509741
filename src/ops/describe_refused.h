/*
 * describe_refused.h - what a person can do where the kernel refuses a user namespace or a mount in
 * one: for ordinary users, and inside other containers.
 */
#pragma once

#include "base/err.h"
#include "ops/ops.h"

/* Sets the hint, where there is something to say. */
void refused_hint(const struct step *step, int code, enum phase phase, struct err *err);
