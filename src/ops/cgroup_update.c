/*
 * cgroup_update.c - see cgroup_update.h.
 *
 * What stands in each file is read before anything is written. The kernel demands an order (memory
 * not above memory and swap together, burst not above quota), and which one fits depends on what is
 * set now; so what is refused is tried again after the others. Putting back goes the same way in
 * reverse, through states that the kernel has accepted before.
 *
 * Files of one value have it as it is written. Those of lines ("8:0 rbps=1048576", "eth0 5") show a
 * line for each device that has a limit; a device without one gets the words for none.
 */
#include "ops/cgroup_update.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "ops/cgroup_tree.h"
#include "ops/describe.h"
#include "ops/describe_cgroup.h"
#include "ops/host_cgroup.h"
#include "sys/sys.h"

#define MAX_FILE 65536

struct change {
	const struct step *step;
	struct step back; /* writes what was there */
	bool missing;     /* the kernel has no such file, and that is no error */
	bool done;
};

struct update {
	struct change *v;
	size_t n;
	size_t *order; /* of those that were done */
	size_t n_done;
	struct op_ctx *ctx;
	struct arena *arena;
	struct err *err;
};

/* ---- what is set now --------------------------------------------------------------------------
 */

/* The words for no limit of a device, for files that have a line for each. */
static const char *no_limit(const char *file)
{
	static const struct {
		const char *begin, *text;
	} files[] = {
		{ "blkio.throttle.", "0" },
		{ "blkio.", "default" },
		{ "io.max", "rbps=max wbps=max riops=max wiops=max" },
		{ "io.latency", "target=0" },
		{ "io.", "default" },
		{ "rdma.max", "hca_handle=max hca_object=max" },
		{ "net_prio.ifpriomap", "0" },
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (strncmp(file, files[i].begin, strlen(files[i].begin)) == 0)
			return files[i].text;
	return NULL;
}

/* The line of `text` that begins with the first word of `wanted`. */
static const char *same_line(struct arena *arena, const char *text, const char *wanted, size_t len)
{
	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n");

		if (n > len && strncmp(line, wanted, len) == 0 && line[len] == ' ')
			return arena_strndup(arena, line, n);
		line += n;
		line += *line == '\n';
	}
	return NULL;
}

/* What would undo a line "8:0 1048576". */
static const char *old_line(struct arena *arena, const char *file, const char *text,
			    const char *line)
{
	size_t len = strcspn(line, " \n");
	const char *found = same_line(arena, text, line, len), *none = no_limit(file);

	if (found || !none)
		return found;
	return arena_printf(arena, "%.*s %s", (int)len, line, none);
}

static const char *old_lines(struct arena *arena, const char *file, const char *text,
			     const char *value)
{
	const char *all = "", *separator = "";

	for (const char *line = value; line;) {
		const char *one = old_line(arena, file, text, line);

		if (!one)
			return NULL;
		all = arena_printf(arena, "%s%s%s", all, separator, one);
		separator = "\n";
		line = strchr(line, '\n');
		line += line ? 1 : 0;
	}
	return all;
}

/* What to write to have things as they are now; NULL: that cannot be told. */
static const char *old_value(struct arena *arena, const char *file, const char *text,
			     const char *value)
{
	static const char oom[] = "oom_kill_disable ";
	size_t len = strcspn(text, "\n");

	if (strcmp(file, "memory.oom_control") == 0)
		return strncmp(text, oom, sizeof(oom) - 1) == 0
			   ? arena_printf(arena, "%c", text[sizeof(oom) - 1])
			   : NULL;
	if (strchr(value, ' ') && no_limit(file))
		return old_lines(arena, file, text, value);
	if (len == 0) /* an empty list, and an empty write would not arrive */
		return "\n";
	/* Of the files with lines for devices the first line is that for all others. */
	if (text[len] == '\n' && text[len + 1] != '\0' && !no_limit(file))
		return NULL;
	return arena_strndup(arena, text, len);
}

