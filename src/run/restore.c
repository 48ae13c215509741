/*
 * restore.c - a container comes back from the disk, to be one like any other.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "run/criu.h"
#include "run/launch.h"
#include "sys/sys.h"

#define DESCRIPTORS     "descriptors.json"
#define DESCRIPTORS_CAP 65536

/* "pipe:[1234]": the images may be anybody's, so nothing else is passed on to criu. */
static bool is_pipe(const char *text)
{
	const size_t head = strlen("pipe:[");
	size_t digits;

	if (strncmp(text, "pipe:[", head) != 0)
		return false;
	digits = strspn(text + head, "0123456789");
	return digits > 0 && digits < 20 && strcmp(text + head + digits, "]") == 0;
}

static int take_pipes(const struct json_doc *doc, struct plan_restore *ret, struct err *err)
{
	const struct json *list = doc->values;
	size_t fd = 0;

	if (list->type != JSON_TYPE_ARRAY || list->len > 3)
		return json_refuse(doc, list, err, "expected an array of at most three strings");
	for (const struct json *item = json_first(list); item; item = json_next(list, item), fd++) {
		if (item->type != JSON_TYPE_STRING)
			return json_refuse(doc, item, err, "expected a string");
		if (is_pipe(item->text))
			ret->pipes[fd] = item->text;
	}
	/* Output and errors may go to one pipe: criu asks once. */
	for (size_t i = 1; i < 3; i++)
		for (size_t k = 0; k < i; k++)
			if (ret->pipes[i] && ret->pipes[k] &&
			    strcmp(ret->pipes[i], ret->pipes[k]) == 0)
				ret->pipes[i] = NULL;
	return 0;
}

static int read_pipes(const char *images, struct arena *arena, struct plan_restore *ret,
		      struct err *err)
{
	const char *path = arena_printf(arena, "%s/" DESCRIPTORS, images);
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	_cleanup_close_ int fd = sys_openat(AT_FDCWD, path, flags, 0);
	_cleanup_buf_ struct buf text = { 0 };
	struct json_doc doc;
	const char *copy;
	int r = fd < 0 ? fd : buf_read_fd(&text, fd, DESCRIPTORS_CAP);

	if (r < 0) {
		(void)err_set(err, r, "read %s", path);
		return err_hint(err, "--image-path names the directory that a checkpoint was "
				     "written to");
	}
	copy = arena_strndup(arena, buf_text(&text), text.len);
	if (!copy)
		return err_set(err, -ENOMEM, "read %s", path);
	r = json_parse(&doc, path, copy, text.len, arena, err);
	return r < 0 ? r : take_pipes(&doc, ret, err);
}

/* ---- earlier images ---------------------------------------------------------------------- */

#define PARENT      "parent" /* criu's link from images to those that they add to */
#define MAX_PARENTS 1000

/* The real path of an open directory. */
static const char *real_path(int dir, struct arena *arena)
{
	char name[64], text[PATH_MAX];
	ssize_t n;

	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", dir);
	n = sys_readlinkat(AT_FDCWD, name, text, sizeof(text));
	return n > 0 ? arena_strndup(arena, text, (size_t)n) : NULL;
}

/* How much of a path leads to a directory that has both below it, or is one of them. */
static size_t shared_len(const char *a, const char *b)
{
	size_t n = 0, last = 0;

	for (; a[n] && a[n] == b[n]; n++)
		if (a[n] == '/')
			last = n;
	return (a[n] == '\0' || a[n] == '/') && (b[n] == '\0' || b[n] == '/') ? n : last;
}

