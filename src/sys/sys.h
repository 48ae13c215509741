/*
 * sys.h - the kernel, one thin wrapper per call: a result >= 0, or a negative errno.
 *
 * Safe to use after clone(): no allocation, no lock, no stdio, no errno. Each is one instruction
 * and so they stand in this header.
 */
#pragma once

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "sys/abi.h"
#include "sys/raw.h"

/* ---- files -------------------------------------------------------------------------------- */

static inline int sys_openat(int dir, const char *path, int flags, mode_t mode)
{
	return (int)sys_call_4(SYS_openat, dir, path, flags, mode);
}

static inline int sys_openat2(int dir, const char *path, uint64_t flags, uint64_t mode,
			      uint64_t resolve)
{
	struct open_how how = { .flags = flags, .mode = mode, .resolve = resolve };

	return (int)sys_call_4(SYS_openat2, dir, path, &how, sizeof(how));
}

static inline int sys_close(int fd)
{
	return (int)sys_call_1(SYS_close, fd);
}

static inline int sys_close_range(unsigned int first, unsigned int last, unsigned int flags)
{
	return (int)sys_call_3(SYS_close_range, first, last, flags);
}

static inline ssize_t sys_read(int fd, void *data, size_t size)
{
	return sys_call_3(SYS_read, fd, data, size);
}

static inline ssize_t sys_write(int fd, const void *data, size_t size)
{
	return sys_call_3(SYS_write, fd, data, size);
}

static inline int sys_mkdirat(int dir, const char *path, mode_t mode)
{
	return (int)sys_call_3(SYS_mkdirat, dir, path, mode);
}

static inline int sys_mknodat(int dir, const char *path, mode_t mode, uint64_t dev)
{
	return (int)sys_call_4(SYS_mknodat, dir, path, mode, dev);
}

static inline int sys_symlinkat(const char *target, int dir, const char *path)
{
	return (int)sys_call_3(SYS_symlinkat, target, dir, path);
}

static inline int sys_unlinkat(int dir, const char *path, int flags)
{
	return (int)sys_call_3(SYS_unlinkat, dir, path, flags);
}

static inline ssize_t sys_readlinkat(int dir, const char *path, char *text, size_t size)
{
	return sys_call_4(SYS_readlinkat, dir, path, text, size);
}

static inline int sys_fchmod(int fd, mode_t mode)
{
	return (int)sys_call_2(SYS_fchmod, fd, mode);
}

static inline int sys_fchownat(int dir, const char *path, uid_t uid, gid_t gid, int flags)
{
	return (int)sys_call_5(SYS_fchownat, dir, path, uid, gid, flags);
}

static inline int sys_statx(int dir, const char *path, int flags, unsigned int mask,
			    struct statx *ret)
{
	return (int)sys_call_5(SYS_statx, dir, path, flags, mask, ret);
}

static inline int sys_fstatfs(int fd, struct statfs *ret)
{
	return (int)sys_call_2(SYS_fstatfs, fd, ret);
}

static inline ssize_t sys_getdents64(int fd, void *data, size_t size)
{
	return sys_call_3(SYS_getdents64, fd, data, size);
}

static inline int sys_faccessat(int dir, const char *path, int mode)
{
	return (int)sys_call_3(SYS_faccessat, dir, path, mode);
}

static inline int sys_dup3(int from, int to, int flags)
{
	return (int)sys_call_3(SYS_dup3, from, to, flags);
}

static inline int sys_fcntl(int fd, int op, long arg)
{
	return (int)sys_call_3(SYS_fcntl, fd, op, arg);
}

static inline int sys_ioctl(int fd, unsigned long request, void *arg)
{
	return (int)sys_call_3(SYS_ioctl, fd, request, arg);
}

static inline int sys_fchdir(int fd)
{
	return (int)sys_call_1(SYS_fchdir, fd);
}

static inline int sys_chdir(const char *path)
{
	return (int)sys_call_1(SYS_chdir, path);
}

static inline int sys_chroot(const char *path)
{
	return (int)sys_call_1(SYS_chroot, path);
}

static inline ssize_t sys_getcwd(char *text, size_t size)
{
	return sys_call_2(SYS_getcwd, text, size);
}

static inline mode_t sys_umask(mode_t mask)
{
	return (mode_t)sys_call_1(SYS_umask, mask);
}

