#include "plan/device_bpf.h"
#include "plan/device_rules.h"

#include <errno.h>
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- an interpreter for the few instructions that there are ------------------------------------
 */

static uint64_t operand(const struct bpf_insn *in, const uint64_t reg[])
{
	return in->code & BPF_X ? reg[in->src_reg] : (uint64_t)(int64_t)in->imm;
}

static uint64_t jump_taken(const struct bpf_insn *in, const uint64_t reg[])
{
	uint64_t value = operand(in, reg);

	switch (in->code & 0xf0) {
	case BPF_JEQ:
		return reg[in->dst_reg] == value;
	case BPF_JNE:
		return reg[in->dst_reg] != value;
	case BPF_JGT:
		return reg[in->dst_reg] > value;
	case BPF_JSET:
		return (reg[in->dst_reg] & value) != 0;
	default:
		fail_msg("jump %02x is not known here", in->code);
		return 0;
	}
}

static void compute(const struct bpf_insn *in, uint64_t reg[])
{
	uint64_t value = operand(in, reg);

	switch (in->code & 0xf0) {
	case BPF_MOV:
		reg[in->dst_reg] = value;
		break;
	case BPF_AND:
		reg[in->dst_reg] &= value;
		break;
	case BPF_OR:
		reg[in->dst_reg] |= value;
		break;
	case BPF_LSH:
		assert_true(value < 64);
		reg[in->dst_reg] <<= value;
		break;
	case BPF_RSH:
		assert_true(value < 64);
		reg[in->dst_reg] >>= value;
		break;
	default:
		fail_msg("operation %02x is not known here", in->code);
	}
}

static bool interpret(const struct bpf_insn *insns, size_t n, const struct bpf_cgroup_dev_ctx *ctx)
{
	uint64_t reg[11] = { 0 };

	for (size_t at = 0; at < n; at++) {
		const struct bpf_insn *in = &insns[at];

		if (in->code == (BPF_JMP | BPF_EXIT))
			return reg[0];
		if ((in->code & 7) == BPF_JMP && jump_taken(in, reg))
			at += (size_t)in->off;
		if ((in->code & 7) == BPF_LDX)
			memcpy(&reg[in->dst_reg], (const char *)ctx + in->off, 4);
		if (in->code == (BPF_LD | BPF_IMM | BPF_DW))
			reg[in->dst_reg] = (uint32_t)in->imm | (uint64_t)(uint32_t)insns[++at].imm
								   << 32;
		if ((in->code & 7) == BPF_ALU64)
			compute(in, reg);
	}
	fail_msg("the program runs over its end");
	return false;
}

/* ---- what the specification means, in the plainest words ----------------------------------------
 */

struct request {
	char type;
	uint32_t major, minor;
	unsigned int access;
};

static bool is_about(const struct spec_device_rule *rule, const struct request *q)
{
	return (rule->type == 'a' || rule->type == q->type) &&
	       (!rule->major.has || rule->major.value < 0 || rule->major.value == q->major) &&
	       (!rule->minor.has || rule->minor.value < 0 || rule->minor.value == q->minor);
}

/* The devices of every container, as rules that come last. */
static bool is_always_allowed(const struct request *q, char access)
{
	if (access == 'm')
		return true;
	if (q->type != 'c')
		return false;
	return (q->major == 1 && (q->minor == 3 || q->minor == 5 || q->minor == 7 ||
				  q->minor == 8 || q->minor == 9)) ||
	       (q->major == 5 && (q->minor == 0 || q->minor == 2)) || q->major == 136;
}

static bool expected(const struct spec_linux *linux, const struct request *q)
{
	static const struct {
		unsigned int bit;
		char letter;
	} bits[] = { { DEVICE_MKNOD, 'm' }, { DEVICE_READ, 'r' }, { DEVICE_WRITE, 'w' } };

	for (size_t b = 0; b < 3; b++) {
		bool allow = false;

		if (!(q->access & bits[b].bit))
			continue;
		for (size_t i = 0; i < linux->resources.n_devices; i++) {
			const struct spec_device_rule *rule = &linux->resources.devices[i];

			if (is_about(rule, q) && strchr(rule->access, bits[b].letter))
				allow = rule->allow;
		}
		if (!allow && !is_always_allowed(q, bits[b].letter))
			return false;
	}
	return true;
}

/* What the kernel's v1 controller makes of a default and its exceptions. */
static bool v1_answer(const struct device_policy *policy, const struct request *q)
{
	for (size_t i = 0; i < policy->n; i++) {
		const struct device_rule *e = &policy->rules[i];
		unsigned int common = q->access & e->access;

		if (e->type != q->type || (e->major >= 0 && e->major != q->major) ||
		    (e->minor >= 0 && e->minor != q->minor))
			continue;
		/* A request is covered by one exception as a whole, but denied for any part. */
		if (policy->allow ? common != 0 : common == q->access)
			return !policy->allow;
	}
	return policy->allow;
}

/* ---- the tests ---------------------------------------------------------------------------------
 */

