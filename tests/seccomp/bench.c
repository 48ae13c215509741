/*
 * bench.c - what a profile costs: to compile, to load, and what it adds to a call with checked
 * arguments and to one without. Minima in nanoseconds, since others use the machine, too.
 *
 * seccomp_bench [FILE...]: without files, all profiles of the tests.
 */
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "bpf.h"
#include "seccomp/compile.h"
#include "spec/read.h"

#define ROUNDS       301
#define BATCHES      60
#define CALLS        500
#define PAIRS        40
#define DEFAULT_CAPS 0xa80425fbULL

static uint64_t now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t compile(const struct spec_seccomp *spec, struct arena *arena,
			struct seccomp_program *program)
{
	const struct seccomp_env env = { .caps = DEFAULT_CAPS, .kernel_major = 6 };
	uint64_t least = UINT64_MAX;
	struct err err;

	for (size_t i = 0; i < ROUNDS; i++) {
		struct arena fresh = { 0 };
		uint64_t start = now();

		if (seccomp_compile(spec, &env, &fresh, program, &err) < 0) {
			(void)fprintf(stderr, "%s\n", err.msg);
			exit(1);
		}
		least = lesser(least, now() - start);
		arena_done(&fresh);
	}
	(void)seccomp_compile(spec, &env, arena, program, &err);
	return least;
}

/* In a child, since a filter stays. */
static uint64_t load(const struct seccomp_program *program, uint64_t *shared)
{
	uint64_t least = UINT64_MAX;
	struct sock_fprog fprog = { (unsigned short)program->n, program->insns };
	unsigned int flags = program->flags & ~(unsigned int)SECCOMP_FILTER_FLAG_NEW_LISTENER;

	for (size_t i = 0; i < ROUNDS; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			uint64_t start = now();
			long r;

			(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
			start = now();
			r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &fprog);
			*shared = now() - start;
			syscall(SYS_exit_group, r < 0);
		}
		(void)waitpid(pid, NULL, 0);
		least = lesser(least, *shared);
	}
	return least;
}

/* Tenths of a nanosecond. */
static uint64_t per_call(long number, long arg)
{
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < BATCHES; i++) {
		uint64_t start = now();

		for (size_t k = 0; k < CALLS; k++)
			(void)syscall(number, arg);
		least = lesser(least, (now() - start) * 10 / CALLS);
	}
	return least;
}

/*
 * What the filter adds to a call, in tenths of a nanosecond. Without and with it in turn, in
 * processes of their own, since a filter stays and the machine is not always as fast.
 */
static int64_t added(const struct seccomp_program *program, long number, long arg, uint64_t *shared)
{
	struct sock_fprog fprog = { (unsigned short)program->n, program->insns };
	unsigned int flags = program->flags & ~(unsigned int)SECCOMP_FILTER_FLAG_NEW_LISTENER;
	uint64_t bare = UINT64_MAX, filtered = UINT64_MAX;

	for (size_t i = 0; i < PAIRS; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			shared[0] = per_call(number, arg);
			(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
			if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &fprog) < 0)
				syscall(SYS_exit_group, 1);
			shared[1] = per_call(number, arg);
			syscall(SYS_exit_group, 0);
		}
		(void)waitpid(pid, NULL, 0);
		bare = lesser(bare, shared[0]);
		filtered = lesser(filtered, shared[1]);
	}
	return (int64_t)filtered - (int64_t)bare;
}

/* How many instructions the kernel executes to decide on a call. */
static size_t steps(const struct seccomp_program *program, long number, uint64_t arg)
{
	const struct call call = { .arch = AUDIT_ARCH_X86_64,
				   .nr = (uint32_t)number,
				   .args = { arg } };

	return bpf_run(program->insns, program->n, &call).steps;
}

static void bench_call(const struct seccomp_program *program, const char *name, long number,
		       long arg, uint64_t *shared)
{
	(void)printf("  %s +%.1f (%zu steps)", name,
		     (double)added(program, number, arg, shared) / 10,
		     steps(program, number, (uint64_t)arg));
}

static void bench(const char *path, uint64_t *shared)
{
	_cleanup_buf_ struct buf text = { 0 };
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct spec_source source = { .name = path };
	struct arena arena = { 0 };
	struct spec_seccomp spec;
	struct seccomp_program program;
	struct err err;
	uint64_t compiled;

	if (fd < 0 || buf_read_fd(&text, fd, 1 << 20) < 0)
		return;
	source.text = buf_text(&text);
	source.len = text.len;
	if (spec_read_seccomp(&source, &arena, &spec, &err) < 0) {
		(void)fprintf(stderr, "%s\n", err.msg);
		exit(1);
	}
	compiled = compile(&spec, &arena, &program);
	(void)printf("%7llu compile %7llu load %5zu instructions", (unsigned long long)compiled,
		     (unsigned long long)load(&program, shared), program.n);
	bench_call(&program, "personality(-1)", SYS_personality, 0xffffffff, shared);
	bench_call(&program, "getppid", SYS_getppid, 0, shared);
	(void)printf("  %s\n", path);
	arena_done(&arena);
}

/*
 * What nobody can go below: the way into the kernel's seccomp with nothing to decide there, and
 * with one look at an argument, for which the kernel has to run the program at each call.
 */
static void bench_floor(uint64_t *shared)
{
	struct sock_filter allow[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_filter look[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 12345, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct seccomp_program least = { .n = 1, .insns = allow },
				     looks = { .n = sizeof(look) / sizeof(look[0]), .insns = look };

	(void)printf("bare: getppid %.1f, personality %.1f", (double)per_call(SYS_getppid, 0) / 10,
		     (double)per_call(SYS_personality, 0xffffffff) / 10);
	(void)printf("; with a filter that allows all");
	bench_call(&least, "getppid", SYS_getppid, 0, shared);
	(void)printf("; that looks at one argument");
	bench_call(&looks, "personality(-1)", SYS_personality, 0xffffffff, shared);
	bench_call(&looks, "getppid", SYS_getppid, 0, shared);
	(void)printf("\n");
}

int main(int argc, char **argv)
{
	static const char *const profiles[] = PROFILES;
	uint64_t *shared = mmap(NULL, 2 * sizeof(*shared), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED)
		return 1;
	bench_floor(shared);
	for (int i = 1; i < argc; i++)
		bench(argv[i], shared);
	for (size_t i = 0; argc == 1 && i < sizeof(profiles) / sizeof(profiles[0]); i++)
		bench(profiles[i], shared);
	return 0;
}
