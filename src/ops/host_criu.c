/*
 * host_criu.c - see host_criu.h.
 *
 * Theory of operation
 *
 * `criu swrk FD` is criu for one request. Over the socket goes one message a packet: we ask for its
 * version, then for the dump or the restore. Until it answers that, it tells of what it has come to
 * ("setup-namespaces") and waits each time for our word that it may go on: so a restored process is
 * on record before it does anything, and hooks run where they belong. A terminal's master comes
 * along with such a message.
 *
 * With lazy pages the dump is done long before criu answers: it waits for somebody to fetch the
 * memory, who may never come. From then on nothing is lost with criu, and a signal for us ends it;
 * the container, which it has stopped, then goes on, and gets its network back (criu_lock.h).
 *
 * criu is believed as far as it is needed: what it names as the container's process must be a child
 * of ours (it makes it as its sibling), since on failure that is killed.
 */
#include "ops/host_criu.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ops/criu_lock.h"
#include "ops/criu_log.h"
#include "ops/criu_message.h"
#include "ops/host_hooks.h"
#include "ops/host_process.h"
#include "ops/init_process.h"
#include "state/state.h"
#include "sys/sys.h"

#define MAX_CGROUPS 32
#define CGROUP_TEXT 8192
#define HEAL_MS     20000 /* what criu gets to let the container go on after a failure */

/* Freezing by a cgroup of v2: criu 3.14. */
#define OLDEST_MAJOR 3
#define OLDEST_MINOR 14

struct talk {
	const struct step_criu *s;
	struct op_ctx *ctx;
	int fd;
	pid_t restored;
	int restored_fd; /* pidfd */
	bool recorded;
	bool serves; /* lazy pages */
	struct criu_lock lock;
};

/* ---- directories ------------------------------------------------------------------------- */

