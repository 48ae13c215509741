#include "dbus_peer.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "host/facts.h"
#include "host/systemd.h"

#define UNIT "c1.scope"
#define JOB  "/org/freedesktop/systemd1/job/5"

static void say_job(struct buf *out, uint32_t serial)
{
	struct buf body = { 0 };

	dbus_put_text(&body, JOB);
	peer_message(out, DBUS_REPLY, serial, "", "o", &body);
	buf_done(&body);
}

static void say_removed(struct buf *out, const char *job, const char *unit, const char *result)
{
	struct buf body = { 0 };

	dbus_put_u32(&body, 5);
	dbus_put_text(&body, job);
	dbus_put_text(&body, unit);
	dbus_put_text(&body, result);
	peer_message(out, DBUS_SIGNAL, 0, "JobRemoved", "uoss", &body);
	buf_done(&body);
}

static void say_error(struct buf *out, uint32_t serial, const char *name, const char *text)
{
	struct buf body = { 0 };

	dbus_put_text(&body, text);
	peer_message(out, DBUS_ERROR, serial, name, "s", &body);
	buf_done(&body);
}

/* What is said of the start of a unit, call 16, when all that the peer sends is `said`. */
static int await(struct buf *said, char *why, size_t size)
{
	int peer;
	struct dbus bus = peer_pair(&peer);
	int r;

	peer_send(peer, said);
	(void)shutdown(peer, SHUT_WR);
	r = systemd_await_job(&bus, 16, UNIT, why, size);
	dbus_close(&bus);
	(void)close(peer);
	buf_done(said);
	*said = (struct buf){ 0 };
	return r;
}

/* Each message is its own buf, since alignment counts from its begin. */
static void join(struct buf *all, void (*say)(struct buf *out))
{
	struct buf one = { 0 };

	say(&one);
	buf_add(all, one.data, one.len);
	buf_done(&one);
}

static void job(struct buf *out)
{
	say_job(out, 16);
}

static void other_answer(struct buf *out)
{
	say_error(out, 15, "org.freedesktop.DBus.Error.Failed", "not for this call");
}

static void done(struct buf *out)
{
	say_removed(out, JOB, UNIT, "done");
}

static void other_unit(struct buf *out)
{
	say_removed(out, JOB, "c2.scope", "failed");
}

static void other_job(struct buf *out)
{
	say_removed(out, JOB "0", UNIT, "canceled");
}

static void timeout(struct buf *out)
{
	say_removed(out, JOB, UNIT, "timeout");
}

static void failed(struct buf *out)
{
	say_removed(out, JOB, UNIT, "failed\x1b[2J");
}

static void a_unit_is_there_when_its_job_is_done(void **state)
{
	struct buf said = { 0 };
	char why[64];

	(void)state;
	join(&said, other_answer);
	join(&said, other_unit);
	join(&said, job);
	join(&said, other_job);
	join(&said, done);
	assert_int_equal(await(&said, why, sizeof(why)), 0);
	join(&said, done);
	join(&said, job); /* the signal may be first */
	assert_int_equal(await(&said, why, sizeof(why)), 0);
	join(&said, job);
	join(&said, other_unit);
	join(&said, other_job);
	assert_int_equal(await(&said, why, sizeof(why)), -ECONNRESET);
}

static void a_job_that_failed_is_an_error_with_its_result(void **state)
{
	struct buf said = { 0 };
	char why[64];

	(void)state;
	join(&said, job);
	join(&said, failed);
	assert_int_equal(await(&said, why, sizeof(why)), -EPROTO);
	assert_string_equal(why, "c1.scope: failed?[2J");
	join(&said, job);
	join(&said, timeout);
	assert_int_equal(await(&said, why, sizeof(why)), -ETIMEDOUT);
}

static void errors_have_the_words_of_systemd(void **state)
{
	static const struct {
		const char *name;
		int code;
	} errors[] = {
		{ "org.freedesktop.systemd1.UnitExists", -EEXIST },
		{ "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", -EACCES },
		{ "org.freedesktop.DBus.Error.PropertyReadOnly", -EINVAL },
		{ "org.example.Strange", -EPROTO },
	};
	struct buf said = { 0 };
	char why[16];

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		say_error(&said, 16, errors[i].name, "Words\nthat are long");
		assert_int_equal(await(&said, why, sizeof(why)), errors[i].code);
		assert_string_equal(why, "Words?that are ");
		assert_non_null(systemd_hint(errors[i].code, true));
		assert_non_null(systemd_hint(errors[i].code, false));
	}
}

