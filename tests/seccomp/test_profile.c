/*
 * test_profile.c - the built-in profiles: what they open, for which capability, and a filter at
 * work in the kernel.
 */
#include "fixture.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "seccomp/profile.h"

#define DEFAULT_CAPS 0xa80425fbULL

static void compile_builtin(struct fixture *f, const char *name, uint64_t caps)
{
	if (profile_read(name, &f->arena, &f->spec, &f->err) < 0)
		fail_msg("%s", f->err.msg);
	f->env.caps = caps;
	f->env.unknown = remember_unknown;
	f->env.unknown_data = f->unknown;
	if (seccomp_compile(&f->spec, &f->env, &f->arena, &f->program, &f->err) < 0)
		fail_msg("%s", f->err.msg);
	bpf_check(f->program.insns, f->program.n);
}

static bool denies(uint32_t action)
{
	return (action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO ||
	       action == SECCOMP_RET_KILL_THREAD;
}

static void compare_tightness(const struct seccomp_program *ours,
			      const struct seccomp_program *dockers, const struct call *start)
{
	static const uint64_t values[] = {
		0,          1,          2,          3,          8,           10,        12,
		13,         16,         17,         18,         29,          38,        39,
		40,         41,         44,         45,         46,          0x20000,   0x20008,
		0x7e020000, 0x10000000, 0x01200011, 0xffffffff, 0x100000001, UINT64_MAX
	};
	struct call call = *start;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		uint32_t a, b;

		call.args[0] = call.args[1] = call.args[2] = values[i];
		a = bpf_run(ours->insns, ours->n, &call).action;
		b = bpf_run(dockers->insns, dockers->n, &call).action;
		if (denies(b) && !denies(a))
			fail_msg("%#x: call %u with %#llx is allowed, not by Docker", call.arch,
				 call.nr, (unsigned long long)values[i]);
	}
}

static void default_is_at_least_as_tight_as_docker(void **state)
{
	static const uint64_t caps[] = { 0,
					 DEFAULT_CAPS,
					 BIT(CAP_SYS_ADMIN),
					 BIT(CAP_SYS_PTRACE) | BIT(CAP_NET_RAW),
					 BIT(CAP_BPF) | BIT(CAP_PERFMON),
					 ~0ULL };
	static const uint32_t arches[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_I386 };
	struct fixture *f = *state;

	for (size_t c = 0; c < sizeof(caps) / sizeof(caps[0]); c++) {
		struct seccomp_program dockers;

		compile_builtin(f, "docker-default", caps[c]);
		dockers = f->program;
		compile_builtin(f, "default", caps[c]);
		for (size_t a = 0; a < 2; a++)
			for (uint32_t nr = 0; nr < 600; nr++) {
				struct call call = { .arch = arches[a], .nr = nr };

				compare_tightness(&f->program, &dockers, &call);
				call.nr |= SECCOMP_X32_BIT;
				compare_tightness(&f->program, &dockers, &call);
			}
	}
}

/* getsid and the like: Docker's profile names what Linux does not have. Nothing new may join them.
 */
static void builtin_profiles_have_no_misspelt_names(void **state)
{
	struct fixture *f = *state;

	compile_builtin(f, "default", ~0ULL);
	assert_string_equal(f->unknown, "");
	compile_builtin(f, "docker-default", ~0ULL);
	assert_string_equal(f->unknown, "");
}

static void default_opens_calls_only_with_their_capability(void **state)
{
	static const struct {
		uint32_t nr;
		int cap;
	} calls[] = {
		{ SYS_mount, CAP_SYS_ADMIN },
		{ SYS_umount2, CAP_SYS_ADMIN },
		{ SYS_unshare, CAP_SYS_ADMIN },
		{ SYS_setns, CAP_SYS_ADMIN },
		{ SYS_fsopen, CAP_SYS_ADMIN },
		{ SYS_open_by_handle_at, CAP_DAC_READ_SEARCH },
		{ SYS_reboot, CAP_SYS_BOOT },
		{ SYS_chroot, CAP_SYS_CHROOT },
		{ SYS_init_module, CAP_SYS_MODULE },
		{ SYS_acct, CAP_SYS_PACCT },
		{ SYS_kcmp, CAP_SYS_PTRACE },
		{ SYS_pidfd_getfd, CAP_SYS_PTRACE },
		{ SYS_iopl, CAP_SYS_RAWIO },
		{ SYS_settimeofday, CAP_SYS_TIME },
		{ SYS_vhangup, CAP_SYS_TTY_CONFIG },
		{ SYS_mbind, CAP_SYS_NICE },
		{ SYS_syslog, CAP_SYSLOG },
		{ SYS_bpf, CAP_BPF },
		{ SYS_perf_event_open, CAP_PERFMON },
	};
	static const uint32_t never[] = { SYS_keyctl,         SYS_add_key,         SYS_request_key,
					  SYS_io_uring_setup, SYS_io_uring_enter,  SYS_userfaultfd,
					  SYS_kexec_load,     SYS_swapon,          SYS_pivot_root,
					  SYS_uselib,         SYS_move_pages,      SYS_vmsplice,
					  SYS_modify_ldt,     SYS_remap_file_pages };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		compile_builtin(f, "default", 0);
		assert_int_equal(answer_to(f, calls[i].nr, 0), ERRNO(EPERM));
		compile_builtin(f, "default", BIT(calls[i].cap));
		assert_int_equal(answer_to(f, calls[i].nr, 0), SECCOMP_RET_ALLOW);
	}
	compile_builtin(f, "default", ~0ULL);
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		assert_int_equal(answer_to(f, never[i], 0), ERRNO(EPERM));
}

