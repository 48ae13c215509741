/*
 * run_summary.c - what a container is confined to, for people: taken from the configuration that it
 * is started with, not from what was typed.
 */
#include <inttypes.h>
#include <string.h>

#include "cli/people.h"
#include "ops/describe.h"

static void say_root(const struct people *p, struct buf *out)
{
	if (p->rootfs)
		buf_printf(out, "  root          %s%s\n", p->rootfs,
			   p->flags->read_only ? ", read-only" : ", writable");
	else
		buf_printf(out, "  root          the host's own programs, read-only%s\n",
			   p->flags->read_only_tmpfs
			       ? "; private /tmp, /run, /home and /root, gone at the end"
			       : "");
}

static void say_namespaces(const struct people *p, struct buf *out)
{
	const struct {
		bool host;
		const char *name;
	} kinds[] = { { !p->userns, "user" },      { p->host_pid, "pid" }, { false, "mount" },
		      { p->host_net, "network" },  { p->host_ipc, "ipc" }, { p->host_uts, "uts" },
		      { p->host_cgroup, "cgroup" } };
	const char *comma = "";

	buf_str(out, "  namespaces    ");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!kinds[i].host) {
			buf_printf(out, "%s%s", comma, kinds[i].name);
			comma = ", ";
		}
	comma = "; the host's: ";
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].host) {
			buf_printf(out, "%s%s", comma, kinds[i].name);
			comma = ", ";
		}
	buf_str(out, "\n");
}

static void say_network(const struct people *p, struct buf *out)
{
	const char *mode = p->flags->network;

	if (p->host_net)
		buf_str(out, "  network       the host's\n");
	else if (given(mode) && strchr(mode, ':'))
		buf_printf(out, "  network       %s\n", mode);
	else
		buf_str(out, "  network       none but loopback\n");
}

static void say_user(const struct people *p, struct buf *out)
{
	buf_printf(out, "  user          %u:%u", p->uid, p->gid);
	if (p->userns)
		buf_printf(out, " inside, an ordinary user outside");
	buf_str(out, "\n");
}

static void say_capabilities(const struct people *p, struct buf *out)
{
	uint64_t has = p->uid == 0 ? p->caps : p->added_caps & p->caps;

	buf_printf(out, "  capabilities  %d kept%s", __builtin_popcountll(has), has ? ": " : "");
	if (has == p->facts.known_caps)
		buf_str(out, "all");
	else if (has)
		describe_capabilities(has, out);
	buf_printf(out, "\n  privileges    %s\n",
		   p->no_new_privs ? "no new ones can be gained"
				   : "can be gained from set-user-id programs");
}

static void say_seccomp(const struct people *p, struct buf *out)
{
	if (p->no_seccomp)
		buf_str(out, "  system calls  all (no seccomp profile)\n");
	else
		buf_printf(out, "  system calls  %zu of %zu allowed, by the seccomp profile %s\n",
			   p->n_calls, p->n_calls_known, p->seccomp_name);
	buf_printf(out, "  hidden        %zu paths of /proc and /sys; %zu more are read-only\n",
		   p->n_masked, p->n_readonly);
}

static void say_lsm(const struct people *p, struct buf *out)
{
	const char *comma = "";

	buf_str(out, "  LSM           ");
	if (p->apparmor) {
		buf_printf(out, "AppArmor profile %s", p->apparmor);
		comma = ", ";
	}
	if (p->selinux) {
		buf_printf(out, "%sSELinux %s", comma, p->selinux);
		comma = ", ";
	}
	if (p->landlock && p->landlock_abi > 0) {
		buf_printf(out, "%sLandlock (ABI %u)", comma, p->landlock_abi);
		comma = ", ";
	}
	buf_str(out, *comma ? "\n" : "none\n");
}

static void say_limits(const struct people *p, struct buf *out)
{
	const char *comma = "";

	buf_str(out, "  limits        ");
	if (p->pids_limit) {
		buf_printf(out, "%s processes and threads", p->pids_limit);
		comma = ", ";
	}
	if (given(p->memory_limit)) {
		buf_printf(out, "%smemory %s", comma, p->memory_limit);
		comma = ", ";
	}
	if (given(p->cpus_limit)) {
		buf_printf(out, "%s%s processors", comma, p->cpus_limit);
		comma = ", ";
	}
	buf_str(out, *comma ? "\n" : "none\n");
}

void run_summary(struct people *p, struct buf *out)
{
	buf_printf(out, "containr: %s is confined to\n", p->id);
	say_root(p, out);
	say_namespaces(p, out);
	say_network(p, out);
	say_user(p, out);
	say_capabilities(p, out);
	say_seccomp(p, out);
	say_lsm(p, out);
	say_limits(p, out);
}
