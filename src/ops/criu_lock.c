/*
 * criu_lock.c - see criu_lock.h.
 *
 * Before criu looks at connections it drops all packets, so that no peer hears of one that is in
 * two places, or in none: by a chain in the tables of IPv4 and of IPv6, which it makes with
 * iptables-restore. It takes the chain away when the container is to run on; but not once it has
 * begun to serve lazy pages, and not if it is killed.
 */
#include "ops/criu_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "host/helper.h"
#include "host/program.h"

static const char rules[] = "*filter\n"
			    "-D INPUT -j CRIU\n"
			    "-D OUTPUT -j CRIU\n"
			    "-F CRIU\n"
			    "-X CRIU\n"
			    "COMMIT\n";

static int open_rules(void)
{
	_cleanup_close_ int fd = memfd_create("rules", MFD_CLOEXEC);

	if (fd < 0 || pwrite(fd, rules, strlen(rules), 0) != (ssize_t)strlen(rules))
		return -errno;
	return take_fd(&fd);
}

static int change(const char *nsenter, int netns, const char *program, struct err *err)
{
	_cleanup_close_ int in = open_rules();
	_cleanup_buf_ struct buf said = { 0 };
	char net[64];
	const char *argv[] = { nsenter, net, program, "-w", "--noflush", NULL };
	int r;

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

	if (lock->netns >= 0 && unlock(lock->netns, &err) < 0)
		(void)snprintf(said->text + len, room,
			       "; its network may stay locked, as criu left it: %s", err.msg);
	if (connections && !lock->own_net)
		(void)snprintf(said->text + len, room, "%s",
			       "; its connections stay locked, by criu's rules in the host's "
			       "tables (iptables -S: mark 0xc114)");
}
