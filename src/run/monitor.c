/*
 * monitor.c - a detached container, and the process that watches it.
 *
 * Whoever starts a container is its parent, and only the parent learns how it ended. So the command
 * makes a child before anything else, and that starts the container as the foreground would: keeps
 * its output, forwards signals, reaps. It tells the command once how the start went:
 *
 *	command                        monitor
 *	fork ------------------------> session of its own; start; files of the state; lock given up
 *	waits for the report <-------- struct report, with a pidfd and the notification socket, or
 *	                               the error as a second message
 *	prints the name and ends       lets go of all that it does not need; watches
 *
 * A command that is gone by then gets no container. A monitor that is killed takes none with it:
 * the container runs on and is stopped and removed by the ordinary commands; what is lost is its
 * further output and its exit status.
 */
#include "run/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ops/cgroup_life.h"
#include "run/launch.h"
#include "run/notify.h"
#include "run/supervise.h"
#include "run/trace.h"
#include "sys/sys.h"

#define NAME        "containr-watch" /* at most 15 bytes, in ps */
#define PATIENCE_MS 3000

enum { FD_PROCESS, FD_NOTIFY, REPORT_FDS };

struct monitor {
	const struct run_request *request;
	struct launch l;
	struct walk w;
	struct supervise s;
	struct output output;
	int report; /* to the command */
	int record; /* the file `exit` */
	int errors; /* standard error of the command, for --trace */
	int input;  /* where the program's input would come from, -1: nowhere */
};

/* ---- standard streams ------------------------------------------------------------------------
 */

static int null_on(int first, int last, struct err *err)
{
	_cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return err_set(err, -errno, "open /dev/null");
	for (int fd = first; fd <= last; fd++)
		(void)dup2(null, fd);
	return 0;
}

/* A program that reads waits, as at a terminal where nobody types. */
static int open_input(struct monitor *m, struct err *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, -errno, "make a pipe for the container's input");
	(void)dup2(ends[0], STDIN_FILENO);
	(void)close(ends[0]);
	m->input = ends[1];
	return 0;
}

/* What the program gets: the container's terminal takes the place of all three. */
static int set_streams(struct monitor *m, struct err *err)
{
	int ends[OUTPUT_SOURCES] = { -1, -1 };
	int r = null_on(STDIN_FILENO, STDERR_FILENO, err);

	if (r < 0 || m->l.spec.process.terminal)
		return r;
	if (m->request->monitor->interactive)
		r = open_input(m, err);
	if (r < 0 || !m->request->monitor->output.keep)
		return r;
	r = output_pipes(&m->output, ends, err);
	for (int i = 0; i < OUTPUT_SOURCES; i++) {
		if (ends[i] < 0)
			continue;
		(void)dup2(ends[i], STDOUT_FILENO + i);
		(void)close(ends[i]);
	}
	return r;
}

/* ---- letting go ------------------------------------------------------------------------------
 */

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Whoever called us may have left descriptors open, pipes that somebody waits at the end of. */
static void close_all_but(int *keep, size_t n)
{
	unsigned int from = STDERR_FILENO + 1;

	qsort(keep, n, sizeof(*keep), by_number);
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < (int)from)
			continue;
		if ((unsigned int)keep[i] > from)
			(void)sys_close_range(from, (unsigned int)keep[i] - 1, 0);
		from = (unsigned int)keep[i] + 1;
	}
	(void)sys_close_range(from, ~0U, 0);
}

static void let_go(struct monitor *m)
{
	static const int kept[] = { SLOT_CONSOLE_PEER, SLOT_RUN_DIR };
	int keep[] = { m->w.ctx.pidfd,
		       m->s.signals,
		       m->record,
		       m->output.file,
		       m->output.sources[0].fd,
		       m->output.sources[1].fd,
		       m->w.ctx.fd[SLOT_RUN_DIR],
		       m->w.ctx.fd[SLOT_CONSOLE_PEER],
		       m->input };

	walk_release(&m->w, kept, sizeof(kept) / sizeof(kept[0]));
	close_all_but(keep, sizeof(keep) / sizeof(keep[0]));
	(void)chdir("/");
}

