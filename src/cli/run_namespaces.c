/*
 * run_namespaces.c - which namespaces are new, the host's, or another container's.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json_out.h"
#include "cli/people.h"
#include "run/run.h"
#include "sys/abi.h"

struct kind {
	const char *flag, *type; /* --FLAG; as config.json has it */
	const char *file;        /* in /proc/PID/ns */
	const char *usual;       /* what a new one is called */
};

static const struct kind kinds[] = {
	{ "pid", "pid", "pid", "private" },
	{ "network", "network", "net", "none" },
	{ "ipc", "ipc", "ipc", "private" },
	{ "uts", "uts", "uts", "private" },
	{ "cgroupns", "cgroup", "cgroup", "private" },
	{ "timens", "time", "time", "private" },
};

static const struct kind user_kind = { "userns", "user", "user", "private" };

int people_pid_of(struct people *p, const char *flag, const char *id, pid_t *ret)
{
	enum state_status status;
	struct state state;
	int r = run_state(p->state_root, id, p->arena, &state, &status, p->err);

	if (r < 0)
		return err_prefix(p->err, "--%s container:%s", flag, id);
	if (status == STATE_STOPPED || status == STATE_CREATING || state.pid == 0)
		return err_say(p->err, -EINVAL, "--%s container:%s: it is %s, not running", flag,
			       id, state_status_name(status));
	*ret = state.pid;
	return 0;
}

static int refuse(struct people *p, const struct kind *kind, const char *mode)
{
	static const char *const networks[] = { "bridge", "default", "pasta", "slirp4netns", NULL };

	if (kind == &user_kind)
		return err_say(p->err, -EINVAL,
			       "--userns %.100s: expected host, auto, keep-id, nomap, private, "
			       "ns:PATH or container:NAME",
			       mode);
	for (size_t i = 0; networks[i] && strcmp(kind->flag, "network") == 0; i++)
		if (strncmp(mode, networks[i], strlen(networks[i])) == 0)
			return err_say(p->err, -EOPNOTSUPP,
				       "--network %.100s: is not supported: use none, host, "
				       "ns:PATH or container:NAME",
				       mode);
	return err_say(p->err, -EINVAL, "--%s %.100s: expected %s, host, ns:PATH or container:NAME",
		       kind->flag, mode, kind->usual);
}

static void add(struct people *p, const char *type, const char *path)
{
	out_open(&p->namespaces, NULL, '{');
	out_str(&p->namespaces, "type", type);
	if (path)
		out_str(&p->namespaces, "path", path);
	out_close(&p->namespaces, '}');
}

/* "ns:PATH" and "container:NAME"; 0: it is another mode. */
static int add_joined(struct people *p, const struct kind *kind, const char *mode)
{
	pid_t pid = 0;
	int r;

	if (strncmp(mode, "ns:", 3) == 0 && mode[3]) {
		add(p, kind->type, mode + 3);
		return 1;
	}
	if (strncmp(mode, "container:", 10) != 0)
		return 0;
	r = people_pid_of(p, kind->flag, mode + 10, &pid);
	if (r < 0)
		return r;
	add(p, kind->type, arena_printf(p->arena, "/proc/%d/ns/%s", pid, kind->file));
	return 1;
}

static int add_kind(struct people *p, const struct kind *kind, const char *mode, bool *ret_host)
{
	int r;

	*ret_host = false;
	if (!given(mode) || strcmp(mode, kind->usual) == 0 || strcmp(mode, "private") == 0) {
		add(p, kind->type, NULL);
		return 0;
	}
	if (strcmp(mode, "host") == 0) {
		*ret_host = true;
		return 0;
	}
	r = add_joined(p, kind, mode);
	return r == 0 ? refuse(p, kind, mode) : r < 0 ? r : 0;
}

/* ---- the user namespace -------------------------------------------------------------------------
 */

/* Who may not make the other namespaces makes them in a user namespace. */
static bool needs_userns(const struct people *p)
{
	const uint64_t needed = 1ULL << CAP_SYS_ADMIN | 1ULL << CAP_SETUID | 1ULL << CAP_SETGID;

	return p->facts.euid != 0 || (p->facts.caps & needed) != needed;
}

/* What run_ids() knows how to map. */
static bool is_mapped_mode(const char *mode)
{
	const char *end = mode + strcspn(mode, ":");

	return strcmp(mode, "private") == 0 || strcmp(mode, "nomap") == 0 ||
	       (end - mode == 4 && strncmp(mode, "auto", 4) == 0) ||
	       (end - mode == 7 && strncmp(mode, "keep-id", 7) == 0);
}

static int add_userns(struct people *p)
{
	const char *mode = p->flags->userns;
	bool maps = p->flags->uid_maps.n > 0 || p->flags->gid_maps.n > 0;
	int r;

	if (given(mode) && strcmp(mode, "host") == 0) {
		if (!needs_userns(p) && !maps)
			return 0;
		if (maps)
			return err_say(p->err, -EINVAL,
				       "--userns host: there is nothing to map with --uidmap or "
				       "--gidmap");
		(void)err_say(p->err, -EPERM, "--userns host: operation not permitted for uid %u",
			      p->facts.euid);
		return err_hint(p->err,
				"an ordinary user's containers need a user namespace: leave "
				"the flag out, or become root");
	}
	if (!given(mode) && !maps && !needs_userns(p))
		return 0;
	p->userns = true;
	r = given(mode) ? add_joined(p, &user_kind, mode) : 0;
	if (r != 0) {
		p->joined_userns = true;
		return r < 0 ? r : 0;
	}
	if (given(mode) && !is_mapped_mode(mode))
		return refuse(p, &user_kind, mode);
	add(p, "user", NULL);
	return 0;
}

/* ---- the time namespace -------------------------------------------------------------------------
 */

/* As every engine has it: the host's clocks, unless something is said of them. */
static const char *time_mode(const struct run_flags *f)
{
	if (given(f->timens))
		return f->timens;
	return given(f->monotonic) || given(f->boottime) ? "private" : "host";
}

static int put_clock(struct people *p, const char *clock, const char *seconds)
{
	int64_t value;
	int r;

	if (!given(seconds))
		return 0;
	r = value_number(p->err, clock, seconds, INT64_MIN, INT64_MAX, &value);
	if (r < 0)
		return r;
	out_open(&p->linux, clock, '{');
	out_key(&p->linux, "secs");
	buf_printf(&p->linux, "%lld", (long long)value);
	out_close(&p->linux, '}');
	return 0;
}

static int put_clocks(struct people *p)
{
	const struct run_flags *f = p->flags;
	int r;

	if (!given(f->monotonic) && !given(f->boottime))
		return 0;
	out_open(&p->linux, "timeOffsets", '{');
	r = put_clock(p, "monotonic", f->monotonic);
	if (r == 0)
		r = put_clock(p, "boottime", f->boottime);
	out_close(&p->linux, '}');
	return r;
}

/* ---- all of them --------------------------------------------------------------------------------
 */

int run_namespaces(struct people *p)
{
	const struct run_flags *f = p->flags;
	const char *const modes[] = {
		f->pid, f->network, f->ipc, f->uts, f->cgroupns, time_mode(f)
	};
	bool host_time;
	bool *const hosts[] = { &p->host_pid, &p->host_net,    &p->host_ipc,
				&p->host_uts, &p->host_cgroup, &host_time };
	int r = add_userns(p);

	add(p, "mount", NULL);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && r == 0; i++)
		r = add_kind(p, &kinds[i], modes[i], hosts[i]);
	return r == 0 ? put_clocks(p) : r;
}
