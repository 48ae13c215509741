/*
 * spawn.c - see spawn.h.
 *
 * Where namespaces have to be joined before init can be born below them (the user namespace of a
 * new pid namespace, the pid namespace of exec), a helper joins them and makes init as its sibling
 * (CLONE_PARENT). It too borrows our memory, and we wait for it (CLONE_VFORK): it is three calls
 * long.
 */
#include "run/spawn.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "sys/sys.h"

struct via {
	struct clone_args *args;
	void (*main)(void *);
	struct spawn_birth *birth;
	int join_fd, join;
	int result;
};

static const uint64_t all_signals = ~0ULL;

static void enter(void *arg)
{
	struct spawn_birth *birth = arg;
	const uint64_t ignore[4] = { 1 /* SIG_IGN */ }, standard[4] = { 0 /* SIG_DFL */ };

	/* A reader that is gone is an error of one write, and hooks are waited for, whatever our
	 * caller's choice was; STEP_SIGNALS gives the program a fresh process's signals. */
	(void)sys_call_4(SYS_rt_sigaction, SIGPIPE, ignore, 0, sizeof(uint64_t));
	(void)sys_call_4(SYS_rt_sigaction, SIGCHLD, standard, 0, sizeof(uint64_t));
	(void)sys_close(birth->baton_host);
	birth->main(birth);
	sys_exit(125); /* the report said why */
}

static void join_and_clone(void *arg)
{
	struct via *via = arg;
	int r = sys_setns(via->join_fd, via->join);

	if (r == 0)
		r = (int)sys_spawn(via->args, sizeof(*via->args), via->main, via->birth);
	via->result = r;
	sys_exit(0);
}

static int spawn_via(struct via *via, char *stack)
{
	struct clone_args helper = {
		.flags = CLONE_VM | CLONE_VFORK | CLONE_FILES, /* the pidfd shall be ours */
		.stack = (uintptr_t)stack,
		.stack_size = SPAWN_STACK / 4,
	};
	long pid;

	via->args->flags |= CLONE_PARENT;
	via->args->exit_signal = 0;
	via->result = -ECHILD;
	pid = sys_spawn(&helper, sizeof(helper), join_and_clone, via);
	if (pid < 0)
		return (int)pid;
	(void)sys_wait4((pid_t)pid, NULL, __WALL);
	return via->result;
}

static int spawn_with(struct walk *w, const struct step_spawn *s, struct spawn_birth *birth)
{
	char *stack = w->stack;
	struct clone_args args = {
		.flags =
		    s->flags | CLONE_VM | CLONE_PIDFD | CLONE_CLEAR_SIGHAND | CLONE_PARENT_SETTID,
		.pidfd = (uintptr_t)&w->ctx.pidfd,
		.parent_tid = (uintptr_t)&w->ctx.pid,
		.exit_signal = SIGCHLD,
		.stack = (uintptr_t)stack + SPAWN_STACK / 4,
		.stack_size = SPAWN_STACK - SPAWN_STACK / 4,
	};
	struct via via = { .args = &args, .main = enter, .birth = birth };

	if (s->cgroup != SLOT_NONE) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint32_t)w->ctx.fd[s->cgroup];
	}
	if (s->join_slot == SLOT_NONE)
		return (int)sys_spawn(&args, sizeof(args), enter, birth);
	via.join_fd = w->ctx.fd[s->join_slot];
	via.join = s->join;
	return spawn_via(&via, stack);
}

int spawn_init(struct walk *w, size_t at, void (*main)(struct spawn_birth *birth))
{
	const struct step_spawn *s = &w->plan->steps[at].spawn;
	/* Init reads it after we have returned, so it lies on init's own stack, above its frames.
	 */
	struct spawn_birth *birth;
	uint64_t mask = 0;
	int pair[2], r;
	void *stack;

	stack = mmap(NULL, SPAWN_STACK + sizeof(*birth), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return -ENOMEM;
	r = sys_socketpair(SOCK_SEQPACKET, pair);
	if (r < 0) {
		(void)munmap(stack, SPAWN_STACK + sizeof(*birth));
		return r;
	}
	w->stack = stack;
	birth = (void *)((char *)stack + SPAWN_STACK);
	*birth = (struct spawn_birth){ w, pair[1], pair[0], at, main };

	(void)sys_sigprocmask(SIG_SETMASK, &all_signals, &mask);
	r = spawn_with(w, s, birth);
	(void)sys_sigprocmask(SIG_SETMASK, &mask, NULL);

	(void)sys_close(pair[1]);
	if (r < 0) {
		(void)sys_close(pair[0]);
		w->ctx.pid = 0;
		spawn_done(w);
		return r;
	}
	w->baton = pair[0];
	w->ctx.pid = r;
	return 0;
}

void spawn_done(struct walk *w)
{
	if (w->stack)
		(void)munmap(w->stack, SPAWN_STACK + sizeof(struct spawn_birth));
	w->stack = NULL;
}