static void default_keeps_libc_and_namespaces_apart(void **state)
{
	struct fixture *f = *state;

	compile_builtin(f, "default", DEFAULT_CAPS);
	assert_int_equal(answer_to(f, SYS_clone3, 0),
			 ERRNO(ENOSYS)); /* glibc falls back to clone */
	assert_int_equal(answer_to(f, SYS_clone, 0x01200011), SECCOMP_RET_ALLOW);
	assert_int_equal(answer_to(f, SYS_clone, 0x10000011), ERRNO(EPERM)); /* CLONE_NEWUSER */
	assert_int_equal(answer_to(f, SYS_socket, 2), SECCOMP_RET_ALLOW);
	assert_int_equal(answer_to(f, SYS_socket, 17), SECCOMP_RET_ALLOW);
	assert_int_equal(answer_to(f, SYS_socket, 38), ERRNO(EPERM)); /* CVE-2026-31431 */
	assert_int_equal(answer_to(f, SYS_socket, 40), ERRNO(EPERM));
	assert_int_equal(answer_to(f, 467, 0), ERRNO(ENOSYS));
	compile_builtin(f, "default", 0);
	assert_int_equal(answer_to(f, SYS_socket, 17), ERRNO(EPERM)); /* needs CAP_NET_RAW */
}

static void there_is_no_profile_of_another_name(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(profile_read("defualt", &f->arena, &f->spec, &f->err), -ENOENT);
	assert_non_null(strstr(f->err.msg, "defualt"));
	assert_non_null(strstr(f->err.hint, "docker-default"));
}

/* ---- in the kernel ------------------------------------------------------------------------ */

static bool fails_with(long result, int code)
{
	return result == -1 && errno == code;
}

/* Exit status: the number of the first expectation that does not hold. */
static int probe(const struct seccomp_program *program)
{
	struct sock_fprog fprog = { (unsigned short)program->n, program->insns };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return 1;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, program->flags, &fprog) < 0)
		return 2;
	if (syscall(SYS_getpid) <= 0)
		return 3;
	if (!fails_with(syscall(SYS_keyctl, 0, 0, 0, 0, 0), EPERM))
		return 4;
	if (!fails_with(syscall(SYS_clone3, NULL, 0), ENOSYS))
		return 5;
	if (!fails_with(syscall(999), ENOSYS))
		return 6;
	if (!fails_with(syscall(SYS_socket, 38, 5, 0), EPERM))
		return 7;
	if (syscall(SYS_socket, 1, 1, 0) < 0)
		return 8;
	if (!fails_with(syscall(SYS_personality, 0x0040000), EPERM))
		return 9;
	if (syscall(SYS_personality, 0xffffffff) < 0)
		return 10;
	return 0;
}

static void kernel_takes_the_default_and_obeys(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t pid;

	compile_builtin(f, "default", DEFAULT_CAPS);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(probe(&f->program));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void three_architectures_fit_in_450_instructions(void **state)
{
	struct fixture *f = *state;

	compile_builtin(f, "docker-default", DEFAULT_CAPS);
	assert_true(f->program.n <= 450);
	compile_builtin(f, "default", DEFAULT_CAPS);
	assert_true(f->program.n <= 450);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(default_is_at_least_as_tight_as_docker),
		TEST(builtin_profiles_have_no_misspelt_names),
		TEST(default_opens_calls_only_with_their_capability),
		TEST(default_keeps_libc_and_namespaces_apart),
		TEST(there_is_no_profile_of_another_name),
		TEST(kernel_takes_the_default_and_obeys),
		TEST(three_architectures_fit_in_450_instructions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
