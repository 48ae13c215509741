/*
 * selfexe.c - see selfexe.h.
 */
#include "run/selfexe.h"

#include <errno.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "sys/sys.h"

#define SELF  "/proc/self/exe"
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static bool is_sealed_copy(void)
{
	_cleanup_close_ int fd = sys_openat(AT_FDCWD, SELF, O_RDONLY | O_CLOEXEC, 0);

	return fd >= 0 && (sys_fcntl(fd, F_GET_SEALS, 0) & SEALS) == SEALS;
}

/* The mount goes with its last user; without a descriptor of it, nobody can make it writable. */
static int open_readonly_view(bool hand_on)
{
	const struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	_cleanup_close_ int fd = sys_open_tree(AT_FDCWD, SELF, OPEN_TREE_CLONE);
	int r;

	if (fd < 0)
		return fd;
	r = sys_mount_setattr(fd, "", AT_EMPTY_PATH, &attr);
	if (r == 0 && hand_on)
		r = sys_fcntl(fd, F_SETFD, 0);
	return r < 0 ? r : take_fd(&fd);
}

static int copy_all(int from, int to)
{
	ssize_t n;

	do
		n = sendfile(to, from, NULL, 1U << 20);
	while (n > 0);
	return n < 0 ? -errno : 0;
}

static int open_sealed_copy(void)
{
	_cleanup_close_ int self = sys_openat(AT_FDCWD, SELF, O_RDONLY | O_CLOEXEC, 0);
	_cleanup_close_ int copy =
	    (int)sys_call_2(SYS_memfd_create, "containr", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char path[32];
	int r;

	if (self < 0 || copy < 0)
		return self < 0 ? self : copy;
	r = copy_all(self, copy);
	if (r == 0)
		r = sys_fchmod(copy, 0500);
	if (r == 0)
		r = sys_fcntl(copy, F_ADD_SEALS, SEALS);
	/* A file that is open for writing cannot be executed. */
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", copy);
	return r < 0 ? r : sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
}

bool selfexe_exposed(void)
{
	return sys_faccessat(AT_FDCWD, SELF, W_OK) == 0 && !is_sealed_copy();
}

bool selfexe_has_view(void)
{
	_cleanup_close_ int fd = selfexe_exposed() ? open_readonly_view(false) : -EPERM;

	return fd >= 0;
}

/* The kernel names what execveat(2) executed by its descriptor; ours is of a mount (O_PATH). */
static int find_view(void)
{
	const char prefix[] = "/dev/fd/";
	/* The kernel's value is an address; 0 where there is none. */
	const char *name = (const char *)getauxval(AT_EXECFN);
	uint64_t fd;

	if (!name || strncmp(name, prefix, strlen(prefix)) != 0 ||
	    num_u64(name + strlen(prefix), INT32_MAX, &fd) < 0 ||
	    sys_fcntl((int)fd, F_GETFD, 0) != 0 || !(sys_fcntl((int)fd, F_GETFL, 0) & O_PATH) ||
	    sys_fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
		return 0;
	return (int)fd;
}

int selfexe_protect(char *const *argv, char *const *envp, int *ret_view, struct err *err)
{
	_cleanup_close_ int fd = -EBADF;
	int r;

	if (!selfexe_exposed()) {
		if (ret_view)
			*ret_view = find_view();
		return 0;
	}
	fd = open_readonly_view(ret_view != NULL);
	if (fd < 0)
		fd = open_sealed_copy();
	if (fd < 0)
		return err_set(err, fd,
			       "make a copy of our own executable that no container can write");
	r = (int)sys_call_5(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH);
	return err_set(err, r, "execute the protected copy of our own executable");
}