static int look(struct update *u, struct change *c)
{
	struct step_cgroup *back = &c->back.cgroup;
	const int dir = u->ctx->fd[back->slot];
	_cleanup_buf_ struct buf text = { 0 };
	_cleanup_close_ int fd = -EBADF;
	int r;

	c->back = *c->step;
	if (back->other_file && sys_faccessat(dir, back->file, F_OK) == -ENOENT) {
		back->file = back->other_file;
		back->value = back->other_value;
	}
	back->other_file = NULL;
	fd = sys_openat(dir, back->file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
	c->missing = fd == -ENOENT && back->optional;
	if (c->missing)
		return 0;
	r = fd < 0 ? fd : buf_read_fd(&text, fd, MAX_FILE);
	if (r < 0)
		return op_note(u->ctx, PHASE_OPEN, r, back->file);
	back->value = old_value(u->arena, back->file, buf_text(&text), back->value);
	return 0;
}

/* ---- writing ----------------------------------------------------------------------------------
 */

static int explain(const struct update *u, const struct step *step, int code)
{
	const char *phase = phase_text(u->ctx->phase), *note = u->ctx->note;
	_cleanup_buf_ struct buf what = { 0 };

	step_describe(step, &what);
	(void)err_set(u->err, code, "%s%s%s%s%s", buf_text(&what), *phase ? ": " : "", phase,
		      *note ? " " : "", note);
	cgroup_hint(step, code, u->ctx->phase, u->err);
	return code;
}

/* One round over what is left to do: how many were done, and how the last one failed. */
static size_t one_round(struct update *u, int *ret)
{
	size_t before = u->n_done;

	*ret = 0;
	for (size_t i = 0; i < u->n; i++) {
		struct change *c = &u->v[i];
		int r;

		if (c->done || c->missing)
			continue;
		u->ctx->phase = PHASE_NONE;
		u->ctx->note[0] = '\0';
		r = host_cgroup_write(c->step, u->ctx);
		c->done = r == 0;
		if (c->done)
			u->order[u->n_done++] = i;
		else if (*ret == 0)
			*ret = explain(u, c->step, r);
	}
	return u->n_done - before;
}

static int put_back(struct update *u)
{
	_cleanup_buf_ struct buf left = { 0 };

	while (u->n_done > 0) {
		const struct change *c = &u->v[u->order[--u->n_done]];
		const struct step_cgroup *back = &c->back.cgroup;
		char now[64] = "";

		if (back->value && host_cgroup_write(&c->back, u->ctx) == 0)
			continue;
		(void)cgroup_read(u->ctx->fd[back->slot], back->file, now, sizeof(now));
		now[strcspn(now, "\n")] = '\0';
		buf_printf(&left, "%s%s (now %s)", left.len ? ", " : "", back->file, now);
	}
	if (left.len == 0)
		return err_prefix(u->err, "nothing was changed");
	return err_prefix(u->err, "changed, and could not be put back: %s", buf_text(&left));
}

static int open_directories(struct update *u, const struct step *steps, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r;

		if (steps[i].kind != STEP_CGROUP_OPEN) {
			u->v[u->n++].step = &steps[i];
			u->v[u->n - 1].back = steps[i];
			continue;
		}
		r = host_cgroup_open(&steps[i], u->ctx);
		if (r < 0)
			return explain(u, &steps[i], r);
	}
	return 0;
}

int cgroup_update(const struct step *steps, size_t n, struct op_ctx *ctx, struct arena *arena,
		  struct err *err)
{
	struct update u = { .ctx = ctx, .arena = arena, .err = err };
	int r;

	u.v = arena_array(arena, n + 1, sizeof(*u.v));
	u.order = arena_array(arena, n + 1, sizeof(*u.order));
	if (!u.v || !u.order)
		return err_set(err, -ENOMEM, "change limits");
	r = open_directories(&u, steps, n);
	for (size_t i = 0; i < u.n && r == 0; i++) {
		r = look(&u, &u.v[i]);
		if (r < 0)
			(void)explain(&u, u.v[i].step, r);
	}
	if (r == 0 && arena_failed(arena))
		r = err_set(err, -ENOMEM, "change limits");
	if (r < 0)
		return err_prefix(err, "nothing was changed");
	while (one_round(&u, &r) > 0 && r < 0)
		;
	return r < 0 ? put_back(&u) : 0;
}
