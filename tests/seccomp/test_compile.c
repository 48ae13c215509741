/*
 * test_compile.c - what a profile means, where libseccomp gives no answer: calls that it does not
 * know, rules that contradict each other, and what is refused.
 */
#include "fixture.h"

#include <linux/capability.h>

#include "spec/read.h"

static int compile(struct fixture *f, const char *json)
{
	struct spec_source source = { .name = "test", .text = json, .len = strlen(json) };

	if (spec_read_seccomp(&source, &f->arena, &f->spec, &f->err) < 0)
		fail_msg("%s", f->err.msg);
	return seccomp_compile(&f->spec, &f->env, &f->arena, &f->program, &f->err);
}

static void compile_ok(struct fixture *f, const char *json)
{
	if (compile(f, json) < 0)
		fail_msg("%s", f->err.msg);
	bpf_check(f->program.insns, f->program.n);
}

/* ---- meaning ------------------------------------------------------------------------------ */

static void unknown_calls_get_enosys_and_denied_ones_eperm(void **state)
{
	struct fixture *f = *state;

	compile_ok(f, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":"
		      "[\"read\",\"mseal\",\"file_setattr\"],\"action\":\"SCMP_ACT_ALLOW\"}]}");
	assert_int_equal(answer_to(f, 462, 0), SECCOMP_RET_ALLOW); /* mseal */
	assert_int_equal(answer_to(f, 469, 0), SECCOMP_RET_ALLOW); /* file_setattr */
	assert_int_equal(answer_to(f, 468, 0), ERRNO(EPERM));
	assert_int_equal(answer_to(f, 470, 0), ERRNO(ENOSYS));
	assert_int_equal(answer_to(f, 1000, 0), ERRNO(ENOSYS));
}

/* A denied call counts as known, also when the denial is the default. */
static void denying_a_call_makes_it_known(void **state)
{
	struct fixture *f = *state;

	compile_ok(f, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":["
		      "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"},"
		      "{\"names\":[\"clone3\"],\"action\":\"SCMP_ACT_ERRNO\"}]}");
	assert_int_equal(answer_to(f, SYS_clone3, 0), ERRNO(EPERM));
	assert_int_equal(answer_to(f, SYS_clone3 + 1, 0), ERRNO(ENOSYS));
}

