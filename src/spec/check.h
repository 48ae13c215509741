/*
 * check.h - what a reader of single keys cannot see: rules between keys.
 *
 * Each check is a small function with one reason; check.c lists them in a table. Returns 0, or a
 * negative errno and a message that names the key's path, its value and what is allowed.
 */
#pragma once

#include "base/err.h"
#include "spec/spec.h"

int spec_check(const struct spec *spec, struct err *err);

/* The rules of a process alone, as for exec. */
int spec_check_process(const struct spec_process *process, struct err *err);
