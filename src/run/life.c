/*
 * life.c - a container that is there: looked at, signalled, paused and resumed.
 *
 * Whoever asks may hold an old answer. So a process is held by a descriptor before its start time
 * is compared, and only what the descriptor refers to is signalled.
 */
#include "run/life.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include "base/cleanup.h"
#include "ops/cgroup_life.h"
#include "sys/sys.h"

#define CONFIG_CAP  (16 * 1024 * 1024)
#define PATIENCE_MS 10000

int life_open(struct life *l, const char *root, const char *id, bool lock, bool claimed,
	      struct err *err)
{
	int r;

	l->dir = state_open(root, id, lock, err);
	if (l->dir < 0)
		return l->dir;
	r = state_read(l->dir, id, &l->arena, &l->state, err);
	if (r == 0 && !l->state.oci_version && !claimed)
		r = err_say(err, -ENOENT, "container %s does not exist", id);
	return r;
}

void life_done(struct life *l)
{
	if (l->dir >= 0)
		(void)close(l->dir);
	arena_done(&l->arena);
}

int life_process(const struct life *l)
{
	_cleanup_close_ int pidfd = l->state.pid > 0 ? sys_pidfd_open(l->state.pid, 0) : -ESRCH;

	if (pidfd < 0)
		return pidfd;
	if (state_start_time(l->state.pid) != l->state.start_time)
		return -ESRCH;
	return take_fd(&pidfd);
}

enum state_status life_status(const struct life *l)
{
	enum state_status status = state_status(l->dir, &l->state);
	bool alive = status == STATE_CREATED || status == STATE_RUNNING;

	return alive && cgroup_frozen(&l->state.cgroups) > 0 ? STATE_PAUSED : status;
}

int life_spec(struct life *l, struct spec *ret, struct err *err)
{
	_cleanup_close_ int fd =
	    sys_openat(l->dir, STATE_CONFIG, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0);
	_cleanup_buf_ struct buf text = { 0 };
	struct spec_source source = { .name = STATE_CONFIG };
	int r = fd < 0 ? fd : buf_read_fd(&text, fd, CONFIG_CAP);

	if (r < 0)
		return err_set(err, r, "read " STATE_CONFIG " of container %s", l->state.id);
	source.text = buf_text(&text);
	source.len = text.len;
	return spec_read(&source, &l->arena, ret, err);
}

int life_hooks(struct life *l, struct spec_hooks *ret, struct err *err)
{
	struct spec spec;
	int r = life_spec(l, &spec, err);

	if (r == 0)
		*ret = spec.hooks;
	return r;
}

void life_hook_state(const struct life *l, enum state_status status, struct buf *out)
{
	const struct spec_pairs *notes = &l->state.annotations;

	buf_str(out, "{\"ociVersion\":");
	buf_json_str(out, l->state.oci_version);
	buf_str(out, ",\"id\":");
	buf_json_str(out, l->state.id);
	buf_printf(out, ",\"status\":\"%s\",\"bundle\":", state_status_name(status));
	buf_json_str(out, l->state.bundle);
	for (size_t i = 0; i < notes->n; i++) {
		buf_str(out, i == 0 ? ",\"annotations\":{" : ",");
		buf_json_str(out, notes->v[i].key);
		buf_str(out, ":");
		buf_json_str(out, notes->v[i].value);
	}
	buf_str(out, notes->n > 0 ? "}" : "");
	buf_str(out, status == STATE_STOPPED ? "" : ",\"pid\":");
}

/* A descriptor of a process becomes readable at its end; whose child it is does not matter. */
int life_end_process(int pidfd, const char *id, struct err *err)
{
	struct pollfd end = { .fd = pidfd, .events = POLLIN };
	int r = sys_pidfd_send_signal(pidfd, SIGKILL), n;

	if (r == -ESRCH)
		return 0;
	if (r < 0)
		return err_set(err, r, "kill container %s", id);
	do
		n = poll(&end, 1, PATIENCE_MS);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		return 0;
	(void)err_say(err, -EBUSY, "container %s: its process does not end after SIGKILL", id);
	return err_hint(err, "it may hang in the kernel, on a device or a network file system");
}

/* ---- commands ---------------------------------------------------------------------------- */

int run_state(const char *root, const char *id, struct arena *arena, struct state *ret,
	      enum state_status *status, struct err *err)
{
	_cleanup_(life_done) struct life l = LIFE_NONE;
	int r;

	/* What the state points to lives on with the caller. */
	l.arena = *arena;
	r = life_open(&l, root, id, false, false, err);
	*arena = l.arena;
	l.arena = (struct arena){ 0 };
	if (r < 0)
		return r;
	*status = life_status(&l);
	*ret = l.state;
	return 0;
}

