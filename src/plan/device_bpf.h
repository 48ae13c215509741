/*
 * device_bpf.h - a device policy as the program that cgroup v2 wants.
 */
#pragma once

#include <linux/bpf.h>

#include "plan/device_rules.h"

/* The instructions, in the arena: NULL when memory is short. */
const struct bpf_insn *device_bpf_compile(const struct device_policy *policy, struct arena *arena,
					  size_t *ret_n);