#define N(x)                                                                                       \
	{                                                                                          \
		true, x                                                                            \
	}
#define ANY                                                                                        \
	{                                                                                          \
		false, 0                                                                           \
	}

static struct request single(char type, uint32_t major, uint32_t minor, unsigned int access)
{
	return (struct request){ type, major, minor, access };
}

static bool ask(const struct bpf_insn *insns, size_t n, const struct request *q)
{
	struct bpf_cgroup_dev_ctx ctx = {
		.access_type =
		    q->access << 16 | (q->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
		.major = q->major,
		.minor = q->minor,
	};

	return interpret(insns, n, &ctx);
}

static bool answer(const struct spec_linux *linux, struct request q)
{
	struct device_policy policy;
	struct arena arena = { 0 };
	struct err err;
	size_t n = 0;
	const struct bpf_insn *insns;
	bool allowed;

	assert_int_equal(device_policy_make(linux, &arena, &policy, &err), 0);
	insns = device_bpf_compile(&policy, &arena, &n);
	assert_non_null(insns);
	allowed = ask(insns, n, &q);
	arena_done(&arena);
	return allowed;
}

static void denies_what_no_rule_allows(void **state)
{
	struct spec_linux linux = { 0 };

	(void)state;
	assert_false(answer(&linux, single('b', 8, 0, DEVICE_READ)));
	assert_false(answer(&linux, single('c', 10, 229, DEVICE_READ)));
	assert_true(answer(&linux, single('c', 1, 3, DEVICE_READ | DEVICE_WRITE)));
	assert_true(answer(&linux, single('c', 136, 7, DEVICE_READ | DEVICE_WRITE)));
	assert_true(answer(&linux, single('b', 8, 0, DEVICE_MKNOD)));
}

static void lets_the_last_rule_decide(void **state)
{
	struct spec_device_rule rules[] = {
		{ false, 'a', ANY, ANY, "rwm" },   { true, 'b', N(8), ANY, "rw" },
		{ false, 'b', N(8), N(1), "w" },   { true, 'c', N(10), N(229), "r" },
		{ true, 'c', N(10), N(229), "w" },
	};
	struct spec_linux linux = { .resources = { .n_devices = 5, .devices = rules } };

	(void)state;
	assert_true(answer(&linux, single('b', 8, 0, DEVICE_READ | DEVICE_WRITE)));
	assert_true(answer(&linux, single('b', 8, 1, DEVICE_READ)));
	/* Another program that looks at whole requests only lets this pass. */
	assert_false(answer(&linux, single('b', 8, 1, DEVICE_READ | DEVICE_WRITE)));
	assert_true(answer(&linux, single('c', 10, 229, DEVICE_READ | DEVICE_WRITE)));
}

static void leaves_a_privileged_container_alone(void **state)
{
	struct spec_device_rule rules[] = { { false, 'a', ANY, ANY, "rwm" },
					    { true, 'a', ANY, ANY, "rwm" } };
	struct spec_linux linux = { .resources = { .n_devices = 2, .devices = rules } };
	struct device_policy policy;
	struct arena arena = { 0 };
	struct err err;

	(void)state;
	assert_int_equal(device_policy_make(&linux, &arena, &policy, &err), 0);
	assert_true(policy.plain && policy.allow);
	assert_int_equal(policy.n, 0);
	arena_done(&arena);
}

static void keeps_out_a_device_that_the_spec_redefines(void **state)
{
	struct spec_device device = { .type = 'c', .path = "/dev/null", .major = 1, .minor = 3 };
	struct spec_linux linux = { .n_devices = 1, .devices = &device };

	(void)state;
	assert_false(answer(&linux, single('c', 1, 3, DEVICE_READ)));
}

static void names_a_wrong_access(void **state)
{
	struct spec_device_rule rules[] = { { true, 'c', ANY, ANY, "rwx" } };
	struct spec_linux linux = { .resources = { .n_devices = 1, .devices = rules } };
	struct device_policy policy;
	struct arena arena = { 0 };
	struct err err;

	(void)state;
	assert_int_equal(device_policy_make(&linux, &arena, &policy, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "devices[0].access: \"rwx\""));
	arena_done(&arena);
}

static struct opt_i64 some_number(unsigned int *seed)
{
	static const int64_t some[] = { -1, 1, 3, 5, 8, 40, 63, 64, 67 };
	int pick = rand_r(seed) % 10;

	return pick == 9 ? (struct opt_i64){ false, 0 } : (struct opt_i64){ true, some[pick] };
}

static void some_rules(unsigned int *seed, struct spec_device_rule *rules, size_t n)
{
	static const char *const accesses[] = { "rwm", "rwm", "rwm", "r", "w", "rw", "m", "wm" };

	for (size_t i = 0; i < n; i++)
		rules[i] = (struct spec_device_rule){
			.allow = rand_r(seed) & 1,
			.type = "abc"[rand_r(seed) % 3],
			.major = some_number(seed),
			.minor = some_number(seed),
			.access = accesses[rand_r(seed) % 8],
		};
}

/* Every request to one list of rules: program, plain form and meaning agree. */
static bool check_list(const struct spec_linux *linux, int round)
{
	static const uint32_t numbers[] = { 0, 1, 3, 5, 8, 40, 63, 64, 67, 136, 4095, 1048575 };
	const int n_numbers = sizeof(numbers) / sizeof(numbers[0]);
	struct device_policy policy;
	struct arena arena = { 0 };
	struct err err;
	const struct bpf_insn *insns;
	size_t n = 0;

	assert_int_equal(device_policy_make(linux, &arena, &policy, &err), 0);
	insns = device_bpf_compile(&policy, &arena, &n);
	for (int i = 0; i < 2 * n_numbers * n_numbers * 7; i++) {
		int at = i / 14;
		struct request q = single("bc"[i % 2], numbers[at % n_numbers],
					  numbers[at / n_numbers], (unsigned int)i / 2 % 7 + 1);
		bool want = expected(linux, &q);

		if (ask(insns, n, &q) != want)
			fail_msg("round %d: %c %u:%u access %u", round, q.type, q.major, q.minor,
				 q.access);
		/* Not more than what is meant; less, where two rules allow one half each. */
		if (policy.plain && v1_answer(&policy, &q) && !want)
			fail_msg("round %d: v1 allows %c %u:%u access %u", round, q.type, q.major,
				 q.minor, q.access);
	}
	arena_done(&arena);
	return policy.plain;
}

/* Lists of rules without plan or taste. */
static void agrees_with_the_specification(void **state)
{
	struct spec_device_rule rules[8];
	unsigned int seed = 20240129;
	size_t plain = 0;

	(void)state;
	for (int round = 0; round < 800; round++) {
		struct spec_linux linux = { .resources = { .devices = rules } };

		linux.resources.n_devices = (size_t)rand_r(&seed) % 9;
		some_rules(&seed, rules, linux.resources.n_devices);
		plain += check_list(&linux, round);
	}
	/* Both forms were there. */
	assert_true(plain > 100 && plain < 760);
}

/* What an engine sends, for every device that there can be around what the rules name. */
static void answers_for_every_device(void **state)
{
	struct spec_device_rule rules[] = {
		{ false, 'a', ANY, ANY, "rwm" },       { true, 'c', N(1), N(5), "rwm" },
		{ true, 'c', N(5), N(1), "rwm" },      { true, 'c', N(10), N(200), "rw" },
		{ true, 'b', N(8), ANY, "r" },         { true, 'b', N(8), N(16), "w" },
		{ false, 'b', N(8), N(63), "r" },      { true, 'c', ANY, N(64), "r" },
		{ true, 'c', N(4095), N(70000), "w" }, { false, 'c', N(10), N(229), "rwm" },
	};
	struct spec_linux linux = { .resources = { .n_devices = 10, .devices = rules } };
	struct device_policy policy;
	struct arena arena = { 0 };
	struct err err;
	const struct bpf_insn *insns;
	size_t n = 0;

	(void)state;
	assert_int_equal(device_policy_make(&linux, &arena, &policy, &err), 0);
	insns = device_bpf_compile(&policy, &arena, &n);
	for (uint32_t i = 0; i < 260 * 260 * 2 * 7; i++) {
		uint32_t major = i / 14 % 260, minor = i / 14 / 260;
		struct request q = single("bc"[i % 2], major < 258 ? major : major + 3836,
					  minor < 258 ? minor : minor + 69741, i / 2 % 7 + 1);

		if (ask(insns, n, &q) != expected(&linux, &q))
			fail_msg("%c %u:%u access %u", q.type, q.major, q.minor, q.access);
	}
	arena_done(&arena);
}

/* The time of a start: the verifier follows each conditional jump (see device_bpf.c). */
static void is_short_for_what_engines_send(void **state)
{
	struct spec_device_rule rules[] = {
		{ false, 'a', ANY, ANY, "rwm" },
		{ true, 'c', N(1), N(5), "rwm" },
		{ true, 'c', N(5), N(1), "rwm" },
		{ false, 'c', N(10), N(229), "rwm" },
	};
	struct spec_linux linux = { .resources = { .n_devices = 4, .devices = rules } };
	struct device_policy policy;
	struct arena arena = { 0 };
	struct err err;
	size_t n = 0;

	(void)state;
	assert_int_equal(device_policy_make(&linux, &arena, &policy, &err), 0);
	assert_non_null(device_bpf_compile(&policy, &arena, &n));
	assert_true(n <= 36);
	arena_done(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(denies_what_no_rule_allows),
		cmocka_unit_test(lets_the_last_rule_decide),
		cmocka_unit_test(leaves_a_privileged_container_alone),
		cmocka_unit_test(keeps_out_a_device_that_the_spec_redefines),
		cmocka_unit_test(names_a_wrong_access),
		cmocka_unit_test(agrees_with_the_specification),
		cmocka_unit_test(answers_for_every_device),
		cmocka_unit_test(is_short_for_what_engines_send),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
