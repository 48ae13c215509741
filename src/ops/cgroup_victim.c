/*
 * cgroup_victim.c - see cgroup_victim.h.
 *
 * The record that counts is "oom-kill:constraint=…,oom_memcg=/A,task_memcg=/A/B,task=NAME,pid=1,
 * uid=0" (dump_header() and oom_kill_process() in the kernel's mm/oom_kill.c, since Linux 5.0).
 */
#include "ops/cgroup_victim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "sys/sys.h"

#define ROOT        "/sys/fs/cgroup/"
#define RECORD_SIZE 8192 /* the longest that a read of /dev/kmsg returns (PRINTKRB_RECORD_MAX) */

/* The path below the mount: behind the name of a hierarchy, if there are several. */
static const char *below_mount(const char *dir)
{
	static const char *const mounts[] = { ROOT "memory/", ROOT "unified/", ROOT };

	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++)
		if (strncmp(dir, mounts[i], strlen(mounts[i])) == 0)
			return dir + strlen(mounts[i]) - 1;
	return NULL;
}

/* The log has whole paths; in a cgroup namespace we know their ends. */
static bool is_below(const char *path, size_t len, const char *dir)
{
	const size_t dir_len = strlen(dir);

	for (size_t at = 0; at + dir_len <= len; at++)
		if (memcmp(path + at, dir, dir_len) == 0 &&
		    (at + dir_len == len || path[at + dir_len] == '/'))
			return true;
	return false;
}

bool cgroup_victim_parse(const char *record, const char *dir, struct cgroup_victim *ret)
{
	static const char key[] = ",task_memcg=";
	const char *below = below_mount(dir), *path, *name, *pid = NULL;
	size_t len;

	path = strstr(record, ";oom-kill:") ? strstr(record, key) : NULL;
	name = path ? strstr(path, ",task=") : NULL;
	if (!below || !name ||
	    !is_below(path + strlen(key), (size_t)(name - path) - strlen(key), below))
		return false;
	name += strlen(",task=");
	/* A process may call itself anything. */
	for (const char *at = name; (at = strstr(at, ",pid=")); at++)
		pid = at;
	if (!pid)
		return false;
	len =
	    (size_t)(pid - name) < sizeof(ret->name) ? (size_t)(pid - name) : sizeof(ret->name) - 1;
	memset(ret->name, 0, sizeof(ret->name));
	memcpy(ret->name, name, len);
	ret->pid = (pid_t)strtol(pid + strlen(",pid="), NULL, 10);
	return true;
}

void cgroup_victim_find(const char *dir, struct cgroup_victim *ret)
{
	_cleanup_close_ int fd =
	    sys_openat(AT_FDCWD, "/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
	char record[RECORD_SIZE + 1];
	ssize_t n;

	*ret = (struct cgroup_victim){ .pid = 0 };
	if (fd < 0)
		return;
	do {
		n = sys_read(fd, record, RECORD_SIZE);
		record[n > 0 ? n : 0] = '\0';
		(void)cgroup_victim_parse(record, dir, ret);
		/* EPIPE: what we were about to read was overwritten; the next record follows. */
	} while (n > 0 || n == -EPIPE);
}
