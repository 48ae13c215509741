/*
 * stats.h - what a container uses, as JSON.
 */
#pragma once

#include "base/buf.h"
#include "ops/cgroup_dirs.h"

/* One object in the form of runc's events (its types/events.go). */
void stats_json(const struct cgroup_dirs *dirs, struct buf *out);
