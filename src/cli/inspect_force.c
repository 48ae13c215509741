/*
 * inspect_force.c - what confines a container that runs, read back from the kernel: /proc of its
 * first process, and its cgroups.
 *
 * Landlock cannot be read back; a container whose rules could not be loaded was never started.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/json_out.h"
#include "cli/inspect.h"
#include "cli/people.h"
#include "host/lsm.h"
#include "ops/cgroup_dirs.h"
#include "spec/landlock.h"
#include "spec/names.h"
#include "sys/sys.h"

/* ---- /proc -----------------------------------------------------------------------------------
 */

/* False: we may not look, or it has ended. */
static bool read_proc(const struct container *c, const char *name, struct buf *ret)
{
	_cleanup_close_ int fd = -1;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", c->state.pid, name);
	fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	return fd >= 0 && buf_read_fd(ret, fd, 65536) == 0;
}

/* The value behind "\nKEY:\t", or "". */
static const char *field(struct arena *arena, const char *status, const char *key)
{
	const char *line = strstr(status, arena_printf(arena, "\n%s:", key));

	if (!line)
		return "";
	line += strlen(key) + 2;
	line += strspn(line, " \t");
	return arena_strndup(arena, line, strcspn(line, "\n"));
}

static void put_capabilities(struct arena *arena, const char *status, struct buf *out)
{
	static const struct {
		const char *field, *key;
	} sets[] = { { "CapBnd", "Bounding" },
		     { "CapEff", "Effective" },
		     { "CapPrm", "Permitted" },
		     { "CapInh", "Inheritable" },
		     { "CapAmb", "Ambient" } };

	out_open(out, "Capabilities", '{');
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		uint64_t mask = strtoull(field(arena, status, sets[i].field), NULL, 16);

		out_open(out, sets[i].key, '[');
		for (unsigned int cap = 0; cap < 64; cap++)
			if (mask >> cap & 1 && spec_name_of(spec_capability_names, cap))
				out_str(out, NULL, spec_name_of(spec_capability_names, cap));
		out_close(out, ']');
	}
	out_close(out, '}');
}

static void put_seccomp(struct arena *arena, const struct container *c, const char *status,
			struct buf *out)
{
	static const char *const modes[] = { "disabled", "strict", "filter" };
	const char *mode = field(arena, status, "Seccomp");
	const char *filters = field(arena, status, "Seccomp_filters");
	bool known = mode[0] >= '0' && mode[0] <= '2' && mode[1] == '\0';

	out_open(out, "Seccomp", '{');
	out_str(out, "Profile", containers_annotation(&c->state, PEOPLE_SECCOMP));
	out_str(out, "Mode", known ? modes[mode[0] - '0'] : NULL);
	if (*filters)
		out_num(out, "Filters", strtol(filters, NULL, 10));
	out_close(out, '}');
}

/* ---- security modules ------------------------------------------------------------------------
 */

static void put_label(const struct container *c, const char *key, bool active, const char *file,
		      struct buf *out)
{
	_cleanup_buf_ struct buf label = { 0 };
	bool known = active && read_proc(c, file, &label) && label.len > 0;

	/* The file may end in a newline or a zero byte. */
	while (label.len > 0 && (label.data[label.len - 1] == '\n' || !label.data[label.len - 1]))
		label.data[--label.len] = '\0';
	out_str(out, key, known ? buf_text(&label) : NULL);
}

static void put_modules(struct cli *cli, const struct container *c, struct buf *out)
{
	struct lsm_facts lsm = { .apparmor = false };
	const char *rules = containers_annotation(&c->state, SPEC_LANDLOCK_KEY);
	struct err ignored;

	(void)lsm_facts_read(&cli->arena, &lsm, &ignored);
	put_label(c, "AppArmor", lsm.apparmor, "attr/apparmor/current", out);
	put_label(c, "SELinux", lsm.selinux, "attr/current", out);
	out_open(out, "Landlock", '{');
	out_unsigned(out, "Abi", lsm_landlock_abi());
	out_bool(out, "Restricted", rules && lsm_landlock_abi() > 0);
	/* It was read as JSON before the container was made. */
	out_key(out, "Rules");
	buf_str(out, rules ? rules : "null");
	out_close(out, '}');
}

/* ---- namespaces ------------------------------------------------------------------------------
 */

