/*
 * cgroup_usage.c - see cgroup_usage.h.
 *
 * 500 containers make 10,000 files of a table, so a file costs three system calls and no more:
 * directories are neither opened nor verified as where something is changed, since a number that
 * comes from somewhere else harms nobody. What costs most of that is the walk along the path, so it
 * begins at the hierarchy, which is opened once for all.
 */
#include "ops/cgroup_usage.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "sys/sys.h"

static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return *line ? line + 1 : line;
}

/* Where a controller is, and a place for the text of one file. */
struct reader {
	const struct spec_strings *paths;
	enum cgroup_mode mode;
	unsigned int wanted;
	struct cgroup_mounts *mounts;
	char text[16384];
};

#define ROOT "/sys/fs/cgroup/"

static bool is_v2_path(const struct reader *r, const char *path)
{
	return r->mode == CGROUP_V2 ||
	       (r->mode == CGROUP_HYBRID && strncmp(path, ROOT "unified/", strlen(ROOT) + 8) == 0);
}

static const char *v2_path(const struct reader *r)
{
	for (size_t i = 0; i < r->paths->n; i++)
		if (is_v2_path(r, r->paths->v[i]))
			return r->paths->v[i];
	return NULL;
}

/* The directory that has the controller: of its hierarchy of v1, else of v2, or NULL. */
static const char *path_of(const struct reader *r, const char *controller, bool *ret_v2)
{
	for (size_t i = 0; i < r->paths->n; i++)
		if (!is_v2_path(r, r->paths->v[i]) && cgroup_path_has(r->paths->v[i], controller)) {
			*ret_v2 = false;
			return r->paths->v[i];
		}
	*ret_v2 = true;
	return v2_path(r);
}

/* ---- one file ---------------------------------------------------------------------------- */

void cgroup_mounts_done(struct cgroup_mounts *m)
{
	while (m->n > 0)
		close_fdp(&m->v[--m->n].fd);
}

/* The length of where the hierarchy of a directory is mounted; 0: it is in none. */
static size_t mount_len(const struct reader *r, const char *dir)
{
	size_t len = strlen(ROOT);

	if (strncmp(dir, ROOT, len) != 0)
		return 0;
	if (r->mode == CGROUP_V2)
		return len - 1;
	while (dir[len] && dir[len] != '/')
		len++;
	return len;
}

/* Its descriptor, -1 if there is none. */
static int mount_of(struct reader *r, const char *dir, size_t len)
{
	struct cgroup_mounts *m = r->mounts;
	struct cgroup_mount *new = &m->v[m->n];

	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].len == len && memcmp(m->v[i].path, dir, len) == 0)
			return m->v[i].fd;
	if (len == 0 || len >= sizeof(new->path) || m->n == sizeof(m->v) / sizeof(m->v[0]))
		return -1;
	memcpy(new->path, dir, len);
	new->path[len] = '\0';
	new->len = len;
	new->fd = sys_openat(AT_FDCWD, new->path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	m->n++;
	return new->fd;
}

