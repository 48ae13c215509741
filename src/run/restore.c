/*
 * restore.c - a container comes back from the disk, to be one like any other.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

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

static int restore_plan(struct launch *l, const struct run_request *request,
			const struct criu_request *criu, struct plan_restore *plan, struct err *err)
{
	struct criu_said *said = plan->criu.said;
	int r = launch_prepare(l, request, err);

	if (r == 0)
		r = criu_prepare(criu, &l->arena, said, &plan->criu, err);
	if (r == 0)
		r = read_pipes(criu->images, &l->arena, plan, err);
	if (r < 0)
		return r;
	return plan_build_restore(&l->plan, &l->spec, &l->options, &l->facts, plan, err);
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
	launch_unlock(&w);
	if (r < 0)
		return criu_error(&w, &plan.criu, "restore", l.options.id, err);
	return launch_finish(&l, &w, &s, -1, request, err);
}
