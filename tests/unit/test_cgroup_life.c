/*
 * Cgroups for real: the planner makes the steps for this host, the operations carry them out, and a
 * process enters. Needs root. Each case runs in a process of its own, once on the host as it is and
 * once in a mount namespace where /sys/fs/cgroup is cgroup v2 alone; all that is made is below
 * containr-test-PID.
 */
#include "ops/cgroup_life.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ops/cgroup_tree.h"
#include "ops/host_cgroup.h"
#include "ops/init_cgroup.h"
#include "plan/cgroup.h"
#include "sys/sys.h"

/* Ends the case with a message: cmocka's assertions do not work across fork. */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			dprintf(2, "%s:%d: not so: %s (%s)\n", __FILE__, __LINE__, #condition,     \
				strerror(errno));                                                  \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

struct bench {
	struct arena arena;
	struct spec spec;
	struct facts facts;
	struct plan_options options;
	struct plan plan;
	struct planner planner;
	struct spec_strings dirs;
	struct err err;
	int fd[64];
	struct op_ctx ctx;
	char path[64];   /* cgroupsPath */
	char parent[48]; /* the directory above it */
};

static void bench_start(struct bench *b)
{
	memset(b, 0, sizeof(*b));
	memset(b->fd, 0xff, sizeof(b->fd));
	b->ctx.fd = b->fd;
	(void)snprintf(b->parent, sizeof(b->parent), "/containr-test-%d", getpid());
	(void)snprintf(b->path, sizeof(b->path), "%s/leaf", b->parent);
	b->spec.linux.cgroups_path = b->path;
	b->options.id = "c1";
	b->plan.n_slots = SLOT_FIRST_FREE;
	CHECK(cgroup_facts_read(&b->arena, &b->facts.cgroup, &b->err) == 0);
	/* Without CLONE_INTO_CGROUP, which fork() does not know, v2 is entered as v1 is. */
	b->facts.kernel_major = 5;
	b->planner = (struct planner){ .plan = &b->plan,
				       .spec = &b->spec,
				       .options = &b->options,
				       .facts = &b->facts,
				       .err = &b->err };
}

static int do_host_step(struct bench *b, const struct step *s)
{
	switch ((int)s->kind) {
	case STEP_CGROUP_MAKE:
		return host_cgroup_make(s, &b->ctx);
	case STEP_CGROUP_OPEN:
		return host_cgroup_open(s, &b->ctx);
	case STEP_CGROUP_WRITE:
		return host_cgroup_write(s, &b->ctx);
	case STEP_CGROUP_DEVICES:
		return host_cgroup_devices(s, &b->ctx);
	default:
		return 0;
	}
}

/* Does the steps of the host; the first that fails is undone as the runtime does it. */
static int make(struct bench *b)
{
	plan_cgroup_paths(&b->planner, &b->dirs);
	add_cgroup(&b->planner);
	add_cgroup_join(&b->planner);
	CHECK(b->err.code == 0);
	for (size_t i = 0; i < b->plan.n_steps; i++) {
		int r = b->plan.steps[i].lane == LANE_HOST ? do_host_step(b, &b->plan.steps[i]) : 0;

		if (r < 0) {
			while (i-- > 0)
				if (b->plan.steps[i].kind == STEP_CGROUP_MAKE)
					host_cgroup_make_undo(&b->plan.steps[i], &b->ctx);
			return r;
		}
	}
	return 0;
}

static void enter(struct bench *b)
{
	for (size_t i = 0; i < b->plan.n_steps; i++)
		if (b->plan.steps[i].lane == LANE_INIT)
			CHECK(init_cgroup_join(&b->plan.steps[i], &b->ctx) == 0);
}

/* A process inside, with a child of its own; both count as long as they run. */
static pid_t spawn_inside(struct bench *b, volatile unsigned long *count)
{
	pid_t pid;
	int ready[2];
	char c;

	CHECK(pipe(ready) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		enter(b);
		CHECK(fork() >= 0);
		CHECK(write(ready[1], "x", 1) == 1);
		for (;;) {
			(*count)++;
			usleep(100);
		}
	}
	CHECK(read(ready[0], &c, 1) == 1 && read(ready[0], &c, 1) == 1);
	return pid;
}