/* ---- start -----------------------------------------------------------------------------------
 */

/* While the lock is held: a command that removes the container sees all files or none. */
static int open_files(struct monitor *m, struct err *err)
{
	int dir = m->w.ctx.fd[SLOT_RUN_DIR], r;

	m->record = state_exit_create(dir);
	r = m->record < 0 ? m->record : state_watcher_write(dir, getpid(), true);
	if (r < 0)
		return err_set(err, r, "write down who watches container %s", m->request->plan.id);
	return output_open(&m->output, dir, err);
}

static int launch(struct monitor *m, struct err *err)
{
	int r, r2;

	launch_watch(&m->l, &m->s);
	r = launch_walk(&m->l, &m->w, m->request->trace ? m->errors : -1, err);
	/* What the steps of init print goes to the program's streams; the rest is ours again. */
	r2 = null_on(STDIN_FILENO, STDERR_FILENO, err);
	if (r < 0)
		return r;
	r = r2 < 0 ? r2 : open_files(m, err);
	if (r == 0)
		r = launch_hooks(&m->l, &m->w, "poststart", "running", &m->l.spec.hooks.poststart,
				 err);
	if (r < 0)
		walk_back(&m->w, m->l.plan.n_steps);
	launch_unlock(&m->w, m->request);
	return r;
}

static int start(struct monitor *m, struct err *err)
{
	int r;

	output_init(&m->output, &m->request->monitor->output);
	m->errors = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	(void)sys_setsid();
	(void)sys_prctl(PR_SET_NAME, (unsigned long)NAME, 0, 0, 0);
	r = launch_plan(&m->l, m->request, err);
	if (r == 0)
		r = supervise_begin(&m->s, err);
	/* What outlives the program without a pid namespace of its own becomes our child. */
	m->s.reaps_all = true;
	m->s.output = &m->output;
	(void)sys_prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if (r == 0)
		r = set_streams(m, err);
	return r < 0 ? r : launch(m, err);
}

/* ---- the report ------------------------------------------------------------------------------
 */

static int report_failure(const struct monitor *m, const struct err *err)
{
	const struct report report = { .err = err->code };

	if (baton_send(m->report, &report, NULL) == 0)
		(void)send(m->report, err, sizeof(*err), MSG_NOSIGNAL);
	return 1;
}

/* The service manager believes the command, not us: it gets the socket of the container. */
static int report_success(const struct monitor *m)
{
	const struct report report = { .next = (uint32_t)m->l.plan.n_steps };
	struct baton_fds fds = { .n = 1, .v = { m->w.ctx.pidfd } };

	if (m->w.ctx.fd[SLOT_NOTIFY] >= 0)
		fds.v[fds.n++] = m->w.ctx.fd[SLOT_NOTIFY];
	return baton_send(m->report, &report, &fds);
}

/* ---- watching --------------------------------------------------------------------------------
 */

/* Processes that have outlived the first are the container's no less. */
static void end_the_rest(const struct monitor *m)
{
	struct err ignored;

	if (!launch_owns_pids(&m->l))
		(void)cgroup_kill(&m->l.plan.cgroups, -1, &ignored);
}

static int watch(struct monitor *m)
{
	struct err err = { 0 };
	int status = launch_wait(&m->w, &m->s, &err);

	if (status < 0) {
		(void)sys_pidfd_send_signal(m->w.ctx.pidfd, SIGKILL);
		(void)sys_wait4(m->w.ctx.pid, NULL, __WALL);
		return 1;
	}
	end_the_rest(m);
	launch_record(&m->l, m->record, status, &m->s);
	if (!m->request->keep)
		(void)launch_clean_up(&m->l, &m->w, &err, &err);
	return status;
}

