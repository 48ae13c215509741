/*
 * checkpoint.c - a container that runs goes to the disk.
 *
 * What criu must be told of the container is looked up here, in /proc; the plan says what is made
 * of it. A container that could not be checkpointed runs on as before.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "host/facts.h"
#include "ops/cgroup_life.h"
#include "ops/init_path.h"
#include "run/criu.h"
#include "run/launch.h"
#include "run/life.h"
#include "sys/sys.h"

struct checkpoint {
	struct life life; /* its arena is used for all */
	struct spec spec;
	struct plan_options options;
	struct plan_checkpoint plan_checkpoint;
	struct criu_said said;
	struct facts facts;
	struct plan plan;
	struct buf descriptors;
};

static void checkpoint_done(struct checkpoint *c)
{
	plan_done(&c->plan);
	buf_done(&c->descriptors);
	life_done(&c->life);
}

/* ---- what the container is like ---------------------------------------------------------- */

static uint64_t namespace_inode(const struct checkpoint *c, const char *name)
{
	char path[64];
	struct stat st;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", c->life.state.pid, name);
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

static void read_namespaces(struct checkpoint *c)
{
	const struct spec_linux *linux = &c->spec.linux;

	for (size_t i = 0; i < linux->n_namespaces; i++) {
		if (!linux->namespaces[i].path)
			continue;
		if (linux->namespaces[i].flag == CLONE_NEWNET)
			c->plan_checkpoint.net_inode = namespace_inode(c, "net");
		if (linux->namespaces[i].flag == CLONE_NEWPID)
			c->plan_checkpoint.pid_inode = namespace_inode(c, "pid");
	}
}

/* Where a path of the configuration has led to: links of the image are in mountinfo no more. */
static const char *real_path(struct checkpoint *c, int root, const char *path)
{
	char name[64], text[4096];
	_cleanup_close_ int fd = path_open(root, path);
	ssize_t n;

	if (fd < 0)
		return NULL;
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	n = sys_readlinkat(AT_FDCWD, name, text, sizeof(text));
	return n > 0 ? arena_strndup(&c->life.arena, text, (size_t)n) : NULL;
}

static int read_mounts(struct checkpoint *c, int root, struct err *err)
{
	size_t n = c->spec.n_mounts, n_masked = c->spec.linux.masked_paths.n;
	const char **points = arena_array(&c->life.arena, n + 1, sizeof(*points));
	bool *files = arena_array(&c->life.arena, n_masked + 1, sizeof(*files));

	if (!points || !files)
		return err_set(err, -ENOMEM, "list the mounts of container %s", c->life.state.id);
	for (size_t i = 0; i < n; i++)
		points[i] = real_path(c, root, c->spec.mounts[i].destination);
	for (size_t i = 0; i < n_masked; i++) {
		_cleanup_close_ int fd = path_open(root, c->spec.linux.masked_paths.v[i]);

		files[i] = fd >= 0 && path_is_device(fd, S_IFCHR, 1, 3) == 0;
	}
	c->plan_checkpoint.mount_points = points;
	c->plan_checkpoint.masked_files = files;
	return 0;
}

/* What 0, 1 and 2 are, so that a restore can give them back: as runc writes it down. */
static void read_descriptors(struct checkpoint *c)
{
	buf_str(&c->descriptors, "[");
	for (int fd = 0; fd < 3; fd++) {
		char path[64], text[4096];
		ssize_t n;

		(void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", c->life.state.pid, fd);
		n = sys_readlinkat(AT_FDCWD, path, text, sizeof(text) - 1);
		text[n > 0 ? n : 0] = '\0';
		buf_str(&c->descriptors, fd > 0 ? "," : "");
		buf_json_str(&c->descriptors, text);
	}
	buf_str(&c->descriptors, "]\n");
	c->plan_checkpoint.descriptors = buf_text(&c->descriptors);
}

/* All of it is of the process whose number it is only if that still lives afterwards. */
static int read_container(struct checkpoint *c, struct err *err)
{
	char path[64];
	_cleanup_close_ int root = -1, pidfd = -1;
	int r;

	(void)snprintf(path, sizeof(path), "/proc/%d/root", c->life.state.pid);
	root = sys_openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (root < 0)
		return err_set(err, root, "open the root of container %s", c->life.state.id);
	r = read_mounts(c, root, err);
	if (r < 0)
		return r;
	read_namespaces(c);
	read_descriptors(c);
	pidfd = life_process(&c->life);
	if (pidfd < 0)
		return err_say(err, -ESRCH, "container %s has ended", c->life.state.id);
	return 0;
}

static int check_status(const struct checkpoint *c, enum state_status status, struct err *err)
{
	if (status == STATE_RUNNING || status == STATE_PAUSED)
		return 0;
	(void)err_say(err, -EINVAL, "container %s cannot be checkpointed in the %s state",
		      c->life.state.id, state_status_name(status));
	return err_hint(err, "only a container that runs, or is paused, has something to keep");
}

static int prepare(struct checkpoint *c, const char *root, const char *id,
		   const struct criu_request *request, struct err *err)
{
	int r = life_open(&c->life, root, id, true, false, err);

	if (r == 0)
		r = check_status(c, life_status(&c->life), err);
	if (r == 0)
		r = life_spec(&c->life, &c->spec, err);
	if (r == 0)
		r = facts_read(FACTS_CGROUP, &c->life.arena, &c->facts, err);
	if (r == 0)
		r = criu_prepare(request, &c->life.arena, &c->said, &c->plan_checkpoint.criu, err);
	if (r == 0)
		r = read_container(c, err);
	if (r < 0)
		return r;
	c->options =
	    (struct plan_options){ .id = id, .root = root, .bundle = c->life.state.bundle };
	c->plan_checkpoint.pid = c->life.state.pid;
	c->plan_checkpoint.cgroups = &c->life.state.cgroups;
	return plan_build_checkpoint(&c->plan, &c->spec, &c->options, &c->facts,
				     &c->plan_checkpoint, err);
}

/* ---- doing it ---------------------------------------------------------------------------- */

/*
 * In the middle of it the container is half criu's: who wants to end us has to wait, or until all
 * that is left to do is to serve its pages (ops/host_criu.c).
 */
static int walk_undisturbed(struct walk *w, struct err *err)
{
	const uint64_t later = 1ULL << (SIGINT - 1) | 1ULL << (SIGTERM - 1) | 1ULL << (SIGHUP - 1) |
			       1ULL << (SIGQUIT - 1);
	uint64_t before = 0;
	int r;

	(void)sys_sigprocmask(SIG_BLOCK, &later, &before);
	r = walk_start(w, err);
	(void)sys_sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}

static int checkpoint(struct checkpoint *c, struct err *err)
{
	_cleanup_(walk_done) struct walk w = { .baton = -1 };
	const struct spec_strings *cgroups = &c->life.state.cgroups;
	bool paused = cgroup_frozen(cgroups) > 0;
	struct err ignored;
	int r = walk_begin(&w, &c->plan, err);

	if (r < 0)
		return r;
	w.ctx.fd[SLOT_RUN_DIR] = fcntl(c->life.dir, F_DUPFD_CLOEXEC, 0);
	r = walk_undisturbed(&w, err);
	if (r == 0)
		return 0;
	/* criu does so itself, if it comes to it. */
	if (!paused && cgroup_frozen(cgroups) > 0)
		(void)cgroup_thaw(cgroups, &ignored);
	return criu_error(&w, &c->plan_checkpoint.criu, "checkpoint", c->life.state.id, err);
}

int run_checkpoint(const char *root, const char *id, const struct criu_request *request,
		   bool pre_dump, struct err *err)
{
	struct checkpoint c = { .life = LIFE_NONE, .plan_checkpoint.pre_dump = pre_dump };
	int r = prepare(&c, root, id, request, err);

	if (r == 0)
		r = checkpoint(&c, err);
	/* With its lock, which the removal wants. */
	checkpoint_done(&c);
	if (r < 0 || pre_dump || request->options.leave_running)
		return r;
	return run_delete(root, id, true, err);
}
