/*
 * lint_calls.c - what becomes of calls on this host: those that every program needs, those that
 * programs try, and those that stand for a denied one.
 */
#include <errno.h>
#include <linux/seccomp.h>

#include "seccomp/group.h"
#include "seccomp/lint_part.h"

#define LIST_MAX 400 /* of names in one message */

/* ---- calls that C libraries need ---------------------------------------------------------- */

static const struct {
	const char *call, *why;
} needed[] = {
	{ "arch_prctl", "programs on x86_64 set up thread-local storage with it before main" },
	{ "brk", "glibc's loader and malloc grow the heap with it" },
	{ "clone", "fork and threads are made with it, also after clone3 was refused" },
	{ "close", "every program closes files" },
	{ "dup3", "posix_spawn and shells redirect with it" },
	{ "execve", "the container's program itself is started by it, under the filter" },
	{ "exit", "threads end with it; without it the C library loops or crashes" },
	{ "exit_group", "programs end with it; without it the C library loops or crashes" },
	{ "fcntl", "stdio and shells set flags of descriptors with it" },
	{ "fstat", "musl and older glibc look at each library that they load" },
	{ "futex", "locks and joining of threads wait with it" },
	{ "getdents64", "directories are read with it" },
	{ "gettid", "raise and abort need the thread's id" },
	{ "lseek", "stdio moves in files with it" },
	{ "mmap", "libraries, stacks and large blocks of memory are mapped with it" },
	{ "mmap2", "libraries, stacks and large blocks of memory are mapped with it" },
	{ "mprotect", "the loader makes relocated pages read-only and stacks get guard pages" },
	{ "munmap", "malloc and the loader give memory back with it" },
	{ "newfstatat", "glibc since 2.33 has no other way to fstat" },
	{ "openat", "every file is opened with it, the C library's own too" },
	{ "pipe2", "pipes of shells and posix_spawn are made with it" },
	{ "read", "every program reads, the loader reads libraries" },
	{ "restart_syscall", "the kernel itself continues an interrupted sleep or poll with it" },
	{ "rt_sigaction", "signal handlers are set with it; threads need it" },
	{ "rt_sigprocmask", "fork, threads and abort block signals with it" },
	{ "rt_sigreturn", "each signal handler returns through it; without it the program dies" },
	{ "set_thread_area", "programs on i386 set up thread-local storage with it before main" },
	{ "set_tid_address", "glibc and musl call it before main" },
	{ "tgkill", "raise and abort send signals with it" },
	{ "wait4", "shells wait for their children with it" },
	{ "write", "every program writes" },
	{ "writev", "musl's stdio writes with nothing else" },
};

void lint_libc(struct linter *l)
{
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		const struct call_verdict v = lint_verdict(l, 0, needed[i].call);

		if (v.exists && verdict_never_passes(&v))
			lint_add(l, "libc", false, l->calls[syscall_row(needed[i].call)].path,
				 "%s is denied: %s", needed[i].call, needed[i].why);
	}
}

/* ---- calls that are tried ----------------------------------------------------------------- */

static bool falls_back(uint32_t action)
{
	return verdict_passes(action) || action == (SECCOMP_RET_ERRNO | ENOSYS);
}

