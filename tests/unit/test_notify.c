#include "run/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/sys.h"

/* A service manager, a container and a run directory. */
struct scene {
	char dir[32], manager_path[64];
	int run_dir, manager, container;
	int pidfd;
	pid_t pid;
	char heard[256];
	pthread_t thread;
};

static int datagram_socket(const char *path, socklen_t len)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, path, len);
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
			 0);
	return fd;
}

/* What systemd does: reads a message, and drops the descriptor of the barrier. */
static void *manager_main(void *data)
{
	struct scene *scene = data;
	size_t len = 0;

	for (;;) {
		ssize_t n =
		    recv(scene->manager, scene->heard + len, sizeof(scene->heard) - len - 2, 0);

		if (n <= 0)
			return NULL;
		len += (size_t)n;
		scene->heard[len++] = '|';
		scene->heard[len] = '\0';
		if (strstr(scene->heard, "BARRIER=1"))
			return NULL;
	}
}

static void open_scene(struct scene *scene)
{
	*scene = (struct scene){ .manager = -1 };
	strcpy(scene->dir, "/tmp/notify-XXXXXX");
	assert_non_null(mkdtemp(scene->dir));
	scene->run_dir = open(scene->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(scene->manager_path, sizeof(scene->manager_path), "%s/manager", scene->dir);
	scene->manager =
	    datagram_socket(scene->manager_path, (socklen_t)strlen(scene->manager_path) + 1);
	scene->pid = fork();
	if (scene->pid == 0) {
		(void)pause();
		_exit(0);
	}
	scene->pidfd = sys_pidfd_open(scene->pid, 0);
	assert_true(scene->pidfd >= 0);
}

static void close_scene(struct scene *scene)
{
	char command[64];

	(void)kill(scene->pid, SIGKILL);
	(void)waitpid(scene->pid, NULL, 0);
	(void)close(scene->pidfd);
	(void)close(scene->manager);
	(void)close(scene->container);
	(void)close(scene->run_dir);
	(void)snprintf(command, sizeof(command), "rm -r %s", scene->dir);
	assert_int_equal(system(command), 0);
}

/* By the path that is mounted into the container. */
static void say(const struct scene *scene, const char *text)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/notify/notify.sock",
		       scene->dir);
	assert_int_equal(
	    sendto(fd, text, strlen(text), 0, (struct sockaddr *)&address, sizeof(address)),
	    (int)strlen(text));
	(void)close(fd);
}

static void tells_the_manager_when_the_container_is_ready(void **state)
{
	struct scene scene;
	struct err err = { 0 };

	(void)state;
	open_scene(&scene);
	scene.container = notify_open(scene.run_dir, &err);
	assert_true(scene.container >= 0);
	say(&scene, "STATUS=loading\nREADY=1\n");
	assert_int_equal(pthread_create(&scene.thread, NULL, manager_main, &scene), 0);
	assert_int_equal(
	    notify_forward(scene.container, scene.manager_path, 4711, scene.pidfd, &err), 1);
	(void)pthread_join(scene.thread, NULL);
	assert_string_equal(scene.heard, "MAINPID=4711\nREADY=1\n|BARRIER=1|");
	close_scene(&scene);
}

/* The container must not choose the main process, stop the watchdog, or name what it is not. */
static void passes_nothing_else_on(void **state)
{
	static const char *const said[] = { "MAINPID=1",
					    "STOPPING=1\nWATCHDOG=trigger",
					    "XREADY=1",
					    "READY=10",
					    "READY=0",
					    "ready=1",
					    "",
					    "\n",
					    "STATUS=READY=1",
					    "FDSTORE=1" };
	struct scene scene;
	struct err err = { 0 };
	char byte;

	(void)state;
	open_scene(&scene);
	scene.container = notify_open(scene.run_dir, &err);
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		say(&scene, said[i]);
		assert_int_equal(notify_handle(scene.container, scene.manager_path, 1, &err), 0);
	}
	assert_int_equal(notify_handle(scene.container, scene.manager_path, 1, &err), 0);
	assert_int_equal(recv(scene.manager, &byte, 1, MSG_DONTWAIT), -1);
	close_scene(&scene);
}