static void put_namespaces(const struct container *c, struct buf *out)
{
	static const struct {
		const char *file, *name;
	} kinds[] = { { "user", "user" },     { "pid", "pid" },  { "mnt", "mount" },
		      { "net", "network" },   { "ipc", "ipc" },  { "uts", "uts" },
		      { "cgroup", "cgroup" }, { "time", "time" } };
	struct stat theirs, ours;
	char path[64];

	out_open(out, "Namespaces", '{');
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", c->state.pid, kinds[i].file);
		if (stat(path, &theirs) < 0)
			continue;
		(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", kinds[i].file);
		out_open(out, kinds[i].name, '{');
		out_unsigned(out, "Inode", theirs.st_ino);
		/* By our own: whoever asks from inside another container sees what that shares. */
		out_bool(out, "Host",
			 stat(path, &ours) == 0 && ours.st_ino == theirs.st_ino &&
			     ours.st_dev == theirs.st_dev);
		out_close(out, '}');
	}
	out_close(out, '}');
}

void inspect_in_force(struct cli *cli, const struct container *c, struct buf *out)
{
	_cleanup_buf_ struct buf status = { 0 };
	const char *text;

	if (c->status == STATE_STOPPED || c->status == STATE_CREATING ||
	    !read_proc(c, "status", &status)) {
		out_str(out, "InForce", NULL);
		return;
	}
	text = buf_text(&status);
	out_open(out, "InForce", '{');
	out_num(out, "Uid", strtol(field(&cli->arena, text, "Uid"), NULL, 10));
	out_num(out, "Gid", strtol(field(&cli->arena, text, "Gid"), NULL, 10));
	put_capabilities(&cli->arena, text, out);
	out_bool(out, "NoNewPrivileges", field(&cli->arena, text, "NoNewPrivs")[0] == '1');
	put_seccomp(&cli->arena, c, text, out);
	put_modules(cli, c, out);
	put_namespaces(c, out);
	out_close(out, '}');
}

/* ---- cgroups ---------------------------------------------------------------------------------
 */

/* Units are those of the files. */
static const struct {
	const char *key, *controller, *v2, *v1;
} limits[] = {
	{ "Memory", "memory", "memory.max", "memory.limit_in_bytes" },
	{ "MemoryReservation", "memory", "memory.low", "memory.soft_limit_in_bytes" },
	{ "MemorySwap", "memory", "memory.swap.max", "memory.memsw.limit_in_bytes" },
	{ "Pids", "pids", "pids.max", "pids.max" },
	{ "CpuWeight", "cpu", "cpu.weight", NULL },
	{ "CpuShares", "cpu", NULL, "cpu.shares" },
	{ "CpuQuota", "cpu", "cpu.max", "cpu.cfs_quota_us" },
	{ "CpuPeriod", "cpu", NULL, "cpu.cfs_period_us" },
	{ "Cpus", "cpuset", "cpuset.cpus", "cpuset.cpus" },
	{ "Mems", "cpuset", "cpuset.mems", "cpuset.mems" },
};

/* A number as one, other text as it is: "max 100000". */
static void put_limit(const char *key, bool v2, char *text, struct buf *out)
{
	uint64_t number = 0;
	char *end = NULL;

	text[strcspn(text, "\n")] = '\0';
	number = strtoull(text, &end, 10);
	if (*text >= '0' && *text <= '9' && *end == '\0' && !v2 && strncmp(key, "Memory", 6) == 0)
		number = cgroup_limit_v1(number);
	if (strcmp(text, "max") == 0 || strcmp(text, "-1") == 0 || number == CGROUP_NO_LIMIT)
		out_str(out, key, NULL);
	else if (*text >= '0' && *text <= '9' && *end == '\0')
		out_unsigned(out, key, number);
	else
		out_str(out, key, text);
}

void inspect_limits(const struct container *c, struct buf *out)
{
	_cleanup_(cgroup_dirs_done) struct cgroup_dirs dirs = { 0 };
	struct err ignored;

	out_open(out, "CgroupPaths", '[');
	for (size_t i = 0; i < c->state.cgroups.n; i++)
		out_str(out, NULL, c->state.cgroups.v[i]);
	out_close(out, ']');
	out_open(out, "Limits", '{');
	if (cgroup_dirs_open(&c->state.cgroups, NULL, &dirs, &ignored) == 0)
		for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
			const struct cgroup_dir *dir =
			    cgroup_dirs_find(&dirs, limits[i].controller);
			const char *file = !dir ? NULL : dir->v2 ? limits[i].v2 : limits[i].v1;
			_cleanup_buf_ struct buf text = { 0 };

			if (file)
				cgroup_read_text(dir, file, &text);
			if (text.len > 0)
				put_limit(limits[i].key, dir->v2, text.data, out);
		}
	out_close(out, '}');
}
