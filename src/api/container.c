/*
 * container.c - containers: arguments are checked, and run/ does the work.
 *
 * The calling program is not ours: other threads of it run on, and it may have other children. So
 * nothing here waits for any child but the container, and what a start changes of the process is
 * given back (dumpable.h; supervise.c does so with the signal mask).
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

#include "api/api.h"
#include "api/dumpable.h"
#include "api/find.h"
#include "base/cleanup.h"
#include "run/run.h"
#include "run/selfexe.h"

#define MAX_FDS 1024

/* The oldest programs have structs of this size; they end behind the member named. */
#define SINCE_0_1(type, member) (offsetof(type, member) + sizeof(((type *)NULL)->member))

/* ---- arguments ------------------------------------------------------------------------------- */

/*
 * A struct of the caller's version in our own. An older one is shorter, and what it does not have
 * is zero; a newer one may be longer if what we do not know is zero.
 */
static int take_options(const void *from, size_t oldest, void *to, size_t ours, struct err *err)
{
	const unsigned char *bytes = from;
	size_t size;

	if (!from)
		return err_say(err, -EINVAL, "options: expected a struct, not NULL");
	memcpy(&size, from, sizeof(size));
	if (size < oldest)
		return err_say(err, -EINVAL, "options.size is %zu: expected sizeof the struct",
			       size);
	for (size_t i = ours; i < size; i++)
		if (bytes[i] != 0)
			return err_say(err, -E2BIG,
				       "options: have a member that this version (%s) does not "
				       "know",
				       CONTAINR_VERSION);
	memset(to, 0, ours);
	memcpy(to, from, size < ours ? size : ours);
	return 0;
}

static int check_flags(uint32_t flags, uint32_t known, uint32_t preserve_fds, struct err *err)
{
	if (flags & ~known)
		return err_say(err, -EINVAL, "options.flags: 0x%x is not known here",
			       flags & ~known);
	if (preserve_fds > MAX_FDS)
		return err_say(err, -EINVAL, "options.preserve_fds: %u: expected 0 to %d",
			       preserve_fds, MAX_FDS);
	return 0;
}

static int check_executable(uint32_t flags, struct err *err)
{
	if ((flags & CONTAINR_TRUST_EXECUTABLE) || !selfexe_exposed())
		return 0;
	(void)err_say(err, -EPERM,
		      "a container could write to the executable of this program "
		      "(CVE-2019-5736)");
	return err_hint(err, "call containr_protect() at the begin of main(), or set "
			     "CONTAINR_TRUST_EXECUTABLE if all images are trusted");
}

/* The kernel would forget our children at their end, and we would wait for their status for ever.
 */
static int check_children(struct err *err)
{
	struct sigaction sa;

	if (sigaction(SIGCHLD, NULL, &sa) < 0)
		return err_set(err, -errno, "ask how SIGCHLD is handled");
	if (sa.sa_handler != SIG_IGN && !(sa.sa_flags & SA_NOCLDWAIT))
		return 0;
	(void)err_say(err, -EINVAL,
		      "SIGCHLD is ignored: the exit status of children would be lost");
	return err_hint(err,
			"call signal(SIGCHLD, SIG_DFL), or set a handler without SA_NOCLDWAIT");
}

static int check_caller(uint32_t flags, struct err *err)
{
	int r = check_children(err);

	return r == 0 ? check_executable(flags, err) : r;
}

int containr_protect(char *const *argv, char *const *envp, struct containr_error *error)
{
	struct err err = { 0 };

	return api_end(selfexe_protect(argv, envp, NULL, &err), &err, error);
}

/* ---- create and run -------------------------------------------------------------------------- */

struct start {
	struct arena arena;
	struct buf config;
	struct containr_run_options options;
	struct run_request request;
};

static void start_done(struct start *s)
{
	arena_done(&s->arena);
	buf_done(&s->config);
}

static int check_start(const struct containr_run_options *o, uint32_t known, struct err *err)
{
	int r = check_flags(o->flags, known, o->preserve_fds, err);

	if (r == 0)
		r = find_id(o->id, err);
	if (r == 0)
		r = find_path("bundle", o->bundle, err);
	if (r == 0)
		r = find_path("pid_file", o->pid_file, err);
	if (r == 0)
		r = find_path("console_socket", o->console_socket, err);
	return r == 0 ? check_caller(o->flags, err) : r;
}

static int prepare(struct start *s, const struct containr_run_options *options, uint32_t known,
		   struct err *err)
{
	struct containr_run_options *o = &s->options;
	struct plan_options *plan = &s->request.plan;
	int r = take_options(options, SINCE_0_1(struct containr_run_options, preserve_fds), o,
			     sizeof(*o), err);