static void ends_with_the_container(void **state)
{
	struct scene scene;
	struct err err = { 0 };

	(void)state;
	open_scene(&scene);
	scene.container = notify_open(scene.run_dir, &err);
	say(&scene, "STATUS=never mind");
	(void)kill(scene.pid, SIGKILL);
	assert_int_equal(notify_forward(scene.container, scene.manager_path, 1, scene.pidfd, &err),
			 0);
	close_scene(&scene);
}

/* A program that says that it is ready and ends at once has been ready. */
static void hears_the_last_words(void **state)
{
	struct scene scene;
	struct err err = { 0 };

	(void)state;
	open_scene(&scene);
	scene.container = notify_open(scene.run_dir, &err);
	say(&scene, "STATUS=a");
	say(&scene, "READY=1");
	(void)kill(scene.pid, SIGKILL);
	assert_int_equal(pthread_create(&scene.thread, NULL, manager_main, &scene), 0);
	assert_int_equal(notify_forward(scene.container, scene.manager_path, 7, scene.pidfd, &err),
			 1);
	(void)pthread_join(scene.thread, NULL);
	assert_string_equal(scene.heard, "MAINPID=7\nREADY=1\n|BARRIER=1|");
	close_scene(&scene);
}

static void speaks_to_abstract_sockets(void **state)
{
	char name[64] = "", shown[64];
	struct scene scene;
	struct err err = { 0 };

	(void)state;
	open_scene(&scene);
	(void)snprintf(shown, sizeof(shown), "@containr-test-%d", getpid());
	memcpy(name + 1, shown + 1, strlen(shown) - 1);
	(void)close(scene.manager);
	scene.manager = datagram_socket(name, (socklen_t)strlen(shown));
	scene.container = notify_open(scene.run_dir, &err);
	say(&scene, "READY=1");
	assert_int_equal(pthread_create(&scene.thread, NULL, manager_main, &scene), 0);
	assert_int_equal(notify_forward(scene.container, shown, 7, scene.pidfd, &err), 1);
	(void)pthread_join(scene.thread, NULL);
	close_scene(&scene);
}

/* `create` leaves a socket that nobody reads; `start` puts its own in its place. */
static void start_takes_the_place_of_create(void **state)
{
	struct stat st;
	struct scene scene;
	struct err err = { 0 };
	mode_t mask = umask(077);

	(void)state;
	open_scene(&scene);
	(void)close(notify_open(scene.run_dir, &err));
	scene.container = notify_open(scene.run_dir, &err);
	(void)umask(mask);
	assert_true(scene.container >= 0);
	say(&scene, "STATUS=a");
	/* Any user of the container may speak, whatever our caller's umask is. */
	assert_int_equal(fstatat(scene.run_dir, "notify", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(fstatat(scene.run_dir, "notify/notify.sock", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0777);
	close_scene(&scene);
}

static void names_a_manager_that_cannot_be_reached(void **state)
{
	static const struct {
		const char *name, *expected;
		int code;
	} cases[] = {
		{ "/nowhere/at/all", "connect to NOTIFY_SOCKET /nowhere/at/all: no such file",
		  -ENOENT },
		{ "vsock:2:9999", "expected /path or @name", -EINVAL },
		{ "@", "expected /path or @name", -EINVAL },
		{ "/0123456789012345678901234567890123456789012345678901234567890123456789012345678"
		  "901"
		  "23456789012345678901234567890",
		  "longer than 107 bytes", -ENAMETOOLONG },
	};
	struct scene scene;
	struct err err = { 0 };

	(void)state;
	open_scene(&scene);
	scene.container = notify_open(scene.run_dir, &err);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		say(&scene, "READY=1");
		assert_int_equal(notify_handle(scene.container, cases[i].name, 1, &err),
				 cases[i].code);
		assert_non_null(strstr(err.msg, cases[i].expected));
	}
	close_scene(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_the_manager_when_the_container_is_ready),
		cmocka_unit_test(passes_nothing_else_on),
		cmocka_unit_test(ends_with_the_container),
		cmocka_unit_test(hears_the_last_words),
		cmocka_unit_test(speaks_to_abstract_sockets),
		cmocka_unit_test(start_takes_the_place_of_create),
		cmocka_unit_test(names_a_manager_that_cannot_be_reached),
	};

	(void)alarm(20); /* a loop that misses its end must not hang the suite */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
