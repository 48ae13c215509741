/*
 * bench.c - what a profile costs: to compile, to load, and what it adds to a call with checked
 * arguments and to one without. Medians in nanoseconds.
 *
 * seccomp_bench [FILE...]: without files, all profiles of the tests.
 */
#include <fcntl.h>
#include <linux/seccomp.h>
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
#define CALLS        1000
#define PAIRS        9
#define DEFAULT_CAPS 0xa80425fbULL

static uint64_t now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static uint64_t median(uint64_t *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[n / 2];
}

static uint64_t compile(const struct spec_seccomp *spec, struct arena *arena,
			struct seccomp_program *program)
{
	const struct seccomp_env env = { .caps = DEFAULT_CAPS, .kernel_major = 6 };
	uint64_t times[ROUNDS];
	struct err err;

	for (size_t i = 0; i < ROUNDS; i++) {
		struct arena fresh = { 0 };
		uint64_t start = now();

		if (seccomp_compile(spec, &env, &fresh, program, &err) < 0) {
			(void)fprintf(stderr, "%s\n", err.msg);
			exit(1);
		}
		times[i] = now() - start;
		arena_done(&fresh);
	}
	(void)seccomp_compile(spec, &env, arena, program, &err);
	return median(times, ROUNDS);
}

/* In a child, since a filter stays. */
static uint64_t load(const struct seccomp_program *program, uint64_t *times)
{
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
			times[i] = now() - start;
			syscall(SYS_exit_group, r < 0);
		}
		(void)waitpid(pid, NULL, 0);
	}
	return median(times, ROUNDS);
}

/* Nanoseconds of a call whose arguments the profiles check, and of one that is just allowed. */
static uint64_t per_call(long number, long arg, uint64_t *times)
{
	for (size_t i = 0; i < ROUNDS; i++) {
		uint64_t start = now();

		for (size_t k = 0; k < CALLS; k++)
			(void)syscall(number, arg);
		times[i] = (now() - start) * 10 / CALLS;
	}
	return median(times, ROUNDS);
}

/*
 * What the filter adds to a call, in tenths of a nanosecond. Without and with it in turn, in
 * processes of their own, since a filter stays and the machine is not always as fast.
 */
static int64_t added(const struct seccomp_program *program, long number, long arg, uint64_t *shared)
{
	struct sock_fprog fprog = { (unsigned short)program->n, program->insns };
	unsigned int flags = program->flags & ~(unsigned int)SECCOMP_FILTER_FLAG_NEW_LISTENER;
	uint64_t differences[PAIRS];

	for (size_t i = 0; i < PAIRS; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			uint64_t before = per_call(number, arg, shared + 1), after;

			(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
			if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &fprog) < 0)
				syscall(SYS_exit_group, 1);
			after = per_call(number, arg, shared + 1);
			shared[0] = after > before ? after - before : 0;
			syscall(SYS_exit_group, 0);
		}
		(void)waitpid(pid, NULL, 0);
		differences[i] = shared[0];
	}
	return (int64_t)median(differences, PAIRS);
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
	(void)printf("  +%.1f personality(-1) +%.1f getppid  %s\n",
		     (double)added(&program, SYS_personality, 0xffffffff, shared) / 10,
		     (double)added(&program, SYS_getppid, 0, shared) / 10, path);
	arena_done(&arena);
}

/* What nobody can go below: the way into the kernel's seccomp, with nothing to decide there. */
static void bench_floor(uint64_t *shared)
{
	struct sock_filter allow = { .code = BPF_RET | BPF_K, .k = SECCOMP_RET_ALLOW };
	const struct seccomp_program program = { .n = 1, .insns = &allow };
	uint64_t bare = per_call(SYS_getppid, 0, shared + 1);

	(void)printf("getppid takes %.1f, a filter of one instruction adds %.1f\n",
		     (double)bare / 10, (double)added(&program, SYS_getppid, 0, shared) / 10);
}

int main(int argc, char **argv)
{
	static const char *const profiles[] = PROFILES;
	uint64_t *shared = mmap(NULL, (ROUNDS + 1) * sizeof(*shared), PROT_READ | PROT_WRITE,
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