int run_config(const char *root, const char *id, struct arena *arena, struct spec *ret,
	       struct err *err)
{
	_cleanup_(life_done) struct life l = LIFE_NONE;
	int r;

	l.arena = *arena;
	r = life_open(&l, root, id, false, false, err);
	if (r == 0)
		r = life_spec(&l, ret, err);
	*arena = l.arena;
	l.arena = (struct arena){ 0 };
	return r;
}

int run_end(const char *root, const char *id, struct cgroup_end *ret, struct err *err)
{
	_cleanup_(life_done) struct life l = LIFE_NONE;
	int r = life_open(&l, root, id, false, false, err);

	if (r == 0)
		cgroup_end_read(&l.state.cgroups, ret);
	return r;
}

int life_oom(const struct spec_strings *cgroups, const char *what, struct err *err)
{
	_cleanup_buf_ struct buf why = { 0 };
	struct cgroup_end end;

	cgroup_end_read(cgroups, &end);
	end.pids_refused = end.memory_high = end.cpu_throttled = 0;
	cgroup_end_say(&end, &why);
	if (end.oom_kills == 0) {
		(void)err_say(err, -ECHILD, "%s", what);
		return err_hint(err, "somebody killed it; if it was the kernel, its log says why");
	}
	(void)err_say(err, -ECHILD, "%s: %s", what, buf_text(&why));
	return err_hint(err, "raise memory.limit (--memory)");
}

static int not_running(struct err *err)
{
	return err_say(err, -ESRCH, "container not running");
}

/* A frozen process of cgroup v1 dies of SIGKILL only when it is thawed. */
static int thaw_to_die(const struct life *l, struct err *err)
{
	if (cgroup_frozen(&l->state.cgroups) <= 0)
		return 0;
	return cgroup_thaw(&l->state.cgroups, err);
}

static int kill_all(const struct life *l, int sig, struct err *err)
{
	int r = cgroup_signal_all(&l->state.cgroups, sig, err);

	return r == 0 && sig == SIGKILL ? thaw_to_die(l, err) : r;
}

int run_kill(const char *root, const char *id, int sig, bool all, struct err *err)
{
	_cleanup_(life_done) struct life l = LIFE_NONE;
	_cleanup_close_ int pidfd = -1;
	int r = life_open(&l, root, id, false, false, err);

	if (r < 0)
		return r;
	if (all && l.state.cgroups.n > 0)
		return kill_all(&l, sig, err);
	pidfd = life_process(&l);
	if (pidfd == -ESRCH)
		return not_running(err);
	r = pidfd < 0 ? pidfd : sys_pidfd_send_signal(pidfd, sig);
	if (r == -ESRCH)
		return not_running(err);
	if (r < 0)
		return err_set(err, r, "send signal %d to container %s", sig, id);
	return sig == SIGKILL ? thaw_to_die(&l, err) : 0;
}

int run_pause(const char *root, const char *id, struct err *err)
{
	_cleanup_(life_done) struct life l = LIFE_NONE;
	enum state_status status;
	int r = life_open(&l, root, id, true, false, err);

	if (r < 0)
		return r;
	status = life_status(&l);
	if (status != STATE_RUNNING && status != STATE_CREATED)
		return err_say(err, -EINVAL, "container not running or created: %s is %s", id,
			       state_status_name(status));
	return cgroup_freeze(&l.state.cgroups, err);
}

int run_resume(const char *root, const char *id, struct err *err)
{
	_cleanup_(life_done) struct life l = LIFE_NONE;
	enum state_status status;
	int r = life_open(&l, root, id, true, false, err);

	if (r < 0)
		return r;
	status = life_status(&l);
	if (status != STATE_PAUSED)
		return err_say(err, -EINVAL, "container not paused: %s is %s", id,
			       state_status_name(status));
	return cgroup_thaw(&l.state.cgroups, err);
}

/* Without a cgroup of its own only the container's first process is known. */
static int first_pid(const struct life *l, struct arena *arena, size_t *n, pid_t **ret,
		     struct err *err)
{
	bool alive = l->state.pid > 0 && state_start_time(l->state.pid) == l->state.start_time;
	pid_t *pids = arena_array(arena, 1, sizeof(*pids));

	if (!pids)
		return err_set(err, -ENOMEM, "list the processes of container %s", l->state.id);
	pids[0] = l->state.pid;
	*n = alive ? 1 : 0;
	*ret = pids;
	return 0;
}

int run_pids(const char *root, const char *id, struct arena *arena, size_t *n, pid_t **ret,
	     struct err *err)
{
	_cleanup_(life_done) struct life l = LIFE_NONE;
	int r = life_open(&l, root, id, false, false, err);

	if (r < 0)
		return r;
	if (l.state.cgroups.n == 0)
		return first_pid(&l, arena, n, ret, err);
	return cgroup_pids(&l.state.cgroups, arena, n, ret, err);
}
