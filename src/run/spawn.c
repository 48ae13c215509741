/*
 * spawn.c - see spawn.h.
 *
 * Where namespaces have to be joined before init can be born below them, a helper joins them and
 * makes init as its sibling (CLONE_PARENT). It too borrows our memory, and we wait for it
 * (CLONE_VFORK): it is a few calls long. Only a time namespace refuses to be joined by a process
 * that shares its memory (timens_install() in the kernel); then the helper is a forked one, and so
 * all that it tells us lies in a shared mapping.
 */
#include "run/spawn.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "sys/sys.h"

#define HELPER_STACK 8192

/* One shared mapping: the two stacks, and what the three processes tell each other. */
struct spawn_area {
	char helper_stack[HELPER_STACK];
	char init_stack[SPAWN_STACK];
	struct spawn_birth birth;
	struct clone_args args;
	const struct step_spawn *step;
	int joined_error;    /* of the helper, or of its clone */
	size_t joined_index; /* where it failed */
	int pidfd;
	pid_t pid;
	size_t size; /* of all this */
	int fd[];    /* init's copy of the slots: its descriptors are its own from here on */
};

/*
 * The host may have died since the clone: then there is no signal to come, but its end of the
 * connection is closed. And its lock of the run directory ends with it: we must not hold it. Nor
 * the view of our executable, whose last close takes its time.
 */
static void part_from_host(struct spawn_birth *birth)
{
	/* systemd would keep on talking to a connection that stays open until `start`. */
	static const int hosts[] = { SLOT_RUN_DIR, SLOT_SYSTEMD, SLOT_VIEW };
	char next;

	(void)sys_close(birth->baton_host);
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		if (birth->fd[hosts[i]] >= 0)
			(void)sys_close(birth->fd[hosts[i]]);
		birth->fd[hosts[i]] = -1;
	}
	(void)sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (sys_call_6(SYS_recvfrom, birth->baton, &next, 1, MSG_PEEK | MSG_DONTWAIT, 0, 0) == 0)
		sys_exit(125);
}

static void enter(void *arg)
{
	struct spawn_birth *birth = arg;
	const uint64_t ignore[4] = { 1 /* SIG_IGN */ }, standard[4] = { 0 /* SIG_DFL */ };

	/* A reader that is gone is an error of one write, and hooks are waited for, whatever our
	 * caller's choice was; STEP_SIGNALS gives the program a fresh process's signals. */
	(void)sys_call_4(SYS_rt_sigaction, SIGPIPE, ignore, 0, sizeof(uint64_t));
	(void)sys_call_4(SYS_rt_sigaction, SIGCHLD, standard, 0, sizeof(uint64_t));
	part_from_host(birth);
	birth->main(birth);
	sys_exit(125); /* the report said why */
}

/*
 * A namespace may be owned by the user namespace that is joined as well, or by an outer one: so
 * those that the outer rights do not suffice for are tried again from inside (runc#4390).
 */
static int join_all(struct spawn_area *area)
{
	const struct step_spawn *s = area->step;
	uint64_t done = 0;
	int r = 0;

	for (int pass = 0; pass < 3; pass++) {
		for (size_t i = 0; i < s->n_joins && r == 0; i++) {
			bool user = s->joins[i].flags & CLONE_NEWUSER;

			if (done >> i & 1 || user != (pass == 1))
				continue;
			r = sys_setns(area->birth.parent->ctx.fd[s->joins[i].slot],
				      s->joins[i].flags);
			area->joined_index = i;
			if (r == 0)
				done |= 1ULL << i;
			else if (pass == 0 && r == -EPERM)
				r = 0;
		}
	}
	return r;
}

static void join_and_clone(void *arg)
{
	struct spawn_area *area = arg;
	int r = join_all(area);

	if (r == 0) {
		area->joined_index = SIZE_MAX;
		r = (int)sys_spawn(&area->args, sizeof(area->args), enter, &area->birth);
	}
	area->joined_error = r < 0 ? r : 0;
	sys_exit(0);
}

