/*
 * cgroup_harness.h - cgroups for real: the planner makes the steps for this host, the operations
 * carry them out, and a process enters. Needs root. Each case runs in a process of its own, once on
 * the host as it is and once in a mount namespace where /sys/fs/cgroup is cgroup v2 alone; all that
 * is made is below containr-test-PID.
 */
#pragma once

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

#include "check.h"
#include "ops/cgroup_life.h"
#include "ops/cgroup_tree.h"
#include "ops/host_cgroup.h"
#include "ops/init_cgroup.h"
#include "plan/cgroup.h"
#include "sys/sys.h"

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

static inline void bench_start(struct bench *b)
{
	memset(b, 0, sizeof(*b));
	memset(b->fd, 0xff, sizeof(b->fd));
	b->ctx.fd = b->fd;
	(void)snprintf(b->parent, sizeof(b->parent), "/containr-test-%d", getpid());
	(void)snprintf(b->path, sizeof(b->path), "%s/leaf", b->parent);
	b->spec.linux.cgroups_path = b->path;
	b->options.id = "c1";
	b->plan.n_slots = SLOT_FIRST_FREE;
	CHECK(cgroup_facts_read(true, &b->arena, &b->facts.cgroup, &b->err) == 0);
	/* Without CLONE_INTO_CGROUP, which fork() does not know, v2 is entered as v1 is. */
	b->facts.kernel_major = 5;
	b->facts.caps = ~0ULL;
	b->planner = (struct planner){ .plan = &b->plan,
				       .spec = &b->spec,
				       .options = &b->options,
				       .facts = &b->facts,
				       .err = &b->err };
}

static inline int do_host_step(struct bench *b, const struct step *s)
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
static inline int make(struct bench *b)
{
	plan_cgroup_paths(&b->planner, &b->dirs);
	add_cgroup(&b->planner);
	add_device_program(&b->planner);
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

static inline void enter(struct bench *b)
{
	for (size_t i = 0; i < b->plan.n_steps; i++)
		if (b->plan.steps[i].lane == LANE_INIT)
			CHECK(init_cgroup_join(&b->plan.steps[i], &b->ctx) == 0);
}

static inline bool is_there(const char *mount, const char *path)
{
	char full[256];

	(void)snprintf(full, sizeof(full), "%s%s", mount, path);
	return access(full, F_OK) == 0;
}

static inline void check_nothing_left(const struct bench *b)
{
	for (size_t i = 0; i < b->facts.cgroup.n; i++)
		CHECK(!is_there(b->facts.cgroup.v[i].mount, b->parent));
}

static inline void finish(struct bench *b, pid_t pid)
{
	CHECK(cgroup_kill(&b->dirs, -1, &b->err) == 0);
	if (pid > 0)
		CHECK(waitpid(pid, NULL, 0) == pid);
	CHECK(cgroup_remove(&b->dirs, &b->err) == 0);
	check_nothing_left(b);
}

/* ---- running them ------------------------------------------------------------------------------
 */

static inline void look_at_v2_alone(void)
{
	CHECK(unshare(CLONE_NEWNS) == 0);
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	CHECK(umount2("/sys/fs/cgroup", MNT_DETACH) == 0);
	CHECK(mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, NULL) == 0);
}

/* What a case that failed left behind: its processes and its directories in all hierarchies. */
static inline void sweep(pid_t pid)
{
	struct arena arena = { 0 };
	struct cgroup_facts facts;
	struct err err;

	(void)kill(-pid, SIGKILL);
	assert_int_equal(cgroup_facts_read(true, &arena, &facts, &err), 0);
	for (size_t i = 0; i < facts.n; i++) {
		char path[128], *one = path;

		(void)snprintf(path, sizeof(path), "%s/containr-test-%d", facts.v[i].mount, pid);
		assert_int_equal(cgroup_remove(&(struct spec_strings){ 1, &one }, &err), 0);
	}
	arena_done(&arena);
}

static inline void run_case(void (*fn)(struct bench *b), bool pure_v2)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		static struct bench b;

		CHECK(setpgid(0, 0) == 0);
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
	sweep(pid);
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

#define BOTH(name) cmocka_unit_test(name##_here), cmocka_unit_test(name##_on_v2)
