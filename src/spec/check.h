/*
 * check.h - what a reader of single keys cannot see: rules between keys, and what a value may say.
 *
 * Each check is a small function with one reason, in a table that is run from top to bottom.
 * Returns 0, or -EINVAL and a message "KEY.PATH: what is wrong, with the value, and what is
 * allowed". The functions of read.h have done these checks already; who builds a spec in another
 * way calls them.
 *
 * Nothing here asks the host: whether it has AppArmor or a time namespace is for the planner.
 */
#pragma once

#include "base/err.h"
#include "spec/spec.h"

int spec_check(const struct spec *spec, struct err *err);

/* The rules of a part alone; paths in messages begin inside the part. */
int spec_check_process(const struct spec_process *process, struct err *err);
int spec_check_resources(const struct spec_resources *resources, struct err *err);
int spec_check_seccomp(const struct spec_seccomp *seccomp, struct err *err);
