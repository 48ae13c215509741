/*
 * Containers of the public library, as a program sees it: through its header and the shared object.
 *
 * They are made as root only, in a mount namespace of our own. The argument: the example program.
 */
#include <containr/containr.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

extern char **environ;

static const char *example; /* the program */
static const char *self;    /* ours, as a file that we could write to */
static char dir[64];        /* of this run: ROOTFS below "rootfs", the state below "state" */
static char rootfs[96], state[96];

static struct containr_config *fresh(void)
{
	struct containr_error error = { 0 };
	struct containr_config *config = NULL;

	assert_int_equal(containr_config_new(&config, &error), 0);
	assert_non_null(config);
	return config;
}

/* ---- containers ------------------------------------------------------------------------------ */

static void needs_root(void)
{
	if (geteuid() != 0)
		skip();
}

static void mkdir_below(const char *parent, const char *name)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "%s/%s", parent, name);
	assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
}

static void link_below(const char *name)
{
	char path[160], target[32];

	(void)snprintf(path, sizeof(path), "%s/%s", rootfs, name);
	(void)snprintf(target, sizeof(target), "usr/%s", name);
	assert_true(symlink(target, path) == 0 || errno == EEXIST);
}

/* The host's programs, read-only. The mount namespace is ours, and so is all that is in dir. */
static int set_up(void **unused)
{
	(void)unused;
	(void)snprintf(dir, sizeof(dir), "/tmp/test-api-XXXXXX");
	assert_non_null(mkdtemp(dir));
	(void)snprintf(rootfs, sizeof(rootfs), "%s/rootfs", dir);
	(void)snprintf(state, sizeof(state), "%s/state", dir);
	if (geteuid() != 0)
		return 0;
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("tmpfs", dir, "tmpfs", 0, NULL), 0);
	mkdir_below(dir, "rootfs");
	mkdir_below(dir, "example");
	mkdir_below(rootfs, "usr");
	mkdir_below(rootfs, "proc");
	mkdir_below(rootfs, "sys");
	mkdir_below(rootfs, "dev");
	link_below("bin");
	link_below("lib");
	link_below("lib64");
	return 0;
}

static int tear_down(void **unused)
{
	(void)unused;
	if (geteuid() == 0)
		(void)umount2(dir, MNT_DETACH);
	return rmdir(dir);
}

static struct containr_config *shell(const char *script)
{
	const char *const args[] = { "sh", "-c", script, NULL };
	struct containr_config *config = fresh();

	assert_int_equal(containr_config_set_rootfs(config, rootfs, true, NULL), 0);
	assert_int_equal(
	    containr_config_add_mount(config, "/usr", "bind", "/usr", "rbind,ro", NULL), 0);
	assert_int_equal(containr_config_set_args(config, args, NULL), 0);
	return config;
}

static struct containr_run_options options(const char *id, const struct containr_config *config)
{
	return (struct containr_run_options){ .size = sizeof(struct containr_run_options),
					      .id = id,
					      .root = state,
					      .config = config };
}

static int run(const char *id, const char *script)
{
	struct containr_config *config = shell(script);
	struct containr_run_options o = options(id, config);
	struct containr_error error = { 0 };
	int r = containr_run(&o, &error);

	if (r < 0)
		print_message("%s: %s\n", id, error.message);
	containr_config_free(config);
	return r;
}

static void status_comes_back(void **unused)
{
	(void)unused;
	needs_root();
	assert_int_equal(run("status", "exit 42"), 42);
	assert_int_equal(run("signal", "kill -9 $$; exit 3"), 3); /* init of its own namespace */
	assert_int_equal(run("filter", "grep -q 'Seccomp:.2' /proc/self/status"), 0);
}

/* What a start changes of the process is as before, also after one that failed. */
static void caller_is_as_before(void **unused)
{
	struct containr_config *config;
	struct containr_run_options o;
	const char *const nothing[] = { "/nowhere", NULL };
	struct containr_error error = { 0 };
	sigset_t before, after;
	pid_t child;
	int status, subreaper = 0;

	(void)unused;
	needs_root();
	config = shell("true");
	o = options("unchanged", config);
	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &before), 0);
	assert_int_equal(prctl(PR_GET_DUMPABLE), 1);
	child = fork();
	if (child == 0)
		_exit(7);
	assert_int_equal(containr_run(&o, &error), 0);
	assert_int_equal(containr_config_set_args(config, nothing, &error), 0);
	assert_int_equal(containr_run(&o, &error), -ENOENT);
	assert_non_null(strstr(error.message, "/nowhere"));
	assert_int_equal(prctl(PR_GET_DUMPABLE), 1);
	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &after), 0);
	assert_memory_equal(&before, &after, 8); /* the kernel has 64 signals */
	assert_int_equal(prctl(PR_GET_CHILD_SUBREAPER, &subreaper), 0);
	assert_int_equal(subreaper, 0);
	assert_int_equal(waitpid(child, &status, 0), child); /* not taken by containr_run() */
	assert_int_equal(WEXITSTATUS(status), 7);
	containr_config_free(config);
}

