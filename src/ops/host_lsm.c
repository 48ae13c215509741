/*
 * host_lsm.c - see host_lsm.h.
 */
#include "ops/host_lsm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/apparmor.h"

int host_apparmor(const struct step *s, struct op_ctx *ctx)
{
	struct err err = { 0 };
	int r = s->text.file ? apparmor_load_file(s->text.file, &err) : apparmor_load_default(&err);

	return r < 0 ? op_note(ctx, PHASE_LOAD, r, err.msg) : 0;
}

/* Of this thread: a program that uses the library may have others. */
static int write_label(const char *name, const char *label)
{
	_cleanup_close_ int fd = -1;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/thread-self/attr/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	/* No bytes at all would be no write: a lone newline is the kernel's word for "none". */
	if (!*label)
		label = "\n";
	if (fd < 0 || write(fd, label, strlen(label)) < 0)
		return -errno;
	return 0;
}

int host_label(const struct step *s, struct op_ctx *ctx)
{
	(void)ctx;
	return write_label(s->text.file, s->text.text);
}

void host_label_undo(const struct step *s, struct op_ctx *ctx)
{
	(void)ctx;
	(void)write_label(s->text.file, "");
}