static inline ssize_t sys_sendfile(int to, int from, size_t size)
{
	return sys_call_4(SYS_sendfile, to, from, 0, size);
}

static inline int64_t sys_lseek(int fd, int64_t offset, int whence)
{
	return sys_call_3(SYS_lseek, fd, offset, whence);
}

static inline int sys_utimensat(int dir, const char *path, const struct timespec times[2],
				int flags)
{
	return (int)sys_call_4(SYS_utimensat, dir, path, times, flags);
}

static inline int sys_fsetxattr(int fd, const char *name, const void *value, size_t size)
{
	return (int)sys_call_5(SYS_fsetxattr, fd, name, value, size, 0);
}

/* ---- mounts, by file descriptor only ------------------------------------------------------- */

static inline int sys_fsopen(const char *type)
{
	return (int)sys_call_2(SYS_fsopen, type, FSOPEN_CLOEXEC);
}

static inline int sys_fsconfig(int fs, unsigned int command, const char *key, const char *value,
			       int aux)
{
	return (int)sys_call_5(SYS_fsconfig, fs, command, key, value, aux);
}

static inline int sys_fsmount(int fs, uint64_t attr)
{
	return (int)sys_call_3(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attr);
}

static inline int sys_open_tree(int dir, const char *path, unsigned int flags)
{
	return (int)sys_call_3(SYS_open_tree, dir, path, flags | OPEN_TREE_CLOEXEC);
}

static inline int sys_move_mount(int from, const char *from_path, int to, const char *to_path,
				 unsigned int flags)
{
	return (int)sys_call_5(SYS_move_mount, from, from_path, to, to_path, flags);
}

static inline int sys_mount_setattr(int dir, const char *path, unsigned int flags,
				    const struct mount_attr *attr)
{
	return (int)sys_call_5(SYS_mount_setattr, dir, path, flags, attr, sizeof(*attr));
}

static inline int sys_pivot_root(const char *new_root, const char *put_old)
{
	return (int)sys_call_2(SYS_pivot_root, new_root, put_old);
}

static inline int sys_umount2(const char *path, int flags)
{
	return (int)sys_call_2(SYS_umount2, path, flags);
}

/* ---- memory --------------------------------------------------------------------------------- */

