/*
 * rootfs_harness.h - a container's root made for real, in a mount namespace of the test's own: the
 * planner makes the steps, and one process does those of both lanes. Needs root; each case runs in
 * a process of its own, on a tmpfs that goes with it.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "check.h"
#include "ops/host_mount.h"
#include "ops/init_mount.h"
#include "plan/namespaces.h"
#include "plan/rootfs.h"

#define MAX_MOUNTS 16
#define MAX_SLOTS  256
#define BUNDLE     "/tmp/containr-test-rootfs"
#define ROOT       BUNDLE "/rootfs"
#define HOST       BUNDLE "/host" /* what no container may reach */

struct bench {
	struct spec spec;
	struct spec_mount mounts[MAX_MOUNTS];
	char *options[MAX_MOUNTS][8];
	struct spec_namespace namespaces[4];
	struct facts facts;
	struct plan_options plan_options;
	struct plan plan;
	struct planner planner;
	struct err err;
	int fd[MAX_SLOTS];
	struct op_ctx ctx;
};

static inline void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	(void)close(fd);
}

static inline bool file_is(const char *path, const char *text)
{
	char data[128] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, data, sizeof(data) - 1);

	if (fd >= 0)
		(void)close(fd);
	return n >= 0 && strcmp(data, text) == 0;
}

static inline bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static inline bool is_device(const char *path, unsigned int major, unsigned int minor)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(major, minor);
}

/* Options separated by commas, each its own string of the list. */
static inline void add(struct bench *b, const char *destination, const char *type,
		       const char *source, const char *options)
{
	struct spec_mount *m = &b->mounts[b->spec.n_mounts];
	char **list = b->options[b->spec.n_mounts], *rest = NULL, *text = strdup(options);

	CHECK(text && b->spec.n_mounts < MAX_MOUNTS);
	*m = (struct spec_mount){ .destination = destination, .type = type, .source = source };
	for (char *s = strtok_r(text, ",", &rest); s; s = strtok_r(NULL, ",", &rest))
		list[m->options.n++] = s;
	m->options.v = list;
	b->spec.mounts = b->mounts;
	b->spec.n_mounts++;
}

static inline void bench_init(struct bench *b)
{
	*b = (struct bench){ 0 };
	b->spec.root.path = "rootfs";
	b->spec.root.has = true;
	b->namespaces[0] = (struct spec_namespace){ CLONE_NEWNS, "mount", NULL };
	b->spec.linux.namespaces = b->namespaces;
	b->spec.linux.n_namespaces = 1;
	b->facts.caps = ~0ULL;
	b->facts.cgroup.mode = CGROUP_NONE;
	b->plan_options.bundle = BUNDLE;
	b->plan.n_slots = SLOT_FIRST_FREE;
	b->planner = (struct planner){ .plan = &b->plan,
				       .spec = &b->spec,
				       .options = &b->plan_options,
				       .facts = &b->facts,
				       .err = &b->err };
	for (int i = 0; i < MAX_SLOTS; i++)
		b->fd[i] = -1;
	b->ctx.fd = b->fd;

	/* A host of our own: what goes wrong here goes with this process. */
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	(void)mkdir(BUNDLE, 0755);
	CHECK(mount("tmpfs", BUNDLE, "tmpfs", 0, "mode=755") == 0);
	CHECK(mkdir(ROOT, 0755) == 0);
	CHECK(mkdir(HOST, 0755) == 0);
	write_file(HOST "/secret", "secret");
}

static inline int apply(const struct step *s, struct op_ctx *ctx)
{
	static const struct {
		enum step_kind kind;
		int (*init)(const struct step *s, struct op_ctx *ctx);
	} ops[] = {
		{ STEP_TREE, init_tree },
		{ STEP_ID_MAPPED, host_id_mapped },
		{ STEP_PROPAGATION, init_propagation },
		{ STEP_ROOT_TREE, init_root_tree },
		{ STEP_MOUNT, init_mount },
		{ STEP_DEVICE, init_device },
		{ STEP_LINK, init_link },
		{ STEP_MASK, init_mask },
		{ STEP_READONLY, init_readonly },
		{ STEP_ROOT_READONLY, init_root_readonly },
		{ STEP_PIVOT, init_pivot },
		{ STEP_PROC, init_proc },
	};

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (ops[i].kind == s->kind)
			return ops[i].init(s, ctx);
	return -ENOSYS;
}

/* All steps in order; 0, or the error of the one that failed, whose phase and note are in ctx. */
static inline int start(struct bench *b)
{
	struct planner *p = &b->planner;

	add_rootfs_handle(p);
	add_mount_sources(p);
	add_late_mount_sources(p);
	add_rootfs(p);
	add_pivot(p);
	add_restricted_paths(p);
	if (b->err.code < 0)
		return b->err.code;
	CHECK(!arena_failed(&b->plan.arena) && b->plan.n_slots < MAX_SLOTS);
	for (size_t i = 0; i < b->plan.n_steps; i++) {
		int r = apply(&b->plan.steps[i], &b->ctx);

		if (r < 0)
			return r;
	}
	return 0;
}

#define START(b)                                                                                   \
	do {                                                                                       \
		int start_r = start(b);                                                            \
		if (start_r < 0) {                                                                 \
			dprintf(2, "%s:%d: %s; phase %d, %s: %s\n", __FILE__, __LINE__,            \
				strerror(-start_r), (int)(b)->ctx.phase, (b)->ctx.note,            \
				(b)->err.msg);                                                     \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

/* A case in a process of its own, so that its root and its mounts are gone afterwards. */
static inline void run_case(void (*body)(struct bench *b))
{
	static struct bench b;
	int status = 0;
	pid_t pid;

	if (geteuid() != 0) {
		print_message("skipped: makes mounts, which needs root\n");
		skip();
	}
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		bench_init(&b);
		body(&b);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)rmdir(BUNDLE);
	assert_int_equal(status, 0);
}

/* static void NAME(struct bench *b) { ... } as a test. */
#define CASE(name)                                                                                 \
	static void name##_body(struct bench *b);                                                  \
	static void name(void **state)                                                             \
	{                                                                                          \
		(void)state;                                                                       \
		run_case(name##_body);                                                             \
	}                                                                                          \
	static void name##_body(struct bench *b)
