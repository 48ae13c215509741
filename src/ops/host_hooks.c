/*
 * host_hooks.c - see host_hooks.h.
 *
 * The state goes into a file in memory and not into a pipe: a hook that does not read it never
 * holds us up, and there is no SIGPIPE. Each hook gets its own, for it could change the file. What
 * hooks write is read while they run; of it the end is kept, where the reason of a failure stands.
 */
#include "ops/host_hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "ops/hook.h"
#include "sys/sys.h"

/* The end of what a hook wrote to one of its outputs, in one line. */
struct tail {
	size_t len;
	char text[300];
};

struct outputs {
	int out, messages; /* our ends; -1 once closed by the hook */
	struct tail said[2];
};

static void keep(struct tail *tail, const char *data, size_t n)
{
	const size_t max = sizeof(tail->text) - 1;

	for (size_t i = 0; i < n; i++) {
		if (tail->len == max)
			memmove(tail->text, tail->text + 1, --tail->len);
		tail->text[tail->len++] = data[i] == '\n' ? ' ' : data[i];
	}
	tail->text[tail->len] = '\0';
}

/* false: nothing is there to read, now or ever. */
static bool read_some(int *fd, struct tail *tail)
{
	char data[512];
	ssize_t n = *fd < 0 ? 0 : sys_read(*fd, data, sizeof(data));

	if (n > 0)
		keep(tail, data, (size_t)n);
	if (n > 0 || n == -EAGAIN || n == -EINTR)
		return n > 0;
	close_fdp(fd);
	*fd = -1;
	return false;
}

/*
 * Waits for the hook's end, not for that of its outputs: a process that it left in the background
 * may hold them as long as it likes.
 */
static int await_hook(const struct spec_hook *hook, int pidfd, struct outputs *o)
{
	int64_t end = hook->timeout.has ? clock_ms() + hook->timeout.value * 1000 : 0;

	for (;;) {
		struct pollfd fds[] = { { .fd = pidfd, .events = POLLIN },
					{ .fd = o->out, .events = POLLIN },
					{ .fd = o->messages, .events = POLLIN } };
		int64_t left = hook->timeout.has ? end - clock_ms() : -1;

		if (hook->timeout.has && left <= 0)
			return -ETIMEDOUT;
		if (poll(fds, 3, left > INT32_MAX ? INT32_MAX : (int)left) < 0 && errno != EINTR)
			return -errno;
		if (fds[1].revents)
			(void)read_some(&o->out, &o->said[0]);
		if (fds[2].revents)
			(void)read_some(&o->messages, &o->said[1]);
		if (!fds[0].revents)
			continue;
		while (read_some(&o->out, &o->said[0]) || read_some(&o->messages, &o->said[1]))
			continue;
		return 0;
	}
}

/* The form of the message is runc's: people and programs know it. */
static int judge(const struct spec_hook *hook, int status, const struct outputs *o, struct err *err)
{
	bool was_killed = WIFSIGNALED(status);

	if (status == 0)
		return 0;
	(void)err_say(err, -ECANCELED, "%s: %s %d, stdout: %s, stderr: %s", hook->path,
		      was_killed ? "killed by signal" : "exit status",
		      was_killed ? WTERMSIG(status) : WEXITSTATUS(status), o->said[0].text,
		      o->said[1].text);
	return -ECANCELED;
}

static int await_and_judge(const struct spec_hook *hook, pid_t pid, int pidfd, struct outputs *o,
			   struct err *err)
{
	int status = 0, r = await_hook(hook, pidfd, o);

	if (r < 0) {
		/* It may not have come as far as to lead its group. */
		(void)sys_kill(-pid, SIGKILL);
		(void)sys_pidfd_send_signal(pidfd, SIGKILL);
	}
	while (sys_wait4(pid, &status, __WALL) == -EINTR)
		continue;
	if (r == -ETIMEDOUT)
		return err_say(err, r, "%s: no end after its timeout of %lld seconds: killed",
			       hook->path, (long long)hook->timeout.value);
	return r < 0 ? err_set(err, r, "wait for %s", hook->path) : judge(hook, status, o, err);
}

