/*
 * device_bpf.c - see device_bpf.h.
 *
 * Theory of operation
 *
 * The kernel asks once per open or mknod: struct bpf_cgroup_dev_ctx has the type of the device, the
 * access as bits, major and minor. The rules are tried from the last to the first. R3 holds the
 * bits that no rule has decided yet: a denying rule that meets one of them ends with 0, an allowing
 * one takes its bits out and ends with 1 when none is left. So "rw" is allowed where one rule
 * allows reading and another one writing, and denied where any later rule denies writing.
 */
#include "plan/device_bpf.h"

#include <string.h>

#define INSNS_OF_TESTS   3
#define INSNS_OF_VERDICT 4
#define INSNS_AROUND     8

enum { R0 = BPF_REG_0, CTX = BPF_REG_1, TYPE, ACCESS, MAJOR, MINOR };

static struct bpf_insn load(unsigned int reg, size_t offset)
{
	return (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | BPF_W,
				  .dst_reg = reg & 15,
				  .src_reg = CTX,
				  .off = (int16_t)offset };
}

static struct bpf_insn alu(uint8_t op, unsigned int reg, uint32_t value)
{
	return (struct bpf_insn){ .code = (uint8_t)(BPF_ALU64 | op | BPF_K),
				  .dst_reg = reg & 15,
				  .imm = (int32_t)value };
}

static struct bpf_insn jump(uint8_t op, unsigned int reg, int64_t value, size_t over)
{
	return (struct bpf_insn){ .code = (uint8_t)(BPF_JMP | op | BPF_K),
				  .dst_reg = reg & 15,
				  .off = (int16_t)over,
				  .imm = (int32_t)value };
}

static size_t end_with(struct bpf_insn *at, bool allow)
{
	at[0] = alu(BPF_MOV, R0, allow);
	at[1] = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
	return 2;
}

/* What is done once type and numbers have matched. */
static size_t decide(const struct device_rule *rule, struct bpf_insn *at)
{
	size_t n = 0;

	if (rule->access == DEVICE_ALL)
		return end_with(at, rule->allow);
	if (rule->allow) {
		at[n++] = alu(BPF_AND, ACCESS, ~rule->access);
		at[n++] = jump(BPF_JNE, ACCESS, 0, 2);
	} else {
		at[n++] = jump(BPF_JSET, ACCESS, rule->access, 1);
		at[n++] = (struct bpf_insn){ .code = BPF_JMP | BPF_JA, .off = 2 };
	}
	return n + end_with(at + n, rule->allow);
}

/* The tests jump behind what is decided, and so are written once its length is known. */
static size_t compile_rule(const struct device_rule *rule, struct bpf_insn *at)
{
	struct bpf_insn body[INSNS_OF_VERDICT];
	size_t len = decide(rule, body);
	size_t tests = 1U + (rule->major >= 0) + (rule->minor >= 0), n = 0;
	int type = rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;

	at[n] = jump(BPF_JNE, TYPE, type, len + tests - 1 - n);
	n++;
	if (rule->major >= 0) {
		at[n] = jump(BPF_JNE, MAJOR, rule->major, len + tests - 1 - n);
		n++;
	}
	if (rule->minor >= 0) {
		at[n] = jump(BPF_JNE, MINOR, rule->minor, len + tests - 1 - n);
		n++;
	}
	memcpy(at + n, body, len * sizeof(*body));
	return n + len;
}

/* The kernel has 12 bits for majors and 20 for minors: a rule about more is about no device. */
static bool can_match(const struct device_rule *rule)
{
	return rule->access != 0 && rule->major <= INT32_MAX && rule->minor <= INT32_MAX;
}

const struct bpf_insn *device_bpf_compile(const struct device_policy *policy, struct arena *arena,
					  size_t *ret_n)
{
	struct bpf_insn *insns = arena_array(
	    arena, INSNS_AROUND + policy->n * (INSNS_OF_TESTS + INSNS_OF_VERDICT), sizeof(*insns));
	size_t n = 0;

	if (!insns)
		return NULL;
	insns[n++] = load(TYPE, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	insns[n++] = load(ACCESS, offsetof(struct bpf_cgroup_dev_ctx, access_type));
	insns[n++] = alu(BPF_AND, TYPE, 0xffff);
	insns[n++] = alu(BPF_RSH, ACCESS, 16);
	insns[n++] = load(MAJOR, offsetof(struct bpf_cgroup_dev_ctx, major));
	insns[n++] = load(MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor));
	for (size_t i = policy->n; i-- > 0;)
		if (can_match(&policy->rules[i]))
			n += compile_rule(&policy->rules[i], insns + n);
	n += end_with(insns + n, policy->allow);
	*ret_n = n;
	return insns;
}
