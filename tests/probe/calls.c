/*
 * calls.c - really makes system calls and tells what came of each: the proof of a filter.
 *
 *   calls ABI:NUMBER[:ARG,ARG…]…
 *
 * ABI is x86_64, x32 (the same instruction, another bit of the number) or x86 (int 0x80). An ARG is
 * a number, -1 where it is missing: an address that faults, a descriptor that is none, flags that
 * do not exist. [A;B;C] is the address of an array of 32-bit numbers, for socketcall and ipc. Each
 * call is made in a process of its own, which it may kill, and stop for a second.
 *
 * Prints the line of /proc/self/status about seccomp and then "ABI:NUMBER RESULT" for each: 0, an
 * errno, "signal N" or "timeout".
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define X32_BIT   0x40000000L
#define PAGE      4096
#define WAIT_MSEC 1000

struct call {
	char abi[8];
	long number;
	long args[6];
};

static long call_syscall(long number, const long *a)
{
	register long r10 __asm__("r10") = a[3];
	register long r8 __asm__("r8") = a[4];
	register long r9 __asm__("r9") = a[5];
	long result = number;

	__asm__ volatile("syscall"
			 : "+a"(result)
			 : "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

/* The sixth argument is in ebp, which the compiler may need for itself. */
static long call_int80(long number, const long *a)
{
	register long r12 __asm__("r12") = a[5];
	long result = number;

	__asm__ volatile("xchg %%r12, %%rbp\n\tint $0x80\n\txchg %%r12, %%rbp"
			 : "+a"(result), "+r"(r12)
			 : "b"(a[0]), "c"(a[1]), "d"(a[2]), "S"(a[3]), "D"(a[4])
			 : "r8", "r9", "r10", "r11", "memory");
	return (int32_t)result;
}

static long make(const struct call *c)
{
	if (strcmp(c->abi, "x86") == 0)
		return call_int80(c->number, c->args);
	return call_syscall(c->number | (strcmp(c->abi, "x32") == 0 ? X32_BIT : 0), c->args);
}

/* ---- from words to calls ------------------------------------------------------------------ */

static void fail(const char *word)
{
	fprintf(stderr, "calls: %s: expected ABI:NUMBER[:ARG,ARG...]\n", word);
	exit(2);
}

/* Below 4 GB, where a 32-bit call finds it. */
static long array(const char **text)
{
	uint32_t *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	char *end = NULL;
	size_t n = 0;

	if (page == MAP_FAILED)
		exit(2);
	for (const char *p = *text + 1; *p && *p != ']'; p = *end == ';' ? end + 1 : end)
		page[n++] = (uint32_t)strtoull(p, &end, 0);
	*text = end ? end + 1 : *text + 2;
	return (long)page;
}

static void parse(const char *word, struct call *ret)
{
	const char *colon = strchr(word, ':');
	char *end;

	if (!colon || (size_t)(colon - word) >= sizeof(ret->abi))
		fail(word);
	memset(ret, 0, sizeof(*ret));
	memset(ret->args, 0xff, sizeof(ret->args));
	memcpy(ret->abi, word, (size_t)(colon - word));
	ret->number = strtol(colon + 1, &end, 0);
	for (int i = 0; i < 6 && (*end == ':' || *end == ','); i++) {
		const char *p = end + 1;

		if (*p == '[') {
			ret->args[i] = array(&p);
			end = (char *)(uintptr_t)p;
		} else {
			ret->args[i] = (long)strtoull(p, &end, 0);
		}
	}
	if (*end != '\0')
		fail(word);
}

/* ---- one call ----------------------------------------------------------------------------- */

static void child(const struct call *c, int fd)
{
	long result = make(c);
	int32_t code = result < 0 && result >= -4095 ? (int32_t)-result : 0;

	/* A new process or thread must not answer, too. */
	(void)!write(fd, &code, sizeof(code));
	_exit(0);
}

static void report(const struct call *c)
{
	struct pollfd ready = { .events = POLLIN };
	int pipe_fds[2], status;
	int32_t code;
	pid_t pid;

	if (pipe(pipe_fds) < 0)
		exit(2);
	pid = fork();
	if (pid < 0)
		exit(2);
	if (pid == 0)
		child(c, pipe_fds[1]);
	close(pipe_fds[1]);
	ready.fd = pipe_fds[0];
	printf("%s:%ld ", c->abi, c->number);
	if (poll(&ready, 1, WAIT_MSEC) == 0) {
		kill(pid, SIGKILL);
		printf("timeout\n");
		waitpid(pid, &status, 0);
	} else if (read(pipe_fds[0], &code, sizeof(code)) == sizeof(code)) {
		printf("%d\n", code);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
	} else {
		waitpid(pid, &status, 0);
		printf("signal %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	}
	close(pipe_fds[0]);
}

static void print_mode(void)
{
	char line[256];
	FILE *file = fopen("/proc/self/status", "re");

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, "Seccomp:", 8) == 0)
			fputs(line, stdout);
	if (file)
		fclose(file);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	print_mode();
	for (int i = 1; i < argc; i++) {
		struct call c;

		parse(argv[i], &c);
		report(&c);
	}
	return 0;
}