static void outputs_done(const struct outputs *o)
{
	close_fdp(&o->out);
	close_fdp(&o->messages);
}

static int make_pipe(int *ret_ours, int *ret_theirs)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	*ret_ours = ends[0];
	*ret_theirs = ends[1];
	return sys_fcntl(ends[0], F_SETFL, O_NONBLOCK);
}

static int run_hook(const struct spec_hook *hook, const char *cwd, const struct buf *state,
		    struct err *err)
{
	_cleanup_close_ int in = buf_file(state, "state"), out = -1, messages = -1, pidfd = -1;
	_cleanup_(outputs_done) struct outputs o = { .out = -1, .messages = -1 };
	struct hook_run run;
	int r = in < 0 ? in : make_pipe(&o.out, &out);

	if (r == 0)
		r = make_pipe(&o.messages, &messages);
	if (r < 0)
		return err_set(err, r, "make the files for %s", hook->path);
	run.hook = hook;
	run.cwd = cwd;
	run.in = in;
	run.out = out;
	run.messages = messages;
	run.error = 0;
	r = hook_start(&run, &pidfd);
	if (r < 0)
		return err_set(err, r, "start %s", hook->path);
	return await_and_judge(hook, r, pidfd, &o, err);
}

/* The bundle is where the configuration is that hooks are configured in. */
static const char *bundle_of(const struct buf *state, struct arena *arena)
{
	const struct json *bundle = NULL;
	struct json_doc doc;
	struct err err;

	if (json_parse(&doc, "state", buf_text(state), state->len, arena, &err) == 0)
		bundle = json_get(doc.values, "bundle");
	return bundle && bundle->type == JSON_TYPE_STRING ? bundle->text : "/";
}

static int run_list(const char *name, const struct spec_hook_list *list, const struct buf *state,
		    bool all, struct err *err)
{
	_cleanup_(arena_done) struct arena arena = { 0 };
	const char *cwd = bundle_of(state, &arena);
	struct err later;
	int result = 0;

	for (size_t i = 0; i < list->n && (result == 0 || all); i++) {
		struct err *told = result == 0 ? err : &later;
		int r = run_hook(&list->v[i], cwd, state, told);

		if (r < 0)
			(void)err_prefix(told, "error running %s hook #%zu", name, i);
		if (result == 0)
			result = r;
	}
	return result;
}

static int make_state(const char *head, pid_t pid, const char *tail, struct buf *ret,
		      struct err *err)
{
	buf_str(ret, head);
	if (pid > 0)
		buf_printf(ret, "%d", pid);
	buf_str(ret, tail);
	return ret->failed ? err_set(err, -ENOMEM, "make the state for hooks") : 0;
}

int hooks_run(const char *name, const struct spec_hook_list *list, const char *head, pid_t pid,
	      const char *tail, struct err *err)
{
	_cleanup_buf_ struct buf state = { 0 };
	int r = list->n > 0 ? make_state(head, pid, tail, &state, err) : 0;

	return r < 0 ? r : run_list(name, list, &state, false, err);
}

int hooks_run_all(const char *name, const struct spec_hook_list *list, const char *head, pid_t pid,
		  const char *tail, struct err *err)
{
	_cleanup_buf_ struct buf state = { 0 };
	int r = list->n > 0 ? make_state(head, pid, tail, &state, err) : 0;

	return r < 0 ? r : run_list(name, list, &state, true, err);
}

int host_hooks(const struct step *s, struct op_ctx *ctx)
{
	struct err err;
	int r = hooks_run(s->hooks.name, s->hooks.list, s->hooks.state_head, ctx->pid,
			  s->hooks.state_tail, &err);

	return r < 0 ? op_note(ctx, PHASE_HOOK_STATUS, r, err.msg) : 0;
}
