/*
 * lsm-tool.c - calls of the library for the scripts that run in the virtual machine, and a look at
 * labels from inside a container.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "containr/containr.h"
#include "host/apparmor.h"
#include "host/lsm.h"
#include "host/selinux.h"

static int tell(int r, const struct err *err)
{
	if (r < 0)
		(void)fprintf(stderr, "%s\n%s\n", err->msg, err->hint);
	return r < 0 ? 1 : 0;
}

/* FAMILY: makes a socket. */
static int make_socket(int n, char **v, struct err *err)
{
	int fd = socket(atoi(v[0]), SOCK_SEQPACKET, 0);

	(void)n;
	if (fd >= 0)
		(void)close(fd);
	return tell(fd < 0 ? err_set(err, -errno, "make a socket") : 0, err);
}

static int apparmor_load(int n, char **v, struct err *err)
{
	(void)n;
	return tell(apparmor_load_file(v[0], err), err);
}

static int apparmor_name(int n, char **v, struct err *err)
{
	struct arena arena = { 0 };
	const char *name = "";
	int r = apparmor_file_profile(v[0], &arena, &name, err);

	(void)n;
	if (r == 0)
		(void)puts(name);
	arena_done(&arena);
	return tell(r, err);
}

/* ROOT ID [OPTION...]: the label of the process and that of mounts, a line each. */
static int selinux_make(int n, char **v, struct err *err)
{
	struct arena arena = { 0 };
	struct selinux_labels labels;
	int r = selinux_label_make(v[0], v[1], (const char *const *)(v + 2), &arena, &labels, err);

	(void)n;
	if (r == 0)
		(void)printf("%s\n%s\n", labels.process ? labels.process : "none",
			     labels.mount ? labels.mount : "none");
	arena_done(&arena);
	return tell(r, err);
}

/* PATH LABEL [shared] */
static int relabel(int n, char **v, struct err *err)
{
	return tell(selinux_relabel(v[0], v[1], n > 2, err), err);
}

static int selinux_install(int n, char **v, struct err *err)
{
	(void)n;
	(void)v;
	return tell(selinux_install_policy(err), err);
}

static int file_label(int n, char **v, struct err *err)
{
	char label[256];
	ssize_t len = lgetxattr(v[0], "security.selinux", label, sizeof(label) - 1);

	(void)n;
	if (len < 0)
		return tell(err_set(err, -errno, "read the label of %s", v[0]), err);
	label[len] = '\0';
	(void)puts(label);
	return 0;
}

/* The label of the session keyring. */
static int key_label(int n, char **v, struct err *err)
{
	char label[256] = "";

	(void)n;
	(void)v;
	if (syscall(SYS_keyctl, KEYCTL_GET_SECURITY, KEY_SPEC_SESSION_KEYRING, label,
		    sizeof(label) - 1) < 0)
		return tell(err_set(err, -errno, "read the label of the keyring"), err);
	(void)puts(label);
	return 0;
}

/* ROOT BUNDLE ID COMMAND: by the public library, with labels that it chooses; a word more: without.
 */
static int library(int n, char **v, struct err *err)
{
	const char *const args[] = { "/bin/sh", "-c", v[3], NULL };
	struct containr_run_options o = { .size = sizeof(o),
					  .root = v[0],
					  .bundle = v[1],
					  .id = v[2],
					  .flags = CONTAINR_TRUST_EXECUTABLE };
	struct containr_config *config = NULL;
	struct containr_error error = { 0 };
	int r = containr_config_new(&config, &error);

	(void)err;
	if (r == 0)
		r = containr_config_set_args(config, args, &error);
	if (r == 0 && n > 4)
		r = containr_config_set_selinux(config, NULL, NULL, &error);
	o.config = config;
	if (r == 0)
		r = containr_run(&o, &error);
	containr_config_free(config);
	if (r < 0)
		(void)fprintf(stderr, "%s\n%s\n", error.message, error.hint);
	return r < 0 ? 125 : r;
}