void lint_probes(struct linter *l)
{
	const char *call;

	for (unsigned int i = 0; (call = group_probed(i)); i++) {
		const struct call_verdict v = lint_verdict(l, 0, call);
		bool kills = (v.action & SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ERRNO;

		if (v.exists && !v.chain && !falls_back(v.action))
			lint_add(l, "probe", false, l->calls[syscall_row(call)].path,
				 "%s is tried by %s: %s; deny it with errnoRet %d (ENOSYS)", call,
				 group_prober(call),
				 kills ? "the attempt kills" : "only ENOSYS makes it fall back",
				 ENOSYS);
	}
}

/* ---- calls that do the same --------------------------------------------------------------- */

static const struct {
	const char *call, *twin;
	bool limited; /* also where the call is denied for some arguments only */
	const char *what;
} twins[] = {
	{ "chmod", "fchmodat", false, "changes the same modes" },
	{ "chmod", "fchmodat2", false, "changes the same modes (Linux 6.6)" },
	{ "chmod", "fchmod", false, "changes the same modes of an open file" },
	{ "fchmodat", "fchmodat2", true, "changes the same modes (Linux 6.6)" },
	{ "chown", "fchownat", false, "changes the same owners" },
	{ "chown", "lchown", false, "changes the same owners" },
	{ "chown", "fchown", false, "changes the same owners of an open file" },
	{ "clone", "clone3", true,
	  "makes the same processes and namespaces, with flags in memory" },
	{ "unshare", "clone3", false, "makes the same namespaces, with flags in memory" },
	{ "unshare", "clone", false, "makes the same namespaces" },
	{ "connect", "sendto", false, "connects with MSG_FASTOPEN" },
	{ "execve", "execveat", false, "starts the same programs" },
	{ "finit_module", "init_module", false, "loads the same modules" },
	{ "init_module", "finit_module", false, "loads the same modules" },
	{ "ioperm", "iopl", false, "opens the same ports" },
	{ "iopl", "ioperm", false, "opens the same ports" },
	{ "kexec_load", "kexec_file_load", false, "loads a kernel too" },
	{ "kill", "pidfd_send_signal", false, "sends the same signals" },
	{ "kill", "rt_sigqueueinfo", false, "sends the same signals" },
	{ "kill", "tgkill", false, "sends the same signals to a thread" },
	{ "kill", "tkill", false, "sends the same signals to a thread" },
	{ "link", "linkat", false, "makes the same links" },
	{ "mkdir", "mkdirat", false, "makes the same directories" },
	{ "mknod", "mknodat", true, "makes the same devices" },
	{ "mount", "move_mount", false, "mounts what fsmount or open_tree prepared" },
	{ "mprotect", "pkey_mprotect", true, "changes the same protection" },
	{ "open", "openat", false, "opens the same files" },
	{ "open", "openat2", false, "opens the same files" },
	{ "openat", "open", false, "opens the same files" },
	{ "openat", "openat2", true, "opens the same files, with flags in memory" },
	{ "process_vm_readv", "ptrace", false, "reads the same memory" },
	{ "process_vm_writev", "ptrace", false, "writes the same memory" },
	{ "ptrace", "pidfd_getfd", false, "takes descriptors from other processes" },
	{ "ptrace", "process_vm_readv", false, "reads the memory of other processes" },
	{ "ptrace", "process_vm_writev", false, "writes the memory of other processes" },
	{ "quotactl", "quotactl_fd", false, "sets the same quotas" },
	{ "rename", "renameat", false, "renames the same files" },
	{ "rename", "renameat2", false, "renames the same files" },
	{ "renameat", "renameat2", false, "renames the same files" },
	{ "rmdir", "unlinkat", false, "removes the same directories" },
	{ "sched_setscheduler", "sched_setattr", true, "sets the same policies" },
	{ "sendto", "sendmsg", false, "sends the same messages" },
	{ "setrlimit", "prlimit64", true, "sets the same limits" },
	{ "settimeofday", "clock_settime", false, "sets the same clock" },
	{ "settimeofday", "clock_adjtime", false, "sets the same clock, with ADJ_SETOFFSET" },
	{ "clock_settime", "settimeofday", false, "sets the same clock" },
	{ "setuid", "setresuid", true, "sets the same user ids" },
	{ "setuid", "setreuid", true, "sets the same user ids" },
	{ "setxattr", "fsetxattr", false, "sets the same attributes of an open file" },
	{ "setxattr", "lsetxattr", false, "sets the same attributes" },
	{ "setxattr", "setxattrat", false, "sets the same attributes (Linux 6.13)" },
	{ "symlink", "symlinkat", false, "makes the same links" },
	{ "truncate", "ftruncate", false, "cuts the same files once they are open" },
	{ "unlink", "unlinkat", false, "removes the same files" },
};

void lint_twins(struct linter *l)
{
	for (size_t i = 0; i < sizeof(twins) / sizeof(twins[0]); i++) {
		const struct call_verdict call = lint_verdict(l, 0, twins[i].call);
		const struct call_verdict twin = lint_verdict(l, 0, twins[i].twin);
		const struct lint_call *rules = &l->calls[syscall_row(twins[i].call)];
		bool is_denied = rules->is_denied && verdict_never_passes(&call);
		bool is_limited = twins[i].limited && call.chain && !verdict_always_passes(&call) &&
				  !verdict_never_passes(&call);

		if (call.exists && (is_denied || is_limited) && verdict_always_passes(&twin))
			lint_add(l, "twin", false, rules->path, "%s is %s, but %s is not: it %s",
				 twins[i].call, is_denied ? "denied" : "denied for some arguments",
				 twins[i].twin, twins[i].what);
	}
}

/* ---- io_uring ----------------------------------------------------------------------------- */

static const char *const uring_calls[] = {
	"accept4",   "bind",      "connect",  "fadvise64", "fallocate", "fsetxattr",
	"fsync",     "ftruncate", "futex",    "linkat",    "listen",    "madvise",
	"mkdirat",   "openat",    "openat2",  "pipe2",     "read",      "recvmsg",
	"renameat2", "sendmsg",   "setxattr", "shutdown",  "socket",    "splice",
	"statx",     "symlinkat", "tee",      "unlinkat",  "waitid",    "write",
};

void lint_io_uring(struct linter *l)
{
	const struct call_verdict setup = lint_verdict(l, 0, "io_uring_setup");
	_cleanup_buf_ struct buf names = { 0 };

	if (verdict_never_passes(&setup))
		return;
	for (size_t i = 0; i < sizeof(uring_calls) / sizeof(uring_calls[0]); i++) {
		const struct call_verdict v = lint_verdict(l, 0, uring_calls[i]);

		if (v.exists && !verdict_always_passes(&v) && names.len < LIST_MAX)
			buf_printf(&names, "%s%s", names.len > 0 ? ", " : "", uring_calls[i]);
	}
	lint_add(l, "io_uring", names.len == 0, l->calls[syscall_row("io_uring_setup")].path,
		 "no filter sees what is done through io_uring%s%s",
		 names.len > 0 ? ", where these denied calls are possible: " : "",
		 buf_text(&names));
	l->arena->failed = l->arena->failed || names.failed;
}