int host_directory(const struct step *s, struct op_ctx *ctx)
{
	const struct step_directory *d = &s->directory;
	bool made = d->make && mkdir(d->path, 0700) == 0;
	int fd;

	if (d->make && !made && errno != EEXIST)
		return -errno;
	fd = sys_openat(AT_FDCWD, d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	if (made && d->made != SLOT_NONE)
		ctx->fd[d->made] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (d->slot != SLOT_NONE)
		ctx->fd[d->slot] = take_fd(&fd);
	else
		(void)close(fd);
	return 0;
}

void host_directory_undo(const struct step *s, struct op_ctx *ctx)
{
	const struct step_directory *d = &s->directory;
	const struct dirent *entry;
	DIR *dir;

	if (d->made == SLOT_NONE || ctx->fd[d->made] < 0)
		return;
	dir = fdopendir(ctx->fd[d->made]);
	while (dir && (entry = readdir(dir)))
		(void)sys_unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		(void)closedir(dir);
	ctx->fd[d->made] = -1;
	(void)rmdir(d->path);
}

/* ---- messages ---------------------------------------------------------------------------- */

static int send_request(const struct talk *t, const struct buf *request)
{
	ssize_t n;

	if (request->failed)
		return -ENOMEM;
	do
		n = send(t->fd, request->data, request->len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* The one descriptor that may come along; more are not taken, so they are closed by the kernel. */
static int take_descriptor(struct msghdr *msg)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int fd = -1;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* The caller has blocked these signals: they wait until we look. */
static int await_message_or_signal(const struct talk *t)
{
	_cleanup_close_ int signals = -1;
	struct pollfd either[2] = { { .fd = t->fd, .events = POLLIN }, { .events = POLLIN } };
	struct signalfd_siginfo signal;
	sigset_t set;
	int n;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGQUIT);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (signals < 0)
		return -errno;
	either[1].fd = signals;
	do
		n = poll(either, 2, -1);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (either[0].revents)
		return 0;
	/* Taken, so that it does not end us before we have said what became of the container. */
	return read(signals, &signal, sizeof(signal)) < 0 ? -errno : -EINTR;
}

/* -ECONNRESET: criu is gone. The descriptor that came along, or -1, is the caller's. */
static int receive(const struct talk *t, struct criu_reply *ret, int *ret_fd)
{
	_cleanup_free_ char *data = malloc(CRIU_REPLY_CAP);
	union {
		struct cmsghdr align;
		char data[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = { data, CRIU_REPLY_CAP };
	struct msghdr msg = { .msg_iov = &part,
			      .msg_iovlen = 1,
			      .msg_control = control.data,
			      .msg_controllen = sizeof(control.data) };
	_cleanup_close_ int fd = -1;
	ssize_t n;

	if (!data)
		return -ENOMEM;
	do
		n = sys_recvmsg(t->fd, &msg, 0);
	while (n == -EINTR);
	if (n < 0)
		return (int)n;
	fd = take_descriptor(&msg);
	if (n == 0)
		return -ECONNRESET;
	if (msg.msg_flags & MSG_TRUNC)
		return -EBADMSG;
	*ret_fd = take_fd(&fd);
	return criu_reply_parse(data, (size_t)n, ret);
}

/* ---- what criu tells of ------------------------------------------------------------------ */

/* Is it a child of ours, dead or alive? */
static bool is_child(int pidfd)
{
	siginfo_t info = { 0 };

	return waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0;
}

static int know_restored(struct talk *t, pid_t pid)
{
	_cleanup_close_ int pidfd = -1;

	if (t->restored != 0)
		return t->restored == pid ? 0 : -EBADMSG;
	pidfd = sys_pidfd_open(pid, 0);
	if (pidfd < 0)
		return pidfd;
	if (!is_child(pidfd))
		return op_note(t->ctx, PHASE_VERIFY, -ECHILD,
			       "what criu restored is no child of ours");
	t->restored = pid;
	t->restored_fd = take_fd(&pidfd);
	return 0;
}

/* Once: from here on `delete` finds it. */
static int record_restored(struct talk *t, pid_t pid)
{
	int r = know_restored(t, pid);

	if (r == 0 && !t->recorded)
		r = host_record_process(t->ctx, STATE_INIT, pid);
	t->recorded |= r == 0;
	return r;
}

static int run_hooks(struct talk *t, const struct step *hooks)
{
	const struct op_ctx *ctx = t->ctx;
	struct op_ctx of_restored = *ctx;
	int r;

	if (!hooks)
		return 0;
	of_restored.pid = t->restored;
	r = host_hooks(hooks, &of_restored);
	if (r < 0)
		(void)op_note(t->ctx, of_restored.phase, r, of_restored.note);
	return r;
}

static int namespaces_are_there(struct talk *t, const struct criu_reply *said)
{
	int r = said->pid ? record_restored(t, said->pid) : -EBADMSG;

	if (r == 0)
		r = run_hooks(t, t->s->prestart);
	return r == 0 ? run_hooks(t, t->s->create_runtime) : r;
}

static int pass_terminal(const struct talk *t, int master)
{
	if (master < 0)
		return -EBADMSG;
	if (t->ctx->fd[SLOT_CONSOLE] < 0)
		return op_note(t->ctx, PHASE_TERMINAL, -ENOTTY, "nobody would have it");
	return send_master(t->ctx->fd[SLOT_CONSOLE], master);
}

/* The process cannot end meanwhile: criu has stopped it. */
static int remember_lock(struct talk *t)
{
	int r = criu_lock_begun(&t->lock, t->s->pid);

	return r < 0 ? op_note(t->ctx, PHASE_OPEN, r, "the container's network namespace") : 0;
}

static int notified(struct talk *t, const struct criu_reply *said, int fd)
{
	if (t->s->action == CRIU_DUMP && strcmp(said->script, "network-lock") == 0)
		return remember_lock(t);
	if (strcmp(said->script, "network-unlock") == 0)
		criu_lock_ended(&t->lock);
	if (t->s->action == CRIU_RESTORE && strcmp(said->script, "setup-namespaces") == 0)
		return namespaces_are_there(t, said);
	if (t->s->action == CRIU_RESTORE && strcmp(said->script, "post-restore") == 0)
		return said->pid ? record_restored(t, said->pid) : -EBADMSG;
	if (strcmp(said->script, "orphan-pts-master") == 0)
		return pass_terminal(t, fd);
	if (strcmp(said->script, "post-dump") == 0)
		t->serves = t->s->options->lazy_pages;
	/* The rest (pre-dump, post-resume, …) asks for nothing of ours. */
	return 0;
}

static int answer(struct talk *t, const struct criu_reply *said, int fd)
{
	_cleanup_buf_ struct buf request = { 0 };
	int r = notified(t, said, fd), sent;

	criu_request_notified(r == 0, &request);
	sent = send_request(t, &request);
	return r < 0 ? r : sent;
}

/* ---- the conversation -------------------------------------------------------------------- */

static int ask_version(struct talk *t)
{
	_cleanup_buf_ struct buf request = { 0 };
	struct criu_reply said = { 0 };
	int fd = -1, r;

	criu_request_version(&request);
	r = send_request(t, &request);
	if (r == 0)
		r = receive(t, &said, &fd);
	close_fdp(&fd);
	if (r < 0)
		return r;
	if (said.type != CRIU_TYPE_VERSION || !said.success)
		return -EBADMSG;
	t->s->said->major = said.major;
	t->s->said->minor = said.minor;
	if (said.major > OLDEST_MAJOR || (said.major == OLDEST_MAJOR && said.minor >= OLDEST_MINOR))
		return 0;
	(void)snprintf(t->s->said->text, sizeof(t->s->said->text), "criu %d.%d or later is needed",
		       OLDEST_MAJOR, OLDEST_MINOR);
	return -EOPNOTSUPP;
}

/* "4:memory:/a/b": the cgroup that criu is in stands for the one that the container was in. */
static size_t parse_cgroups(char *text, struct criu_pair *ret, size_t max)
{
	size_t n = 0;

	for (char *line = strtok_r(text, "\n", &text); line; line = strtok_r(NULL, "\n", &text)) {
		char *controllers = strchr(line, ':');
		char *path = controllers ? strchr(controllers + 1, ':') : NULL, *rest;

		if (!path)
			continue;
		*path++ = '\0';
		rest = controllers + 1;
		for (char *one = strsep(&rest, ","); one && n < max; one = strsep(&rest, ","))
			ret[n++] = (struct criu_pair){ one, path };
	}
	return n;
}

static int ask(struct talk *t)
{
	_cleanup_buf_ struct buf request = { 0 }, text = { 0 };
	struct criu_pair cgroups[MAX_CGROUPS];
	struct criu_runtime now = { .fd = t->ctx->fd, .cgroups = cgroups };
	char path[64];
	int r = 0;

	if (t->s->action == CRIU_RESTORE) {
		_cleanup_close_ int fd = -1;

		(void)snprintf(path, sizeof(path), "/proc/%d/cgroup", t->ctx->pid);
		fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
		r = fd < 0 ? fd : buf_read_fd(&text, fd, CGROUP_TEXT);
		if (r == 0 && text.data)
			now.n_cgroups = parse_cgroups(text.data, cgroups, MAX_CGROUPS);
	}
	criu_request(t->s, &now, &request);
	return r < 0 ? r : send_request(t, &request);
}

static enum criu_type expected(const struct talk *t)
{
	return t->s->action == CRIU_RESTORE    ? CRIU_TYPE_RESTORE
	       : t->s->action == CRIU_PRE_DUMP ? CRIU_TYPE_PRE_DUMP
					       : CRIU_TYPE_DUMP;
}

static int refused(const struct talk *t, const struct criu_reply *said)
{
	memcpy(t->s->said->text, said->message, sizeof(said->message));
	return said->error > 0 ? -said->error : -ECANCELED;
}

static int converse(struct talk *t)
{
	struct criu_reply said;
	int r;

	do {
		int fd = -1;

		r = t->serves ? await_message_or_signal(t) : 0;
		if (r == 0)
			r = receive(t, &said, &fd);
		if (r == 0 && said.type == CRIU_TYPE_NOTIFY)
			r = answer(t, &said, fd);
		close_fdp(&fd);
	} while (r == 0 && said.type == CRIU_TYPE_NOTIFY);
	if (r < 0)
		return r;
	if (!said.success)
		return refused(t, &said);
	if (said.type != expected(t))
		return -EBADMSG;
	return t->s->action == CRIU_RESTORE ? record_restored(t, said.pid) : 0;
}

/* ---- the end ----------------------------------------------------------------------------- */

/*
 * criu ends when its connection does. After a failure it first lets the container go on. Returns
 * whether it could not do all that it does at its end.
 */
static bool end_criu(struct talk *t)
{
	struct pollfd end = { .fd = t->ctx->pidfd, .events = POLLIN };
	int n, status = 0;

	(void)close(t->fd);
	t->ctx->fd[SLOT_CRIU] = -1;
	do
		n = poll(&end, 1, t->serves ? 0 : HEAL_MS);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		(void)sys_pidfd_send_signal(t->ctx->pidfd, SIGKILL);
	(void)sys_wait4(t->ctx->pid, &status, __WALL);
	(void)close(t->ctx->pidfd);
	t->ctx->pid = 0;
	t->ctx->pidfd = -1;
	return WIFSIGNALED(status) || t->serves;
}

static void end_restored(struct talk *t)
{
	if (t->restored == 0)
		return;
	(void)sys_pidfd_send_signal(t->restored_fd, SIGKILL);
	(void)sys_wait4(t->restored, NULL, __WALL);
	(void)close(t->restored_fd);
}

static void say_why(const struct talk *t, int r)
{
	struct criu_said *said = t->s->said;
	char text[sizeof(said->text)];

	criu_log_read(t->ctx->fd[SLOT_WORK], t->s->log_file, text, sizeof(text));
	if (r == -EINTR && t->serves)
		(void)snprintf(said->text, sizeof(said->text), "%s",
			       "stopped by a signal before all pages were fetched: the container "
			       "runs on");
	else if (*text)
		memcpy(said->text, text, sizeof(text));
}

int host_criu(const struct step *s, struct op_ctx *ctx)
{
	struct talk t = { &s->criu, ctx, ctx->fd[SLOT_CRIU], 0, -1, false, false, CRIU_LOCK_NONE };
	bool cut_off;
	int r;

	/* Ours would keep the connection open when criu has ended. */
	(void)close(ctx->fd[SLOT_CRIU_PEER]);
	ctx->fd[SLOT_CRIU_PEER] = -1;
	/* What an earlier try said is no reason for this one's failure. */
	(void)sys_unlinkat(ctx->fd[SLOT_WORK], s->criu.log_file, 0);
	r = ask_version(&t);
	if (r == 0)
		r = ask(&t);
	if (r == 0)
		r = converse(&t);
	if (r < 0 && t.serves)
		criu_lock_end_repairs(&t.lock);
	cut_off = end_criu(&t);
	if (r < 0) {
		end_restored(&t);
		say_why(&t, r);
		if (cut_off)
			criu_lock_remove(&t.lock, t.serves && s->criu.options->tcp_established,
					 s->criu.said);
	}
	criu_lock_ended(&t.lock);
	if (r < 0)
		return r;
	ctx->pid = t.restored;
	ctx->pidfd = t.restored_fd;
	return 0;
}
