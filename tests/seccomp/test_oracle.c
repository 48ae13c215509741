/*
 * test_oracle.c - our programs and libseccomp's answer every call alike: all numbers from 0 to 600
 * and the edges, on every architecture of the filter and one that is not in it, with the arguments
 * at which conditions change.
 */
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "corpus.h"
#include "model.h"
#include "oracle.h"

#define MAX_VALUES 28
#define MAX_ARGS   20

enum origin {
	REAL,
	RANDOM_ONE,
	TANGLED, /* random, with rules that libseccomp does not bear */
};

struct comparison {
	const char *name;
	const struct spec_seccomp *spec;
	const struct seccomp_arch *native;
	struct oracle oracle;
	struct model models[24]; /* one for each architecture of the oracle */
	struct seccomp_program program;
	size_t n_values;
	uint64_t values[MAX_VALUES]; /* of arguments, around those in the rules */
	uint32_t seed;

	/* In a long program libseccomp 2.5.4 now and then loses a condition that it keeps in a
	 * short one. */
	bool is_random, is_lost;
};

static void add_value(struct comparison *c, uint64_t value)
{
	if (c->n_values < MAX_VALUES)
		c->values[c->n_values++] = value;
}

static void collect_values(struct comparison *c)
{
	c->n_values = 0;
	add_value(c, 0);
	add_value(c, 1);
	add_value(c, UINT64_MAX);
	for (size_t i = 0; i < c->spec->n_rules; i++)
		for (size_t k = 0; k < c->spec->rules[i].n_args; k++) {
			const struct spec_seccomp_arg *arg = &c->spec->rules[i].args[k];
			uint64_t value = arg->op == 7 ? arg->value_two : arg->value;

			add_value(c, value - 1);
			add_value(c, value);
			add_value(c, value + 1);
			add_value(c, value + (1ULL << 32));
			add_value(c, value - (1ULL << 32));
			add_value(c, value & UINT32_MAX);
			if (arg->op == 7)
				add_value(c, value | ~arg->value);
		}
}

static uint64_t any_value(struct comparison *c)
{
	c->seed = c->seed * 1664525 + 1013904223;
	return c->values[(c->seed >> 8) % c->n_values];
}

static void report(const struct comparison *c, const struct call *call, const char *oracle,
		   uint32_t got, uint32_t want)
{
	fail_msg("%s: arch %#x call %u (%#x) args %#llx %#llx %#llx %#llx %#llx %#llx: got %#x, "
		 "%s %#x",
		 c->name, call->arch, call->nr, call->nr, (unsigned long long)call->args[0],
		 (unsigned long long)call->args[1], (unsigned long long)call->args[2],
		 (unsigned long long)call->args[3], (unsigned long long)call->args[4],
		 (unsigned long long)call->args[5], got, oracle, want);
}

static const struct model *model_of(const struct comparison *c, const struct call *call)
{
	const struct oracle_arch *a = oracle_arch_of(&c->oracle, call);

	return a ? &c->models[a - c->oracle.arches] : NULL;
}

static bool compare(struct comparison *c, const struct call *call)
{
	struct verdict got = bpf_run(c->program.insns, c->program.n, call), theirs;
	const struct model *model = model_of(c, call);
	uint32_t want = model ? model_verdict(model, call) : SECCOMP_RET_KILL_THREAD;

	want = oracle_patched(&c->oracle, call, want);
	if (got.action != want)
		report(c, call, "the profile says", got.action, want);
	if (c->oracle.n == 0)
		return got.reads_args;
	theirs = bpf_run(c->oracle.insns, c->oracle.n, call);
	want = oracle_patched(&c->oracle, call, theirs.action);
	if (got.action != want && (theirs.reads_args || got.reads_args) && c->is_random)
		c->is_lost = true;
	else if (got.action != want)
		report(c, call, "libseccomp", got.action, want);
	return theirs.reads_args || got.reads_args;
}

static void compare_number(struct comparison *c, uint32_t arch, uint32_t nr)
{
	struct call call = { .arch = arch, .nr = nr, .is_big_endian = c->native->is_big_endian };
	bool reads_args = compare(c, &call);

	for (size_t i = 0; reads_args && i < c->n_values; i++) {
		for (int k = 0; k < 6; k++)
			call.args[k] = c->values[i];
		(void)compare(c, &call);
	}
	for (int i = 0; reads_args && i < MAX_ARGS; i++) {
		for (int k = 0; k < 6; k++)
			call.args[k] = any_value(c);
		/* socketcall and ipc choose by small numbers. */
		if (i % 2 == 0)
			call.args[0] = (uint64_t)i / 2;
		(void)compare(c, &call);
	}
}

static void compare_arch(struct comparison *c, const struct seccomp_arch *arch)
{
	static const uint32_t edges[] = { 0x3fffffff, 0x40000000, 0x40000400, 0x7fffffff,
					  0x80000000, 0xbfffffff, 0xfffffffe, 0xffffffff };

	for (uint32_t i = 0; i <= 600; i++) {
		compare_number(c, arch->audit, i);
		compare_number(c, arch->audit, SECCOMP_X32_BIT + i);
		if (arch->base != 0)
			compare_number(c, arch->audit, arch->base + i);
	}
	for (uint32_t i = 0; i < SYSCALL_PRIVATES + 2; i++)
		compare_number(c, arch->audit, SYSCALL_PRIVATE_BASE - 1 + i);
	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
		compare_number(c, arch->audit, edges[i]);
}

