#include "bpf.h"

#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void refuse(size_t pc, const char *why)
{
	(void)fprintf(stderr, "the kernel refuses this program: instruction %zu %s\n", pc, why);
	exit(1);
}

/* kernel/seccomp.c: seccomp_check_filter(); net/core/filter.c: bpf_check_classic(). */
void bpf_check(const struct sock_filter *insns, size_t n)
{
	if (n == 0 || n > BPF_MAXINSNS)
		refuse(n, "is one too many");
	for (size_t i = 0; i < n; i++) {
		const struct sock_filter *in = &insns[i];

		switch (in->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (in->k % 4 != 0 || in->k >= sizeof(struct seccomp_data))
				refuse(i, "loads from beyond");
			break;
		case BPF_JMP | BPF_JA:
			if (in->k >= n - i - 1)
				refuse(i, "jumps beyond");
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
		case BPF_JMP | BPF_JGT | BPF_K:
		case BPF_JMP | BPF_JGE | BPF_K:
		case BPF_JMP | BPF_JSET | BPF_K:
			if (i + in->jt + 1U >= n || i + in->jf + 1U >= n)
				refuse(i, "jumps beyond");
			break;
		case BPF_ALU | BPF_AND | BPF_K:
		case BPF_RET | BPF_K:
			break;
		default:
			refuse(i, "is not allowed");
		}
	}
	if (BPF_CLASS(insns[n - 1].code) != BPF_RET)
		refuse(n - 1, "does not return");
}

static uint32_t load(const struct call *call, uint32_t offset)
{
	uint32_t words[16] = { call->nr, call->arch };

	for (int i = 0; i < 6; i++) {
		uint32_t upper = (uint32_t)(call->args[i] >> 32), lower = (uint32_t)call->args[i];

		words[4 + 2 * i] = call->is_big_endian ? upper : lower;
		words[5 + 2 * i] = call->is_big_endian ? lower : upper;
	}
	return words[offset / 4];
}

static bool test(const struct sock_filter *in, uint32_t a)
{
	switch (BPF_OP(in->code)) {
	case BPF_JEQ:
		return a == in->k;
	case BPF_JGT:
		return a > in->k;
	case BPF_JGE:
		return a >= in->k;
	default:
		return (a & in->k) != 0;
	}
}

struct verdict bpf_run(const struct sock_filter *insns, size_t n, const struct call *call)
{
	struct verdict v = { 0 };
	uint32_t a = 0;

	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *in = &insns[pc];

		v.steps++;
		switch (BPF_CLASS(in->code)) {
		case BPF_LD:
			a = load(call, in->k);
			v.reads_args |= in->k >= 16;
			break;
		case BPF_ALU:
			a &= in->k;
			break;
		case BPF_JMP:
			if (BPF_OP(in->code) == BPF_JA)
				pc += in->k;
			else
				pc += test(in, a) ? in->jt : in->jf;
			break;
		default:
			v.action = in->k;
			return v;
		}
	}
	refuse(n, "is reached");
	return v;
}
