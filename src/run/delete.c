/*
 * delete.c - removes a container and all that was made for it.
 *
 * It works from what was written down before it was made, so it does not matter how far a creator
 * came, or when it was killed. Each part tolerates that it was done already, and the state goes
 * last: what was cut short can be repeated.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "host/systemd.h"
#include "ops/cgroup_life.h"
#include "ops/cgroup_tree.h"
#include "ops/host_criu.h"
#include "ops/host_hooks.h"
#include "ops/host_rdt.h"
#include "run/life.h"
#include "run/monitor.h"
#include "sys/sys.h"

#define SERVER_MS 3000 /* in which one writes out what it has */

static int check_stopped(const struct life *l, bool force, struct err *err)
{
	enum state_status status;

	if (force)
		return 0;
	status = life_status(l);
	/* As runc does: one that was only created never ran anything of the user's. */
	if (status == STATE_CREATED || status == STATE_STOPPED)
		return 0;
	/* We have the lock, so nobody is creating it any more. */
	if (status == STATE_CREATING)
		return 0;
	(void)err_say(err, -EBUSY, "cannot delete container %s that is not stopped: %s",
		      l->state.id, state_status_name(status));
	return err_hint(err, "kill it first, or use --force");
}

/*
 * A scope is asked for after init was made: who was killed in between may have had a unit in mind
 * that is somebody else's. Ours have our mark.
 */
static bool has_own_cgroups(const struct life *l)
{
	const struct spec_strings *dirs = &l->state.cgroups;

	for (size_t i = 0; i < dirs->n && l->state.systemd_unit; i++)
		if (cgroup_is_marked(dirs->v[i]))
			return true;
	return dirs->n > 0 && !l->state.systemd_unit;
}

/* The scope first: systemd removes its cgroup itself. Before there is a process, there is none. */
static int remove_cgroups(const struct life *l, bool own, struct err *err)
{
	const struct state *s = &l->state;
	int r;

	if (s->systemd_unit && s->pid == 0 && s->restorer == 0)
		return 0;
	r = s->systemd_unit
		? systemd_stop(s->systemd_user, s->systemd_unit, s->systemd_description, err)
		: 0;
	if (r < 0)
		return r;
	return own && (s->pid != 0 || s->restorer != 0) ? cgroup_remove(&s->cgroups, err)
							: cgroup_remove_unborn(&s->cgroups, err);
}

/* All processes: init's own first, since most go with its pid namespace. */
static int end_processes(const struct life *l, bool own, struct err *err)
{
	_cleanup_close_ int pidfd = life_process(l);
	int r = 0;

	/* Of a restore that was cut off: criu died with who started it, what it made may live. */
	if (l->state.pid == 0)
		return own && l->state.restorer ? cgroup_kill(&l->state.cgroups, -1, err) : 0;
	if (pidfd >= 0 && !own)
		return life_end_process(pidfd, l->state.id, err);
	if (own)
		r = cgroup_kill(&l->state.cgroups, pidfd >= 0 ? pidfd : -1, err);
	/* It may have been moved to another cgroup. */
	if (pidfd >= 0 && r == 0)
		r = life_end_process(pidfd, l->state.id, err);
	return r;
}

/*
 * And those that serve its mounts, which go by themselves once those are gone: only who hangs is
 * killed. Its processes may hang on him.
 */
static int end_all(const struct life *l, bool own, struct err *err)
{
	int r = end_processes(l, own, err);

	if (r < 0 && state_servers_end(l->dir, 0) > 0)
		return end_processes(l, own, err);
	(void)state_servers_end(l->dir, SERVER_MS);
	return r;
}

static int remove_intel_rdt(const struct life *l, struct err *err)
{
	const char *path = l->state.intel_rdt;
	int r = path ? rdt_remove(path) : 0;

	return r == 0 ? 0 : err_set(err, r, "remove %s", path);
}

/* Of a restore that was cut off. */
static int put_back_images(const struct life *l, struct err *err)
{
	struct state_images images = { .path = "its images" };
	int r = host_images_put_back(l->dir, &images);

	return r == 0 ? 0 : err_set(err, r, "give %s the modes back that they had", images.path);
}

/* Such a hook's failure is a warning, says runtime-spec: the container goes all the same. */
static int after_stop(struct life *l, struct err *err)
{
	_cleanup_buf_ struct buf state = { 0 };
	struct spec_hooks hooks;
	int r;

	if (!l->state.poststop)
		return 0;
	r = life_hooks(l, &hooks, err);
	if (r < 0)
		return 1;
	life_hook_state(l, STATE_STOPPED, &state);
	return hooks_run_all("poststop", &hooks.poststop, buf_text(&state), 0, "}", err) < 0;
}

static int delete_life(struct life *l, const char *root, bool force, struct err *err)
{
	struct err later;
	const bool own = has_own_cgroups(l);
	int r = check_stopped(l, force, err), warned;

	if (r == 0)
		r = end_all(l, own, err);
	if (r == 0)
		monitor_end(l);
	if (r == 0)
		r = remove_cgroups(l, own, err);
	if (r == 0)
		r = remove_intel_rdt(l, err);
	if (r == 0)
		r = put_back_images(l, err);
	if (r < 0)
		return r;
	warned = after_stop(l, err);
	r = state_remove(root, l->state.id, &later);
	if (r < 0)
		*err = later;
	return r < 0 ? r : warned;
}

int run_delete(const char *root, const char *id, bool force, struct err *err)
{
	_cleanup_(life_done) struct life l = LIFE_NONE;
	int r = life_open(&l, root, id, true, true, err);

	if (r == -ENOENT && force)
		return 0;
	return r < 0 ? r : delete_life(&l, root, force, err);
}
