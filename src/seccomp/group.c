#include "seccomp/group.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "seccomp/syscalls.h"

/* ---- groups ------------------------------------------------------------------------------- */

static const struct syscall_group groups[] = {
	{ "aio", "asynchronous reads and writes of Linux 2.6",
	  "io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents" },
	{ "bpf", "programs in the kernel, and watching it", "bpf perf_event_open" },
	{ "chown", "owners of files", "chown fchown lchown fchownat" },
	{ "clock", "setting the clock", "settimeofday clock_settime clock_adjtime adjtimex stime" },
	{ "debug", "looking into other processes",
	  "ptrace process_vm_readv process_vm_writev pidfd_getfd kcmp process_madvise "
	  "perf_event_open" },
	{ "fanotify", "watching and refusing the use of files", "fanotify_init fanotify_mark" },
	{ "handles", "opening files by handle, past the directories above them",
	  "name_to_handle_at open_by_handle_at" },
	{ "io_uring", "queues of calls that no seccomp filter sees",
	  "io_uring_setup io_uring_enter io_uring_register" },
	{ "kexec", "another kernel in place of this one", "kexec_load kexec_file_load" },
	{ "keyring", "keys in the kernel", "add_key request_key keyctl" },
	{ "memlock", "memory that is not swapped out", "mlock mlock2 mlockall munlock munlockall" },
	{ "mknod", "device files", "mknod mknodat" },
	{ "module", "modules of the kernel",
	  "init_module finit_module delete_module create_module query_module get_kernel_syms" },
	{ "mount", "mounts and the root",
	  "mount umount2 pivot_root chroot fsopen fsconfig fsmount fspick move_mount "
	  "open_tree open_tree_attr mount_setattr" },
	{ "namespaces", "entering and making namespaces", "setns unshare" },
	{ "numa", "which memory is used",
	  "get_mempolicy set_mempolicy set_mempolicy_home_node mbind migrate_pages move_pages" },
	{ "obsolete", "calls that Linux no longer has, or that nobody uses",
	  "_sysctl afs_syscall bdflush break create_module epoll_ctl_old epoll_wait_old ftime "
	  "get_kernel_syms getpmsg gtty idle lock lookup_dcookie modify_ldt mpx nfsservctl prof "
	  "profil putpmsg query_module remap_file_pages security sgetmask ssetmask stty sysfs "
	  "tuxcall ulimit uselib ustat vm86 vm86old vserver" },
	{ "quota", "limits of disk space", "quotactl quotactl_fd" },
	{ "raw-io", "ports of the hardware", "ioperm iopl" },
	{ "reboot", "ending or replacing the system", "reboot kexec_load kexec_file_load" },
	{ "swap", "swap space", "swapon swapoff" },
	{ "sysvipc", "messages, semaphores and memory of System V",
	  "msgctl msgget msgrcv msgsnd semctl semget semop semtimedop shmat shmctl shmdt shmget" },
	{ "userfaultfd", "page faults handled by a program", "userfaultfd" },
	{ "xattr", "setting extended attributes of files",
	  "setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr "
	  "removexattrat" },
};

const struct syscall_group *group_at(unsigned int i)
{
	return i < sizeof(groups) / sizeof(groups[0]) ? &groups[i] : NULL;
}

const struct syscall_group *group_find(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (strlen(groups[i].name) == len && memcmp(groups[i].name, name, len) == 0)
			return &groups[i];
	return NULL;
}

/* ---- calls that are tried ----------------------------------------------------------------- */

