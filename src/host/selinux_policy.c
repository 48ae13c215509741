/*
 * selinux_policy.c - installs our policy module; see selinux_install_policy() in selinux.h.
 *
 * semodule(8) is confined itself: of what we make it may read files in /tmp.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/helper.h"
#include "host/selinux-module.h"
#include "host/selinux.h"

#define SEMODULE    "/usr/sbin/semodule"
#define MODULE_FILE "containr.cil" /* semodule takes the module's name from it */
#define DIR_SIZE    sizeof("/tmp/containr-selinux.XXXXXX")

static int write_module(int dir)
{
	_cleanup_close_ int fd =
	    openat(dir, MODULE_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	const size_t len = strlen(containr_cil);

	if (fd < 0)
		return -errno;
	return write(fd, containr_cil, len) == (ssize_t)len ? 0 : -ENOSPC;
}

static int run_semodule(const char *dir, struct err *err)
{
	_cleanup_buf_ struct buf said = { 0 };
	char path[DIR_SIZE + sizeof(MODULE_FILE)];
	const char *argv[] = { SEMODULE, "-i", path, NULL };
	int r;

	(void)snprintf(path, sizeof(path), "%s/" MODULE_FILE, dir);
	r = helper_run(argv, -1, NULL, &said, err);
	if (r == -ENOENT)
		return err_hint(err, "install the package policycoreutils");
	if (r > 0)
		return err_say(err, -EINVAL, "install the SELinux module containr: %s",
			       said.len > 0 ? buf_text(&said) : "semodule failed and said nothing");
	return r;
}

int selinux_install_policy(struct err *err)
{
	char path[DIR_SIZE] = "/tmp/containr-selinux.XXXXXX";
	_cleanup_close_ int dir = -1;
	int r;

	if (selinux_has_context(SELINUX_DEFAULT_LABEL))
		return 0;
	if (!mkdtemp(path))
		return err_set(err, -errno, "make a directory in /tmp");
	dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = dir < 0 ? -errno : write_module(dir);
	r = r < 0 ? err_set(err, r, "write %s/" MODULE_FILE, path) : run_semodule(path, err);
	if (dir >= 0)
		(void)unlinkat(dir, MODULE_FILE, 0);
	(void)rmdir(path);
	return r;
}