	if (r == 0)
		r = check_start(o, known, err);
	if (r == 0)
		r = find_root(o->root, &s->arena, &plan->root, err);
	if (r == 0 && o->config)
		r = config_render(o->config, &s->config, err);
	if (r == 0 && o->config && o->config->labels)
		r = config_label(&s->config, plan->root, o->id, err);
	if (r < 0)
		return r;
	plan->id = o->id;
	plan->bundle = o->bundle ? o->bundle : arena_printf(&s->arena, "%s/%s", plan->root, o->id);
	plan->detach = o->flags & CONTAINR_DETACH;
	plan->pid_file = o->pid_file;
	plan->console_socket = o->console_socket;
	plan->preserve_fds = o->preserve_fds;
	s->request.config = o->config ? buf_text(&s->config) : NULL;
	s->request.keep = o->flags & CONTAINR_KEEP;
	s->request.no_subreaper = true; /* it is the program's choice whose children it adopts */
	return arena_failed(&s->arena) ? err_set(err, -ENOMEM, "prepare the container") : 0;
}

static int create(const struct containr_run_options *options, struct err *err)
{
	_cleanup_(start_done) struct start s = { .arena = { 0 } };
	int r = prepare(&s, options, CONTAINR_TRUST_EXECUTABLE, err);
	_cleanup_dumpable_ const int around = 0;

	dumpable_begin();
	return r < 0 ? r : run_create(&s.request, err);
}

int containr_create(const struct containr_run_options *options, struct containr_error *error)
{
	struct err err = { 0 };

	return api_end(create(options, &err), &err, error);
}

static int run(const struct containr_run_options *options, struct err *err)
{
	_cleanup_(start_done) struct start s = { .arena = { 0 } };
	int r =
	    prepare(&s, options, CONTAINR_DETACH | CONTAINR_KEEP | CONTAINR_TRUST_EXECUTABLE, err);
	_cleanup_dumpable_ const int around = 0;

	dumpable_begin();
	s.request.plan.run = true;
	return r < 0 ? r : run_run(&s.request, err);
}

int containr_run(const struct containr_run_options *options, struct containr_error *error)
{
	struct err err = { 0 };

	return api_end(run(options, &err), &err, error);
}

/* ---- exec ------------------------------------------------------------------------------------ */

static int take_list(const char *what, const char *const *list, struct arena *arena,
		     struct spec_strings *ret, struct err *err)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	ret->v = arena_array(arena, n + 1, sizeof(char *));
	if (!ret->v)
		return err_set(err, -ENOMEM, "prepare the command");
	for (ret->n = 0; ret->n < n; ret->n++) {
		int r = api_check_text(what, list[ret->n], err);

		if (r < 0)
			return r;
		ret->v[ret->n] = arena_strndup(arena, list[ret->n], strlen(list[ret->n]));
	}
	return arena_failed(arena) ? err_set(err, -ENOMEM, "prepare the command") : 0;
}

static int check_exec(const struct containr_exec_options *o, struct err *err)
{
	int r = check_flags(o->flags, CONTAINR_DETACH | CONTAINR_TTY | CONTAINR_TRUST_EXECUTABLE,
			    o->preserve_fds, err);

	if (r == 0)
		r = find_id(o->id, err);
	if (r == 0)
		r = find_path("pid_file", o->pid_file, err);
	if (r == 0)
		r = find_path("console_socket", o->console_socket, err);
	if (r == 0 && !(o->args && o->args[0]))
		r = err_say(err, -EINVAL, "args: expected at least one word");
	return r == 0 ? check_caller(o->flags, err) : r;
}

static int exec_in(const struct containr_exec_options *options, struct arena *arena,
		   struct err *err)
{
	struct containr_exec_options o = { 0 };
	struct exec_request request = { 0 };
	int r = take_options(options, SINCE_0_1(struct containr_exec_options, preserve_fds), &o,
			     sizeof(o), err);

	if (r == 0)
		r = check_exec(&o, err);
	if (r == 0)
		r = find_root(o.root, arena, &request.root, err);
	if (r == 0)
		r = take_list("args", o.args, arena, &request.args, err);
	if (r == 0)
		r = take_list("env", o.env, arena, &request.env, err);
	if (r < 0)
		return r;
	request.id = o.id;
	request.cwd = o.cwd;
	request.user = o.user;
	request.tty = o.flags & CONTAINR_TTY;
	request.detach = o.flags & CONTAINR_DETACH;
	request.console_socket = o.console_socket;
	request.pid_file = o.pid_file;
	request.preserve_fds = o.preserve_fds;
	return run_exec(&request, err);
}

int containr_exec(const struct containr_exec_options *options, struct containr_error *error)
{
	_cleanup_dumpable_ const int around = 0;
	struct arena arena = { 0 };
	struct err err = { 0 };
	int r;

	dumpable_begin();
	r = exec_in(options, &arena, &err);
	arena_done(&arena);
	return api_end(r, &err, error);
}
