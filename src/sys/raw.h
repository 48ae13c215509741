/*
 * raw.h - the system call instruction: a result, or a negative errno.
 *
 * Init shares the memory of the process that made it (CLONE_VM), thread-local storage included. The
 * C library's wrappers would make both write the same errno, so nothing between clone and exec goes
 * through them. Porting to another processor means adding sys_call6() and sys_spawn() here.
 */
#pragma once

#include <stdint.h>
#include <sys/syscall.h>

#if defined(__clang_analyzer__)

/* clang-tidy does not see that the instruction writes to memory; of a call it expects that. */
long sys_call6(long n, long a, long b, long c, long d, long e, long f);
long sys_spawn(void *clone_args, uintptr_t size, void (*fn)(void *), void *arg);

#elif defined(__x86_64__)

static inline long sys_call6(long n, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

/*
 * clone3 with a stack of its own: the child calls fn(arg), which never returns, on a new stack. A
 * plain function cannot do this, for the child must not return into its parent's frame.
 */
static inline long sys_spawn(void *clone_args, uintptr_t size, void (*fn)(void *), void *arg)
{
	register void (*r12)(void *) __asm__("r12") = fn;
	register void *r13 __asm__("r13") = arg;
	long ret;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "mov %%r13, %%rdi\n\t"
			 "call *%%r12\n\t"
			 "ud2\n"
			 "1:"
			 : "=a"(ret)
			 : "a"((long)SYS_clone3), "D"(clone_args), "S"(size), "r"(r12), "r"(r13)
			 : "rcx", "r11", "memory");
	return ret;
}

#elif defined(__aarch64__)

static inline long sys_call6(long n, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = n;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory", "cc");
	return x0;
}

static inline long sys_spawn(void *clone_args, uintptr_t size, void (*fn)(void *), void *arg)
{
	register long x8 __asm__("x8") = SYS_clone3;
	register long x0 __asm__("x0") = (long)(uintptr_t)clone_args;
	register long x1 __asm__("x1") = (long)size;
	register void (*x9)(void *) __asm__("x9") = fn;
	register void *x10 __asm__("x10") = arg;

	__asm__ volatile("svc 0\n\t"
			 "cbnz x0, 1f\n\t"
			 "mov x29, xzr\n\t"
			 "mov x30, xzr\n\t"
			 "mov x0, x10\n\t"
			 "blr x9\n\t"
			 "brk #1\n"
			 "1:"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x9), "r"(x10)
			 : "memory", "cc");
	return x0;
}

#else
#error "containr has no system call instruction for this processor yet: see sys/raw.h"
#endif

#define SYS_ARG(x) ((long)(x))

#define sys_call_0(n)          (sys_call6(n, 0, 0, 0, 0, 0, 0))
#define sys_call_1(n, a)       (sys_call6(n, SYS_ARG(a), 0, 0, 0, 0, 0))
#define sys_call_2(n, a, b)    (sys_call6(n, SYS_ARG(a), SYS_ARG(b), 0, 0, 0, 0))
#define sys_call_3(n, a, b, c) (sys_call6(n, SYS_ARG(a), SYS_ARG(b), SYS_ARG(c), 0, 0, 0))
#define sys_call_4(n, a, b, c, d)                                                                  \
	(sys_call6(n, SYS_ARG(a), SYS_ARG(b), SYS_ARG(c), SYS_ARG(d), 0, 0))
#define sys_call_5(n, a, b, c, d, e)                                                               \
	(sys_call6(n, SYS_ARG(a), SYS_ARG(b), SYS_ARG(c), SYS_ARG(d), SYS_ARG(e), 0))
#define sys_call_6(n, a, b, c, d, e, f)                                                            \
	(sys_call6(n, SYS_ARG(a), SYS_ARG(b), SYS_ARG(c), SYS_ARG(d), SYS_ARG(e), SYS_ARG(f)))
