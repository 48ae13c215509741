#include "ops/host_rdt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"

#ifndef RDTGROUP_SUPER_MAGIC
#define RDTGROUP_SUPER_MAGIC 0x07655821
#endif
#define MAX_FILE 65536

/* ---- files of a group -------------------------------------------------------------------------
 */

static int read_file(int dir, const char *name, struct buf *ret)
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : buf_read_fd(ret, fd, MAX_FILE);
}

/* One write, for the kernel takes the text as a whole or not at all. */
static int write_file(int dir, const char *name, const char *text)
{
	_cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* ---- does a group have what was asked for? ----------------------------------------------------
 */

/* "L3:0=7f0;1=1f": the name up to the colon, then values by the number of the cache. */
struct schema {
	const char *name, *values;
	size_t name_len, values_len;
};

/* Reads one line and moves on behind it; false at the end. */
static bool next_schema(const char **text, struct schema *ret)
{
	const char *line, *colon;
	size_t len;

	do {
		line = *text + strspn(*text, " \n");
		len = strcspn(line, "\n");
		*text = line + len;
		if (len == 0)
			return false;
		colon = memchr(line, ':', len);
	} while (!colon);
	*ret = (struct schema){ line, colon + 1, (size_t)(colon - line),
				len - (size_t)(colon - line) - 1 };
	return true;
}

/* Without spaces and leading zeros, which the kernel adds, and in one case. */
static void plain_value(const char *value, size_t len, char *ret, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n < size - 1; i++) {
		bool zero = value[i] == '0' && n == 0 && i + 1 < len;
		bool upper = value[i] >= 'A' && value[i] <= 'Z';

		if (value[i] != ' ' && !zero)
			ret[n++] = (char)(upper ? value[i] + ('a' - 'A') : value[i]);
	}
	ret[n] = '\0';
}

/* The value for one cache in "0=7f0;1=1f". */
static bool find_value(const struct schema *schema, const char *cache, char *ret, size_t size)
{
	const char *p = schema->values, *end = p + schema->values_len;
	char found[32];

	while (p < end) {
		const char *stop = memchr(p, ';', (size_t)(end - p));
		const char *equals;

		stop = stop ? stop : end;
		equals = memchr(p, '=', (size_t)(stop - p));
		if (equals) {
			plain_value(p, (size_t)(equals - p), found, sizeof(found));
			plain_value(equals + 1, (size_t)(stop - equals - 1), ret, size);
			if (strcmp(found, cache) == 0)
				return true;
		}
		p = stop + 1;
	}
	return false;
}

static bool has_values(const struct schema *there, const struct schema *wanted)
{
	const char *p = wanted->values, *end = p + wanted->values_len;

	while (p < end) {
		const char *stop = memchr(p, ';', (size_t)(end - p));
		const char *equals;
		char cache[32], want[64], have[64];

		stop = stop ? stop : end;
		equals = memchr(p, '=', (size_t)(stop - p));
		if (!equals)
			return false;
		plain_value(p, (size_t)(equals - p), cache, sizeof(cache));
		plain_value(equals + 1, (size_t)(stop - equals - 1), want, sizeof(want));
		if (!find_value(there, cache, have, sizeof(have)) || strcmp(have, want) != 0)
			return false;
		p = stop + 1;
	}
	return true;
}

static bool has_schema(const char *there, const struct schema *wanted)
{
	struct schema s;

	while (next_schema(&there, &s))
		if (s.name_len == wanted->name_len && memcmp(s.name, wanted->name, s.name_len) == 0)
			return has_values(&s, wanted);
	return false;
}

/* Others use the group as well: what it has is not changed behind their back. */
static int compare(int group, const char *expected, struct op_ctx *ctx)
{
	_cleanup_buf_ struct buf there = { 0 };
	struct schema wanted;
	char line[NOTE_SIZE];
	int r = read_file(group, "schemata", &there);

	if (r < 0)
		return op_note(ctx, PHASE_OPEN, r, "schemata of the group");
	while (next_schema(&expected, &wanted)) {
		if (has_schema(buf_text(&there), &wanted))
			continue;
		(void)snprintf(line, sizeof(line),
			       "the group is there and has other values than %.*s",
			       (int)(wanted.name_len + 1 + wanted.values_len), wanted.name);
		return op_note(ctx, PHASE_VERIFY, -EEXIST, line);
	}
	return 0;
}

/* ---- joining a group --------------------------------------------------------------------------
 */

/* The kernel keeps a sentence about the last thing that it refused. */
static int write_schemata(int root, int group, const char *text, struct op_ctx *ctx)
{
	_cleanup_buf_ struct buf status = { 0 };
	int r = write_file(group, "schemata", text);

	if (r == 0)
		return 0;
	if (read_file(root, "info/last_cmd_status", &status) < 0 || status.len == 0)
		return op_note(ctx, PHASE_WRITE, r, "schemata of the group");
	status.data[strcspn(status.data, "\n")] = '\0';
	return op_note(ctx, PHASE_VERIFY, r, status.data);
}

static int explain_make(int code, struct op_ctx *ctx, const char *name)
{
	if (code == -ENOSPC)
		return op_note(ctx, PHASE_VERIFY, code, "the processor has no more groups");
	if (code == -EEXIST)
		return op_note(ctx, PHASE_VERIFY, code, "another container's group has this name");
	return op_note(ctx, PHASE_OPEN, code, name);
}

