/*
 * init_hooks.c - hooks that run in the container's namespaces (createContainer, startContainer).
 *
 * A hook gets the state on its standard input and exactly the environment of the configuration;
 * what it writes goes to one pipe, whose end is told when it fails. It inherits nothing else.
 *
 * Must: use sys/ only. Mustn't: allocate, lock, log, or decide (tools/check-init).
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "ops/hook.h"
#include "ops/init_process.h"
#include "sys/sys.h"

/* It never returns, so a sanitizer would leave its marks in the memory that we share. */
__attribute__((no_sanitize("address"))) static void hook_main(void *arg)
{
	static char *const nothing[] = { NULL };
	struct hook_run *run = arg;
	const struct spec_hook *hook = run->hook;
	const int fds[] = { run->in, run->out, run->messages };
	char *name[] = { (char *)(uintptr_t)hook->path, NULL };
	int r = 0;

	/* On the host nobody else would end it: it is in no cgroup of the container. */
	(void)sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (sys_getppid() != run->parent)
		sys_exit(127);
	for (int fd = 0; fd < 3 && r >= 0; fd++)
		r = sys_dup3(fds[fd], fd, 0);
	if (r >= 0)
		r = sys_close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	if (r >= 0)
		r = sys_reset_signals();
	if (r >= 0)
		(void)sys_setsid();
	if (r >= 0 && run->cwd && sys_chdir(run->cwd) < 0)
		r = sys_chdir("/");
	if (r >= 0)
		r = sys_execve(hook->path, hook->args.n ? hook->args.v : name,
			       hook->env.n ? hook->env.v : nothing);
	run->error = r;
	sys_exit(127);
}

static int64_t now_ms(void)
{
	struct timespec now = { 0 };

	(void)sys_call_2(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Keeps the end of what the hook says: that is where the reason stands. */
static void keep_tail(char *tail, size_t size, size_t *len, const char *data, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (*len == size - 1) {
			memmove(tail, tail + 1, size - 2);
			(*len)--;
		}
		tail[(*len)++] = data[i] == '\n' ? ' ' : data[i];
	}
	tail[*len] = '\0';
}

/* Waits for the hook's end; its output is read meanwhile so that it never blocks on us. */
static int await_hook(struct op_ctx *ctx, const struct spec_hook *hook, int pidfd, int out)
{
	int64_t end = hook->timeout.has ? now_ms() + hook->timeout.value * 1000 : 0;
	struct pollfd fds[] = { { .fd = pidfd, .events = POLLIN },
				{ .fd = out, .events = POLLIN } };
	size_t len = 0;

	for (;;) {
		int64_t left = hook->timeout.has ? end - now_ms() : 0;
		struct timespec wait = { .tv_sec = left / 1000, .tv_nsec = left % 1000 * 1000000 };
		char data[128];
		ssize_t n = 0;

		if (hook->timeout.has && left <= 0)
			return op_note(ctx, PHASE_HOOK_TIMEOUT, -ETIMEDOUT, hook->path);
		(void)sys_call_5(SYS_ppoll, fds, 2, hook->timeout.has ? &wait : NULL, NULL,
				 sizeof(uint64_t));
		if (fds[1].revents)
			n = sys_read(out, data, sizeof(data));
		if (n > 0)
			keep_tail(ctx->note, sizeof(ctx->note), &len, data, (size_t)n);
		if (fds[1].revents && n <= 0)
			fds[1].fd = -1;
		if (fds[0].revents && n <= 0)
			return 0;
	}
}

static int finish_hook(struct op_ctx *ctx, pid_t pid, int r)
{
	int status = 0;

	if (r < 0)
		(void)sys_kill(-pid, SIGKILL);
	if (r < 0)
		(void)sys_kill(pid, SIGKILL);
	(void)sys_wait4(pid, &status, __WALL);
	if (r < 0)
		return r;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	ctx->phase = PHASE_HOOK_STATUS;
	return -ECANCELED;
}

/* The state is shorter than a pipe is wide (64 KiB), or it is refused when the plan is made. */
static int feed(int fd, const struct step_hooks *hooks)
{
	char pid[2] = { '1', '\0' };
	const char *part[] = { hooks->state_head, pid, hooks->state_tail };
	ssize_t n = 0;

	/* The pid as the container sees it: runtime-spec, "state". */
	for (size_t i = 0; i < 3 && n >= 0; i++)
		n = sys_write(fd, part[i], strlen(part[i]));
	return n < 0 ? (int)n : 0;
}

pid_t hook_start(struct hook_run *run, int *ret_pidfd)
{
	struct clone_args args = {
		.flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
		.pidfd = (uintptr_t)ret_pidfd,
		.exit_signal = SIGCHLD,
		.stack = (uintptr_t)run->stack,
		.stack_size = sizeof(run->stack),
	};
	long pid;

	run->parent = sys_getpid();
	pid = sys_spawn(&args, sizeof(args), hook_main, run);
	if (pid > 0 && run->error < 0) {
		(void)sys_wait4((pid_t)pid, NULL, __WALL);
		(void)sys_close(*ret_pidfd);
		*ret_pidfd = -1;
		return run->error;
	}
	return (pid_t)pid;
}

static int run_hook(struct op_ctx *ctx, const struct step_hooks *hooks,
		    const struct spec_hook *hook)
{
	struct hook_run run;
	int in[2], out[2], pidfd = -1, r;
	pid_t pid;

	r = (int)sys_call_2(SYS_pipe2, in, O_CLOEXEC);
	if (r < 0)
		return r;
	r = (int)sys_call_2(SYS_pipe2, out, O_CLOEXEC);
	if (r < 0) {
		(void)sys_close(in[0]);
		(void)sys_close(in[1]);
		return r;
	}
	run.hook = hook;
	run.in = in[0];
	run.out = out[1];
	run.messages = out[1];
	run.cwd = NULL;
	run.error = 0;
	pid = hook_start(&run, &pidfd);
	(void)sys_close(in[0]);
	(void)sys_close(out[1]);
	r = pid;
	if (pid < 0)
		(void)op_note(ctx, PHASE_HOOK_START, pid, hook->path);
	if (pid > 0) {
		(void)feed(in[1], hooks); /* a hook need not read it */
		(void)sys_close(in[1]);
		r = finish_hook(ctx, pid, await_hook(ctx, hook, pidfd, out[0]));
		(void)sys_close(pidfd);
	} else {
		(void)sys_close(in[1]);
	}
	(void)sys_close(out[0]);
	return r;
}

int init_hooks(const struct step *s, struct op_ctx *ctx)
{
	const struct spec_hook_list *list = s->hooks.list;

	for (size_t i = 0; i < list->n; i++) {
		int r = run_hook(ctx, &s->hooks, &list->v[i]);

		if (r < 0)
			return r;
	}
	return 0;
}
