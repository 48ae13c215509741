/* What is on disk about a container: written and read back, cut short, tampered with, out of date.
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
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "run/life.h"
#include "state/state.h"

struct fixture {
	char root[64];
	int dir; /* of the container "one" */
	struct arena arena;
	struct err err;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char path[80];

	strcpy(f->root, "/tmp/test-state-XXXXXX");
	assert_non_null(mkdtemp(f->root));
	(void)snprintf(path, sizeof(path), "%s/one", f->root);
	assert_int_equal(mkdir(path, 0700), 0);
	f->dir = state_open(f->root, "one", false, &f->err);
	assert_true(f->dir >= 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	(void)close(f->dir);
	(void)state_remove(f->root, "one", &f->err);
	assert_int_equal(rmdir(f->root), 0);
	arena_done(&f->arena);
	free(f);
	return 0;
}

static void put(const struct fixture *f, const char *name, const char *text)
{
	int fd = openat(f->dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
}

static char memory[] = "/sys/fs/cgroup/memory/x", pids[] = "/sys/fs/cgroup/pids/x";
static char *cgroups[] = { memory, pids, NULL };
static struct spec_pair pairs[] = { { "org.example", "a \"quoted\"\n line" } };

static struct state sample(void)
{
	return (struct state){
		.id = "one",
		.oci_version = "1.2.0",
		.bundle = "/b",
		.rootfs = "/b/rootfs",
		.annotations = { 1, pairs },
		.cgroups = { 2, cgroups },
		.namespaces = 0xffffffffffffffff,
		.capabilities = { .has = true, .bounding = 0x1ffffffffff, .ambient = 5 },
		.selinux_label = "system_u:system_r:container_t:s0",
		.no_new_privileges = true,
		.has_filter = true,
		.filter_flags = 3,
		.poststop = true,
		.after_start = { 1, cgroups },
		.after_start_first = 71,
	};
}

static void put_sample(const struct fixture *f)
{
	struct state state = sample();
	_cleanup_buf_ struct buf text = { 0 };

	state_render(&state, &text);
	put(f, STATE_FILE, buf_text(&text));
}

static int get(struct fixture *f, struct state *ret)
{
	memset(&f->err, 0, sizeof(f->err));
	return state_read(f->dir, "one", &f->arena, ret, &f->err);
}

/* `delete` and `exec` rely on each of these: what was written comes back as it was. */
static void test_round_trip(void **state)
{
	struct fixture *f = *state;
	struct state want = sample(), got;

	put_sample(f);
	put(f, STATE_INIT, "4711 99887766\n");
	assert_int_equal(get(f, &got), 0);
	assert_string_equal(got.id, want.id);
	assert_string_equal(got.oci_version, want.oci_version);
	assert_string_equal(got.bundle, want.bundle);
	assert_string_equal(got.rootfs, want.rootfs);
	assert_int_equal(got.annotations.n, 1);
	assert_string_equal(got.annotations.v[0].value, pairs[0].value);
	assert_int_equal(got.cgroups.n, 2);
	assert_string_equal(got.cgroups.v[1], cgroups[1]);
	assert_null(got.cgroups.v[2]);
	assert_true(got.namespaces == want.namespaces);
	assert_memory_equal(&got.capabilities, &want.capabilities, sizeof(want.capabilities));
	assert_null(got.apparmor_profile);
	assert_string_equal(got.selinux_label, want.selinux_label);
	assert_true(got.no_new_privileges && got.has_filter && got.poststop && !got.poststart);
	assert_int_equal(got.filter_flags, 3);
	assert_int_equal(got.after_start_first, 71);
	assert_int_equal(got.pid, 4711);
	assert_int_equal(got.start_time, 99887766);
	assert_true(got.created_sec > 1600000000);
	assert_int_equal(got.owner, geteuid());
}

/* A kill of `create` at any moment leaves something that `delete` can work with. */
static void test_cut_short(void **state)
{
	struct fixture *f = *state;
	struct state want = sample(), got;
	_cleanup_buf_ struct buf text = { 0 };

	assert_int_equal(get(f, &got), 0);
	assert_null(got.oci_version);
	state_render(&want, &text);
	for (size_t len = 0; len < text.len; len += 7) {
		text.data[len] = '\0';
		put(f, STATE_FILE, text.data);
		assert_int_equal(get(f, &got), 0);
		assert_null(got.oci_version);
		buf_done(&text);
		state_render(&want, &text);
	}
	put_sample(f);
	put(f, STATE_INIT, "47");
	assert_int_equal(get(f, &got), 0);
	assert_int_equal(got.pid, 0);
}

static void test_not_believed(void **state)
{
	static const char *const inits[] = { "1\n",
					     "0 5\n",
					     "-1 5\n",
					     "12 0\n",
					     "12 x\n",
					     "4194305 5\n",
					     "99999999999999999999 5\n",
					     "\n" };
	struct fixture *f = *state;
	struct state got;

	put_sample(f);
	for (size_t i = 0; i < sizeof(inits) / sizeof(inits[0]); i++) {
		put(f, STATE_INIT, inits[i]);
		assert_int_equal(get(f, &got), -EINVAL);
	}
	assert_int_equal(unlinkat(f->dir, STATE_INIT, 0), 0);
	put(f, STATE_FILE, "{\"id\":\"one\"}\n");
	assert_int_equal(get(f, &got), -EINVAL);
	assert_non_null(strstr(f->err.msg, "ociVersion is missing"));
	put(f, STATE_FILE, "[]\n");
	assert_int_equal(get(f, &got), -EINVAL);
}

/* Who can rename directories below --root must not make us take one container for another. */
static void test_renamed(void **state)
{
	struct fixture *f = *state;
	struct state got;

	put_sample(f);
	assert_int_equal(state_read(f->dir, "two", &f->arena, &got, &f->err), -EINVAL);
	assert_non_null(strstr(f->err.msg, "renamed"));
}

static void test_ids(void **state)
{
	static const char *const good[] = { "a", "A_b+c.d-9", "..a", "0" };
	static const char *const bad[] = { "", ".", "..", "a/b", "a b", "\n", "ä", "../x", "a:b" };
	struct fixture *f = *state;
	char id[1100];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(state_check_id(good[i], &f->err), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(state_check_id(bad[i], &f->err), -EINVAL);
	memset(id, 'x', sizeof(id));
	id[1024] = '\0';
	assert_int_equal(state_check_id(id, &f->err), 0);
	assert_int_equal(state_open(f->root, id, false, &f->err), -ENOENT);
	assert_non_null(strstr(f->err.msg, "does not exist"));
	id[1024] = 'x';
	id[1025] = '\0';
	assert_int_equal(state_check_id(id, &f->err), -EINVAL);
}

/* A link, or a directory that others can write to, is no state of ours. */
static void test_untrusted_directory(void **state)
{
	struct fixture *f = *state;
	char path[80];

	(void)snprintf(path, sizeof(path), "%s/link", f->root);
	assert_int_equal(symlink("one", path), 0);
	assert_true(state_open(f->root, "link", false, &f->err) < 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(fchmod(f->dir, 0770), 0);
	assert_int_equal(state_open(f->root, "one", false, &f->err), -EPERM);
	assert_int_equal(fchmod(f->dir, 0700), 0);
}

static void test_other_owner(void **state)
{
	struct fixture *f = *state;

	if (geteuid() != 0)
		skip();
	assert_int_equal(fchown(f->dir, 12345, 12345), 0);
	assert_int_equal(state_open(f->root, "one", false, &f->err), -EPERM);
	assert_non_null(strstr(f->err.msg, "uid 12345"));
	assert_int_equal(fchown(f->dir, 0, 0), 0);
}

/* A number that was given to another process says nothing about the container. */
static void test_pid_reuse(void **state)
{
	struct fixture *f = *state;
	struct state s = { .id = "one", .pid = getpid() };

	s.start_time = state_start_time(s.pid);
	assert_true(s.start_time > 0);
	assert_int_equal(state_status(f->dir, &s), STATE_RUNNING);
	s.start_time++;
	assert_int_equal(state_status(f->dir, &s), STATE_STOPPED);
}

static void test_zombie_is_stopped(void **state)
{
	struct fixture *f = *state;
	struct state s = { .id = "one" };
	siginfo_t info;

	s.pid = fork();
	if (s.pid == 0) {
		(void)pause();
		_exit(0);
	}
	s.start_time = state_start_time(s.pid);
	assert_true(s.start_time > 0);
	assert_int_equal(kill(s.pid, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)s.pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(state_start_time(s.pid), 0);
	assert_int_equal(state_status(f->dir, &s), STATE_STOPPED);
	(void)waitpid(s.pid, NULL, 0);
}

/* Somebody listens at the gate: created. The queue may be full, the path of any length. */
static void test_gate(void **state)
{
	struct fixture *f = *state;
	struct state s = { .id = "one", .pid = getpid() };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	s.start_time = state_start_time(s.pid);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/gate", f->dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(state_status(f->dir, &s), STATE_CREATED);
	(void)close(fd);
	assert_int_equal(state_status(f->dir, &s), STATE_RUNNING);
}

/* Without a process: being made while its maker has the lock, else nothing came of it. */
static void test_creating(void **state)
{
	struct fixture *f = *state;
	struct state s = { .id = "one" };
	int other = state_open(f->root, "one", false, &f->err);

	assert_int_equal(state_status(f->dir, &s), STATE_STOPPED);
	assert_int_equal(flock(other, LOCK_EX), 0);
	assert_int_equal(state_status(f->dir, &s), STATE_CREATING);
	/* Asking does not take the lock away, not even from ourselves. */
	assert_int_equal(state_status(other, &s), STATE_CREATING);
	state_unlock(other);
	assert_int_equal(state_status(f->dir, &s), STATE_STOPPED);
	(void)close(other);
}

/* A command that waited for `delete` finds nothing, not a directory without a name. */
static void test_lock_after_delete(void **state)
{
	struct fixture *f = *state;
	int lock = state_open(f->root, "one", true, &f->err);
	pid_t child;
	int status;

	assert_true(lock >= 0);
	child = fork();
	if (child == 0) {
		(void)close(lock); /* the lock belongs to all copies of the descriptor */
		_exit(state_open(f->root, "one", true, &f->err) == -ENOENT ? 0 : 1);
	}
	(void)usleep(20000);
	assert_int_equal(waitpid(child, &status, WNOHANG), 0);
	assert_int_equal(state_remove(f->root, "one", &f->err), 0);
	(void)close(lock);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void test_list_and_remove(void **state)
{
	struct fixture *f = *state;
	struct spec_strings ids;
	char path[80];

	assert_int_equal(state_list("/does/not/exist", &f->arena, &ids, &f->err), 0);
	assert_int_equal(ids.n, 0);
	(void)snprintf(path, sizeof(path), "%s/b", f->root);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/not an id", f->root);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(state_list(f->root, &f->arena, &ids, &f->err), 0);
	assert_int_equal(ids.n, 2);
	assert_string_equal(ids.v[0], "b");
	assert_string_equal(ids.v[1], "one");
	assert_int_equal(rmdir(path), 0);

	put_sample(f);
	assert_int_equal(mkdirat(f->dir, "notify", 0755), 0);
	put(f, "notify/notify.sock", "");
	assert_int_equal(state_remove(f->root, "one", &f->err), 0);
	assert_int_equal(state_remove(f->root, "one", &f->err), 0);
	assert_int_equal(state_remove(f->root, "b", &f->err), 0);
	assert_int_equal(state_open(f->root, "one", false, &f->err), -ENOENT);
}

/* A watcher that writes the record, or not, a fifth of a second later: its pidfd. */
static int start_watcher(struct fixture *f, bool writes, pid_t *ret)
{
	const struct timespec pause = { .tv_nsec = 200000000 };
	const struct state_exit e = { .status = 7 };
	int record = state_exit_create(f->dir), ready[2], pidfd;
	char byte;

	assert_true(record >= 0);
	assert_int_equal(pipe(ready), 0);
	*ret = fork();
	if (*ret == 0) {
		(void)state_watcher_write(f->dir, getpid(), true);
		(void)!write(ready[1], "", 1);
		(void)nanosleep(&pause, NULL);
		if (writes && state_exit_write(record, &e) == 0)
			(void)sleep(60);
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	(void)close(ready[1]);
	(void)close(record);
	pidfd = state_watcher_open(f->dir, NULL);
	assert_true(pidfd >= 0);
	return pidfd;
}

/* By an event, not by looking again and again: that would be a hundred times. */
static void test_record_is_awaited(void **state)
{
	struct fixture *f = *state;
	struct state_exit e = { 0 };
	struct rusage before, after;
	pid_t pid;
	int watcher = start_watcher(f, true, &pid), record = state_exit_open(f->dir);

	(void)getrusage(RUSAGE_SELF, &before);
	assert_int_equal(life_await_record(record, watcher, &e), 1);
	(void)getrusage(RUSAGE_SELF, &after);
	assert_int_equal(e.status, 7);
	assert_true(after.ru_nvcsw - before.ru_nvcsw < 20);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	/* What is there already is not waited for, nor who is gone. */
	assert_int_equal(life_await_record(record, watcher, &e), 1);
	assert_int_equal(life_await_record(record, -1, &e), 1);
	(void)close(watcher);
	(void)close(record);
}

static void test_record_of_a_watcher_that_is_gone(void **state)
{
	struct fixture *f = *state;
	struct state_exit e = { 0 };
	pid_t pid;
	int watcher = start_watcher(f, false, &pid), record = state_exit_open(f->dir);

	assert_int_equal(life_await_record(record, watcher, &e), 0);
	assert_int_equal(life_await_record(record, -1, &e), 0);
	(void)waitpid(pid, NULL, 0);
	(void)close(watcher);
	(void)close(record);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_round_trip),
		TEST(test_cut_short),
		TEST(test_not_believed),
		TEST(test_renamed),
		TEST(test_ids),
		TEST(test_untrusted_directory),
		TEST(test_other_owner),
		TEST(test_pid_reuse),
		TEST(test_record_is_awaited),
		TEST(test_record_of_a_watcher_that_is_gone),
		TEST(test_gate),
		TEST(test_zombie_is_stopped),
		TEST(test_creating),
		TEST(test_lock_after_delete),
		TEST(test_list_and_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
