/*
 * life.c - containers that are there: started, signalled, looked at, removed.
 */
#include <errno.h>

#include "api/api.h"
#include "api/find.h"
#include "base/cleanup.h"
#include "run/life.h"
#include "run/run.h"

/* What all of them begin with, and then one function of run/. */
struct target {
	struct arena arena;
	struct err err;
	const char *root;
};

static void target_done(struct target *t)
{
	arena_done(&t->arena);
}

static int target_find(struct target *t, const char *root, const char *id)
{
	int r = find_id(id, &t->err);

	return r == 0 ? find_root(root, &t->arena, &t->root, &t->err) : r;
}

int containr_start(const char *root, const char *id, struct containr_error *error)
{
	_cleanup_(target_done) struct target t = { .root = NULL };
	int r = target_find(&t, root, id);

	if (r == 0)
		r = run_start(t.root, id, NULL, &t.err);
	return api_end(r, &t.err, error);
}

int containr_kill(const char *root, const char *id, int sig, bool all, struct containr_error *error)
{
	_cleanup_(target_done) struct target t = { .root = NULL };
	int r = target_find(&t, root, id);

	if (r == 0)
		r = run_kill(t.root, id, sig, all, &t.err);
	return api_end(r, &t.err, error);
}

int containr_delete(const char *root, const char *id, bool force, struct containr_error *error)
{
	_cleanup_(target_done) struct target t = { .root = NULL };
	int r = target_find(&t, root, id);

	if (r == 0)
		r = run_delete(t.root, id, force, &t.err);
	if (r > 0)
		(void)api_end(t.err.code, &t.err, error);
	return api_end(r, &t.err, error);
}

int containr_pause(const char *root, const char *id, struct containr_error *error)
{
	_cleanup_(target_done) struct target t = { .root = NULL };
	int r = target_find(&t, root, id);

	if (r == 0)
		r = run_pause(t.root, id, &t.err);
	return api_end(r, &t.err, error);
}

int containr_resume(const char *root, const char *id, struct containr_error *error)
{
	_cleanup_(target_done) struct target t = { .root = NULL };
	int r = target_find(&t, root, id);

	if (r == 0)
		r = run_resume(t.root, id, &t.err);
	return api_end(r, &t.err, error);
}

static int render_state(const char *root, const char *id, struct buf *out, struct err *err)
{
	_cleanup_(life_done) struct life l = LIFE_NONE;
	enum state_status status;
	int r = life_open(&l, root, id, false, false, err);

	if (r < 0)
		return r;
	status = life_status(&l);
	life_hook_state(&l, status, out);
	if (status != STATE_STOPPED)
		buf_printf(out, "%d", l.state.pid);
	buf_str(out, "}");
	return out->failed ? err_set(err, -ENOMEM, "tell the state of container %s", id) : 0;
}

int containr_state(const char *root, const char *id, char **ret, struct containr_error *error)
{
	_cleanup_(target_done) struct target t = { .root = NULL };
	_cleanup_buf_ struct buf out = { 0 };
	int r = target_find(&t, root, id);

	if (r == 0)
		r = render_state(t.root, id, &out, &t.err);
	if (r < 0)
		return api_end(r, &t.err, error);
	*ret = out.data;
	out = (struct buf){ 0 };
	return 0;
}
