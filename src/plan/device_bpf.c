/*
 * device_bpf.c - see device_bpf.h.
 *
 * Theory of operation
 *
 * The kernel asks once per open or mknod: struct bpf_cgroup_dev_ctx has the type of the device, the
 * access as bits, major and minor. For each device that a rule names, and for all others, it is
 * known beforehand which bits are denied: for every bit, the last rule about it decides. So "rw" is
 * allowed where one rule allows reading and another one writing, and denied where any later rule
 * denies writing.
 *
 * The program is a row of items. Each tests for some devices and ends the program if it meets
 * them, so the narrow ones go first: minors of one major, the rest of that major, minors of any
 * other major, all the rest. The minors below 64 for which the same is denied are one item, with
 * a bit for each: the kernel's verifier follows every conditional jump, and its time is that of
 * the start (200 us for ten rules that are tested one by one, 40 us for this).
 */
#include "plan/device_bpf.h"

#include "base/buf.h"

#define MAX_TESTS 7
#define MAX_LEAF  3

/* R0 is what is returned, 0 until a device is met. KEY is a major and its type as one number. */
enum { R0 = BPF_REG_0, CTX = BPF_REG_1, TYPE, ACCESS, KEY, MINOR, BITS };

#define KEY_SHIFT 2
#define MAX_MAJOR (INT32_MAX >> KEY_SHIFT)

struct item {
	size_t n;
	struct bpf_insn v[MAX_TESTS + MAX_LEAF];
};

static struct bpf_insn load(unsigned int reg, size_t offset)
{
	return (struct bpf_insn){ .code = BPF_LDX | BPF_MEM | BPF_W,
				  .dst_reg = reg & 15,
				  .src_reg = CTX,
				  .off = (int16_t)offset };
}

static struct bpf_insn alu(uint8_t op, unsigned int reg, int32_t value)
{
	return (struct bpf_insn){ .code = (uint8_t)(BPF_ALU64 | op | BPF_K),
				  .dst_reg = reg & 15,
				  .imm = value };
}

static struct bpf_insn alu_reg(uint8_t op, unsigned int reg, unsigned int by)
{
	return (struct bpf_insn){ .code = (uint8_t)(BPF_ALU64 | op | BPF_X),
				  .dst_reg = reg & 15,
				  .src_reg = by & 15 };
}

static struct bpf_insn jump(uint8_t op, unsigned int reg, int64_t value, int16_t over)
{
	return (struct bpf_insn){ .code = (uint8_t)(BPF_JMP | op | BPF_K),
				  .dst_reg = reg & 15,
				  .off = over,
				  .imm = (int32_t)value };
}

/* ---- what is denied ---------------------------------------------------------------------------
 */

/* A number of -1 is one that no rule names. */
static bool is_about(const struct device_rule *rule, char type, int64_t major, int64_t minor)
{
	return rule->type == type && (rule->major < 0 || rule->major == major) &&
	       (rule->minor < 0 || rule->minor == minor);
}

static unsigned int denied(const struct device_policy *policy, char type, int64_t major,
			   int64_t minor)
{
	unsigned int undecided = DEVICE_ALL, denied = 0;

	for (size_t i = policy->n; i-- > 0;) {
		const struct device_rule *rule = &policy->rules[i];

		if (!is_about(rule, type, major, minor))
			continue;
		if (!rule->allow)
			denied |= undecided & rule->access;
		undecided &= ~rule->access;
	}
	return policy->allow ? denied : denied | undecided;
}

/* ---- items ------------------------------------------------------------------------------------
 */

static void add(struct item *item, struct bpf_insn insn)
{
	item->v[item->n++] = insn;
}

/* What is not met goes on behind the item: emit() sets how far that is. */
static void test(struct item *item, uint8_t op, unsigned int reg, int64_t value)
{
	add(item, jump(op, reg, value, 0));
}

static int type_bits(char type)
{
	return type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR;
}

static struct item item_about(char type, int64_t major)
{
	struct item item = { 0 };

	if (major < 0)
		test(&item, BPF_JNE, TYPE, type_bits(type));
	else
		test(&item, BPF_JNE, KEY, major << KEY_SHIFT | type_bits(type));
	return item;
}

/* Ends the program with what the tests before have led to. */
static void emit(struct buf *out, struct item *item, unsigned int denied)
{
	size_t tests = item->n;

	if (denied != 0 && denied != DEVICE_ALL)
		add(item, jump(BPF_JSET, ACCESS, denied, 1));
	if (denied != DEVICE_ALL)
		add(item, alu(BPF_MOV, R0, 1));
	add(item, (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT });
	for (size_t i = 0; i < tests; i++)
		if (BPF_CLASS(item->v[i].code) == BPF_JMP)
			item->v[i].off = (int16_t)(item->n - 1 - i);
	buf_add(out, item->v, item->n * sizeof(item->v[0]));
}

static void emit_minor(struct buf *out, char type, int64_t major, int64_t minor,
		       unsigned int denied)
{
	struct item item = item_about(type, major);

	test(&item, BPF_JNE, MINOR, minor);
	emit(out, &item, denied);
}