/* A new directory, whose descriptor in `slot` says to undo that it was us. */
static int make_group(int parent, const char *name, int slot, struct op_ctx *ctx)
{
	int fd;

	if (mkdirat(parent, name, 0755) < 0)
		return -errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		fd = -errno;
		(void)unlinkat(parent, name, AT_REMOVEDIR);
		return fd;
	}
	ctx->fd[slot] = fd;
	return 0;
}

static int open_group(int root, const struct step_intel_rdt *rdt, struct op_ctx *ctx)
{
	int fd, r = rdt->may_be_made ? make_group(root, rdt->group, rdt->made, ctx) : -EEXIST;

	if (r < 0 && !(r == -EEXIST && rdt->may_be_there))
		return explain_make(r, ctx, rdt->group);
	fd = openat(root, rdt->group, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return op_note(ctx, PHASE_OPEN, -errno, rdt->group);
	if (r == -EEXIST && rdt->expected) {
		r = compare(fd, rdt->expected, ctx);
		if (r < 0) {
			(void)close(fd);
			return r;
		}
	}
	return fd;
}

static int add_task(int group, struct op_ctx *ctx)
{
	char pid[16];
	int r;

	(void)snprintf(pid, sizeof(pid), "%d", ctx->pid);
	r = write_file(group, "tasks", pid);
	return r < 0 ? op_note(ctx, PHASE_WRITE, r, "tasks of the group") : 0;
}

static int add_monitor(int group, const struct step_intel_rdt *rdt, struct op_ctx *ctx)
{
	_cleanup_close_ int groups =
	    openat(group, "mon_groups", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (groups < 0)
		return op_note(ctx, PHASE_VERIFY, -errno, "the processor cannot monitor");
	r = make_group(groups, rdt->monitor, rdt->monitor_made, ctx);
	if (r < 0)
		return explain_make(r, ctx, rdt->monitor);
	return add_task(ctx->fd[rdt->monitor_made], ctx);
}

int rdt_join(int root, const struct step_intel_rdt *rdt, struct op_ctx *ctx)
{
	_cleanup_close_ int group = open_group(root, rdt, ctx);
	int r = group < 0 ? group : 0;

	if (r == 0 && rdt->schemata)
		r = write_schemata(root, group, rdt->schemata, ctx);
	if (r == 0)
		r = add_task(group, ctx);
	if (r == 0 && rdt->monitor)
		r = add_monitor(group, rdt, ctx);
	if (r < 0)
		rdt_leave(root, rdt, ctx);
	return r;
}

/* ---- leaving it -------------------------------------------------------------------------------
 */

static void close_slot(int slot, struct op_ctx *ctx)
{
	(void)close(ctx->fd[slot]);
	ctx->fd[slot] = -1;
}

void rdt_leave(int root, const struct step_intel_rdt *rdt, struct op_ctx *ctx)
{
	char path[512];

	if (rdt->monitor && ctx->fd[rdt->monitor_made] >= 0) {
		close_slot(rdt->monitor_made, ctx);
		if ((size_t)snprintf(path, sizeof(path), "%s/mon_groups/%s", rdt->group,
				     rdt->monitor) < sizeof(path))
			(void)unlinkat(root, path, AT_REMOVEDIR);
	}
	if (rdt->may_be_made && ctx->fd[rdt->made] >= 0) {
		_cleanup_buf_ struct buf tasks = { 0 };
		bool used = rdt->may_be_there &&
			    read_file(ctx->fd[rdt->made], "tasks", &tasks) == 0 && tasks.len > 0;

		close_slot(rdt->made, ctx);
		/* Another container may have joined a group with a name of its own meanwhile. */
		if (!used)
			(void)unlinkat(root, rdt->group, AT_REMOVEDIR);
	}
}

static int open_root(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0)
		return -errno;
	if (fstatfs(fd, &fs) < 0 || fs.f_type != RDTGROUP_SUPER_MAGIC)
		return -ENODEV;
	return take_fd(&fd);
}

int host_intel_rdt(const struct step *s, struct op_ctx *ctx)
{
	_cleanup_close_ int root = open_root(s->intel_rdt.root);

	if (root == -ENODEV || root == -ENOENT)
		return op_note(ctx, PHASE_VERIFY, -ENODEV,
			       "no resctrl is mounted at /sys/fs/resctrl: mount -t resctrl resctrl "
			       "/sys/fs/resctrl");
	if (root < 0)
		return op_note(ctx, PHASE_OPEN, root, s->intel_rdt.root);
	return rdt_join(root, &s->intel_rdt, ctx);
}

void host_intel_rdt_undo(const struct step *s, struct op_ctx *ctx)
{
	_cleanup_close_ int root = open_root(s->intel_rdt.root);

	if (root >= 0)
		rdt_leave(root, &s->intel_rdt, ctx);
}

int rdt_remove(const char *path)
{
	_cleanup_close_ int fd = open_root(path);

	if (fd < 0)
		return fd == -ENOENT || fd == -ENODEV ? 0 : fd;
	return rmdir(path) < 0 && errno != ENOENT ? -errno : 0;
}

int rdt_change(const char *path, const char *schemata, struct buf *old, struct err *err)
{
	_cleanup_close_ int group = open_root(path);
	int r = group < 0 ? group : read_file(group, "schemata", old);

	if (r == 0)
		r = write_file(group, "schemata", schemata);
	return r < 0 ? err_set(err, r, "set the schemata of %s to \"%s\"", path, schemata) : 0;
}
