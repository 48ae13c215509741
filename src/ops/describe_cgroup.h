/*
 * describe_cgroup.h - steps on cgroups in words, and what a person can do when one failed.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "ops/ops.h"

void describe_cgroup_make(const struct step *s, struct buf *out);
void describe_cgroup_write(const struct step *s, struct buf *out);
void describe_cgroup_devices(const struct step *s, struct buf *out);
void describe_cgroup_join(const struct step *s, struct buf *out);
void describe_cgroup_open(const struct step *s, struct buf *out);

/* Sets the hint, where there is something to say. */
void cgroup_hint(const struct step *step, int code, enum phase phase, struct err *err);
