/* Hooks of the host: what they get, what is told of their failure, and that they cannot hold us up.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "ops/host_hooks.h"

static char sh[] = "sh", dash_c[] = "-c", setting[] = "ONLY=this";

/* Runs a line of shell as the only hook, with /tmp as its bundle. */
static int run(const char *script, int64_t timeout, struct err *err)
{
	char *args[] = { sh, dash_c, strdup(script), NULL }, *env[] = { setting, NULL };
	struct spec_hook hook = { .path = "/bin/sh", .args = { 3, args }, .env = { 1, env } };
	struct spec_hook_list list = { 1, &hook };
	int r;

	hook.timeout.has = timeout > 0;
	hook.timeout.value = timeout;
	memset(err, 0, sizeof(*err));
	r = hooks_run("poststop", &list, "{\"bundle\":\"/tmp\",\"pid\":", 4711, "}", err);
	free(args[2]);
	return r;
}

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void test_gets_the_state(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(run("test \"$(cat)\" = '{\"bundle\":\"/tmp\",\"pid\":4711}'", 0, &err), 0);
	/* Also by name, which a socket in its place would refuse. */
	assert_int_equal(run("grep -q 4711 /dev/stdin", 0, &err), 0);
}

static void test_environment_and_directory(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(setenv("SECRET", "of the caller", 1), 0);
	assert_int_equal(run("test \"$ONLY\" = this && test -z \"$SECRET\"", 0, &err), 0);
	assert_int_equal(run("test \"$(/bin/pwd)\" = /tmp", 0, &err), 0);
}

static void test_inherits_nothing(void **state)
{
	int fd = open("/dev/null", O_RDONLY); /* without O_CLOEXEC, on purpose */
	struct err err;
	char script[100];
	sigset_t set, old;

	(void)state;
	(void)snprintf(script, sizeof(script), "test ! -e /proc/self/fd/%d", fd);
	assert_int_equal(run(script, 0, &err), 0);
	(void)close(fd);

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, &old);
	(void)signal(SIGHUP, SIG_IGN);
	assert_int_equal(run("grep -q '^SigBlk:.0*$' /proc/self/status && "
			     "grep -q '^SigIgn:.0*$' /proc/self/status",
			     0, &err),
			 0);
	(void)signal(SIGHUP, SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
}

static void test_says_why(void **state)
{
	struct err err;

	(void)state;
	assert_int_equal(run("echo one; echo two >&2; exit 3", 0, &err), -ECANCELED);
	assert_string_equal(err.msg, "error running poststop hook #0: /bin/sh: exit status 3, "
				     "stdout: one , stderr: two ");
	assert_int_equal(run("kill -9 $$", 0, &err), -ECANCELED);
	assert_non_null(strstr(err.msg, "killed by signal 9"));
	/* Of much output the end is told, and a pipe that is full holds nobody up. */
	assert_int_equal(run("seq 1 100000; exit 1", 0, &err), -ECANCELED);
	assert_non_null(strstr(err.msg, "99999 100000"));
}

static void test_not_there(void **state)
{
	struct spec_hook hook = { .path = "/does/not/exist" };
	struct spec_hook_list list = { 1, &hook };
	struct err err;

	(void)state;
	assert_int_equal(hooks_run("prestart", &list, "{", 1, "}", &err), -ENOENT);
	assert_non_null(strstr(err.msg, "start /does/not/exist: no such file or directory"));
}

/* The whole group goes, or the children of a hook would outlive its timeout. */
static void test_timeout(void **state)
{
	char file[] = "/tmp/test-hooks-XXXXXX", script[200];
	double start = now();
	struct err err;
	struct stat st;

	(void)state;
	(void)close(mkstemp(file));
	(void)snprintf(script, sizeof(script), "(sleep 2; echo late >%s) & wait", file);
	assert_int_equal(run(script, 1, &err), -ETIMEDOUT);
	assert_non_null(strstr(err.msg, "timeout of 1 seconds"));
	assert_true(now() - start < 1.9);
	(void)usleep(1500000);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_size, 0);
	(void)unlink(file);
}

/* What it leaves in the background may keep our pipes; we do not wait for that. */
static void test_background(void **state)
{
	double start = now();
	struct err err;

	(void)state;
	assert_int_equal(run("sleep 3 & exit 0", 0, &err), 0);
	assert_true(now() - start < 1);
}

/* A hook that changes its standard input changes it for itself. */
static void test_one_state_each(void **state)
{
	char script[] = "grep -q 4711 && echo x >/proc/self/fd/0";
	char *args[] = { sh, dash_c, script, NULL };
	struct spec_hook hooks[2] = { { .path = "/bin/sh", .args = { 3, args } },
				      { .path = "/bin/sh", .args = { 3, args } } };
	struct spec_hook_list list = { 2, hooks };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(hooks_run("poststart", &list, "{\"pid\":", 4711, "}", &err), 0);
}

/* poststop: one that fails keeps none of the others from its work. */
static void test_run_all(void **state)
{
	char file[] = "/tmp/test-hooks-XXXXXX", script[100], fail[] = "exit 3";
	char *first[] = { sh, dash_c, fail, NULL }, *second[] = { sh, dash_c, script, NULL };
	struct spec_hook hooks[2] = { { .path = "/bin/sh", .args = { 3, first } },
				      { .path = "/bin/sh", .args = { 3, second } } };
	struct spec_hook_list list = { 2, hooks };
	struct err err = { 0 };
	struct stat st;

	(void)state;
	(void)close(mkstemp(file));
	(void)snprintf(script, sizeof(script), "cat >%s; exit 4", file);
	assert_int_equal(hooks_run("poststart", &list, "{", 0, "}", &err), -ECANCELED);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(hooks_run_all("poststop", &list, "{", 0, "}", &err), -ECANCELED);
	assert_non_null(strstr(err.msg, "poststop hook #0: /bin/sh: exit status 3"));
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_size, 2); /* "{}": a container that has stopped has no pid */
	(void)unlink(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gets_the_state),
		cmocka_unit_test(test_environment_and_directory),
		cmocka_unit_test(test_inherits_nothing),
		cmocka_unit_test(test_says_why),
		cmocka_unit_test(test_not_there),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_background),
		cmocka_unit_test(test_one_state_each),
		cmocka_unit_test(test_run_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