/* FILE: takes its lock and keeps it, or says that somebody has it. */
static int lock_file(int n, char **v, struct err *err)
{
	int fd = open(v[0], O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	(void)n;
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		return tell(err_set(err, -errno, "lock %s", v[0]), err);
	for (;;)
		(void)pause();
}

/* In place, so that the file has the same size at any time: criu wants to find it so. */
static int write_line(int fd, const char *format, uint64_t number)
{
	char line[32];
	int len = snprintf(line, sizeof(line), format, number);

	return pwrite(fd, line, (size_t)len, 0) == len ? 0 : -errno;
}

/*
 * MIB COUNT SUM: keeps that much of random memory, and a number in it that grows. COUNT gets the
 * number and SUM a sum over the rest, again and again, as long as that sum is what it was in the
 * beginning.
 */
static int remember(int n, char **v, struct err *err)
{
	const size_t words = (size_t)atoi(v[0]) << 17;
	uint64_t *memory = calloc(words, sizeof(*memory)), first = 0, sum = 0;
	FILE *random = fopen("/dev/urandom", "re");
	int count = open(v[1], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	int of_memory = open(v[2], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	(void)n;
	if (!memory || !random || fread(memory, sizeof(*memory), words, random) != words)
		return tell(err_set(err, -errno, "fill %s MiB of memory", v[0]), err);
	(void)fclose(random);
	for (memory[0] = 1;; memory[0]++) {
		sum = 0;
		for (size_t i = 1; i < words; i++)
			sum = sum * 31 + memory[i];
		first = memory[0] == 1 ? sum : first;
		if (sum != first)
			return tell(err_set(err, -EIO, "the memory has changed"), err);
		if (write_line(of_memory, "%016" PRIx64 "\n", sum) < 0 ||
		    write_line(count, "%16" PRIu64 "\n", memory[0]) < 0)
			return tell(err_set(err, -errno, "write %s and %s", v[1], v[2]), err);
		(void)usleep(200000);
	}
}

/* READY=1 to the socket of the environment. */
static int notify(int n, char **v, struct err *err)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	(void)n;
	(void)v;
	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", path ? path : "");
	if (sendto(fd, "READY=1", 7, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		return tell(err_set(err, -errno, "send to %s", to.sun_path), err);
	return 0;
}

/* PATH: listens there, and prints the first message. */
static int notify_listen(int n, char **v, struct err *err)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char text[256];
	ssize_t len;

	(void)n;
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", v[0]);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		return tell(err_set(err, -errno, "listen at %s", v[0]), err);
	(void)alarm(30);
	len = read(fd, text, sizeof(text));
	(void)printf("%.*s\n", len > 0 ? (int)len : 0, text);
	return 0;
}

static int report(int n, char **v, struct err *err)
{
	struct buf text = { 0 };

	(void)n;
	(void)v;
	(void)err;
	lsm_report(&text);
	(void)fputs(buf_text(&text), stdout);
	buf_done(&text);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int args;
		int (*run)(int n, char **v, struct err *err);
	} commands[] = {
		{ "apparmor-load", 1, apparmor_load },
		{ "socket", 1, make_socket },
		{ "apparmor-name", 1, apparmor_name },
		{ "selinux-make", 2, selinux_make },
		{ "relabel", 2, relabel },
		{ "selinux-install", 0, selinux_install },
		{ "file-label", 1, file_label },
		{ "key-label", 0, key_label },
		{ "library", 4, library },
		{ "lock", 1, lock_file },
		{ "notify", 0, notify },
		{ "notify-listen", 1, notify_listen },
		{ "remember", 3, remember },
		{ "report", 0, report },
	};
	struct err err = { 0 };

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (argc > 1 && strcmp(argv[1], commands[i].name) == 0 &&
		    argc - 2 >= commands[i].args)
			return commands[i].run(argc - 2, argv + 2, &err);
	(void)fprintf(stderr, "usage: lsm-tool COMMAND [ARGUMENT...]\n");
	return 2;
}
