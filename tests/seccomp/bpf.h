/*
 * bpf.h - runs a seccomp program as the kernel would, in both byte orders.
 */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct call {
	uint32_t arch, nr;
	uint64_t args[6];
	bool is_big_endian;
};

struct verdict {
	uint32_t action;
	bool reads_args; /* so it may depend on them */
	size_t steps;
};

/* Fails the program (exit 1) where the kernel would refuse to load the filter. */
void bpf_check(const struct sock_filter *insns, size_t n);
struct verdict bpf_run(const struct sock_filter *insns, size_t n, const struct call *call);