static void emit_low_minors(struct buf *out, char type, int64_t major, uint64_t minors,
			    unsigned int denied)
{
	struct item item = item_about(type, major);

	test(&item, BPF_JGT, MINOR, 63);
	add(&item, (struct bpf_insn){ .code = BPF_LD | BPF_IMM | BPF_DW,
				      .dst_reg = BITS,
				      .imm = (int32_t)(uint32_t)minors });
	add(&item, (struct bpf_insn){ .imm = (int32_t)(uint32_t)(minors >> 32) });
	add(&item, alu_reg(BPF_RSH, BITS, MINOR));
	add(&item, alu(BPF_AND, BITS, 1));
	test(&item, BPF_JEQ, BITS, 0);
	emit(out, &item, denied);
}

/* ---- the program ------------------------------------------------------------------------------
 */

/* The minors for which something else is denied than for the rest of the major. */
static void emit_minors(struct buf *out, const struct device_policy *policy, char type,
			int64_t major, unsigned int rest)
{
	uint64_t low[DEVICE_ALL + 1] = { 0 };

	for (size_t i = 0; i < policy->n; i++) {
		const struct device_rule *rule = &policy->rules[i];
		int64_t minor = rule->minor;
		unsigned int d;

		/* The kernel has 20 bits for minors: a rule about more is about no device. */
		if (minor < 0 || minor > INT32_MAX || !is_about(rule, type, major, minor))
			continue;
		d = denied(policy, type, major, minor);
		if (d == rest)
			continue;
		if (minor < 64)
			low[d] |= 1ULL << minor;
		else
			emit_minor(out, type, major, minor, d);
	}
	for (unsigned int d = 0; d <= DEVICE_ALL; d++)
		if (low[d] && (low[d] & (low[d] - 1)) == 0)
			emit_minor(out, type, major, __builtin_ctzll(low[d]), d);
		else if (low[d])
			emit_low_minors(out, type, major, low[d], d);
}

/* Is rule `i` the first that names its major? The kernel has 12 bits for majors. */
static bool names_major(const struct device_policy *policy, size_t i, char type)
{
	const struct device_rule *rule = &policy->rules[i];

	if (rule->type != type || rule->major < 0 || rule->major > MAX_MAJOR)
		return false;
	while (i-- > 0)
		if (policy->rules[i].type == type && policy->rules[i].major == rule->major)
			return false;
	return true;
}

/* A rule about a minor of every major. */
static bool names_bare_minor(const struct device_policy *policy, char type)
{
	for (size_t i = 0; i < policy->n; i++)
		if (policy->rules[i].type == type && policy->rules[i].major < 0 &&
		    policy->rules[i].minor >= 0)
			return true;
	return false;
}

/* All devices of a type but those for which what is denied to all `others` is denied. */
static void emit_type(struct buf *out, const struct device_policy *policy, char type,
		      unsigned int others)
{
	bool bare = names_bare_minor(policy, type);

	for (size_t i = 0; i < policy->n; i++) {
		int64_t major = policy->rules[i].major;
		struct item item = item_about(type, major);
		unsigned int rest;

		if (!names_major(policy, i, type))
			continue;
		rest = denied(policy, type, major, -1);
		emit_minors(out, policy, type, major, rest);
		if (rest != others || bare)
			emit(out, &item, rest);
	}
	emit_minors(out, policy, type, -1, others);
}

static void emit_begin(struct buf *out)
{
	const struct bpf_insn begin[] = {
		load(TYPE, offsetof(struct bpf_cgroup_dev_ctx, access_type)),
		load(KEY, offsetof(struct bpf_cgroup_dev_ctx, major)),
		load(MINOR, offsetof(struct bpf_cgroup_dev_ctx, minor)),
		alu_reg(BPF_MOV, ACCESS, TYPE),
		alu(BPF_RSH, ACCESS, 16),
		alu(BPF_AND, TYPE, 0xffff),
		alu(BPF_LSH, KEY, KEY_SHIFT),
		alu_reg(BPF_OR, KEY, TYPE),
		alu(BPF_MOV, R0, 0),
	};

	buf_add(out, begin, sizeof(begin));
}

const struct bpf_insn *device_bpf_compile(const struct device_policy *policy, struct arena *arena,
					  size_t *ret_n)
{
	_cleanup_buf_ struct buf out = { 0 };
	const unsigned int other_c = denied(policy, 'c', -1, -1);
	const unsigned int other_b = denied(policy, 'b', -1, -1);
	struct item c = item_about('c', -1), b = { 0 };

	emit_begin(&out);
	emit_type(&out, policy, 'c', other_c);
	emit_type(&out, policy, 'b', other_b);
	if (other_c != other_b)
		emit(&out, &c, other_c);
	emit(&out, &b, other_b); /* there is no third type */
	if (out.failed)
		return NULL;
	*ret_n = out.len / sizeof(struct bpf_insn);
	return arena_copy(arena, out.data, out.len);
}
