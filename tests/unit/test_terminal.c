/*
 * A user's terminal, the runtime in a process of its own on it, and a container's terminal: what is
 * typed on one side comes out on the other.
 */
#include "run/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include <cmocka.h>

#include "sys/sys.h"

/* Programs of the container. */
typedef int (*program_fn)(void);

struct scene {
	int user;  /* the user's side of his terminal: keyboard and screen */
	int tty;   /* the runtime's side of it */
	pid_t pid; /* the runtime */
	char screen[512 * 1024];
	size_t len;
};

static void send_fd(int socket, int fd)
{
	char name[] = "x";
	struct iovec part = { name, 1 };
	union {
		struct cmsghdr align;
		char data[CMSG_SPACE(sizeof(int))];
	} control = { .align = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct msghdr msg = { .msg_iov = &part,
			      .msg_iovlen = 1,
			      .msg_control = control.data,
			      .msg_controllen = sizeof(control.data) };

	memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	(void)sendmsg(socket, &msg, 0);
}

/* The container: makes its terminal, sends the master, runs the program on the slave. */
static pid_t make_container(int socket, program_fn program)
{
	int master, slave;
	pid_t pid;

	if (openpty(&master, &slave, NULL, NULL, NULL) < 0)
		_exit(120);
	pid = fork();
	if (pid == 0) {
		sigset_t none;

		(void)sigemptyset(&none);
		(void)sigprocmask(SIG_SETMASK, &none, NULL);
		(void)close(master);
		if (login_tty(slave) < 0)
			_exit(121);
		_exit(program());
	}
	send_fd(socket, master);
	(void)close(master);
	(void)close(slave);
	return pid;
}

/* The supervisor's loop in short. */
static int carry(struct terminal *t, pid_t pid, int signals)
{
	int pidfd = sys_pidfd_open(pid, 0), status = 0;

	for (;;) {
		struct pollfd fds[2 + TERMINAL_FDS] = { { pidfd, POLLIN, 0 },
							{ signals, POLLIN, 0 } };
		struct signalfd_siginfo info;

		terminal_poll_fds(t, fds + 2);
		(void)poll(fds, 2 + TERMINAL_FDS, -1);
		terminal_handle(t, fds + 2);
		while (fds[1].revents && read(signals, &info, sizeof(info)) > 0) {
			if (info.ssi_signo == SIGWINCH)
				terminal_resize(t);
			if (info.ssi_signo == SIGTERM)
				return 99;
		}
		if (fds[0].revents)
			break;
	}
	terminal_finish(t, signals);
	(void)waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static int runtime(program_fn program)
{
	__attribute__((cleanup(terminal_detach))) struct terminal t = TERMINAL_NONE;
	struct err err = { 0 };
	int pair[2], signals;
	sigset_t all;
	pid_t pid;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	(void)socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
	pid = make_container(pair[1], program);
	if (terminal_attach(&t, terminal_receive(pair[0], &err), &err) < 0)
		return 122;
	return carry(&t, pid, signals);
}

/* `in`, `out`: descriptors in place of the terminal, or -1. */
static void open_scene(struct scene *scene, program_fn program, int in, int out)
{
	struct winsize size = { .ws_row = 33, .ws_col = 77 };
	int master, slave;

	scene->len = 0;
	assert_int_equal(openpty(&master, &slave, NULL, NULL, &size), 0);
	(void)fcntl(master, F_SETFD, FD_CLOEXEC);
	scene->user = master;
	scene->tty = slave;
	scene->pid = fork();
	if (scene->pid == 0) {
		(void)alarm(20);
		(void)setsid();
		(void)ioctl(slave, TIOCSCTTY, 0);
		(void)dup2(in >= 0 ? in : slave, 0);
		(void)dup2(out >= 0 ? out : slave, 1);
		(void)dup2(slave, 2);
		_exit(runtime(program));
	}
}

/* Reads the screen until `text` is on it, or, with NULL, all that there is. */
static bool see(struct scene *scene, const char *text)
{
	for (;;) {
		struct pollfd fds = { scene->user, POLLIN, 0 };
		ssize_t n;

		scene->screen[scene->len] = '\0';
		if (text && strstr(scene->screen, text))
			return true;
		if (poll(&fds, 1, text ? 5000 : 100) <= 0)
			return !text;
		n = read(scene->user, scene->screen + scene->len,
			 sizeof(scene->screen) - scene->len - 1);
		if (n <= 0)
			return !text;
		scene->len += (size_t)n;
	}
}

static int runtime_status(struct scene *scene)
{
	int status = 0;

	assert_int_equal(waitpid(scene->pid, &status, 0), scene->pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void close_scene(struct scene *scene)
{
	(void)close(scene->user);
	(void)close(scene->tty);
}

static bool is_cooked(const struct scene *scene)
{
	struct termios mode;

	assert_int_equal(tcgetattr(scene->tty, &mode), 0);
	return (mode.c_lflag & ICANON) && (mode.c_lflag & ECHO) && (mode.c_oflag & OPOST);
}

static void type(const struct scene *scene, const char *text)
{
	assert_int_equal(write(scene->user, text, strlen(text)), (int)strlen(text));
}

/* ---- programs ---------------------------------------------------------------------------------
 */

static int echo_line(void)
{
	char line[64] = "";

	(void)printf("ready\n");
	(void)fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return 3;
	(void)printf("got %s", line);
	(void)fflush(stdout);
	return 7;
}

static void show_size(int sig)
{
	struct winsize size;
	char text[32];
	int len;

	(void)sig;
	(void)ioctl(0, TIOCGWINSZ, &size);
	len = snprintf(text, sizeof(text), "size %d %d\n", size.ws_row, size.ws_col);
	(void)!write(1, text, (size_t)len);
}

static int report_size(void)
{
	(void)signal(SIGWINCH, show_size);
	(void)alarm(20); /* whoever called us may ignore SIGHUP */
	show_size(0);
	while (getppid() > 1)
		(void)pause();
	return 0;
}

static int wait_for_interrupt(void)
{
	(void)!write(1, "ready\n", 6);
	(void)pause(); /* ended by the terminal's own ^C */
	return 0;
}

#define LINES 20000

static int write_a_lot(void)
{
	for (int i = 0; i < LINES; i++)
		(void)printf("line %d\n", i);
	(void)printf("the end");
	(void)fflush(stdout);
	return 5;
}

/* As systemd does with /dev/console. */
static int close_and_open_again(void)
{
	const char *name = ttyname(0);
	char path[64];

	(void)snprintf(path, sizeof(path), "%s", name ? name : "");
	for (int fd = 0; fd < 3; fd++)
		(void)close(fd);
	(void)usleep(100 * 1000);
	if (open(path, O_RDWR | O_NOCTTY) != 0)
		return 1;
	return write(0, "hello again", 11) == 11 ? 0 : 2;
}

static int count_lines(void)
{
	char line[64];
	int n = 0;

	while (fgets(line, sizeof(line), stdin))
		n++;
	return n;
}

/* ---- tests ------------------------------------------------------------------------------------
 */

static struct scene scene; /* too large for the stack */

static void carries_both_ways(void **state)
{
	(void)state;
	open_scene(&scene, echo_line, -1, -1);
	assert_true(see(&scene, "ready\r\n"));
	assert_false(is_cooked(&scene));
	type(&scene, "hello\r");
	assert_true(see(&scene, "hello\r\ngot hello\r\n"));
	assert_int_equal(runtime_status(&scene), 7);
	assert_true(is_cooked(&scene));
	close_scene(&scene);
}

static void keys_such_as_interrupt_are_the_containers(void **state)
{
	(void)state;
	open_scene(&scene, wait_for_interrupt, -1, -1);
	assert_true(see(&scene, "ready"));
	type(&scene, "\003");
	assert_true(see(&scene, "^C"));
	assert_int_equal(runtime_status(&scene), 0); /* WEXITSTATUS of a signalled child */
	close_scene(&scene);
}

static void has_the_size_of_the_callers_terminal(void **state)
{
	struct winsize size = { .ws_row = 50, .ws_col = 132 };

	(void)state;
	open_scene(&scene, report_size, -1, -1);
	assert_true(see(&scene, "size 33 77\r\n"));
	assert_int_equal(ioctl(scene.user, TIOCSWINSZ, &size), 0);
	assert_true(see(&scene, "size 50 132\r\n"));
	(void)kill(scene.pid, SIGTERM);
	assert_int_equal(runtime_status(&scene), 99);
	assert_true(is_cooked(&scene)); /* also when a signal ends it */
	close_scene(&scene);
}

/* The last line of a program that ends at once is as good as any other. */
static void loses_nothing_at_the_end(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		char last[32];

		open_scene(&scene, write_a_lot, -1, -1);
		assert_true(see(&scene, "the end"));
		assert_int_equal(runtime_status(&scene), 5);
		(void)snprintf(last, sizeof(last), "\r\nline %d\r\nthe end", LINES - 1);
		assert_non_null(strstr(scene.screen, last));
		assert_non_null(strstr(scene.screen, "line 0\r\nline 1\r\n"));
		close_scene(&scene);
	}
}

/* A user who stops his terminal (^S, a pager) gets the rest when he goes on. */
static void waits_for_a_slow_reader(void **state)
{
	int ends[2];
	size_t len = 0;
	ssize_t n;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	open_scene(&scene, write_a_lot, -1, ends[1]);
	(void)close(ends[1]);
	(void)usleep(200 * 1000);
	while ((n = read(ends[0], scene.screen + len, sizeof(scene.screen) - len - 1)) > 0)
		len += (size_t)n;
	scene.screen[len] = '\0';
	assert_int_equal(runtime_status(&scene), 5);
	assert_non_null(strstr(scene.screen, "line 19999\r\nthe end"));
	(void)close(ends[0]);
	close_scene(&scene);
}

static void a_signal_ends_it_while_nobody_reads(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	open_scene(&scene, write_a_lot, -1, ends[1]);
	(void)usleep(200 * 1000);
	(void)kill(scene.pid, SIGTERM);
	assert_int_equal(runtime_status(&scene), 99);
	(void)close(ends[0]);
	(void)close(ends[1]);
	close_scene(&scene);
}

static void goes_on_when_the_reader_has_gone(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	(void)close(ends[0]);
	open_scene(&scene, write_a_lot, -1, ends[1]);
	(void)close(ends[1]);
	assert_int_equal(runtime_status(&scene), 5);
	close_scene(&scene);
}

static void a_program_may_open_its_terminal_again(void **state)
{
	(void)state;
	open_scene(&scene, close_and_open_again, -1, -1);
	assert_true(see(&scene, "hello again"));
	assert_int_equal(runtime_status(&scene), 0);
	close_scene(&scene);
}

/* echo … | containr run -t: the program learns that no more will come. */
static void the_end_of_a_pipe_is_the_end_of_input(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "a\nb\nc\n", 6), 6);
	(void)close(ends[1]);
	open_scene(&scene, count_lines, ends[0], -1);
	assert_int_equal(runtime_status(&scene), 3);
	(void)close(ends[0]);
	close_scene(&scene);
}

static void refuses_what_is_no_terminal(void **state)
{
	struct err err = { 0 };
	int pair[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	send_fd(pair[1], null);
	assert_int_equal(terminal_receive(pair[0], &err), -ENOTTY);
	assert_int_equal(write(pair[1], "x", 1), 1);
	assert_int_equal(terminal_receive(pair[0], &err), -EPROTO);
	(void)close(pair[1]);
	assert_int_equal(terminal_receive(pair[0], &err), -ECONNRESET);
	(void)close(pair[0]);
	(void)close(null);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carries_both_ways),
		cmocka_unit_test(keys_such_as_interrupt_are_the_containers),
		cmocka_unit_test(has_the_size_of_the_callers_terminal),
		cmocka_unit_test(loses_nothing_at_the_end),
		cmocka_unit_test(waits_for_a_slow_reader),
		cmocka_unit_test(a_signal_ends_it_while_nobody_reads),
		cmocka_unit_test(goes_on_when_the_reader_has_gone),
		cmocka_unit_test(a_program_may_open_its_terminal_again),
		cmocka_unit_test(the_end_of_a_pipe_is_the_end_of_input),
		cmocka_unit_test(refuses_what_is_no_terminal),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
