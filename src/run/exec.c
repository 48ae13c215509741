/*
 * exec.c - a further process in a container that runs.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "plan/exec.h"
#include "run/launch.h"
#include "run/life.h"
#include "run/supervise.h"
#include "spec/check.h"
#include "spec/landlock.h"
#include "spec/names.h"
#include "sys/sys.h"

#define PROCESS_CAP (16 * 1024 * 1024)

struct exec {
	struct life life; /* of the container; its arena is used for all */
	struct spec spec;
	struct plan_options options;
	struct plan_exec plan_exec;
	struct facts facts;
	struct plan plan;
};

static void exec_done(struct exec *e)
{
	plan_done(&e->plan);
	life_done(&e->life);
}

/* ---- the process: from a file, or from flags over the container's own
 * ----------------------------- */

static int read_whole(int dir, const char *path, struct buf *text, struct err *err)
{
	_cleanup_close_ int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int r = fd < 0 ? -errno : buf_read_fd(text, fd, PROCESS_CAP);

	return r < 0 ? err_set(err, r, "read %s", path) : 0;
}

static int from_file(struct exec *e, const char *path, struct err *err)
{
	_cleanup_buf_ struct buf text = { 0 };
	struct spec_process *process = &e->spec.process;
	int r = read_whole(AT_FDCWD, path, &text, err);

	if (r == 0)
		r = spec_read_process(
		    &(struct spec_source){ .name = path, .text = buf_text(&text), .len = text.len },
		    &e->life.arena, process, err);
	if (r < 0)
		return r;
	/* What it does not say is as in the container. */
	if (!process->capabilities.has)
		process->capabilities = e->life.state.capabilities;
	if (!process->apparmor_profile)
		process->apparmor_profile = e->life.state.apparmor_profile;
	if (!process->selinux_label)
		process->selinux_label = e->life.state.selinux_label;
	return 0;
}

