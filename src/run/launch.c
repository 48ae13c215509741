/*
 * launch.c - create and run: from the bundle to a process, all of it or nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ops/cgroup_life.h"
#include "ops/describe.h"
#include "ops/host_hooks.h"
#include "ops/host_notify.h"
#include "ops/host_process.h"
#include "plan/hooks.h"
#include "plan/rootfs.h"
#include "run/launch.h"
#include "run/life.h"
#include "run/notify.h"
#include "run/selfexe.h"
#include "run/supervise.h"
#include "run/trace.h"
#include "run/walk.h"
#include "spec/check.h"
#include "spec/landlock.h"
#include "sys/sys.h"

#define CONFIG_CAP (16 * 1024 * 1024)

void launch_done(struct launch *l)
{
	if (l->facts.seed_fd >= 0)
		(void)close(l->facts.seed_fd);
	dbus_close(&l->facts.systemd.manager);
	plan_done(&l->plan);
	arena_done(&l->arena);
	buf_done(&l->config);
}

/* ---- what is to be done
 * ------------------------------------------------------------------------------ */

static int load_config(struct launch *l, const char *path, struct err *err)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	_cleanup_close_ int fd = sys_openat(AT_FDCWD, path, flags, 0);
	int r;

	if (fd < 0) {
		r = err_set(err, fd, "open %s", path);
		(void)err_hint(err,
			       "--bundle names the directory that has config.json and the root "
			       "file system; `containr-oci spec` writes a first one");
		return r;
	}
	r = buf_read_fd(&l->config, fd, CONFIG_CAP);
	return r < 0 ? err_set(err, r, "read %s", path) : 0;
}

static int read_config(struct launch *l, const struct run_request *request, struct err *err)
{
	struct spec_source source = { .name = "config.json",
				      .unknown = request->unknown,
				      .unknown_data = request->unknown_data };
	int r = 0;

	if (request->config) {
		buf_str(&l->config, request->config);
	} else {
		source.name = arena_printf(&l->arena, "%s/config.json", request->plan.bundle);
		r = load_config(l, source.name, err);
	}
	if (r < 0)
		return r;
	source.text = buf_text(&l->config);
	source.len = l->config.len;
	r = spec_read(&source, &l->arena, &l->spec, err);
	if (r == 0)
		r = spec_check(&l->spec, err);
	return r;
}

/* Anything but devices, of which a program takes care. */
static bool has_limits(const struct spec_resources *resources)
{
	static const struct spec_resources none;
	struct spec_resources rest;

	memcpy(&rest, resources, sizeof(rest));
	rest.devices = NULL;
	rest.n_devices = 0;
	/* Padding that differs would only have more of the host looked at than is needed. */
	/* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison,cert-exp42-c,cert-flp37-c) */
	return memcmp(&rest, &none, sizeof(rest)) != 0;
}

static unsigned int facts_wanted(const struct spec *spec, const struct plan_options *o)
{
	unsigned int wanted = FACTS_CGROUP | FACTS_SEED;

	if (spec->process.apparmor_profile || spec->process.selinux_label ||
	    spec->linux.mount_label)
		wanted |= FACTS_LSM;
	if (spec_landlock_text(spec))
		wanted |= FACTS_LANDLOCK;
	if (spec->process.oom_score_adj.has)
		wanted |= FACTS_OOM_SCORE;
	if (has_limits(&spec->linux.resources))
		wanted |= FACTS_CONTROLLERS;
	if (o->systemd_cgroup)
		wanted |= FACTS_SYSTEMD;
	if (rootfs_has_overlay(spec, o))
		wanted |= FACTS_FUSE;
	return wanted;
}