static void an_answer_of_another_type_is_refused(void **state)
{
	struct buf said = { 0 }, body = { 0 };
	char why[64];

	(void)state;
	dbus_put_u32(&body, 5);
	peer_message(&said, DBUS_REPLY, 16, "", "u", &body);
	assert_int_equal(await(&said, why, sizeof(why)), -EBADMSG);
	buf_done(&body);
}

/* ---- where it is ------------------------------------------------------------------------------
 */

static int try_to_reach(bool user, struct err *err)
{
	struct dbus bus = DBUS_NONE;
	bool is_bus;

	*err = (struct err){ 0 };
	return systemd_connect(user, &bus, &is_bus, err);
}

static void who_has_no_session_is_told_how_to_get_one(void **state)
{
	struct err err;

	(void)state;
	(void)unsetenv("XDG_RUNTIME_DIR");
	(void)unsetenv("DBUS_SESSION_BUS_ADDRESS");
	if (access("/run/user/0", F_OK) == 0 || geteuid() != 0) {
		print_message("skipped: this user has a session\n");
		skip();
	}
	assert_int_equal(try_to_reach(true, &err), -ENOENT);
	assert_non_null(
	    strstr(err.msg, "XDG_RUNTIME_DIR and DBUS_SESSION_BUS_ADDRESS are not set"));
	assert_non_null(strstr(err.hint, "loginctl enable-linger"));
}

static void the_socket_that_was_not_there_is_named(void **state)
{
	static const char *const addresses[] = {
		"unix:path=/nonexistent/b%75s,guid=00",
		"tcp:host=example.org;unix:path=/nonexistent/bus",
	};
	struct err err;

	(void)state;
	(void)setenv("XDG_RUNTIME_DIR", "/nonexistent", 1);
	(void)unsetenv("DBUS_SESSION_BUS_ADDRESS");
	assert_int_equal(try_to_reach(true, &err), -ENOENT);
	assert_non_null(strstr(err.msg, "connect to /nonexistent/systemd/private"));
	(void)unsetenv("XDG_RUNTIME_DIR");
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		if (access("/run/user/0", F_OK) == 0 || geteuid() != 0)
			continue;
		(void)setenv("DBUS_SESSION_BUS_ADDRESS", addresses[i], 1);
		assert_int_equal(try_to_reach(true, &err), -ENOENT);
		assert_non_null(strstr(err.msg, "connect to /nonexistent/bus"));
	}
	(void)setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=%zz;unix:abstract=;autolaunch:", 1);
	assert_true(try_to_reach(true, &err) < 0);
}

enum { ASKED_THE_USERS, ASKED_ANOTHER, NO_NAMESPACE };

/* As root of a user namespace, as which podman calls us for an ordinary user. */
static int ask_in_userns(void)
{
	char map[32];
	int len = snprintf(map, sizeof(map), "0 %u 1", geteuid());
	struct arena arena = { 0 };
	struct facts facts;
	struct err err = { 0 };
	int fd;

	if (unshare(CLONE_NEWUSER) < 0)
		return NO_NAMESPACE;
	fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, map, (size_t)len) != len || close(fd) < 0)
		return NO_NAMESPACE;
	(void)setenv("XDG_RUNTIME_DIR", "/nonexistent", 1);
	(void)setenv("USER", "tester", 1);
	(void)unsetenv("DBUS_SESSION_BUS_ADDRESS");
	return facts_read(FACTS_SYSTEMD, &arena, &facts, &err) == -ENOENT &&
		       strstr(err.msg, "connect to /nonexistent/systemd/private")
		   ? ASKED_THE_USERS
		   : ASKED_ANOTHER;
}

static void root_of_a_user_namespace_has_the_users(void **state)
{
	int status = 0;
	pid_t pid;

	(void)state;
	(void)fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(ask_in_userns());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == NO_NAMESPACE) {
		print_message("skipped: no user namespaces here\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), ASKED_THE_USERS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_unit_is_there_when_its_job_is_done),
		cmocka_unit_test(a_job_that_failed_is_an_error_with_its_result),
		cmocka_unit_test(errors_have_the_words_of_systemd),
		cmocka_unit_test(an_answer_of_another_type_is_refused),
		cmocka_unit_test(who_has_no_session_is_told_how_to_get_one),
		cmocka_unit_test(the_socket_that_was_not_there_is_named),
		cmocka_unit_test(root_of_a_user_namespace_has_the_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