/* The exit status is that of the program, for a service manager that watches us. */
static int monitor(const struct run_request *request, int report)
{
	struct monitor m = { .request = request,
			     .l = LAUNCH_NONE,
			     .w.baton = -1,
			     .s = SUPERVISE_NONE,
			     .report = report,
			     .record = -1,
			     .errors = -1,
			     .input = -1 };
	struct err err = { 0 };

	if (start(&m, &err) < 0)
		return report_failure(&m, &err);
	if (report_success(&m) < 0) {
		walk_back(&m.w, m.l.plan.n_steps);
		return 1;
	}
	let_go(&m);
	return watch(&m);
}

/* ---- the command -----------------------------------------------------------------------------
 */

static int killed(const struct run_request *request, struct err *err)
{
	(void)err_say(err, -ECHILD, "the process that starts container %s was killed",
		      request->plan.id);
	return err_hint(err, "`containr rm --force %s` removes what it may have left",
			request->plan.id);
}

/* The container may run, but nobody could say so: it goes. */
static int unheard(const struct run_request *request, pid_t pid, int code, struct err *err)
{
	struct err ignored;

	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	(void)run_delete(request->plan.root, request->plan.id, true, &ignored);
	return err_set(err, code, "hear whether container %s has started", request->plan.id);
}

static int hear_error(int fd, struct err *err)
{
	struct err said;

	if (recv(fd, &said, sizeof(said), 0) != (ssize_t)sizeof(said) || said.code >= 0)
		return err_say(err, -ECHILD, "the start of the container failed");
	*err = said;
	return said.code;
}

static int hear(const struct run_request *request, int fd, pid_t pid, struct err *err)
{
	_cleanup_close_ int process = -1, notify = -1;
	struct baton_fds fds = { .n = 0 };
	struct report report;
	int r = baton_recv(fd, &report, &fds);

	if (r > 0 && report.err == 0) {
		process = fds.n > FD_PROCESS ? fds.v[FD_PROCESS] : -1;
		notify = fds.n > FD_NOTIFY ? fds.v[FD_NOTIFY] : -1;
		if (notify < 0 || !request->plan.notify_socket)
			return 0;
		r = notify_forward(notify, request->plan.notify_socket, pid, process, err);
		return r < 0 ? r : 0;
	}
	if (r < 0)
		return unheard(request, pid, r, err);
	r = r > 0 ? hear_error(fd, err) : killed(request, err);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	return r;
}

int run_monitored(const struct run_request *given, struct err *err)
{
	_cleanup_close_ int ours = -1, theirs = -1;
	struct run_request copy = *given, *request = &copy;
	int ends[2], r = check_passed_fds(&request->plan, err);
	pid_t pid;

	if (r < 0)
		return r;
	/* Two processes would have it, and who starts the container could not end it (selfexe.h).
	 */
	if (request->plan.view > 0)
		(void)close(request->plan.view);
	request->plan.view = 0;
	r = sys_socketpair(SOCK_SEQPACKET, ends);
	if (r < 0)
		return err_set(err, r, "make a socket");
	ours = ends[0];
	theirs = ends[1];
	pid = fork();
	if (pid < 0)
		return err_set(err, -errno, "make the process that watches the container");
	if (pid == 0) {
		(void)close(ours);
		_exit(monitor(request, theirs));
	}
	(void)close(take_fd(&theirs));
	return hear(request, ours, pid, err);
}

/* ---- when the container goes -----------------------------------------------------------------
 */

void monitor_end(const struct life *l)
{
	struct state_watcher watcher = { .detached = false };
	_cleanup_close_ int pidfd = state_watcher_open(l->dir, &watcher);
	_cleanup_close_ int record = state_exit_open(l->dir);
	struct pollfd end = { .fd = pidfd, .events = POLLIN };
	struct state_exit ignored;

	if (pidfd < 0)
		return;
	if (record >= 0)
		(void)life_await_record(record, pidfd, &ignored);
	if (!watcher.detached)
		return;
	(void)sys_pidfd_send_signal(pidfd, SIGKILL);
	(void)poll(&end, 1, PATIENCE_MS);
}