static int spawn_by_helper(struct walk *w, struct spawn_area *area)
{
	struct clone_args helper = {
		.flags = CLONE_VM | CLONE_VFORK | CLONE_FILES, /* the pidfd shall be ours, too */
		.stack = (uintptr_t)area->helper_stack,
		.stack_size = sizeof(area->helper_stack),
	};
	long pid;

	for (size_t i = 0; i < area->step->n_joins; i++)
		if (area->step->joins[i].flags & CLONE_NEWTIME)
			helper.flags &= ~(uint64_t)CLONE_VM;
	area->args.flags |= CLONE_PARENT;
	area->args.exit_signal = 0;
	area->joined_error = -ECHILD;
	pid = sys_spawn(&helper, sizeof(helper), join_and_clone, area);
	if (pid < 0)
		return (int)pid;
	(void)sys_wait4((pid_t)pid, NULL, __WALL);
	if (area->joined_error < 0 && area->joined_index != SIZE_MAX)
		return op_note(&w->ctx, PHASE_JOIN, area->joined_error,
			       area->step->joins[area->joined_index].path);
	return area->joined_error;
}

static int spawn_with(struct walk *w, struct spawn_area *area)
{
	const struct step_spawn *s = area->step;

	area->args = (struct clone_args){
		.flags = s->flags | (s->shares ? CLONE_VM : 0U) | CLONE_PIDFD |
			 CLONE_CLEAR_SIGHAND | CLONE_PARENT_SETTID,
		.pidfd = (uintptr_t)&area->pidfd,
		.parent_tid = (uintptr_t)&area->pid,
		.exit_signal = SIGCHLD,
		.stack = (uintptr_t)area->init_stack,
		.stack_size = sizeof(area->init_stack),
	};
	/* Someone without rights may have none to be born in (step_cgroup.optional). */
	if (s->cgroup != SLOT_NONE && w->ctx.fd[s->cgroup] >= 0) {
		area->args.flags |= CLONE_INTO_CGROUP;
		area->args.cgroup = (uint32_t)w->ctx.fd[s->cgroup];
	}
	if (s->n_joins > 0)
		return spawn_by_helper(w, area);
	return (int)sys_spawn(&area->args, sizeof(area->args), enter, &area->birth);
}

/*
 * Init never returns from its last frames. AddressSanitizer would believe that they are still
 * there when a second start in one process gets the same addresses.
 */
static void forget_frames(struct spawn_area *area, size_t size)
{
#ifdef __SANITIZE_ADDRESS__
	__asan_unpoison_memory_region(area, size);
#else
	(void)area;
	(void)size;
#endif
}

int spawn_init(struct walk *w, size_t at, void (*main)(struct spawn_birth *birth))
{
	const uint64_t all_signals = ~0ULL;
	size_t fd_size = (size_t)w->plan->n_slots * sizeof(int);
	size_t size = sizeof(struct spawn_area) + fd_size;
	struct spawn_area *area;
	uint64_t mask = 0;
	int pair[2], r;

	r = sys_map(size, MAP_SHARED | MAP_NORESERVE, (void **)&area);
	if (r < 0)
		return r;
	forget_frames(area, size);
	area->size = size;
	memcpy(area->fd, w->ctx.fd, fd_size);
	w->area = area;
	r = sys_socketpair(SOCK_SEQPACKET, pair);
	if (r < 0) {
		spawn_done(w);
		return r;
	}
	area->step = &w->plan->steps[at].spawn;
	area->birth = (struct spawn_birth){ w, &area->pid, area->fd, pair[1], pair[0], at, main };

	(void)sys_sigprocmask(SIG_SETMASK, &all_signals, &mask);
	r = spawn_with(w, area);
	(void)sys_sigprocmask(SIG_SETMASK, &mask, NULL);

	(void)sys_close(pair[1]);
	if (r < 0) {
		(void)sys_close(pair[0]);
		spawn_done(w);
		return r;
	}
	w->baton = pair[0];
	w->ctx.pid = area->pid;
	w->ctx.pidfd = area->pidfd;
	return 0;
}

void spawn_done(struct walk *w)
{
	if (w->area)
		(void)sys_munmap(w->area, w->area->size);
	w->area = NULL;
}
