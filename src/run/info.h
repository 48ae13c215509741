/*
 * info.h - what this host has of the layers that confine a container, for programs.
 */
#pragma once

#include "base/buf.h"
#include "host/facts.h"

/* An object and a newline, from facts that were read with FACTS_CGROUP and FACTS_LSM. */
void info_json(const struct facts *facts, struct buf *out);
