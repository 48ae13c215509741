/*
 * walk.c - two processes, one list of steps.
 *
 * Theory of operation
 *
 * Every process that takes part in a start holds the same plan and walks it from where it was born.
 * It does the steps of its own lane and waits at those of the other. Where the lane changes, the
 * one that was at work sends a report: the number of the first step not yet done, and an error if
 * that step failed. There is no other synchronisation.
 *
 * Init is born at the spawn step, which is not its own. When the host has more to do before init
 * may begin (id maps), the step says `hold` and init waits for the hand-over; else both go on side
 * by side, and the hand-over is found later, when init waits for something further on.
 *
 * Before exec init reports its arrival there; the end of the connection after that means that the
 * program runs, the end before that means that init died. Where init becomes a program of the
 * host's (criu), the host has steps behind the exec, which it does alone. The end seen from init
 * means that the host is gone: it gives up, and its namespaces go with it. At the gate of `create`
 * the connection to the host is exchanged for one to `start`, which hears the rest.
 *
 * Must: stay safe between clone() and execve() (tools/check-init).
 */
#include "run/walk.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "run/spawn.h"
#include "sys/sys.h"

static const struct op *op_of(const struct step *s)
{
	return s->lane == LANE_HOST ? &host_ops[s->kind] : &init_ops[s->kind];
}

/* The slot that a step of the host fills after init was born, which so has to travel; or none. */
static int travelling_slot(const struct plan *plan, size_t at)
{
	const struct step *s = &plan->steps[at];

	if (s->lane != LANE_HOST || at < plan->spawn)
		return SLOT_NONE;
	return s->kind == STEP_TREE          ? s->tree.slot
	       : s->kind == STEP_OVERLAY     ? s->overlay.slot
	       : s->kind == STEP_OPEN        ? s->open.slot
	       : s->kind == STEP_CGROUP_MAKE ? s->cgroup.slot
					     : SLOT_NONE;
}

/* The host's steps up to `next` that open something, and what it sent for them, are in one order.
 */
static int take_slots(struct walk *w, size_t next, const struct baton_fds *fds)
{
	size_t n = 0;

	for (size_t at = w->taken; at < next && w->lane == LANE_INIT; at++) {
		int slot = travelling_slot(w->plan, at);

		if (slot == SLOT_NONE)
			continue;
		if (n == fds->n)
			return -EPROTO;
		w->ctx.fd[slot] = fds->v[n++];
	}
	w->taken = next;
	return n == fds->n ? 0 : -EPROTO;
}

/* The end of the connection is good news only after init said that it had come as far as the exec.
 */
static int await_end(struct walk *w)
{
	if (w->last.next >= w->plan->n_steps || w->plan->steps[w->last.next].kind != STEP_EXEC)
		return -ECHILD;
	(void)sys_close(w->baton);
	w->baton = -1;
	return 0;
}

/*
 * The other lane is at work: wait until it is through with the steps before `next`.
 */
static int await(struct walk *w, size_t next)
{
	struct baton_fds fds;

	do {
		int r = baton_recv(w->baton, &w->last, &fds);

		if (r == 0)
			return await_end(w);
		if (r > 0)
			r = w->last.err < 0 ? w->last.err : take_slots(w, w->last.next, &fds);
		if (r < 0)
			return r;
	} while (w->last.next < next);

	return w->last.next == next ? 0 : -EPROTO;
}

static int send_report(struct walk *w)
{
	struct baton_fds fds = { .n = 0 };
	size_t at = w->taken;

	if (w->baton < 0)
		return 0;
	for (; at < w->last.next && w->lane == LANE_HOST && w->last.err == 0; at++) {
		int slot = travelling_slot(w->plan, at);

		if (slot == SLOT_NONE)
			continue;
		if (fds.n == BATON_MAX_FDS)
			return -EMFILE;
		fds.v[fds.n++] = w->ctx.fd[slot];
	}
	w->taken = at;
	return baton_send(w->baton, &w->last, &fds);
}

static int tell(struct walk *w, size_t next, int err)
{
	memset(&w->last, 0, sizeof(w->last));
	w->last.next = (uint32_t)next;
	w->last.err = err;
	if (err < 0) {
		w->last.phase = w->ctx.phase;
		memcpy(w->last.note, w->ctx.note, sizeof(w->last.note));
	}
	return send_report(w);
}

static size_t first_of_init(const struct plan *plan)
{
	size_t i = plan->spawn + 1;

	while (i < plan->n_steps && plan->steps[i].lane != LANE_INIT)
		i++;
	return i;
}

/* The main function of init: it walks its lane and never comes back from the last step. */
static void init_main(struct spawn_birth *birth)
{
	struct walk w;
	size_t first;

	memset(&w, 0, sizeof(w));
	w.plan = birth->parent->plan;
	w.lane = LANE_INIT;
	w.end = w.plan->n_steps;
	w.baton = birth->baton;
	w.ctx = birth->parent->ctx;
	w.ctx.pid = *birth->pid;
	w.ctx.fd = birth->fd;
	w.times = birth->parent->times;
	w.last.next = (uint32_t)birth->at;

	first = w.plan->steps[birth->at].spawn.hold ? birth->at + 1 : first_of_init(w.plan);
	(void)walk(&w, first);
}