/* Else containr_run would wait for ever for a status that the kernel threw away. */
static void ignored_children_are_refused(void **unused)
{
	const struct sigaction nothing_kept = { .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT };
	struct containr_config *config;
	struct containr_run_options o;
	struct containr_error error = { 0 };

	(void)unused;
	needs_root();
	config = shell("exit 5");
	o = options("ignored", config);
	assert_true(signal(SIGCHLD, SIG_IGN) == SIG_DFL);
	assert_int_equal(containr_run(&o, &error), -EINVAL);
	assert_non_null(strstr(error.message, "SIGCHLD"));
	assert_int_equal(sigaction(SIGCHLD, &nothing_kept, NULL), 0);
	assert_int_equal(containr_create(&o, &error), -EINVAL);
	assert_true(signal(SIGCHLD, SIG_DFL) == SIG_DFL);
	assert_int_equal(containr_run(&o, &error), 5);
	containr_config_free(config);
}

static bool is(const char *id, const char *status)
{
	char want[32], *json = NULL;
	bool found;

	assert_int_equal(containr_state(state, id, &json, NULL), 0);
	(void)snprintf(want, sizeof(want), "\"status\":\"%s\"", status);
	found = strstr(json, want) != NULL;
	containr_text_free(json);
	return found;
}

static void a_whole_life(void **unused)
{
	struct containr_config *config;
	struct containr_run_options o;
	const char *const words[] = { "sh", "-c", "exit $N", NULL }, *const env[] = { "N=9", NULL };
	struct containr_exec_options e = {
		.size = sizeof(e), .id = "life", .root = state, .args = words, .env = env
	};
	struct containr_error error = { 0 };
	char *json = NULL;

	(void)unused;
	needs_root();
	config = shell("sleep 100");
	o = options("life", config);
	assert_int_equal(containr_create(&o, &error), 0);
	assert_true(is("life", "created"));
	assert_int_equal(containr_create(&o, &error), -EEXIST);
	assert_int_equal(containr_start(state, "life", &error), 0);
	assert_int_equal(containr_start(state, "life", &error), -EBUSY);
	assert_true(is("life", "running"));
	assert_int_equal(containr_exec(&e, &error), 9);
	assert_int_equal(containr_pause(state, "life", &error), 0);
	assert_true(is("life", "paused"));
	assert_int_equal(containr_exec(&e, &error), -EBUSY);
	assert_int_equal(containr_resume(state, "life", &error), 0);
	assert_int_equal(containr_delete(state, "life", false, &error), -EBUSY);
	assert_int_equal(containr_kill(state, "life", SIGKILL, true, &error), 0);
	assert_true(waitpid(-1, NULL, 0) > 0);
	assert_true(is("life", "stopped"));
	assert_int_equal(containr_delete(state, "life", false, &error), 0);
	assert_int_equal(containr_state(state, "life", &json, &error), -ENOENT);
	assert_int_equal(containr_delete(state, "life", true, &error), 0);
	assert_int_equal(prctl(PR_GET_DUMPABLE), 1);
	containr_config_free(config);
}

static void *run_some(void *data)
{
	char id[32];
	intptr_t wrong = 0;

	for (int i = 0; i < 4; i++) {
		(void)snprintf(id, sizeof(id), "thread-%d-%d", *(const int *)data, i);
		wrong += run(id, "exit 5") != 5;
	}
	return (void *)wrong;
}

static void threads_do_not_meet(void **unused)
{
	int numbers[3] = { 0, 1, 2 };
	pthread_t threads[3];

	(void)unused;
	needs_root();
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run_some, &numbers[i]), 0);
	for (int i = 0; i < 3; i++) {
		void *wrong = NULL;

		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
	assert_int_equal(prctl(PR_GET_DUMPABLE), 1);
}

/* CVE-2019-5736: a program that a container could overwrite starts none, but if it says so. */
static void exposed_program_is_refused(void **unused)
{
	int status;
	pid_t child;

	(void)unused;
	needs_root();
	child = fork();
	if (child == 0) {
		(void)execl(self, self, "exposed", state, (char *)NULL);
		_exit(99);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void example_works(void **unused)
{
	char command[256];

	(void)unused;
	needs_root();
	(void)snprintf(command, sizeof(command), "%s %s/example sh -c 'exit 17'", example, dir);
	assert_int_equal(WEXITSTATUS(system(command)), 17);
}

/* Our copy is read-only; a file of its own is not. */
static int be_exposed(const char *path)
{
	struct containr_run_options o = {
		.size = sizeof(o), .id = "exposed", .root = path, .bundle = "/nowhere"
	};
	struct containr_error error = { 0 };

	if (containr_create(&o, &error) != -EPERM || !strstr(error.message, "CVE-2019-5736") ||
	    !strstr(error.hint, "containr_protect"))
		return 1;
	o.flags = CONTAINR_TRUST_EXECUTABLE;
	return containr_create(&o, &error) == -ENOENT ? 0 : 2; /* no such bundle */
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_comes_back),
		cmocka_unit_test(caller_is_as_before),
		cmocka_unit_test(ignored_children_are_refused),
		cmocka_unit_test(a_whole_life),
		cmocka_unit_test(threads_do_not_meet),
		cmocka_unit_test(exposed_program_is_refused),
		cmocka_unit_test(example_works),
	};
	struct containr_error error = { 0 };

	if (argc == 3 && strcmp(argv[1], "exposed") == 0)
		return be_exposed(argv[2]);
	if (containr_protect(argv, environ, &error) < 0) {
		print_message("%s\n", error.message);
		return 1;
	}
	self = argv[0];
	example = argc > 1 ? argv[1] : "";
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
