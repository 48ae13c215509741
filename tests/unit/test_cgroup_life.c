#include "cgroup_harness.h"

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

static const char *first_dir(const struct bench *b)
{
	return b->dirs.v[b->dirs.n - 1]; /* v2 where there is one */
}

static int write_pid(const char *file, pid_t pid)
{
	int fd = open(file, O_WRONLY), n = fd < 0 ? -1 : dprintf(fd, "%d", pid);

	if (fd >= 0)
		(void)close(fd);
	return n > 0 ? 0 : -1;
}

static void path_in(char *out, const struct bench *b, const char *name)
{
	(void)snprintf(out, 512, "%s/%s", first_dir(b), name);
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
	CHECK(cgroup_kill(&b->dirs, -1, &b->err) == 0 && cgroup_remove(&b->dirs, &b->err) == 0);
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
	CHECK(cgroup_kill(&first.dirs, -1, &b->err) == 0 && waitpid(pid, NULL, 0) == pid);
	path_in(other, &first, "somebody");
	CHECK(mkdir(other, 0755) == 0);
	b->plan.n_steps = 0;
	CHECK(make(b) == -EBUSY && b->ctx.phase == PHASE_NOT_EMPTY);
	CHECK(access(other, F_OK) == 0);
	CHECK(cgroup_remove(&first.dirs, &b->err) == 0);
	check_nothing_left(b);
}

/* A kill between the record in the state and the refusal: `delete --force` finds it later. */
static void leaves_what_it_never_made(struct bench *b)
{
	char dir[512], inside[512];
	pid_t pid;

	plan_cgroup_paths(&b->planner, &b->dirs);
	(void)snprintf(dir, sizeof(dir), "%s%s", b->facts.cgroup.v[b->facts.cgroup.n - 1].mount,
		       b->parent);
	CHECK(mkdir(dir, 0755) == 0 && mkdir(first_dir(b), 0755) == 0);
	path_in(inside, b, "somebody");
	CHECK(mkdir(inside, 0755) == 0);
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	(void)strcat(inside, "/cgroup.procs");
	CHECK(pid > 0 && write_pid(inside, pid) == 0);
	CHECK(cgroup_remove_unborn(&b->dirs, &b->err) == 0);
	CHECK(kill(pid, 0) == 0 && access(inside, F_OK) == 0);

	/* An empty child of somebody else stays, too. */
	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
	CHECK(cgroup_remove_unborn(&b->dirs, &b->err) == 0);
	CHECK(access(inside, F_OK) == 0);
	CHECK(cgroup_remove(&b->dirs, &b->err) == 0 && rmdir(dir) == 0);
	check_nothing_left(b);
}

/* A kill between a directory and its mark: the mode that it was born with tells whose it is. */
static void removes_parents_that_have_no_mark_yet(struct bench *b)
{
	char dir[512];

	plan_cgroup_paths(&b->planner, &b->dirs);
	for (size_t i = 0; i < b->facts.cgroup.n; i++) {
		(void)snprintf(dir, sizeof(dir), "%s%s", b->facts.cgroup.v[i].mount, b->parent);
		CHECK(mkdir(dir, 01755) == 0);
	}
	CHECK(cgroup_remove_unborn(&b->dirs, &b->err) == 0);
	check_nothing_left(b);
}

/* What it is known by while it has no mark does not stay. */
static void what_it_makes_has_the_usual_mode(struct bench *b)
{
	struct stat st;
	char dir[512];

	CHECK(make(b) == 0);
	for (size_t i = 0; i < b->facts.cgroup.n; i++) {
		(void)snprintf(dir, sizeof(dir), "%s%s", b->facts.cgroup.v[i].mount, b->parent);
		CHECK(stat(dir, &st) == 0 && (st.st_mode & 07777) == 0755);
		CHECK(cgroup_is_marked(dir));
	}
	CHECK(cgroup_remove(&b->dirs, &b->err) == 0);
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

		CHECK(cgroup_kill(&list, -1, &b->err) == -EINVAL);
		CHECK(cgroup_freeze(&list, &b->err) == -EINVAL);
		CHECK(cgroup_remove(&list, &b->err) == -EINVAL);
	}
	CHECK(cgroup_kill(&(struct spec_strings){ 1, &root }, -1, &b->err) == -EINVAL);
	free(root);
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
	CHECK(cgroup_kill(&b->dirs, -1, &b->err) == 0);
	finish(b, (pid_t)pid);
}

CASE(holds_a_process_and_its_children)
CASE(undoes_what_it_made)
CASE(refuses_a_cgroup_with_somebody_inside)
CASE(leaves_what_it_never_made)
CASE(removes_parents_that_have_no_mark_yet)
CASE(what_it_makes_has_the_usual_mode)
CASE(freezes_and_thaws)
CASE(signals_all)
CASE(removes_what_was_nested_deep)
CASE(waits_for_the_last_to_go)
CASE(leaves_parents_that_are_not_ours)
CASE(keeps_its_hands_off_the_rest)
CASE(is_born_inside)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(holds_a_process_and_its_children),
		BOTH(undoes_what_it_made),
		BOTH(refuses_a_cgroup_with_somebody_inside),
		BOTH(leaves_what_it_never_made),
		BOTH(removes_parents_that_have_no_mark_yet),
		BOTH(what_it_makes_has_the_usual_mode),
		BOTH(freezes_and_thaws),
		BOTH(signals_all),
		BOTH(removes_what_was_nested_deep),
		BOTH(waits_for_the_last_to_go),
		BOTH(leaves_parents_that_are_not_ours),
		BOTH(keeps_its_hands_off_the_rest),
		BOTH(is_born_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