static int open_file(struct reader *r, const char *dir, const char *file)
{
	const size_t mount = mount_len(r, dir), below = strlen(dir), size = strlen(file) + 1;
	const int fd = mount_of(r, dir, mount);
	char path[PATH_MAX];

	if (fd < 0 || below <= mount || below - mount + size > sizeof(path))
		return -ENOENT;
	memcpy(path, dir + mount + 1, below - mount - 1);
	path[below - mount - 1] = '/';
	memcpy(path + below - mount, file, size);
	return sys_openat(fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
}

/* "" where there is no such file. */
static const char *read_file(struct reader *r, const char *dir, const char *file)
{
	_cleanup_close_ int fd = dir ? open_file(r, dir, file) : -ENOENT;
	ssize_t n = 0;

	if (fd >= 0)
		n = sys_read(fd, r->text, sizeof(r->text) - 1);
	r->text[n > 0 ? n : 0] = '\0';
	return r->text;
}

/* ---- what is in it ----------------------------------------------------------------------- */

static uint64_t read_number(struct reader *r, const char *dir, const char *file)
{
	const char *text = read_file(r, dir, file);

	return strncmp(text, "max", 3) == 0 ? CGROUP_NO_LIMIT : strtoull(text, NULL, 10);
}

/* A limit that cannot be read is none. */
static uint64_t read_limit(struct reader *r, const char *dir, const char *file)
{
	const char *text = read_file(r, dir, file);

	return isdigit((unsigned char)*text) ? strtoull(text, NULL, 10) : CGROUP_NO_LIMIT;
}

static void read_cpu(struct reader *r, struct cgroup_usage *u)
{
	bool acct_v2, cpu_v2;
	const char *acct = path_of(r, "cpuacct", &acct_v2), *cpu = path_of(r, "cpu", &cpu_v2);
	const char *stat;

	if (acct && !acct_v2)
		u->cpu_ns = read_number(r, acct, "cpuacct.usage");
	if ((!acct || !acct_v2) && !(r->wanted & USAGE_LIMITS_MET))
		return;
	stat = read_file(r, cpu, "cpu.stat");
	u->cpu_periods = cgroup_find_u64(stat, "nr_periods", 0);
	u->cpu_throttled = cgroup_find_u64(stat, "nr_throttled", 0);
	if (acct_v2)
		u->cpu_ns = cgroup_find_u64(stat, "usage_usec", 0) * 1000;
}

static void read_memory(struct reader *r, struct cgroup_usage *u)
{
	bool v2;
	const char *dir = path_of(r, "memory", &v2), *events;
	uint64_t cache;

	if (!dir)
		return;
	u->memory = read_number(r, dir, v2 ? "memory.current" : "memory.usage_in_bytes");
	u->memory_limit = read_limit(r, dir, v2 ? "memory.max" : "memory.limit_in_bytes");
	if (!v2)
		u->memory_limit = cgroup_limit_v1(u->memory_limit);
	/* As docker has it: what the kernel takes back at once is not counted. */
	cache = cgroup_find_u64(read_file(r, dir, "memory.stat"),
				v2 ? "inactive_file" : "total_inactive_file", 0);
	u->memory -= cache < u->memory ? cache : u->memory;
	if (!(r->wanted & USAGE_LIMITS_MET))
		return;
	events = read_file(r, dir, v2 ? "memory.events" : "memory.oom_control");
	u->oom_kills = cgroup_find_u64(events, "oom_kill", 0);
	u->memory_high = cgroup_find_u64(events, "high", 0);
}

static void read_pids(struct reader *r, struct cgroup_usage *u)
{
	bool v2;
	const char *dir = path_of(r, "pids", &v2);

	u->pids = read_number(r, dir, "pids.current");
	if (!(r->wanted & USAGE_LIMITS_MET))
		return;
	u->pids_limit = read_limit(r, dir, "pids.max");
	u->pids_refused = cgroup_find_u64(read_file(r, dir, "pids.events"), "max", 0);
}

/* "8:0 Read 4096", a line a device and kind */
static void read_io_v1(const char *text, struct cgroup_usage *u)
{
	for (; *text; text = next_line(text)) {
		const char *kind = strchr(text, ' ');

		if (!isdigit((unsigned char)*text) || !kind)
			continue;
		if (strncmp(kind, " Read ", 6) == 0)
			u->read_bytes += strtoull(kind + 6, NULL, 10);
		else if (strncmp(kind, " Write ", 7) == 0)
			u->write_bytes += strtoull(kind + 7, NULL, 10);
	}
}

/* "8:0 rbytes=4096 wbytes=0 rios=1 …" */
static void read_io_v2(const char *text, struct cgroup_usage *u)
{
	for (; *text; text = next_line(text)) {
		unsigned long long in, out;

		if (sscanf(text, "%*u:%*u rbytes=%llu wbytes=%llu", &in, &out) != 2)
			continue;
		u->read_bytes += in;
		u->write_bytes += out;
	}
}

static void read_io(struct reader *r, struct cgroup_usage *u)
{
	bool v2;
	const char *dir = path_of(r, "blkio", &v2);

	if (v2)
		read_io_v2(read_file(r, dir, "io.stat"), u);
	else
		read_io_v1(read_file(r, dir, "blkio.throttle.io_service_bytes_recursive"), u);
}

/* "some avg10=1.23 avg60=…" is the first line. */
static int parse_pressure(const char *text)
{
	unsigned int whole, part;

	return sscanf(text, "some avg10=%u.%2u", &whole, &part) == 2 ? (int)(whole * 100 + part)
								     : -1;
}

static void read_pressure(struct reader *r, struct cgroup_usage *u)
{
	static const char *const files[PRESSURES] = { "cpu.pressure", "memory.pressure",
						      "io.pressure" };

	for (size_t i = 0; i < PRESSURES; i++)
		u->pressure[i] = parse_pressure(read_file(r, v2_path(r), files[i]));
}

/* On hybrid hosts it is v2 that freezes (cgroup_life.c). */
static bool is_frozen(struct reader *r)
{
	const char *dir = v2_path(r);
	bool v2;

	if (dir)
		return *read_file(r, dir, "cgroup.freeze") == '1';
	return strncmp(read_file(r, path_of(r, "freezer", &v2), "freezer.state"), "FR", 2) == 0;
}

void cgroup_usage_read(const struct spec_strings *paths, enum cgroup_mode mode, unsigned int wanted,
		       struct cgroup_mounts *mounts, struct cgroup_usage *ret)
{
	struct reader r; /* its text is not cleared for each of hundreds */
	struct cgroup_usage u = { .memory_limit = CGROUP_NO_LIMIT,
				  .pids_limit = CGROUP_NO_LIMIT,
				  .pressure = { -1, -1, -1 } };

	r.paths = paths;
	r.mode = mode;
	r.wanted = wanted;
	r.mounts = mounts;
	read_cpu(&r, &u);
	read_memory(&r, &u);
	read_pids(&r, &u);
	if (wanted & USAGE_IO)
		read_io(&r, &u);
	if (wanted & USAGE_PRESSURE)
		read_pressure(&r, &u);
	u.frozen = is_frozen(&r);
	*ret = u;
}