/* What the container says to NOTIFY_SOCKET comes to a socket of its own (ops/host_notify.h). */
static int add_notify_mount(struct launch *l, struct err *err)
{
	static char bind[] = "bind", ro[] = "ro", nosuid[] = "nosuid", nodev[] = "nodev",
		    noexec[] = "noexec";
	static char *options[] = { bind, ro, nosuid, nodev, noexec, NULL };
	size_t n = l->spec.n_mounts;
	struct spec_mount *mounts = arena_array(&l->arena, n + 1, sizeof(*mounts));

	if (!mounts)
		return err_set(err, -ENOMEM, "add a mount for NOTIFY_SOCKET");
	if (n > 0)
		memcpy(mounts, l->spec.mounts, n * sizeof(*mounts));
	mounts[n] = (struct spec_mount){
		.destination = NOTIFY_INSIDE,
		.type = "bind",
		.source =
		    arena_printf(&l->arena, "%s/%s/" NOTIFY_DIR, l->options.root, l->options.id),
		.options = { 5, options },
	};
	l->spec.mounts = mounts;
	l->spec.n_mounts = n + 1;
	return 0;
}

/*
 * Descriptors that the caller passes on are there before any of ours: a number that is not would be
 * given to one of ours, and that would reach the program.
 */
int check_passed_fds(const struct plan_options *o, struct err *err)
{
	unsigned int n = o->preserve_fds + o->listen_fds;

	for (unsigned int fd = 3; fd < 3 + n; fd++) {
		int flags = fcntl((int)fd, F_GETFD);

		if (flags < 0 || (flags & FD_CLOEXEC))
			return err_say(err, -EBADF,
				       "--preserve-fds: descriptor %u of %u to %u is not open: bad "
				       "file descriptor",
				       fd, 3, 2 + n);
	}
	return 0;
}

int launch_prepare(struct launch *l, const struct run_request *request, struct err *err)
{
	struct plan_options *o = &l->options;
	int r;

	*l = LAUNCH_NONE;
	l->options = request->plan;
	r = read_config(l, request, err);
	if (r == 0 && o->notify_socket)
		r = add_notify_mount(l, err);
	if (r < 0)
		return r;
	o->config = buf_text(&l->config);
	o->config_len = l->config.len;
	return facts_read(facts_wanted(&l->spec, o), &l->arena, &l->facts, err);
}

int launch_plan(struct launch *l, const struct run_request *request, struct err *err)
{
	int r = launch_prepare(l, request, err);

	return r < 0 ? r : plan_build(&l->plan, &l->spec, &l->options, &l->facts, err);
}

int run_plan(const struct run_request *request, bool json, struct buf *out, struct err *err)
{
	_cleanup_(launch_done) struct launch l = LAUNCH_NONE;
	struct run_request start = *request;
	int r;

	start.plan.view = selfexe_has_view(); /* a step more */
	r = launch_plan(&l, &start, err);
	if (r < 0)
		return r;
	if (json)
		plan_print_json(&l.plan, out);
	else
		plan_print(&l.plan, out);
	return out->failed ? err_set(err, -ENOMEM, "print the plan") : 0;
}

/* ---- doing it
 * ------------------------------------------------------------------------------------------ */

int walk_begin(struct walk *w, const struct plan *plan, struct err *err)
{
	*w = (struct walk){ .plan = plan, .lane = LANE_HOST, .end = plan->n_steps, .baton = -1 };
	w->ctx.pidfd = -1;
	w->ctx.fd = malloc((size_t)plan->n_slots * sizeof(int));
	if (!w->ctx.fd)
		return err_set(err, -ENOMEM, "make room for %d descriptors", plan->n_slots);
	for (int i = 0; i < plan->n_slots; i++)
		w->ctx.fd[i] = -1;
	return 0;
}

/* What the start needed and the rest of the command does not. */
void walk_release(struct walk *w, const int *keep, size_t n_keep)
{
	for (int i = 0; i < w->plan->n_slots; i++) {
		bool kept = false;

		for (size_t k = 0; k < n_keep; k++)
			kept |= keep[k] == i;
		if (!kept && w->ctx.fd[i] >= 0) {
			(void)close(w->ctx.fd[i]);
			w->ctx.fd[i] = -1;
		}
	}
}

