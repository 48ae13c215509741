/*
 * init_streams.c - pipes that the caller gave as standard streams, for a process that is not root.
 *
 * /dev/stdout is a link to the process's own descriptor, and to open that needs the rights of its
 * owner: who logs to /dev/stdout as an ordinary user must own the pipe (moby#31243). Only pipes
 * without a name: files, terminals and devices of the host stay whose they are (CVE-2026-88265).
 *
 * Must: use sys/ only. Mustn't: allocate, lock, log (tools/check-init).
 */
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "ops/init_process.h"
#include "sys/sys.h"

void give_streams(uint32_t uid)
{
	struct statfs fs;

	for (int fd = 0; fd < 3; fd++)
		/* Where the user namespace does not know its owner, the pipe stays as it is. */
		if (sys_fstatfs(fd, &fs) == 0 && fs.f_type == PIPEFS_MAGIC)
			(void)sys_fchownat(fd, "", uid, (gid_t)-1, AT_EMPTY_PATH);
}

int init_streams(const struct step *s, struct op_ctx *ctx)
{
	(void)ctx;
	give_streams(s->streams.uid);
	return 0;
}
