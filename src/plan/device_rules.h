/*
 * device_rules.h - which devices the processes of a container may open and make: the rules of
 * linux.resources.devices as a policy.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "spec/spec.h"

/* Bits of what is done to a device: BPF_DEVCG_ACC_*. */
enum {
	DEVICE_MKNOD = 1,
	DEVICE_READ = 2,
	DEVICE_WRITE = 4,
	DEVICE_ALL = 7,
};

struct device_rule {
	bool allow;
	char type;            /* 'b' or 'c' */
	int64_t major, minor; /* -1: any */
	unsigned int access;
};

/*
 * Every bit of access that is asked for is decided by the last rule that is about this device and
 * this bit; `allow` decides what no rule is about.
 */
struct device_policy {
	bool allow;
	size_t n;
	struct device_rule *rules;
	/*
	 * All rules say the contrary of `allow`, so their order does not matter: the form that
	 * cgroup v1 knows. False where an earlier, wider rule is restricted in part ("all of major
	 * 8, but not 8:1").
	 */
	bool plain;
};

/*
 * The rules of the spec and, after them, those for the devices that every container has. Without
 * any rule all is denied but the latter.
 */
int device_policy_make(const struct spec_linux *linux, struct arena *arena,
		       struct device_policy *ret, struct err *err);