/* Exchanges the host for `start`: a connection that says "g" opens the gate, others only look. */
static int wait_start(struct walk *w)
{
	int gate = w->ctx.fd[SLOT_GATE];

	(void)sys_close(w->baton);
	w->baton = -1;
	for (;;) {
		char go = 0;
		int fd = sys_accept(gate);

		if (fd == -EINTR || fd == -ECONNABORTED)
			continue;
		if (fd < 0)
			return fd;
		if (sys_read(fd, &go, 1) == 1 && go == 'g') {
			w->baton = fd;
			return sys_close(gate);
		}
		(void)sys_close(fd);
	}
}

/* What the host does beside us after our birth ends with a hand-over; see init_main(). */
static int await_host(struct walk *w)
{
	return w->last.next > w->plan->spawn ? 0 : await(w, first_of_init(w->plan));
}

/*
 * The signal of a dying parent does not come if it died before we asked for it, and asking for the
 * parent's pid is no use in a pid namespace of our own. But its end of the connection is gone then.
 */
static int check_host(const struct walk *w)
{
	struct pollfd end = { .fd = w->baton };
	const struct timespec now = { 0 };
	int r = (int)sys_call_5(SYS_ppoll, &end, 1, &now, NULL, sizeof(uint64_t));

	return r > 0 && (end.revents & POLLHUP) ? -ECHILD : 0;
}

static bool asks_to_die(enum step_kind kind)
{
	return kind == STEP_DIE_WITH_PARENT || kind == STEP_ROOT_OF_USERNS;
}

static void stamp(const struct walk *w, size_t at)
{
	struct timespec now;

	if (!w->times)
		return;
	(void)sys_call_2(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
	w->times[at] = (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static int apply(struct walk *w, size_t at)
{
	const struct step *s = &w->plan->steps[at];
	const struct op *op = op_of(s);

	if (s->kind == STEP_SPAWN)
		return spawn_init(w, at, init_main);
	if (s->kind == STEP_WAIT_START)
		return wait_start(w);
	if (s->kind == STEP_AWAIT_HOST)
		return await_host(w);
	if (s->kind == STEP_EXEC) {
		int r = tell(w, at, 0);

		/* `start` may be gone by now: the gate was opened, and that is what counts. */
		if (r < 0 && w->plan->after_start == w->plan->n_steps)
			return r;
	}
	return op->apply ? op->apply(s, &w->ctx) : -ENOSYS;
}

/*
 * Init goes on side by side with us, and may be gone already: it failed, or it was criu's turn,
 * which waits for nothing. Its last report says which, and is read where init's steps are waited
 * for.
 */
static int hand_over(struct walk *w, size_t next)
{
	int r = tell(w, next, 0);

	if (r != -EPIPE || w->lane != LANE_HOST)
		return r;
	return next < w->end ? 0 : await(w, next);
}

/*
 * A step of the host may fail only because init has ended ("no such process"). Then init has said
 * why before, and that is the reason to be told.
 */
static int fail(struct walk *w, size_t at, int code)
{
	struct report said;

	if (w->lane == LANE_HOST && w->baton >= 0)
		while (baton_look(w->baton, &said) > 0)
			if (said.err < 0) {
				w->last = said;
				return said.err;
			}
	(void)tell(w, at, code);
	return code;
}

/* Does the steps of this lane from `i` on; returns where the other lane begins. */
static int run_mine(struct walk *w, size_t *i)
{
	for (; *i < w->end && w->plan->steps[*i].lane == w->lane; (*i)++) {
		int r = apply(w, *i);

		if (r == 0 && asks_to_die(w->plan->steps[*i].kind))
			r = check_host(w);
		if (r < 0)
			return fail(w, *i, r);
		stamp(w, *i);
	}
	return hand_over(w, *i);
}

static int run_theirs(struct walk *w, size_t *i)
{
	while (*i < w->end && w->plan->steps[*i].lane != w->lane)
		(*i)++;
	return await(w, *i);
}

int walk(struct walk *w, size_t from)
{
	size_t i = from;
	int r = 0;

	while (i < w->end && r >= 0)
		r = w->plan->steps[i].lane == w->lane ? run_mine(w, &i) : run_theirs(w, &i);
	return r;
}

void walk_undo(struct walk *w, size_t end)
{
	while (end-- > 0) {
		const struct step *s = &w->plan->steps[end];

		if (s->lane == LANE_HOST && op_of(s)->undo)
			op_of(s)->undo(s, &w->ctx);
	}
}

void walk_back(struct walk *w, size_t end)
{
	if (w->ctx.pid > 0) {
		(void)sys_pidfd_send_signal(w->ctx.pidfd, SIGKILL);
		(void)sys_wait4(w->ctx.pid, NULL, __WALL);
	}
	spawn_done(w);
	walk_undo(w, end);
}