/* -EXDEV: they are not where one mount shows them all. */
static int climb(int dir, const char *images, struct arena *arena, size_t *top)
{
	_cleanup_close_ int at = fcntl(dir, F_DUPFD_CLOEXEC, 0);
	struct stat first, st;

	if (at < 0 || fstat(at, &first) < 0)
		return -errno;
	for (int i = 0; i < MAX_PARENTS; i++) {
		int next = sys_openat(at, PARENT, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
		const char *path;

		if (next == -ENOENT)
			return 0;
		if (next < 0)
			return next;
		(void)close(at);
		at = next;
		path = real_path(at, arena);
		if (!path || fstat(at, &st) < 0)
			return -ENOENT;
		if (st.st_dev != first.st_dev)
			return -EXDEV;
		*top = shared_len(images, path) < *top ? shared_len(images, path) : *top;
	}
	return -ELOOP;
}

/* What of the disk criu reads, if it reads it with the rights of the container's root. */
static int find_top(const char *images, struct arena *arena, struct plan_restore *ret,
		    struct err *err)
{
	_cleanup_close_ int dir = sys_openat(AT_FDCWD, images, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	const char *path = dir < 0 ? NULL : real_path(dir, arena);
	size_t len = path ? strlen(path) : 0;
	int r = path ? climb(dir, path, arena, &len) : dir < 0 ? dir : -ENOENT;

	if (r == -EXDEV)
		return err_say(err, r,
			       "%s/" PARENT
			       ": earlier images are on another file system, from which "
			       "a container with a user namespace cannot be restored",
			       images);
	if (r < 0)
		return err_set(err, r, "follow %s/" PARENT " to the earlier images", images);
	ret->top = len > 0 ? arena_strndup(arena, path, len) : "/";
	if (!ret->top)
		return err_set(err, -ENOMEM, "follow %s/" PARENT, images);
	ret->below = path[len] ? path + len + (path[len] == '/') : ".";
	return 0;
}

static int restore_plan(struct launch *l, const struct run_request *request,
			const struct criu_request *criu, struct plan_restore *plan, struct err *err)
{
	struct criu_said *said = plan->criu.said;
	int r = launch_prepare(l, request, err);

	if (r == 0)
		r = criu_prepare(criu, &l->arena, said, &plan->criu, err);
	if (r == 0)
		r = read_pipes(criu->images, &l->arena, plan, err);
	if (r == 0 && spec_has_new_namespace(&l->spec, CLONE_NEWUSER))
		r = find_top(criu->images, &l->arena, plan, err);
	if (r < 0)
		return r;
	return plan_build_restore(&l->plan, &l->spec, &l->options, &l->facts, plan, err);
}

static int explain(const struct walk *w, const struct plan_criu *criu, const char *id,
		   struct err *err)
{
	const size_t at = w->last.next;

	if (at >= w->plan->n_steps || w->plan->steps[at].kind != STEP_ID_MAPPED)
		return criu_error(w, criu, "restore", id, err);
	(void)err_say(
	    err, err->code,
	    "the images in %s cannot be shown to criu as those of root in the container's "
	    "user namespace, who it is when it reads them: %s",
	    criu->images, err_text(err->code));
	return err_hint(err, "move them to a file system that can show other owners: ext4, xfs and "
			     "btrfs from Linux 5.15 on, tmpfs from 6.3 on");
}

int run_restore(const struct run_request *request, const struct criu_request *criu, struct err *err)
{
	_cleanup_(launch_done) struct launch l = LAUNCH_NONE;
	_cleanup_(walk_done) struct walk w = { .baton = -1 };
	_cleanup_(supervise_end) struct supervise s = SUPERVISE_NONE;
	struct criu_said said = { 0 };
	struct plan_restore plan = { .criu.said = &said };
	int r = restore_plan(&l, request, criu, &plan, err);

	if (r == 0)
		r = launch_begin(&s, request, err);
	if (r < 0)
		return r;
	launch_watch(&l, &s);
	r = launch_walk(&l, &w, -1, err);
	launch_unlock(&w, request);
	if (r < 0)
		return explain(&w, &plan.criu, l.options.id, err);
	return launch_finish(&l, &w, &s, -1, request, err);
}