static volatile unsigned long *shared_count(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

static bool is_there(const char *mount, const char *path)
{
	char full[256];

	(void)snprintf(full, sizeof(full), "%s%s", mount, path);
	return access(full, F_OK) == 0;
}

static void check_nothing_left(const struct bench *b)
{
	for (size_t i = 0; i < b->facts.cgroup.n; i++)
		CHECK(!is_there(b->facts.cgroup.v[i].mount, b->parent));
}

static const char *first_dir(const struct bench *b)
{
	return b->dirs.v[b->dirs.n - 1]; /* v2 where there is one */
}

static void path_in(char *out, const struct bench *b, const char *name)
{
	(void)snprintf(out, 512, "%s/%s", first_dir(b), name);
}

static void finish(struct bench *b, pid_t pid)
{
	CHECK(cgroup_kill(&b->dirs, &b->err) == 0);
	if (pid > 0)
		CHECK(waitpid(pid, NULL, 0) == pid);
	CHECK(cgroup_remove(&b->dirs, &b->err) == 0);
	check_nothing_left(b);
}

/* ---- the cases ---------------------------------------------------------------------------------
 */

static void check_is_inside(const struct bench *b, pid_t pid)
{
	char file[64], text[8192], line[160];
	const char *at;
	int fd;
	ssize_t n;
	size_t found = 0;

	(void)snprintf(file, sizeof(file), "/proc/%d/cgroup", pid);
	fd = open(file, O_RDONLY);
	CHECK(fd >= 0);
	n = read(fd, text, sizeof(text) - 1);
	CHECK(n > 0);
	text[n] = '\0';
	(void)snprintf(line, sizeof(line), ":%s\n", b->path);
	for (at = text; (at = strstr(at, line)); at++)
		found++;
	CHECK(found == b->dirs.n);
}

static void holds_a_process_and_its_children(struct bench *b)
{
	pid_t pid, *pids;
	size_t n;

	CHECK(make(b) == 0);
	pid = spawn_inside(b, shared_count());
	check_is_inside(b, pid);
	CHECK(cgroup_pids(&b->dirs, &b->arena, &n, &pids, &b->err) == 0);
	CHECK(n == 2 && (pids[0] == pid || pids[1] == pid) && pids[0] < pids[1]);
	finish(b, pid);
	CHECK(cgroup_pids(&b->dirs, &b->arena, &n, &pids, &b->err) == 0 && n == 0);
	CHECK(cgroup_kill(&b->dirs, &b->err) == 0 && cgroup_remove(&b->dirs, &b->err) == 0);
}

static void undoes_what_it_made(struct bench *b)
{
	CHECK(make(b) == 0);
	for (size_t i = b->plan.n_steps; i-- > 0;)
		if (b->plan.steps[i].kind == STEP_CGROUP_MAKE)
			host_cgroup_make_undo(&b->plan.steps[i], &b->ctx);
	check_nothing_left(b);
}

static void refuses_a_cgroup_with_somebody_inside(struct bench *b)
{
	char other[512];
	struct bench first = *b;
	pid_t pid;

	first.planner.plan = &first.plan;
	first.ctx.fd = first.fd;
	CHECK(make(&first) == 0);
	pid = spawn_inside(&first, shared_count());
	CHECK(make(b) == -EBUSY && b->ctx.phase == PHASE_NOT_EMPTY);
	CHECK(kill(pid, 0) == 0);
	check_is_inside(&first, pid);

	/* Nor is one taken over that has only cgroups inside: system.slice of v2 looks like that.
	 */
	CHECK(cgroup_kill(&first.dirs, &b->err) == 0 && waitpid(pid, NULL, 0) == pid);
	path_in(other, &first, "somebody");
	CHECK(mkdir(other, 0755) == 0);
	b->plan.n_steps = 0;
	CHECK(make(b) == -EBUSY && b->ctx.phase == PHASE_NOT_EMPTY);
	CHECK(access(other, F_OK) == 0);
	CHECK(cgroup_remove(&first.dirs, &b->err) == 0);
	check_nothing_left(b);
}

static void freezes_and_thaws(struct bench *b)
{
	volatile unsigned long *count = shared_count();
	unsigned long before;
	pid_t pid;

	CHECK(make(b) == 0);
	pid = spawn_inside(b, count);
	CHECK(cgroup_frozen(&b->dirs) == 0);
	CHECK(cgroup_freeze(&b->dirs, &b->err) == 0);
	CHECK(cgroup_frozen(&b->dirs) == 1);
	before = *count;
	usleep(20000);
	CHECK(*count == before);
	CHECK(cgroup_thaw(&b->dirs, &b->err) == 0);
	CHECK(cgroup_frozen(&b->dirs) == 0);
	usleep(20000);
	CHECK(*count > before);

	/* What is frozen is killed as well. */
	CHECK(cgroup_freeze(&b->dirs, &b->err) == 0);
	finish(b, pid);
}

static void signals_all(struct bench *b)
{
	int status;
	pid_t pid;

	CHECK(make(b) == 0);
	pid = spawn_inside(b, shared_count());
	CHECK(cgroup_signal_all(&b->dirs, SIGUSR1, &b->err) == 0);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
	finish(b, 0);
}

static void removes_what_was_nested_deep(struct bench *b)
{
	int at;

	CHECK(make(b) == 0);
	at = open(first_dir(b), O_PATH | O_DIRECTORY);
	for (int depth = 0; depth < 300; depth++) {
		int next;

		CHECK(mkdirat(at, "side", 0755) == 0 && mkdirat(at, "down", 0755) == 0);
		next = openat(at, "down", O_PATH | O_DIRECTORY);
		CHECK(next >= 0);
		(void)close(at);
		at = next;
	}
	CHECK(cgroup_remove(&b->dirs, &b->err) == 0);
	check_nothing_left(b);
}

static void waits_for_the_last_to_go(struct bench *b)
{
	pid_t pid;

	CHECK(make(b) == 0);
	pid = fork();
	if (pid == 0) {
		enter(b);
		usleep(100000);
		_exit(0);
	}
	usleep(20000);
	CHECK(cgroup_remove(&b->dirs, &b->err) == 0);
	check_nothing_left(b);
	CHECK(waitpid(pid, NULL, 0) == pid);
}

static void leaves_parents_that_are_not_ours(struct bench *b)
{
	char parent[256];

	for (size_t i = 0; i < b->facts.cgroup.n; i++) {
		(void)snprintf(parent, sizeof(parent), "%s%s", b->facts.cgroup.v[i].mount,
			       b->parent);
		CHECK(mkdir(parent, 0755) == 0);
		if (!strstr(parent, "cpuset"))
			continue;
		CHECK(rmdir(parent) == 0); /* an empty one of v1 takes nobody */
	}
	CHECK(make(b) == 0);
	CHECK(cgroup_remove(&b->dirs, &b->err) == 0);
	for (size_t i = 0; i < b->facts.cgroup.n; i++) {
		const char *mount = b->facts.cgroup.v[i].mount;

		CHECK(is_there(mount, b->parent) == !strstr(mount, "cpuset"));
		(void)snprintf(parent, sizeof(parent), "%s%s", mount, b->parent);
		(void)rmdir(parent);
	}
	check_nothing_left(b);
}

/* A state file that somebody changed must not make us end what is not a container. */
static void keeps_its_hands_off_the_rest(struct bench *b)
{
	char *paths[] = { (char[]){ "/tmp" }, (char[]){ "/sys/fs/cgroup" },
			  (char[]){ "/sys/fs/cgroup/" },
			  (char[]){ "/sys/fs/cgroup/../../../tmp/x" },
			  (char[]){ "/sys/fs/cgroup/x/.." } };
	char *root = strdup(b->facts.cgroup.v[0].mount);

	for (size_t i = 0; i < 5; i++) {
		struct spec_strings list = { 1, &paths[i] };

		CHECK(cgroup_kill(&list, &b->err) == -EINVAL);
		CHECK(cgroup_freeze(&list, &b->err) == -EINVAL);
		CHECK(cgroup_remove(&list, &b->err) == -EINVAL);
	}
	CHECK(cgroup_kill(&(struct spec_strings){ 1, &root }, &b->err) == -EINVAL);
	free(root);
}

/* /dev/fuse is no device of every container; CHECK in the child ends it with 1. */
static void limits_devices(struct bench *b)
{
	struct spec_device_rule rules[] = { { true, 'c', { true, 10 }, { true, 200 }, "r" } };
	int status;
	pid_t pid;

	b->spec.linux.resources.n_devices = 1;
	b->spec.linux.resources.devices = rules;
	CHECK(make(b) == 0);
	pid = fork();
	if (pid == 0) {
		enter(b);
		CHECK(open("/dev/null", O_RDWR) >= 0);
		CHECK(open("/dev/fuse", O_RDWR) < 0 && errno == EPERM);
		CHECK(open("/dev/net/tun", O_RDWR) < 0 && errno == EPERM);
		CHECK(open("/dev/net/tun", O_RDONLY) >= 0 || errno != EPERM);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	finish(b, 0);
}

static void check_file(const char *mount, const struct bench *b, const char *file, const char *want)
{
	char path[256], text[64] = "";
	int fd;

	(void)snprintf(path, sizeof(path), "%s%s/%s", mount, b->path, file);
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	if (strcmp(text, want) != 0)
		dprintf(2, "%s has %s", path, text);
	CHECK(strcmp(text, want) == 0);
	(void)close(fd);
}

/* What this host has of v1; in the pure view no controller is left to limit anything. */
static void limits_as_asked(struct bench *b)
{
	struct spec_resources *r = &b->spec.linux.resources;
	int status;
	pid_t pid;

	if (b->facts.cgroup.mode != CGROUP_HYBRID)
		return;
	r->memory.limit = (struct opt_i64){ true, 64 << 20 };
	r->cpu.shares = (struct opt_u64){ true, 512 };
	r->cpu.quota = (struct opt_i64){ true, 50000 };
	r->cpu.period = (struct opt_u64){ true, 100000 };
	r->cpu.cpus = "0";
	r->pids_limit = (struct opt_i64){ true, 1 };
	CHECK(make(b) == 0);
	check_file("/sys/fs/cgroup/memory", b, "memory.limit_in_bytes", "67108864\n");
	check_file("/sys/fs/cgroup/cpu", b, "cpu.shares", "512\n");
	check_file("/sys/fs/cgroup/cpu", b, "cpu.cfs_quota_us", "50000\n");
	check_file("/sys/fs/cgroup/cpuset", b, "cpuset.cpus", "0\n");
	pid = fork();
	if (pid == 0) {
		enter(b);
		CHECK(fork() < 0 && errno == EAGAIN);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	finish(b, 0);
}

static void names_the_setting_that_the_kernel_refuses(struct bench *b)
{
	if (b->facts.cgroup.mode != CGROUP_HYBRID)
		return;
	b->spec.linux.resources.cpu.cpus = "4095";
	CHECK(make(b) < 0);
	CHECK(b->ctx.phase == PHASE_WRITE && strcmp(b->ctx.note, "cpuset.cpus") == 0);
	check_nothing_left(b);
}

/* hugetlb is the one controller of v2 here; nobody has enabled it below the root but us. */
static void enables_controllers_on_the_way(struct bench *b)
{
	struct spec_hugepage_limit huge = { "2MB", 4194304 };

	if (!strstr(b->facts.cgroup.v2_controllers, "hugetlb"))
		return;
	b->spec.linux.resources.hugepage_limits = &huge;
	b->spec.linux.resources.n_hugepage_limits = 1;
	CHECK(make(b) == 0);
	check_file(b->facts.cgroup.v[b->facts.cgroup.n - 1].mount, b, "hugetlb.2MB.max",
		   "4194304\n");
	finish(b, 0);
}

static void is_born_inside(struct bench *b)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	long pid;

	CHECK(make(b) == 0);
	CHECK(b->fd[SLOT_CGROUP] >= 0);
	args.cgroup = (uint32_t)b->fd[SLOT_CGROUP];
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		for (;;)
			pause();
	CHECK(pid > 0);
	CHECK(cgroup_kill(&b->dirs, &b->err) == 0);
	finish(b, (pid_t)pid);
}

/* ---- running them ------------------------------------------------------------------------------
 */

static void look_at_v2_alone(void)
{
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(umount2("/sys/fs/cgroup", MNT_DETACH) == 0);
	CHECK(mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL) == 0);
}

static void run_case(void (*fn)(struct bench *b), bool pure_v2)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		static struct bench b;

		if (pure_v2)
			look_at_v2_alone();
		bench_start(&b);
		if (pure_v2)
			CHECK(b.facts.cgroup.mode == CGROUP_V2);
		fn(&b);
		arena_done(&b.arena);
		arena_done(&b.plan.arena);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

#define CASE(name)                                                                                 \
	static void name##_here(void **state)                                                      \
	{                                                                                          \
		(void)state;                                                                       \
		if (geteuid() != 0)                                                                \
			skip();                                                                    \
		run_case(name, false);                                                             \
	}                                                                                          \
	static void name##_on_v2(void **state)                                                     \
	{                                                                                          \
		(void)state;                                                                       \
		if (geteuid() != 0)                                                                \
			skip();                                                                    \
		run_case(name, true);                                                              \
	}

CASE(holds_a_process_and_its_children)
CASE(undoes_what_it_made)
CASE(refuses_a_cgroup_with_somebody_inside)
CASE(freezes_and_thaws)
CASE(signals_all)
CASE(removes_what_was_nested_deep)
CASE(waits_for_the_last_to_go)
CASE(leaves_parents_that_are_not_ours)
CASE(keeps_its_hands_off_the_rest)
CASE(limits_devices)
CASE(limits_as_asked)
CASE(names_the_setting_that_the_kernel_refuses)
CASE(enables_controllers_on_the_way)
CASE(is_born_inside)

#define BOTH(name) cmocka_unit_test(name##_here), cmocka_unit_test(name##_on_v2)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(holds_a_process_and_its_children),
		BOTH(undoes_what_it_made),
		BOTH(refuses_a_cgroup_with_somebody_inside),
		BOTH(freezes_and_thaws),
		BOTH(signals_all),
		BOTH(removes_what_was_nested_deep),
		BOTH(waits_for_the_last_to_go),
		BOTH(leaves_parents_that_are_not_ours),
		BOTH(keeps_its_hands_off_the_rest),
		BOTH(limits_devices),
		BOTH(limits_as_asked),
		BOTH(names_the_setting_that_the_kernel_refuses),
		BOTH(enables_controllers_on_the_way),
		BOTH(is_born_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