/* Where libseccomp is stricter or laxer on purpose, nothing is left: see compile.h. */
static bool compare_profile(const char *name, const struct spec_seccomp *spec,
			    const struct seccomp_arch *native, enum origin origin,
			    struct arena *arena)
{
	struct comparison *c = calloc(1, sizeof(*c));
	struct seccomp_env env = { .kernel_major = 6, .kernel_minor = 18, .native = native };
	struct err err = { 0 };
	bool is_lost;

	assert_non_null(c);
	c->is_random = origin != REAL;
	c->name = name;
	c->spec = spec;
	c->native = native;
	if (seccomp_compile(spec, &env, arena, &c->program, &err) < 0)
		fail_msg("%s: %s", name, err.msg);
	bpf_check(c->program.insns, c->program.n);
	oracle_compile(spec, native, origin == TANGLED, &c->oracle);
	collect_values(c);
	for (size_t i = 0; i < c->oracle.n_arches; i++)
		model_make(spec, c->oracle.arches[i].arch, arena, &c->models[i]);
	for (size_t i = 0; i < c->oracle.n_arches; i++)
		compare_arch(c, c->oracle.arches[i].arch);
	compare_number(c, 0x12345678, 0);
	is_lost = c->is_lost;
	free(c);
	return is_lost;
}

static void compare_file(const char *path, uint64_t caps, const char *docker_arch)
{
	struct arena arena = { 0 };
	struct spec_seccomp spec;

	if (!corpus_read(path, &arena, &spec)) {
		print_message("%s is not here\n", path);
		skip();
	}
	corpus_resolve(&spec, caps, docker_arch);
	(void)compare_profile(path, &spec, arch_find("SCMP_ARCH_X86_64"), REAL, &arena);
	arena_done(&arena);
}

#define DEFAULT_CAPS 0xa80425fbULL
#define ALL_CAPS     0x1ffffffffffULL

static void profiles_agree(void **state)
{
	static const char *const names[] = PROFILES;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		compare_file(names[i], DEFAULT_CAPS, "amd64");
		compare_file(names[i], ALL_CAPS, "amd64");
		compare_file(names[i], 0, "amd64");
	}
}

static void profile_of_podman_agrees(void **state)
{
	(void)state;
	compare_file("/usr/share/containers/seccomp.json", DEFAULT_CAPS, "amd64");
	compare_file("/usr/share/containers/seccomp.json", ALL_CAPS, "amd64");
}

static void compare_random(const char *native, const char *const *arches, enum origin origin,
			   uint32_t n)
{
	uint32_t lost = 0;

	for (uint32_t seed = 0; seed < n; seed++) {
		struct arena arena = { 0 };
		struct spec_seccomp spec;
		char name[64];

		(void)snprintf(name, sizeof(name), "random %u on %s", seed, native);
		corpus_random(seed, arches, origin == TANGLED, &arena, &spec);
		lost += compare_profile(name, &spec, arch_find(native), origin, &arena);
		arena_done(&arena);
	}
	assert_true(lost <= n / 100);
}

#define ARCHES(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void random_profiles_agree_on_x86(void **state)
{
	(void)state;
	compare_random("SCMP_ARCH_X86_64", ARCHES("SCMP_ARCH_X86", "SCMP_ARCH_X32"), RANDOM_ONE,
		       RANDOM);
}

static void random_profiles_agree_on_arm(void **state)
{
	(void)state;
	compare_random("SCMP_ARCH_AARCH64", ARCHES("SCMP_ARCH_ARM"), RANDOM_ONE, RANDOM / 5);
}

static void random_profiles_agree_on_other_little_endians(void **state)
{
	(void)state;
	compare_random("SCMP_ARCH_RISCV64", ARCHES("SCMP_ARCH_PPC64LE"), RANDOM_ONE, RANDOM / 10);
	compare_random("SCMP_ARCH_MIPSEL64", ARCHES("SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64N32"),
		       RANDOM_ONE, RANDOM / 10);
}

static void rules_on_different_arguments_hold(void **state)
{
	(void)state;
	compare_random("SCMP_ARCH_X86_64", ARCHES("SCMP_ARCH_X86", "SCMP_ARCH_X32"), TANGLED,
		       RANDOM / 5);
	compare_random("SCMP_ARCH_S390X", ARCHES("SCMP_ARCH_S390"), TANGLED, RANDOM / 10);
}

static void random_profiles_agree_on_big_endians(void **state)
{
	(void)state;
	compare_random("SCMP_ARCH_S390X", ARCHES("SCMP_ARCH_S390"), RANDOM_ONE, RANDOM / 10);
	compare_random("SCMP_ARCH_PPC64", ARCHES("SCMP_ARCH_PPC"), RANDOM_ONE, RANDOM / 10);
	compare_random("SCMP_ARCH_PARISC64", ARCHES("SCMP_ARCH_PARISC"), RANDOM_ONE, RANDOM / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(profiles_agree),
		cmocka_unit_test(profile_of_podman_agrees),
		cmocka_unit_test(random_profiles_agree_on_x86),
		cmocka_unit_test(random_profiles_agree_on_arm),
		cmocka_unit_test(random_profiles_agree_on_other_little_endians),
		cmocka_unit_test(random_profiles_agree_on_big_endians),
		cmocka_unit_test(rules_on_different_arguments_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