/* The rest of it was for the start, and is ten times as long. */
static int from_config(struct exec *e, struct err *err)
{
	const struct spec_extent *at = &e->life.state.process;
	_cleanup_close_ int fd =
	    sys_openat(e->life.dir, STATE_CONFIG, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
	char *text = at->len <= PROCESS_CAP ? arena_alloc(&e->life.arena, at->len + 1) : NULL;
	ssize_t n;

	if (fd < 0 || !text)
		return err_set(err, fd < 0 ? fd : -ENOMEM, "read " STATE_CONFIG);
	n = pread(fd, text, at->len, (off_t)at->at);
	if (n < 0 || (uint64_t)n != at->len)
		return err_set(err, n < 0 ? -errno : -EIO, "read the process of " STATE_CONFIG);
	return spec_read_process(
	    &(struct spec_source){ .name = STATE_CONFIG ": process", .text = text, .len = at->len },
	    &e->life.arena, &e->spec.process, err);
}

static struct spec_strings joined(struct arena *arena, const struct spec_strings *a,
				  const struct spec_strings *b)
{
	struct spec_strings all = { .v = arena_array(arena, a->n + b->n + 1, sizeof(char *)) };

	for (size_t i = 0; i < a->n && all.v; i++)
		all.v[all.n++] = a->v[i];
	for (size_t i = 0; i < b->n && all.v; i++)
		all.v[all.n++] = b->v[i];
	return all;
}

/* "UID[:GID]", in numbers: names are the image's, and it is not asked who somebody is. */
static int set_user(struct spec_user *user, const char *text, struct err *err)
{
	const char *colon = strchr(text, ':');
	char uid[32] = "";
	uint64_t number, group = user->gid;

	if (!colon)
		colon = text + strlen(text);
	if ((size_t)(colon - text) < sizeof(uid))
		memcpy(uid, text, (size_t)(colon - text));
	if (num_u64(uid, UINT32_MAX - 1, &number) < 0 ||
	    (*colon && num_u64(colon + 1, UINT32_MAX - 1, &group) < 0))
		return err_say(err, -EINVAL,
			       "--user \"%s\": expected UID or UID:GID, each a number from 0 to "
			       "4294967294",
			       text);
	user->uid = (uint32_t)number;
	user->gid = (uint32_t)group;
	return 0;
}

static int add_caps(struct spec_capabilities *caps, const struct spec_strings *names,
		    struct err *err)
{
	for (size_t i = 0; i < names->n; i++) {
		const struct spec_name *cap = spec_name_find(spec_capability_names, names->v[i]);

		if (!cap)
			return err_say(err, -EINVAL, "--cap \"%s\": there is no such capability",
				       names->v[i]);
		caps->bounding |= 1ULL << cap->value;
		caps->permitted |= 1ULL << cap->value;
		caps->effective |= 1ULL << cap->value;
	}
	return 0;
}

static int add_gids(struct exec *e, const struct spec_strings *names, struct err *err)
{
	struct spec_user *user = &e->spec.process.user;
	uint32_t *all =
	    arena_array(&e->life.arena, user->n_additional_gids + names->n + 1, sizeof(*all));
	size_t n = user->n_additional_gids;

	if (!all)
		return err_set(err, -ENOMEM, "add groups");
	if (n > 0)
		memcpy(all, user->additional_gids, n * sizeof(*all));
	for (size_t i = 0; i < names->n; i++) {
		uint64_t gid;

		if (num_u64(names->v[i], UINT32_MAX - 1, &gid) < 0)
			return err_say(err, -EINVAL,
				       "--additional-gids \"%s\": expected a number from 0 to "
				       "4294967294",
				       names->v[i]);
		all[n++] = (uint32_t)gid;
	}
	user->additional_gids = all;
	user->n_additional_gids = n;
	return 0;
}

static int from_flags(struct exec *e, const struct exec_request *request, struct err *err)
{
	struct spec_process *process = &e->spec.process;
	int r = from_config(e, err);

	if (r < 0)
		return r;
	process->args = request->args;
	process->env = request->whole_env ? request->env
					  : joined(&e->life.arena, &process->env, &request->env);
	process->terminal = request->tty;
	process->console_size = (struct spec_box){ 0 };
	if (request->cwd)
		process->cwd = request->cwd;
	if (request->apparmor)
		process->apparmor_profile = request->apparmor;
	if (request->process_label)
		process->selinux_label = request->process_label;
	if (request->no_new_privs)
		process->no_new_privileges = true;
	if (request->own_groups)
		process->user.n_additional_gids = 0;
	if (request->user)
		r = set_user(&process->user, request->user, err);
	if (r == 0)
		r = add_caps(&process->capabilities, &request->caps, err);
	return r == 0 ? add_gids(e, &request->additional_gids, err) : r;
}

/* ---- the container
 * ---------------------------------------------------------------------------------- */

static int check_status(const struct exec *e, const struct exec_request *request,
			enum state_status status, struct err *err)
{
	if (status == STATE_PAUSED && !request->ignore_paused)
		return err_say(err, -EBUSY,
			       "cannot exec in a paused container (%s): resume it first",
			       e->life.state.id);
	if (status == STATE_STOPPED || status == STATE_CREATING)
		return err_say(err, -ESRCH, "cannot exec in a stopped container: %s is %s",
			       e->life.state.id, state_status_name(status));
	return 0;
}

static int read_filter(struct exec *e, struct err *err)
{
	_cleanup_buf_ struct buf text = { 0 };
	int r;

	if (!e->life.state.has_filter)
		return 0;
	r = read_whole(e->life.dir, STATE_FILTER, &text, err);
	if (r < 0)
		return r;
	if (text.len == 0 || text.len % sizeof(struct sock_filter) ||
	    text.len / sizeof(struct sock_filter) > BPF_MAXINSNS)
		return err_say(err, -EINVAL, "%s: %zu bytes are no filter", STATE_FILTER, text.len);
	e->plan_exec.filter.len = (unsigned short)(text.len / sizeof(struct sock_filter));
	e->plan_exec.filter.filter = arena_copy(&e->life.arena, text.data, text.len);
	e->plan_exec.filter_flags = e->life.state.filter_flags;
	return 0;
}

static void set_options(struct exec *e, const struct exec_request *request)
{
	struct plan_options *o = &e->options;
	struct spec_namespace *user = arena_alloc(&e->life.arena, sizeof(*user));

	o->id = request->id;
	o->root = request->root;
	o->bundle = e->life.state.bundle;
	o->run = true;
	o->detach = request->detach;
	o->pid_file = request->pid_file;
	o->console_socket = request->console_socket;
	o->pidfd_socket = request->pidfd_socket;
	o->view = request->view;
	o->preserve_fds = request->preserve_fds;
	e->spec.annotations = e->life.state.annotations; /* Landlock's rules are one */
	e->plan_exec.namespaces = e->life.state.namespaces;
	e->plan_exec.cgroups = e->life.state.cgroups;
	e->plan_exec.sub_cgroups = request->cgroups;
	e->plan_exec.pid = e->life.state.pid;
	e->plan_exec.systemd_unit = e->life.state.systemd_unit;
	e->plan_exec.systemd_user = e->life.state.systemd_user;
	e->plan_exec.systemd_root = e->life.state.systemd_root;
	if (user && (e->life.state.namespaces & CLONE_NEWUSER)) {
		*user = (struct spec_namespace){ CLONE_NEWUSER, "user", "of the container" };
		e->spec.linux.namespaces = user;
		e->spec.linux.n_namespaces = 1;
	}
}

static int prepare(struct exec *e, const struct exec_request *request, struct err *err)
{
	unsigned int wanted = FACTS_CGROUP;
	int r;

	r = life_open(&e->life, request->root, request->id, false, false, err);
	if (r == 0)
		r = check_status(e, request, life_status(&e->life), err);
	if (r == 0)
		r = request->process_file ? from_file(e, request->process_file, err)
					  : from_flags(e, request, err);
	if (r == 0)
		r = spec_check_process(&e->spec.process, err);
	if (r == 0)
		r = read_filter(e, err);
	if (r < 0)
		return r;
	set_options(e, request);
	if (e->spec.process.apparmor_profile || e->spec.process.selinux_label)
		wanted |= FACTS_LSM;
	if (spec_landlock_text(&e->spec))
		wanted |= FACTS_LANDLOCK;
	if (e->spec.process.oom_score_adj.has)
		wanted |= FACTS_OOM_SCORE;
	r = facts_read(wanted, &e->life.arena, &e->facts, err);
	if (r < 0)
		return r;
	return plan_build_exec(&e->plan, &e->spec, &e->options, &e->facts, &e->plan_exec, err);
}

int run_exec(const struct exec_request *request, struct err *err)
{
	_cleanup_(exec_done) struct exec e = { .life.dir = -1, .facts.seed_fd = -1 };
	_cleanup_(walk_done) struct walk w = { .baton = -1 };
	_cleanup_(supervise_end) struct supervise s = SUPERVISE_NONE;
	static const int kept[] = { SLOT_CONSOLE_PEER };
	int r, status;

	r = check_passed_fds(&(struct plan_options){ .preserve_fds = request->preserve_fds }, err);
	if (r == 0)
		r = prepare(&e, request, err);
	if (r == 0)
		r = walk_begin(&w, &e.plan, err);
	if (r != 0)
		return r;
	if (request->view > 0)
		w.ctx.fd[SLOT_VIEW] = request->view;
	r = w.ctx.fd[SLOT_TARGET] = life_process(&e.life);
	if (r < 0)
		return err_say(err, r, "cannot exec in a stopped container: %s has ended",
			       request->id);
	r = 0;
	if (!request->detach)
		r = supervise_begin(&s, err);
	if (r == 0)
		r = walk_start(&w, err);
	if (r < 0 || request->detach)
		return r;
	walk_release(&w, kept, sizeof(kept) / sizeof(kept[0]));
	status = supervise_wait(&s, &w, err);
	if (status < 0) {
		(void)sys_pidfd_send_signal(w.ctx.pidfd, SIGKILL);
		(void)sys_wait4(w.ctx.pid, NULL, __WALL);
	}
	return status;
}
