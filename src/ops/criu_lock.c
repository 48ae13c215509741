/*
 * criu_lock.c - see criu_lock.h.
 *
 * Before criu looks at connections it drops all packets, so that no peer hears of one that is in
 * two places, or in none: by a chain in the tables of IPv4 and of IPv6, which it makes with
 * iptables-restore. It takes the chain away when the container is to run on; but not once it has
 * begun to serve lazy pages, and not if it is killed. Nor are the connections themselves then what
 * they were: TCP_REPAIR, by which criu reads their state, is still on.
 */
#include "ops/criu_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "host/helper.h"
#include "host/program.h"
#include "sys/sys.h"

#define SOCKET "socket:"

/* ---- connections ------------------------------------------------------------------------- */

static void end_repair(int pidfd, int number)
{
	_cleanup_close_ int fd = sys_pidfd_getfd(pidfd, number);
	const int off = 0;
	int on = 0;
	socklen_t len = sizeof(on);

	if (fd >= 0 && getsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &on, &len) == 0 && on)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_REPAIR, &off, sizeof(off));
}

static void end_repairs_of(const char *pid)
{
	_cleanup_close_ int pidfd = sys_pidfd_open(atoi(pid), 0);
	char path[64], target[32];
	_cleanup_dir_ DIR *dir = NULL;
	const struct dirent *e;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	dir = opendir(path);
	while (dir && (e = readdir(dir))) {
		n = readlinkat(dirfd(dir), e->d_name, target, sizeof(target));
		if (n > (ssize_t)strlen(SOCKET) && memcmp(target, SOCKET, strlen(SOCKET)) == 0)
			end_repair(pidfd, atoi(e->d_name));
	}
}

static bool is_inside(const char *pid, const struct stat *netns)
{
	char path[64];
	struct stat st;

	(void)snprintf(path, sizeof(path), "/proc/%.20s/ns/net", pid);
	return stat(path, &st) == 0 && st.st_ino == netns->st_ino && st.st_dev == netns->st_dev;
}

void criu_lock_end_repairs(const struct criu_lock *lock)
{
	_cleanup_dir_ DIR *dir = lock->netns >= 0 ? opendir("/proc") : NULL;
	const struct dirent *e;
	struct stat netns;

	if (!dir || fstat(lock->netns, &netns) < 0)
		return;
	while ((e = readdir(dir)))
		if (e->d_name[0] >= '1' && e->d_name[0] <= '9' && is_inside(e->d_name, &netns))
			end_repairs_of(e->d_name);
}

/* ---- rules ------------------------------------------------------------------------------- */

static const char rules[] = "*filter\n"
			    "-D INPUT -j CRIU\n"
			    "-D OUTPUT -j CRIU\n"
			    "-F CRIU\n"
			    "-X CRIU\n"
			    "COMMIT\n";

static int change(const char *nsenter, int netns, const char *program, struct err *err)
{
	_cleanup_buf_ struct buf text = { 0 }, said = { 0 };
	_cleanup_close_ int in = -EBADF;
	char net[64];
	const char *argv[] = { nsenter, net, program, "-w", "--noflush", NULL };
	int r;

	buf_str(&text, rules);
	in = buf_file(&text, "rules");
	if (in < 0)
		return err_set(err, in, "make the input of %s", program);
	(void)snprintf(net, sizeof(net), "--net=/proc/%d/fd/%d", getpid(), netns);
	r = helper_run(argv, in, NULL, &said, err);
	return r > 0 ? err_say(err, -ECANCELED, "%s: %s", program, buf_text(&said)) : r;
}

static int unlock(int netns, struct err *err)
{
	_cleanup_(arena_done) struct arena arena = { 0 };
	const char *nsenter = NULL;
	int r = program_find("nsenter", NULL, 0, &arena, &nsenter);

	if (r < 0)
		return err_set(err, r, "find nsenter");
	r = change(nsenter, netns, "iptables-restore", err);
	if (r == 0 && access("/proc/net/if_inet6", F_OK) == 0)
		r = change(nsenter, netns, "ip6tables-restore", err);
	return r;
}

int criu_lock_begun(struct criu_lock *lock, pid_t pid)
{
	char path[64];

	criu_lock_ended(lock);
	lock->own_net = true;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	lock->netns = open(path, O_RDONLY | O_CLOEXEC);
	return lock->netns < 0 ? -errno : 0;
}

void criu_lock_ended(struct criu_lock *lock)
{
	if (lock->netns >= 0)
		(void)close(lock->netns);
	lock->netns = -1;
}

void criu_lock_remove(const struct criu_lock *lock, bool connections, struct criu_said *said)
{
	const size_t len = strlen(said->text), room = sizeof(said->text) - len;
	struct err err;

	criu_lock_end_repairs(lock);
	if (lock->netns >= 0 && unlock(lock->netns, &err) < 0)
		(void)snprintf(said->text + len, room,
			       "; its network may stay locked, as criu left it: %s", err.msg);
	if (connections && !lock->own_net)
		(void)snprintf(said->text + len, room, "%s",
			       "; its connections stay locked, by criu's rules in the host's "
			       "tables (iptables -S: mark 0xc114)");
}