/* Anonymous memory, readable and writable. */
static inline int sys_map(size_t size, int flags, void **ret)
{
	long r =
	    sys_call_6(SYS_mmap, 0, size, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	if (r < 0 && r > -4096)
		return (int)r;
	*ret = (void *)(uintptr_t)r;
	return 0;
}

static inline int sys_munmap(void *start, size_t size)
{
	return (int)sys_call_2(SYS_munmap, start, size);
}

/* ---- processes and namespaces --------------------------------------------------------------- */

static inline pid_t sys_getppid(void)
{
	return (pid_t)sys_call_0(SYS_getppid);
}

static inline void sys_pause(void)
{
	/* There is no pause(2) on newer architectures. */
	(void)sys_call_4(SYS_ppoll, 0, 0, 0, 0);
}

static inline pid_t sys_getpid(void)
{
	return (pid_t)sys_call_0(SYS_getpid);
}

static inline int sys_setns(int fd, int flags)
{
	return (int)sys_call_2(SYS_setns, fd, flags);
}

static inline int sys_unshare(int flags)
{
	return (int)sys_call_1(SYS_unshare, flags);
}

static inline int sys_wait4(pid_t pid, int *status, int options)
{
	return (int)sys_call_4(SYS_wait4, pid, status, options, 0);
}

static inline int sys_kill(pid_t pid, int sig)
{
	return (int)sys_call_2(SYS_kill, pid, sig);
}

static inline int sys_pidfd_open(pid_t pid, unsigned int flags)
{
	return (int)sys_call_2(SYS_pidfd_open, pid, flags);
}

static inline int sys_pidfd_getfd(int pidfd, int fd)
{
	return (int)sys_call_3(SYS_pidfd_getfd, pidfd, fd, 0);
}

static inline int sys_pidfd_send_signal(int pidfd, int sig)
{
	return (int)sys_call_4(SYS_pidfd_send_signal, pidfd, sig, 0, 0);
}

static inline int sys_prctl(int op, unsigned long a, unsigned long b, unsigned long c,
			    unsigned long d)
{
	return (int)sys_call_5(SYS_prctl, op, a, b, c, d);
}

static inline int sys_prlimit(pid_t pid, int resource, const struct rlimit *limit)
{
	return (int)sys_call_4(SYS_prlimit64, pid, resource, limit, 0);
}

static inline pid_t sys_setsid(void)
{
	return (pid_t)sys_call_0(SYS_setsid);
}

static inline int sys_sigprocmask(int how, const uint64_t *set, uint64_t *old)
{
	return (int)sys_call_4(SYS_rt_sigprocmask, how, set, old, sizeof(*set));
}

/*
 * Every signal as a fresh process has it, also the real-time ones and those that a C library keeps
 * to itself and so cannot reset: what a caller ignores would stay ignored through exec (signal(7)).
 * To read from procfs which of them are needed takes as long as the 62 calls (measured: 14 and 16
 * us).
 */
static inline int sys_reset_signals(void)
{
	const uint64_t none = 0, standard[4] = { 0 /* SIG_DFL */ };

	for (int sig = 1; sig <= 64; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			(void)sys_call_4(SYS_rt_sigaction, sig, standard, 0, sizeof(none));
	return sys_sigprocmask(SIG_SETMASK, &none, NULL);
}

static inline int sys_execve(const char *path, char *const *argv, char *const *envp)
{
	return (int)sys_call_3(SYS_execve, path, argv, envp);
}

/* Not declared noreturn, so that no sanitizer runs its own code on init's borrowed memory. */
static inline void sys_exit(int status)
{
	for (;;)
		(void)sys_call_1(SYS_exit_group, status);
}

static inline int sys_sethostname(const char *name, size_t len)
{
	return (int)sys_call_2(SYS_sethostname, name, len);
}

static inline int sys_setdomainname(const char *name, size_t len)
{
	return (int)sys_call_2(SYS_setdomainname, name, len);
}

static inline int sys_personality(unsigned long persona)
{
	return (int)sys_call_1(SYS_personality, persona);
}

/* ---- identity and confinement --------------------------------------------------------------- */

static inline int sys_setgroups(size_t n, const gid_t *groups)
{
	return (int)sys_call_2(SYS_setgroups, n, groups);
}

static inline int sys_setresuid(uid_t uid)
{
	return (int)sys_call_3(SYS_setresuid, uid, uid, uid);
}

static inline int sys_setresgid(gid_t gid)
{
	return (int)sys_call_3(SYS_setresgid, gid, gid, gid);
}

static inline int sys_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++) {
		data[i].effective = (uint32_t)(effective >> (32 * i));
		data[i].permitted = (uint32_t)(permitted >> (32 * i));
		data[i].inheritable = (uint32_t)(inheritable >> (32 * i));
	}
	return (int)sys_call_2(SYS_capset, &header, data);
}

static inline int sys_seccomp(unsigned int op, unsigned long flags, const void *arg)
{
	return (int)sys_call_3(SYS_seccomp, op, flags, arg);
}

static inline int sys_keyctl(int op, const char *name)
{
	return (int)sys_call_2(SYS_keyctl, op, name);
}

/* ---- sockets and shared words -----------------------------------------------------------------
 */

static inline int sys_socket(int domain, int type, int protocol)
{
	return (int)sys_call_3(SYS_socket, domain, type, protocol);
}

static inline int sys_socketpair(int type, int fd[2])
{
	return (int)sys_call_4(SYS_socketpair, AF_UNIX, type | SOCK_CLOEXEC, 0, fd);
}

static inline int sys_accept(int fd)
{
	return (int)sys_call_4(SYS_accept4, fd, 0, 0, SOCK_CLOEXEC);
}

static inline ssize_t sys_sendmsg(int fd, const struct msghdr *msg)
{
	return sys_call_3(SYS_sendmsg, fd, msg, MSG_NOSIGNAL);
}

static inline ssize_t sys_recvmsg(int fd, struct msghdr *msg, int flags)
{
	return sys_call_3(SYS_recvmsg, fd, msg, flags | MSG_CMSG_CLOEXEC);
}

static inline int sys_futex(uint32_t *word, int op, uint32_t value)
{
	return (int)sys_call_4(SYS_futex, word, op, value, 0);
}