void walk_done(struct walk *w)
{
	if (!w->ctx.fd || !w->plan)
		return;
	walk_release(w, NULL, 0);
	if (w->ctx.pidfd >= 0)
		(void)close(w->ctx.pidfd);
	if (w->baton >= 0)
		(void)close(w->baton);
	free(w->ctx.fd);
	trace_end(w);
	w->ctx.fd = NULL;
}

static int lost_init(const struct walk *w, struct err *err)
{
	const struct step *next = &w->plan->steps[w->last.next];
	_cleanup_buf_ struct buf what = { 0 };

	buf_str(&what, "init was killed before it could: ");
	step_describe(next, &what);
	buf_printf(&what, " (step %u)", w->last.next);
	return life_oom(&w->plan->cgroups, buf_text(&what), err);
}

int walk_error(const struct walk *w, int code, struct err *err)
{
	size_t at = w->last.next < w->plan->n_steps ? w->last.next : w->plan->n_steps - 1;

	if (code == -ECHILD && w->last.err == 0)
		return lost_init(w, err);
	return step_error(&w->plan->steps[at], at, code, w->last.phase, w->last.note, err);
}

int walk_start(struct walk *w, struct err *err)
{
	int r = walk(w, 0);

	if (r < 0) {
		(void)walk_error(w, r, err);
		walk_back(w, w->last.next < w->plan->n_steps ? w->last.next + 1 : w->plan->n_steps);
		return r;
	}
	spawn_done(w);
	host_netns_end(&w->ctx);
	return 0;
}

int launch_walk(struct launch *l, struct walk *w, int trace, struct err *err)
{
	int r = walk_begin(w, &l->plan, err);

	if (r < 0)
		return r;
	w->ctx.fd[SLOT_SEED] = l->facts.seed_fd;
	l->facts.seed_fd = -1;
	w->ctx.fd[SLOT_SYSTEMD] = take_fd(&l->facts.systemd.manager.fd);
	if (l->options.view > 0)
		w->ctx.fd[SLOT_VIEW] = l->options.view;
	if (!l->options.run)
		w->end = l->plan.after_start - 1; /* init waits at the gate, which is its step */
	if (trace >= 0)
		trace_begin(w);
	r = walk_start(w, err);
	if (trace >= 0)
		trace_print(w, trace);
	return r;
}

void launch_unlock(const struct walk *w, const struct run_request *request)
{
	if (request->lock && *request->lock >= 0)
		state_unlock(*request->lock);
	if (w->ctx.fd && w->ctx.fd[SLOT_RUN_DIR] >= 0)
		state_unlock(w->ctx.fd[SLOT_RUN_DIR]);
}

int run_create(const struct run_request *request, struct err *err)
{
	_cleanup_(launch_done) struct launch l = LAUNCH_NONE;
	_cleanup_(walk_done) struct walk w = { .baton = -1 };
	int r = check_passed_fds(&request->plan, err);

	if (r == 0)
		r = launch_plan(&l, request, err);
	if (r < 0)
		return r;
	r = launch_walk(&l, &w, request->trace ? STDERR_FILENO : -1, err);
	launch_unlock(&w, request);
	return r;
}

/* ---- run
 * ------------------------------------------------------------------------------------------------
 */

int launch_hooks(const struct launch *l, const struct walk *w, const char *name, const char *status,
		 const struct spec_hook_list *list, struct err *err)
{
	struct planner p = { .spec = &l->spec, .options = &l->options };
	_cleanup_buf_ struct buf head = { 0 };

	if (list->n == 0)
		return 0;
	plan_hook_state_head(&p, status, &head);
	return hooks_run(name, list, buf_text(&head), w->ctx.pid, HOOK_STATE_TAIL, err);
}

bool launch_owns_pids(const struct launch *l)
{
	return spec_has_new_namespace(&l->spec, CLONE_NEWPID);
}

