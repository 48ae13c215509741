/*
 * payload.c - what the benchmark's containers run: a program without a C library, so that it costs
 * nothing. As /bin/true it ends at once; as /bin/pause (-DPAUSE) it sleeps until a signal ends it.
 */
#include <sys/syscall.h>

static long call(long n, long a)
{
	long ret;

	__asm__ volatile("syscall" : "=a"(ret) : "a"(n), "D"(a) : "rcx", "r11", "memory");
	return ret;
}

_Noreturn void _start(void)
{
#ifdef PAUSE
	for (;;)
		call(SYS_pause, 0);
#endif
	for (;;)
		call(SYS_exit_group, 0);
}
