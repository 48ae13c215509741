/*
 * init_new_root.c - a root file system that is made, not found: a tmpfs of our own with a few small
 * files. It is in memory, belongs to the container's namespaces, and so leaves nothing behind.
 *
 * Must: use sys/ only. Mustn't: allocate, lock, log, or decide (tools/check-init).
 */
#include <errno.h>
#include <string.h>

#include "ops/init_mount.h"
#include "ops/init_path.h"
#include "sys/sys.h"

/* Room for mount points, links and files such as /etc/passwd, and no more: it is read-only soon. */
static const struct mount_option new_root_options[] = {
	{ "source", "containr" },
	{ "mode", "0755" },
	{ "size", "1m" },
	{ "nr_inodes", "16k" }, /* a privileged container has a mount point for each device */
};

int make_small_tmpfs(const char *label)
{
	_cleanup_fd_ int fs = sys_fsopen("tmpfs");
	int r = fs;

	for (size_t i = 0; i < sizeof(new_root_options) / sizeof(new_root_options[0]) && r >= 0;
	     i++)
		r = sys_fsconfig(fs, FSCONFIG_SET_STRING, new_root_options[i].key,
				 new_root_options[i].value, 0);
	if (r >= 0 && label)
		r = sys_fsconfig(fs, FSCONFIG_SET_STRING, "context", label, 0);
	if (r >= 0)
		r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
	if (r >= 0)
		r = sys_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	return r;
}

int init_root_new(const struct step *s, struct op_ctx *ctx)
{
	int r = make_small_tmpfs(s->text.text);

	if (r < 0)
		return op_note(ctx, PHASE_FILE_SYSTEM, r, "tmpfs");
	ctx->fd[SLOT_ROOTFS] = r;
	return 0;
}

int init_root_file(const struct step *s, struct op_ctx *ctx)
{
	const char *name = NULL, *text = s->text.text;
	_cleanup_fd_ int dir = path_make_parent(ctx->fd[SLOT_ROOTFS], s->text.file, &name);
	_cleanup_fd_ int fd = -1;
	size_t len = strlen(text);

	if (dir < 0)
		return op_note(ctx, PHASE_OPEN, dir, s->text.file);
	fd = sys_openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return op_note(ctx, PHASE_OPEN, fd, s->text.file);
	while (len > 0) {
		ssize_t n = sys_write(fd, text, len);

		if (n < 0)
			return op_note(ctx, PHASE_WRITE, (int)n, s->text.file);
		text += n;
		len -= (size_t)n;
	}
	return 0;
}