int launch_clean_up(const struct launch *l, struct walk *w, struct err *warning, struct err *err)
{
	/* Without a pid namespace of its own, its children have outlived it. */
	if (!launch_owns_pids(l))
		return run_delete(l->options.root, l->options.id, true, err);
	if (cgroup_remove(&l->plan.cgroups, err) < 0)
		return err->code;
	walk_undo(w, l->plan.n_steps);
	(void)launch_hooks(l, w, "poststop", "stopped", &l->spec.hooks.poststop, warning);
	return 0;
}

/* While the lock is held: a descriptor for how it ends. */
static int record_begin(struct walk *w, struct err *err)
{
	int dir = w->ctx.fd[SLOT_RUN_DIR];
	_cleanup_close_ int fd = state_exit_create(dir);
	int r = fd < 0 ? fd : state_watcher_write(dir, getpid(), false);

	if (r == 0)
		return take_fd(&fd);
	walk_back(w, w->plan->n_steps);
	return err_set(err, r, "write down who watches the container");
}

static int run_attached(struct launch *l, struct walk *w, struct supervise *s, int record,
			const struct run_request *request, struct err *err)
{
	static const int kept[] = { SLOT_CONSOLE_PEER, SLOT_NOTIFY, SLOT_RUN_DIR };
	struct err later = { 0 }, ignored;
	struct cgroup_end end;
	int status;

	walk_release(w, kept, sizeof(kept) / sizeof(kept[0]));
	status = launch_wait(w, s, err);
	if (status < 0) {
		(void)sys_pidfd_send_signal(w->ctx.pidfd, SIGKILL);
		(void)sys_wait4(w->ctx.pid, NULL, __WALL);
	}
	if (record >= 0 && status >= 0)
		launch_record(l, record, status, s);
	if (request->reasons && launch_end(l, s, &end))
		cgroup_end_say(&end, request->reasons);
	if (!request->keep &&
	    launch_clean_up(l, w, request->warning ? request->warning : &ignored, &later) < 0 &&
	    status >= 0) {
		*err = later;
		return later.code;
	}
	return status;
}

int launch_begin(struct supervise *s, const struct run_request *request, struct err *err)
{
	bool detach = request->plan.detach;
	int r = detach ? 0 : supervise_begin(s, err);

	s->notify_socket = request->plan.notify_socket;
	/* What outlives the program without a pid namespace of its own becomes our child, not
	 * init's. */
	s->reaps_all = !detach && !request->no_subreaper;
	if (r == 0 && s->reaps_all)
		(void)sys_prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	return r;
}

int launch_finish(struct launch *l, struct walk *w, struct supervise *s, int record,
		  const struct run_request *request, struct err *err)
{
	bool detach = request->plan.detach;
	int r = launch_hooks(l, w, "poststart", "running", &l->spec.hooks.poststart, err);

	if (r < 0) {
		walk_back(w, l->plan.n_steps);
		return r;
	}
	if (detach && request->plan.notify_socket)
		return notify_forward(w->ctx.fd[SLOT_NOTIFY], request->plan.notify_socket,
				      w->ctx.pid, w->ctx.pidfd, err);
	return detach ? 0 : run_attached(l, w, s, record, request, err);
}

int run_run(const struct run_request *request, struct err *err)
{
	_cleanup_(launch_done) struct launch l = LAUNCH_NONE;
	_cleanup_(walk_done) struct walk w = { .baton = -1 };
	_cleanup_(supervise_end) struct supervise s = SUPERVISE_NONE;
	_cleanup_close_ int record = -1;
	int r = check_passed_fds(&request->plan, err);

	if (r == 0)
		r = launch_plan(&l, request, err);
	if (r == 0)
		r = launch_begin(&s, request, err);
	if (r == 0)
		launch_watch(&l, &s);
	if (r == 0)
		r = launch_walk(&l, &w, request->trace ? STDERR_FILENO : -1, err);
	if (r == 0 && request->record) {
		record = record_begin(&w, err);
		r = record < 0 ? record : 0;
	}
	launch_unlock(&w, request);
	return r != 0 ? r : launch_finish(&l, &w, &s, record, request, err);
}