static const struct {
	const char *call, *who;
} probed[] = {
	{ "clock_getres_time64", "glibc and musl on 32 bits (then clock_getres)" },
	{ "clock_gettime64", "glibc and musl on 32 bits (then clock_gettime)" },
	{ "clock_nanosleep_time64", "glibc and musl on 32 bits (then clock_nanosleep)" },
	{ "clone3", "glibc since 2.34 for each new thread (then clone)" },
	{ "close_range", "glibc since 2.34, Python and systemd (then close)" },
	{ "copy_file_range", "coreutils, Go and Rust (then read and write)" },
	{ "epoll_pwait2", "libevent and libuv (then epoll_wait)" },
	{ "execveat", "glibc's fexecve (then /proc/self/fd)" },
	{ "faccessat2", "glibc since 2.33 and musl for faccessat (then faccessat)" },
	{ "fchmodat2", "glibc since 2.39 and musl for fchmodat (then /proc/self/fd)" },
	{ "futex_time64", "glibc and musl on 32 bits (then futex)" },
	{ "futex_waitv", "Wine (then futex)" },
	{ "getrandom", "glibc, musl, Go and Rust (then /dev/urandom)" },
	{ "map_shadow_stack", "glibc with shadow stacks (then without them)" },
	{ "membarrier", "musl, .NET and liburcu (then signals or mprotect)" },
	{ "memfd_create", "programs that fall back to a file in /tmp" },
	{ "mseal", "glibc since 2.41 for its own code (then without)" },
	{ "openat2", "Go's os.Root, systemd and libpathrs (then openat)" },
	{ "pidfd_open", "Go since 1.23, Python and systemd (then pids)" },
	{ "pidfd_send_signal", "Go since 1.23 and systemd (then kill)" },
	{ "ppoll_time64", "glibc and musl on 32 bits (then ppoll)" },
	{ "preadv2", "glibc for preadv2 (then preadv)" },
	{ "pselect6_time64", "glibc and musl on 32 bits (then pselect6)" },
	{ "pwritev2", "glibc for pwritev2 (then pwritev)" },
	{ "renameat2", "glibc for renameat2 (then renameat), Go and coreutils" },
	{ "rseq", "glibc since 2.35 for each thread (then without)" },
	{ "sched_setattr", "glibc since 2.41 (then sched_setscheduler)" },
	{ "statx", "glibc, musl, Qt and Rust (then fstatat)" },
	{ "timer_settime64", "glibc and musl on 32 bits (then timer_settime)" },
	{ "timerfd_settime64", "glibc and musl on 32 bits (then timerfd_settime)" },
	{ "utimensat_time64", "glibc and musl on 32 bits (then utimensat)" },
};

const char *group_prober(const char *call)
{
	for (size_t i = 0; i < sizeof(probed) / sizeof(probed[0]); i++)
		if (strcmp(probed[i].call, call) == 0)
			return probed[i].who;
	return NULL;
}

const char *group_probed(unsigned int i)
{
	return i < sizeof(probed) / sizeof(probed[0]) ? probed[i].call : NULL;
}

/* ---- forms of a call ---------------------------------------------------------------------- */

/* What the endings below do not find. */
static const struct {
	const char *call, *variant;
} others[] = {
	{ "getrlimit", "ugetrlimit" }, { "lseek", "_llseek" },  { "mmap", "mmap2" },
	{ "newfstatat", "fstatat64" }, { "recvfrom", "recv" },  { "select", "_newselect" },
	{ "sendto", "send" },          { "umount2", "umount" },
};

/* chown32, stat64, futex_time64, fadvise64_64; but getdents64 is a call that x86_64 has, too. */
static const char *with_ending(const char *call, const char *ending)
{
	char name[64];
	int row;

	if ((size_t)snprintf(name, sizeof(name), "%s%s", call, ending) >= sizeof(name))
		return NULL;
	row = syscall_row(name);
	if (row < 0 || syscall_offset(row, TABLE_X86_64) != SYSCALL_NONE)
		return NULL;
	return syscall_row_name(row);
}

const char *group_variant(const char *call, unsigned int i)
{
	static const char *const endings[] = { "32", "64", "_64", "_time64" };
	const char *found;

	for (size_t k = 0; k < sizeof(endings) / sizeof(endings[0]); k++) {
		found = with_ending(call, endings[k]);
		if (found && i-- == 0)
			return found;
	}
	for (size_t k = 0; k < sizeof(others) / sizeof(others[0]); k++)
		if (strcmp(others[k].call, call) == 0 && i-- == 0)
			return others[k].variant;
	return NULL;
}