static void strictest_of_several_conditions_wins(void **state)
{
	struct fixture *f = *state;

	compile_ok(f, "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":["
		      "{\"names\":[\"close\"],\"action\":\"SCMP_ACT_LOG\",\"args\":"
		      "[{\"index\":0,\"value\":10,\"op\":\"SCMP_CMP_GE\"}]},"
		      "{\"names\":[\"close\"],\"action\":\"SCMP_ACT_KILL_PROCESS\",\"args\":"
		      "[{\"index\":0,\"value\":12,\"op\":\"SCMP_CMP_EQ\"}]},"
		      "{\"names\":[\"close\"],\"action\":\"SCMP_ACT_ERRNO\",\"args\":"
		      "[{\"index\":0,\"value\":11,\"op\":\"SCMP_CMP_GT\"}]}]}");
	assert_int_equal(answer_to(f, SYS_close, 9), SECCOMP_RET_ALLOW);
	assert_int_equal(answer_to(f, SYS_close, 11), SECCOMP_RET_LOG);
	assert_int_equal(answer_to(f, SYS_close, 12), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(answer_to(f, SYS_close, 13), ERRNO(EPERM));
}

static void rules_hold_for_some_capabilities_kernels_and_architectures(void **state)
{
	static const char json[] =
	    "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"archMap\":[{\"architecture\":"
	    "\"SCMP_ARCH_X86_64\",\"subArchitectures\":[\"SCMP_ARCH_X86\"]}],\"syscalls\":["
	    "{\"names\":[\"bpf\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":"
	    "{\"caps\":[\"CAP_SYS_ADMIN\",\"CAP_BPF\"]}},"
	    "{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_ALLOW\",\"excludes\":"
	    "{\"caps\":[\"CAP_SYS_ADMIN\",\"CAP_NET_RAW\"]}},"
	    "{\"names\":[\"ptrace\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":"
	    "{\"minKernel\":\"4.8\"}},"
	    "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":"
	    "{\"arches\":[\"arm64\",\"amd64\"]}},"
	    "{\"names\":[\"write\"],\"action\":\"SCMP_ACT_ALLOW\",\"excludes\":"
	    "{\"arches\":[\"amd64\"]}},"
	    "{\"names\":[\"listns\"],\"action\":\"SCMP_ACT_ALLOW\"}]}";
	struct fixture *f = *state;

	f->env.caps = BIT(CAP_SYS_ADMIN);
	f->env.kernel_major = 4;
	f->env.kernel_minor = 7;
	compile_ok(f, json);
	assert_int_equal(answer_to(f, SYS_bpf, 0), ERRNO(EPERM));
	assert_int_equal(answer_to(f, SYS_mount, 0), ERRNO(EPERM));
	assert_int_equal(answer_to(f, SYS_ptrace, 0), ERRNO(EPERM));
	assert_int_equal(answer_to(f, SYS_read, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(answer_to(f, SYS_write, 0), ERRNO(EPERM));
	assert_int_equal(answer(f, AUDIT_ARCH_I386, 3, 0), SECCOMP_RET_ALLOW);

	f->env.caps = BIT(CAP_SYS_ADMIN) | BIT(CAP_BPF);
	f->env.kernel_minor = 8;
	compile_ok(f, json);
	assert_int_equal(answer_to(f, SYS_bpf, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(answer_to(f, SYS_ptrace, 0), SECCOMP_RET_ALLOW);

	f->env.caps = 0;
	f->env.kernel_major = 10;
	f->env.kernel_minor = 0;
	compile_ok(f, json);
	assert_int_equal(answer_to(f, SYS_mount, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(answer_to(f, SYS_ptrace, 0), SECCOMP_RET_ALLOW);
}

static void names_that_no_architecture_has_are_reported(void **state)
{
	struct fixture *f = *state;

	f->env.unknown = remember_unknown;
	f->env.unknown_data = f->unknown;
	compile_ok(f, "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"raed\","
		      "\"read\",\"riscv_hwprobe\",\"mseal2\"],\"action\":\"SCMP_ACT_ERRNO\"}]}");
	assert_string_equal(f->unknown, "raed mseal2 ");
	assert_int_equal(answer_to(f, SYS_read, 0), ERRNO(EPERM));
}

static void flags_fit_what_the_kernel_takes(void **state)
{
	struct fixture *f = *state;
	const uint32_t killable = SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;

	compile_ok(f, "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":"
		      "[\"SECCOMP_FILTER_FLAG_TSYNC\",\"SECCOMP_FILTER_FLAG_LOG\"]}");
	assert_int_equal(f->program.flags, SECCOMP_FILTER_FLAG_LOG);
	assert_false(f->program.needs_listener);
	compile_ok(f, "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"flags\":"
		      "[\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"],\"listenerPath\":\"/x\","
		      "\"syscalls\":[{\"names\":[\"mount\"],\"action\":\"SCMP_ACT_NOTIFY\"}]}");
	assert_int_equal(f->program.flags, killable | SECCOMP_FILTER_FLAG_NEW_LISTENER);
	assert_true(f->program.needs_listener);
}

/* ---- what is refused ---------------------------------------------------------------------- */

static void foreign_byte_order_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(compile(f, "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":"
				    "[\"SCMP_ARCH_S390X\"]}"),
			 -EINVAL);
	assert_non_null(strstr(f->err.msg, "SCMP_ARCH_S390X"));
}

static void unknown_architecture_is_refused(void **state)
{
	struct fixture *f = *state;
	char *names[] = { (char[]){ "SCMP_ARCH_VAX" }, NULL };

	f->spec.default_action = SECCOMP_RET_ALLOW;
	f->spec.architectures = (struct spec_strings){ 1, names };
	assert_int_equal(seccomp_compile(&f->spec, &f->env, &f->arena, &f->program, &f->err),
			 -EINVAL);
	assert_non_null(strstr(f->err.msg, "SCMP_ARCH_VAX"));
	assert_int_equal(f->program.n, 0);
}

static void bad_kernel_version_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "4", "4.x", "x.4", "4.", ".4", "-4.8", "99999999.1"
	};
	struct fixture *f = *state;
	struct spec_seccomp_rule rule = { .action = SECCOMP_RET_ALLOW };

	f->spec.default_action = SECCOMP_RET_ERRNO;
	f->spec.n_rules = 1;
	f->spec.rules = &rule;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		rule.includes.min_kernel = bad[i];
		assert_int_equal(
		    seccomp_compile(&f->spec, &f->env, &f->arena, &f->program, &f->err), -EINVAL);
	}
}

static void errno_that_the_kernel_would_change_is_refused(void **state)
{
	struct fixture *f = *state;

	f->spec.default_action = SECCOMP_RET_ERRNO;
	f->spec.default_errno_ret = (struct opt_u64){ true, 4096 };
	assert_int_equal(seccomp_compile(&f->spec, &f->env, &f->arena, &f->program, &f->err),
			 -EINVAL);
	f->spec.default_errno_ret.value = 4095;
	assert_int_equal(seccomp_compile(&f->spec, &f->env, &f->arena, &f->program, &f->err), 0);
}

/* Thousands of conditions: an error that says so, in no time, instead of a filter that lacks some.
 */
static void what_does_not_fit_is_refused(void **state)
{
	struct fixture *f = *state;
	char *names[] = { (char[]){ "close" }, NULL };
	const size_t n = 6000;

	f->spec.default_action = SECCOMP_RET_ERRNO;
	f->spec.rules = arena_array(&f->arena, n, sizeof(*f->spec.rules));
	for (size_t i = 0; i < n; i++) {
		struct spec_seccomp_arg *arg = arena_alloc(&f->arena, sizeof(*arg));

		*arg = (struct spec_seccomp_arg){ 0, 7, UINT64_MAX, 3 * i };
		f->spec.rules[i] = (struct spec_seccomp_rule){
			.names = { 1, names }, .action = SECCOMP_RET_ALLOW, .n_args = 1, .args = arg
		};
	}
	f->spec.n_rules = n;
	assert_int_equal(seccomp_compile(&f->spec, &f->env, &f->arena, &f->program, &f->err),
			 -E2BIG);
	f->spec.n_rules = 1500; /* four instructions each */
	assert_int_equal(seccomp_compile(&f->spec, &f->env, &f->arena, &f->program, &f->err),
			 -E2BIG);
	assert_non_null(strstr(f->err.msg, "4096"));
	f->spec.n_rules = 900; /* jumps of more than 255 instructions */
	assert_int_equal(seccomp_compile(&f->spec, &f->env, &f->arena, &f->program, &f->err), 0);
	bpf_check(f->program.insns, f->program.n);
	assert_int_equal(answer_to(f, SYS_close, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(answer_to(f, SYS_close, 3 * 899), SECCOMP_RET_ALLOW);
	assert_int_equal(answer_to(f, SYS_close, 3 * 899 + 1), ERRNO(EPERM));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(unknown_calls_get_enosys_and_denied_ones_eperm),
		TEST(denying_a_call_makes_it_known),
		TEST(strictest_of_several_conditions_wins),
		TEST(rules_hold_for_some_capabilities_kernels_and_architectures),
		TEST(names_that_no_architecture_has_are_reported),
		TEST(flags_fit_what_the_kernel_takes),
		TEST(foreign_byte_order_is_refused),
		TEST(unknown_architecture_is_refused),
		TEST(bad_kernel_version_is_refused),
		TEST(errno_that_the_kernel_would_change_is_refused),
		TEST(what_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
