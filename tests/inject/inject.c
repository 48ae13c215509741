/*
 * inject.c - makes one system call of a program fail, or kills the program there.
 *
 *   inject REPORT PROGRAM --count COMMAND...         counts the system calls that it makes
 *   inject REPORT PROGRAM --kill N COMMAND...        kills the process that makes call N, instead
 *   inject REPORT PROGRAM --fail N,ERRNO COMMAND...  call N is not carried out and returns ERRNO
 *
 * Calls are counted over the command and all processes it makes, in the order in which they happen,
 * from the exec of PROGRAM on: the command may begin with others, a shell or setpriv, that make way
 * for it. strace's inject= counts per name and so cannot walk through all of them. A process that
 * executes another program (a hook, the container's own) is let go: its calls are not the
 * runtime's. The end of the command is the end of all tracing, and its exit status is ours.
 *
 * The file REPORT gets the total, or "host|child NUMBER" for the call that was hit; it stays empty
 * if there was no call N, or PROGRAM was not executed.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum action { COUNT, KILL, FAIL };

enum { TRACEES_MAX = 64 };

struct tracee {
	pid_t pid;    /* 0: free */
	bool failing; /* its call was skipped and gets its result on return */
};

struct run {
	enum action action;
	struct stat program;
	bool counting; /* the program was executed */
	unsigned long target, count;
	long error;
	pid_t first;
	FILE *report;
	struct tracee tracees[TRACEES_MAX];
};

static void die(const char *what)
{
	perror(what);
	exit(125);
}

static struct tracee *find(struct run *r, pid_t pid)
{
	struct tracee *unused = NULL;

	for (size_t i = 0; i < TRACEES_MAX; i++) {
		if (r->tracees[i].pid == pid)
			return &r->tracees[i];
		if (!unused && r->tracees[i].pid == 0)
			unused = &r->tracees[i];
	}
	if (!unused)
		die("too many processes");
	*unused = (struct tracee){ .pid = pid };
	return unused;
}

#if defined(__x86_64__)
/* Number -1 is no call: the kernel skips it and leaves the result as it is set here. */
static void skip_call(pid_t pid)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, pid, 0, &regs) < 0)
		return;
	regs.orig_rax = (unsigned long long)-1;
	ptrace(PTRACE_SETREGS, pid, 0, &regs);
}

static void set_result(pid_t pid, long value)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, pid, 0, &regs) < 0)
		return;
	regs.rax = (unsigned long long)value;
	ptrace(PTRACE_SETREGS, pid, 0, &regs);
}
#elif defined(__aarch64__)
static void skip_call(pid_t pid)
{
	int none = -1;
	struct iovec io = { &none, sizeof none };

	ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &io);
}

static void set_result(pid_t pid, long value)
{
	struct user_regs_struct regs;
	struct iovec io = { &regs, sizeof regs };

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &io) < 0)
		return;
	regs.regs[0] = (unsigned long long)value;
	ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &io);
}
#else
#error "inject does not know the registers of this processor"
#endif

static void on_entry(struct run *r, struct tracee *t, unsigned long number)
{
	if (!r->counting || ++r->count != r->target)
		return;
	fprintf(r->report, "%s %lu\n", t->pid == r->first ? "host" : "child", number);
	fflush(r->report);
	if (r->action == KILL) {
		kill(t->pid, SIGKILL);
	} else if (r->action == FAIL) {
		skip_call(t->pid);
		t->failing = true;
	}
}

static void on_call(struct run *r, struct tracee *t)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, t->pid, sizeof info, &info) < 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		on_entry(r, t, (unsigned long)info.entry.nr);
	} else if (t->failing) {
		t->failing = false;
		set_result(t->pid, -r->error);
	}
}

/* A file has the same numbers in every mount namespace, where its path may be another. */
static void on_exec(struct run *r)
{
	char exe[32];
	struct stat st;

	snprintf(exe, sizeof exe, "/proc/%d/exe", r->first);
	if (stat(exe, &st) == 0 && st.st_dev == r->program.st_dev && st.st_ino == r->program.st_ino)
		r->counting = true;
}

/* Handles one stop; returns the signal to go on with, or -1 when the process was let go. */
static int on_stop(struct run *r, struct tracee *t, int status)
{
	int sig = WSTOPSIG(status), event = status >> 16;

	if (sig == (SIGTRAP | 0x80)) {
		on_call(r, t);
		return 0;
	}
	if (event == PTRACE_EVENT_EXEC && t->pid != r->first) {
		ptrace(PTRACE_DETACH, t->pid, 0, 0);
		t->pid = 0;
		return -1;
	}
	if (event == PTRACE_EVENT_EXEC)
		on_exec(r);
	if (event != 0)
		return 0;
	return sig;
}

static int trace(struct run *r)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, __WALL);
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			die("waitpid");
		struct tracee *t = find(r, pid);
		if (WIFSTOPPED(status)) {
			int sig = on_stop(r, t, status);
			if (sig >= 0)
				ptrace(PTRACE_SYSCALL, pid, 0, sig);
			continue;
		}
		t->pid = 0;
		if (pid == r->first)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
}

/*
 * Seized, not attached: a process that is let go by the end of this program runs on, where an
 * attached one could stay stopped by the signal that its tracing began with.
 */
static void start(struct run *r, char **argv)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
			     PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;
	int gate[2], status;
	char go;

	if (pipe2(gate, O_CLOEXEC) < 0)
		die("pipe");
	r->first = fork();
	if (r->first == 0) {
		close(gate[1]);
		(void)!read(gate[0], &go, 1);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (r->first < 0 || ptrace(PTRACE_SEIZE, r->first, 0, options) < 0)
		die("ptrace");
	close(gate[0]);
	close(gate[1]);
	/* The first stop is that of the exec. */
	if (waitpid(r->first, &status, 0) < 0 || !WIFSTOPPED(status))
		die(argv[0]);
	on_exec(r);
	find(r, r->first);
	ptrace(PTRACE_SYSCALL, r->first, 0, 0);
}

/* Reads the words before the command, which it returns; NULL if they are wrong. */
static char **read_words(struct run *r, char **argv)
{
	char *end = NULL;

	r->report = fopen(argv[1], "we");
	if (!r->report)
		die(argv[1]);
	if (stat(argv[2], &r->program) < 0)
		die(argv[2]);
	if (strcmp(argv[3], "--count") == 0)
		return argv + 4;
	r->target = strtoul(argv[4], &end, 10);
	if (strcmp(argv[3], "--kill") == 0) {
		r->action = KILL;
	} else if (strcmp(argv[3], "--fail") == 0 && *end == ',') {
		r->action = FAIL;
		r->error = strtol(end + 1, NULL, 10);
	} else {
		return NULL;
	}
	return argv[5] ? argv + 5 : NULL;
}

int main(int argc, char **argv)
{
	static struct run r;
	char **command = argc > 4 ? read_words(&r, argv) : NULL;

	if (!command) {
		fprintf(
		    stderr,
		    "usage: inject REPORT PROGRAM --count|--kill N|--fail N,ERRNO COMMAND...\n");
		return 2;
	}
	start(&r, command);
	int status = trace(&r);
	if (r.action == COUNT)
		fprintf(r.report, "%lu\n", r.count);
	return status;
}
