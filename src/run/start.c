/*
 * start.c - opens the gate at which the container's process waits, and hears how it goes on.
 *
 * `create` is long gone; its plan is, too. Of the steps that are left its process reports the
 * numbers, and their sentences are in the state. The connection ends when the program is executed,
 * which is good news if the process said before that it had come as far.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ops/cgroup_life.h"
#include "ops/describe.h"
#include "ops/host_hooks.h"
#include "ops/host_notify.h"
#include "run/baton.h"
#include "run/life.h"
#include "run/notify.h"
#include "sys/sys.h"

static int refuse(const struct life *l, enum state_status status, struct err *err)
{
	if (status == STATE_RUNNING)
		return err_say(err, -EBUSY, "cannot start an already running container: %s",
			       l->state.id);
	if (status == STATE_PAUSED)
		return err_say(err, -EBUSY, "cannot start container %s while it is paused",
			       l->state.id);
	return err_say(err, -ESRCH, "cannot start a container that has stopped: %s", l->state.id);
}

/* The gate of a container that waits, or an error that says what it does instead. */
static int open_gate(const struct life *l, int pidfd, struct err *err)
{
	int gate;

	if (pidfd < 0)
		return refuse(l, STATE_STOPPED, err);
	if (cgroup_frozen(&l->state.cgroups) > 0)
		return refuse(l, STATE_PAUSED, err);
	gate = state_gate(l->dir);
	return gate < 0 ? refuse(l, STATE_RUNNING, err) : gate;
}

/* The sentence of a step behind the gate. */
static const char *sentence(const struct state *state, uint64_t number)
{
	uint64_t at = number - state->after_start_first;

	return number >= state->after_start_first && at < state->after_start.n
		   ? state->after_start.v[at]
		   : "start the program";
}

static int failed(const struct state *state, const struct report *r, struct err *err)
{
	const char *phase = phase_text(r->phase);

	return err_set(err, r->err, "%s (step %u, container)%s%s%s%s", sentence(state, r->next),
		       r->next, *phase ? ": " : "", phase, *r->note ? " " : "", r->note);
}

static int died(const struct state *state, const struct report *last, struct err *err)
{
	_cleanup_buf_ struct buf what = { 0 };

	buf_printf(&what, "container %s was killed before it could: %s (step %u)", state->id,
		   sentence(state, last->next), last->next);
	return life_oom(&state->cgroups, buf_text(&what), err);
}

static int hear(int gate, const struct state *state, struct err *err)
{
	struct report report = { .next = (uint32_t)state->after_start_first }, next;
	uint64_t exec = state->after_start_first + state->after_start.n - 1;

	for (;;) {
		int r = baton_recv(gate, &next, NULL);

		if (r < 0)
			return err_set(err, r, "hear from container %s", state->id);
		if (r == 0)
			return report.next == exec ? 0 : died(state, &report, err);
		report = next;
		report.note[sizeof(report.note) - 1] = '\0';
		if (report.err < 0)
			return failed(state, &report, err);
	}
}

static int go(int gate, const struct state *state, struct err *err)
{
	ssize_t n = send(gate, "g", 1, MSG_NOSIGNAL);

	if (n != 1)
		return err_set(err, -errno, "open the gate of container %s", state->id);
	return hear(gate, state, err);
}

/* A hook that fails ends the container, says runtime-spec ("Lifecycle", poststart). */
static int after_start(struct life *l, int pidfd, struct err *err)
{
	_cleanup_buf_ struct buf head = { 0 };
	struct spec_hooks hooks;
	struct err later;
	int r;

	if (!l->state.poststart)
		return 0;
	r = life_hooks(l, &hooks, err);
	if (r == 0) {
		life_hook_state(l, STATE_RUNNING, &head);
		r = hooks_run("poststart", &hooks.poststart, buf_text(&head), l->state.pid, "}",
			      err);
	}
	if (r < 0)
		(void)life_end_process(pidfd, l->state.id, &later);
	return r;
}

/* Only a container that was created with a notify socket has a place for it. */
static int open_notify(const struct life *l, const char *notify_socket, struct err *err)
{
	if (!notify_socket || sys_faccessat(l->dir, NOTIFY_DIR, F_OK) < 0)
		return -ENOENT;
	return notify_open(l->dir, err);
}

int run_start(const char *root, const char *id, const char *notify_socket, struct err *err)
{
	_cleanup_(life_done) struct life l = LIFE_NONE;
	_cleanup_close_ int pidfd = -1, gate = -1, notify = -1;
	int r = life_open(&l, root, id, true, false, err);

	if (r < 0)
		return r;
	pidfd = life_process(&l);
	gate = open_gate(&l, pidfd, err);
	if (gate < 0)
		return gate;
	notify = open_notify(&l, notify_socket, err);
	if (notify < 0 && notify != -ENOENT)
		return notify;
	r = go(gate, &l.state, err);
	(void)sys_unlinkat(l.dir, STATE_GATE, 0);
	if (r == 0)
		r = after_start(&l, pidfd, err);
	state_unlock(l.dir);
	if (r < 0 || notify < 0)
		return r;
	r = notify_forward(notify, notify_socket, l.state.pid, pidfd, err);
	return r < 0 ? r : 0;
}
