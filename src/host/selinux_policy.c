/*
 * selinux_policy.c - installs our policy modules; see selinux_install_policy() in selinux.h.
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

#define SEMODULE "/usr/sbin/semodule"
#define DIR_NAME "/tmp/containr-selinux.XXXXXX"

/* semodule takes the module's name from that of the file. */
static const struct module {
	const char *file, *text;
} types = { "containr.cil", containr_cil },
  programs = { "containr-programs.cil", containr_programs_cil };

static int write_module(int dir, const struct module *module)
{
	_cleanup_close_ int fd =
	    openat(dir, module->file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	const size_t len = strlen(module->text);

	if (fd < 0)
		return -errno;
	return write(fd, module->text, len) == (ssize_t)len ? 0 : -ENOSPC;
}

static int run_semodule(const char *dir, const struct module *module, struct err *err)
{
	_cleanup_buf_ struct buf said = { 0 };
	char path[64];
	const char *argv[] = { SEMODULE, "-i", path, NULL };
	int r;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, module->file);
	r = helper_run(argv, -1, NULL, &said, err);
	if (r == -ENOENT)
		return err_hint(err, "install the package policycoreutils");
	if (r > 0)
		return err_say(err, -EINVAL, "install the SELinux module %s: %s", module->file,
			       said.len > 0 ? buf_text(&said) : "semodule failed and said nothing");
	return r;
}

static int install(const struct module *module, struct err *err)
{
	char path[] = DIR_NAME;
	_cleanup_close_ int dir = -1;
	int r;

	if (!mkdtemp(path))
		return err_set(err, -errno, "make a directory in /tmp");
	dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = dir < 0 ? -errno : write_module(dir, module);
	r = r < 0 ? err_set(err, r, "write %s/%s", path, module->file)
		  : run_semodule(path, module, err);
	if (dir >= 0)
		(void)unlinkat(dir, module->file, 0);
	(void)rmdir(path);
	return r;
}

int selinux_install_policy(struct err *err)
{
	int r = 0;

	if (!selinux_has_context(SELINUX_DEFAULT_LABEL))
		r = install(&types, err);
	if (r == 0 && !selinux_may_run_programs(SELINUX_DEFAULT_LABEL))
		r = install(&programs, err);
	return r;
}
