#include "cgroup_plan_harness.h"
#include "plan/exec.h"
#include "plan/update.h"

static void enters_by_itself_where_nobody_can_be_born_inside(void **state)
{
	struct bench b;
	struct planner p;

	(void)state;
	bench_start(&b, &v2);
	b.facts.kernel_major = 5;
	b.facts.kernel_minor = 6;
	b.spec.linux.cgroups_path = "/c1";
	assert_string_equal(plan_text(&b), "make /sys/fs/cgroup/c1\nprogram\n"
					   "init enters /sys/fs/cgroup/c1\n");
	p = bench_planner(&b);
	assert_int_equal(plan_cgroup_birth(&p), SLOT_NONE);
	bench_end(&b);
}

static void is_in_every_hierarchy_of_v1(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b, &v1);
	b.spec.linux.cgroups_path = "/c1";
	b.spec.linux.resources.memory.limit = I64(1 << 20);
	b.spec.linux.resources.memory.swap = I64(1 << 20);
	b.spec.linux.resources.block_io.weight = U64(500);
	assert_string_equal(
	    plan_text(&b),
	    "make /sys/fs/cgroup/systemd/c1 v1\n"
	    "make /sys/fs/cgroup/cpu,cpuacct/c1 v1\n"
	    "make /sys/fs/cgroup/memory/c1 v1\n"
	    "memory.limit_in_bytes = 1048576\n"
	    "memory.memsw.limit_in_bytes = 1048576\n"
	    "make /sys/fs/cgroup/cpuset/c1 v1 inherits\n"
	    "make /sys/fs/cgroup/devices/c1 v1\n"
	    "devices.deny = a\n"
	    "devices.allow = c *:* m\nb *:* m\nc 1:3 rwm\nc 1:8 rwm\nc 1:7 rwm\nc 5:0 rwm\n"
	    "c 1:5 rwm\nc 1:9 rwm\nc 136:* rwm\nc 5:2 rwm\n"
	    "make /sys/fs/cgroup/blkio/c1 v1\n"
	    "blkio.weight = 500 or blkio.bfq.weight = 500\n"
	    "init enters /sys/fs/cgroup/systemd/c1\n"
	    "init enters /sys/fs/cgroup/cpu,cpuacct/c1\n"
	    "init enters /sys/fs/cgroup/memory/c1\n"
	    "init enters /sys/fs/cgroup/cpuset/c1\n"
	    "init enters /sys/fs/cgroup/devices/c1\n"
	    "init enters /sys/fs/cgroup/blkio/c1\n");
	bench_end(&b);
}

static void finds_each_controller_of_a_hybrid_host(void **state)
{
	struct spec_hugepage_limit huge = { "2MB", 4194304 };
	struct bench b;

	(void)state;
	bench_start(&b, &hybrid);
	b.spec.linux.cgroups_path = "/c1";
	b.spec.linux.resources.memory.limit = I64(1 << 20);
	b.spec.linux.resources.hugepage_limits = &huge;
	b.spec.linux.resources.n_hugepage_limits = 1;
	b.spec.linux.resources.memory.swappiness =
	    U64(10); /* only v1 has it, and memory is there */
	assert_string_equal(
	    plan_text(&b),
	    "make /sys/fs/cgroup/memory/c1 v1\n"
	    "memory.limit_in_bytes = 1048576\n"
	    "memory.swappiness = 10\n"
	    "make /sys/fs/cgroup/devices/c1 v1\n"
	    "devices.deny = a\n"
	    "devices.allow = c *:* m\nb *:* m\nc 1:3 rwm\nc 1:8 rwm\nc 1:7 rwm\nc 5:0 rwm\n"
	    "c 1:5 rwm\nc 1:9 rwm\nc 136:* rwm\nc 5:2 rwm\n"
	    "make /sys/fs/cgroup/unified/c1 with hugetlb\n"
	    "hugetlb.2MB.max = 4194304\n"
	    "hugetlb.2MB.rsvd.max = 4194304 optional\n"
	    "init enters /sys/fs/cgroup/memory/c1\n"
	    "init enters /sys/fs/cgroup/devices/c1\n");
	bench_end(&b);
}

static void does_without_what_nobody_asked_for_as_a_user(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b, &v2);
	b.facts.euid = 1000;
	b.facts.in_userns = true;
	assert_string_equal(plan_text(&b), "make /sys/fs/cgroup/user.slice/c1 optional\n");
	b.spec.linux.resources.pids_limit = I64(5);
	assert_string_equal(plan_text(&b), "make /sys/fs/cgroup/user.slice/c1 with pids\n"
					   "pids.max = 5\n");
	bench_end(&b);
}

static void takes_paths_as_runc_does(void **state)
{
	static const struct {
		const struct cgroup_facts *host;
		const char *path, *begin;
	} cases[] = {
		{ &v2, "/a//b/./c/", "make /sys/fs/cgroup/a/b/c\n" },
		{ &v2, "a/b", "make /sys/fs/cgroup/user.slice/a/b\n" },
		{ &v2, NULL, "make /sys/fs/cgroup/user.slice/c1\n" },
		{ &v2, "", "make /sys/fs/cgroup/user.slice/c1\n" },
		{ &v1, "a", "make /sys/fs/cgroup/systemd/a v1\n" },
		{ &v2, "/", "linux.cgroupsPath: /: is the root of all cgroups" },
		{ &v2, "/./", "linux.cgroupsPath: /./: is the root of all cgroups" },
		{ &v2, "/a/../../b", "linux.cgroupsPath: /a/../../b: \"..\" is not allowed" },
		{ &v1, "..", "linux.cgroupsPath: ..: \"..\" is not allowed" },
	};
	struct bench b;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *text;

		bench_start(&b, cases[i].host);
		b.spec.linux.cgroups_path = cases[i].path;
		text = plan_text(&b);
		if (strncmp(text, cases[i].begin, strlen(cases[i].begin)) != 0)
			fail_msg("%s gives %s", cases[i].path, text);
		bench_end(&b);
	}
	bench_start(&b, &v1);
	b.spec.linux.cgroups_path = "a";
	assert_non_null(strstr(plan_text(&b), "make /sys/fs/cgroup/memory/own/a v1\n"));
	bench_end(&b);
}

static void records_what_it_will_make(void **state)
{
	struct spec_strings paths;
	struct bench b;
	struct planner p;

	(void)state;
	bench_start(&b, &hybrid);
	p = bench_planner(&b);
	plan_cgroup_paths(&p, &paths);
	assert_int_equal(paths.n, 3);
	assert_string_equal(paths.v[0], "/sys/fs/cgroup/memory/c1");
	assert_string_equal(paths.v[2], "/sys/fs/cgroup/unified/c1");
	assert_null(paths.v[3]);
	bench_end(&b);
}

static void gives_its_cgroup_to_whoever_manages_cgroups_inside(void **state)
{
	struct spec_id_mapping map = { 0, 100000, 65536 };
	struct spec_namespace namespaces[] = { { CLONE_NEWCGROUP, "cgroup", NULL },
					       { CLONE_NEWUSER, "user", NULL } };
	char *options[] = { (char[]){ "nosuid" }, (char[]){ "ro" }, NULL };
	struct spec_mount mount = { .destination = "/sys/fs/cgroup",
				    .type = "cgroup",
				    .options = { 1, options } };
	struct bench b;

	(void)state;
	bench_start(&b, &v2);
	b.spec.linux.namespaces = namespaces;
	b.spec.linux.n_namespaces = 2;
	b.spec.linux.uid_mappings = (struct spec_id_mappings){ 1, &map };
	b.spec.mounts = &mount;
	b.spec.n_mounts = 1;
	assert_non_null(strstr(plan_text(&b), "c1 for 100000\n"));
	mount.options.n = 2; /* read-only: nobody manages anything */
	assert_null(strstr(plan_text(&b), " for "));
	bench_end(&b);
}

static void opens_what_the_state_recorded(void **state)
{
	char *dirs[] = { (char[]){ "/sys/fs/cgroup/memory/a/c1" },
			 (char[]){ "/sys/fs/cgroup/unified/a/c1" }, NULL };
	struct spec_strings list = { 2, dirs };
	struct bench b;
	struct planner p;

	(void)state;
	bench_start(&b, &hybrid);
	p = bench_planner(&b);
	add_cgroup_open(&p, &list);
	add_cgroup_join(&p);
	for (size_t i = 0; i < b.plan.n_steps; i++)
		say_step(&b.plan.steps[i], &b.text);
	assert_string_equal(buf_text(&b.text),
			    "open /sys/fs/cgroup/memory/a/c1 at /sys/fs/cgroup/memory v1\n"
			    "open /sys/fs/cgroup/unified/a/c1 at /sys/fs/cgroup/unified\n"
			    "init enters /sys/fs/cgroup/memory/a/c1\n");
	assert_int_equal(plan_cgroup_birth(&p), SLOT_CGROUP);
	bench_end(&b);
}

/* What exec opens for a list of --cgroup, or the message. */
static const char *exec_text(struct bench *b, const char *const *wanted, size_t n)
{
	char *dirs[] = { (char[]){ "/sys/fs/cgroup/memory/a/c1" },
			 (char[]){ "/sys/fs/cgroup/unified/a/c1" }, NULL };
	char *words[4] = { NULL };
	struct plan_exec exec = { .cgroups = { 2, dirs }, .sub_cgroups = { n, words }, .pid = 7 };
	struct planner p = bench_planner(b);

	for (size_t i = 0; i < n; i++)
		words[i] = arena_strndup(&b->plan.arena, wanted[i], strlen(wanted[i]));
	p.exec = &exec;
	b->plan.n_steps = 0;
	b->text.len = 0;
	add_cgroup_of_exec(&p);
	for (size_t i = 0; i < b->plan.n_steps; i++) {
		const struct step_cgroup *c = &b->plan.steps[i].cgroup;

		buf_printf(&b->text, "%s%s ", c->path + strlen("/sys/fs/cgroup/"),
			   c->init ? " or init's" : "");
	}
	return b->err.code == 0 ? buf_text(&b->text) : b->err.msg;
}

static void exec_enters_what_is_named_below(void **state)
{
	static const struct {
		const char *wanted[2];
		size_t n;
		const char *text;
	} rows[] = {
		{ { NULL }, 0, "memory/a/c1 unified/a/c1 or init's " },
		{ { "jobs" }, 1, "memory/a/c1/jobs unified/a/c1/jobs " },
		{ { "/jobs//./1/" }, 1, "memory/a/c1/jobs/1 unified/a/c1/jobs/1 " },
		{ { "/" }, 1, "memory/a/c1 unified/a/c1 or init's " },
		{ { "memory:jobs" }, 1, "memory/a/c1/jobs unified/a/c1 or init's " },
		{ { ".." }, 1, "--cgroup: ..: \"..\" is not allowed" },
		{ { "memory:a/../../b" }, 1, "--cgroup: a/../../b: \"..\" is not allowed" },
		{ { "pids:jobs" },
		  1,
		  "--cgroup pids:jobs: the container has no cgroup of a controller \"pids\" "
		  "alone" },
		{ { "memory:a", "memory:b" }, 2, "--cgroup memory:b: memory is named twice" },
		{ { "memory:a", "b" },
		  2,
		  "--cgroup b: expected CONTROLLER:PATH, since there is more than one" },
	};
	struct bench b;

	(void)state;
	bench_start(&b, &hybrid);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(exec_text(&b, rows[i].wanted, rows[i].n), rows[i].text);
	bench_end(&b);
}

/* What update opens and writes, or the message. */
static const char *update_text(struct bench *b, const struct plan_current *current)
{
	char *dirs[] = { (char[]){ "/sys/fs/cgroup/a/c1" }, NULL };
	struct spec_strings list = { 1, dirs };

	plan_done(&b->plan);
	b->text.len = 0;
	if (plan_build_update(&b->plan, &b->spec, &b->facts, &list, current, &b->err) < 0)
		return b->err.msg;
	for (size_t i = 0; i < b->plan.n_steps; i++)
		say_step(&b->plan.steps[i], &b->text);
	return b->text.len ? buf_text(&b->text) : "";
}

#define OPENED "open /sys/fs/cgroup/a/c1 at /sys/fs/cgroup\n"

/* v2 has in one file what is two settings: what was not given stays as it is. */
static void update_completes_what_v2_has_in_one_file(void **state)
{
	const struct plan_current current = { U64(50000), I64(20000), I64(1 << 20) };
	const struct plan_current unset = { U64(100000), I64(-1), I64(-1) };
	struct bench b;
	struct spec_resources *r = &b.spec.linux.resources;

	(void)state;
	bench_start(&b, &v2);
	assert_string_equal(update_text(&b, &current), "");
	r->cpu.quota = I64(10000);
	assert_string_equal(update_text(&b, &current), OPENED "cpu.max = 10000 50000\n");
	r->cpu = (struct spec_cpu){ .period = U64(25000) };
	assert_string_equal(update_text(&b, &current), OPENED "cpu.max = 20000 25000\n");
	assert_string_equal(update_text(&b, &unset), OPENED "cpu.max = max 25000\n");
	r->cpu = (struct spec_cpu){ .quota = I64(-1), .period = U64(25000) };
	assert_string_equal(update_text(&b, &current), OPENED "cpu.max = max 25000\n");
	r->cpu = (struct spec_cpu){ 0 };
	r->memory.swap = I64(3 << 20);
	assert_string_equal(update_text(&b, &current), OPENED "memory.swap.max = 2097152\n"
							      "memory.max = 1048576\n");
	bench_end(&b);
}

/* A controller that no limit needed so far is enabled on the way to the directory. */
static void update_enables_controllers(void **state)
{
	const struct plan_current unset = { 0 };
	struct bench b;

	(void)state;
	bench_start(&b, &v2);
	b.spec.linux.resources.pids_limit = I64(5);
	b.spec.linux.resources.memory.limit = I64(-1);
	assert_string_equal(update_text(&b, &unset), OPENED "memory.swap.max = max optional\n"
							    "memory.max = max\npids.max = 5\n");
	assert_string_equal(b.plan.steps[0].cgroup.controllers, "memory pids");
	bench_end(&b);
	bench_start(&b, &v1);
	b.spec.linux.resources.memory.limit = I64(5 << 20);
	assert_string_equal(
	    update_text(&b, &unset),
	    "the container has no cgroup below /sys/fs/cgroup/memory to set limits in");
	bench_end(&b);
}

/* Who shares the memory of what the kernel kills is killed with it. */
static void tells_limits_that_the_start_may_meet(void **state)
{
	const struct {
		struct opt_i64 limit;
		bool tight;
	} rows[] = {
		{ { false, 0 }, false }, { I64(-1), false },        { I64(0), false },
		{ I64(6 << 20), true },  { I64(96 * 1024), true },  { I64((8 << 20) - 1), true },
		{ I64(8 << 20), false }, { I64(INT64_MAX), false },
	};
	struct bench b;
	struct planner p;

	(void)state;
	bench_start(&b, &hybrid);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		b.spec.linux.resources.memory.limit = rows[i].limit;
		p = bench_planner(&b);
		assert_int_equal(plan_memory_is_tight(&p), rows[i].tight);
	}
	bench_end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(enters_by_itself_where_nobody_can_be_born_inside),
		cmocka_unit_test(is_in_every_hierarchy_of_v1),
		cmocka_unit_test(finds_each_controller_of_a_hybrid_host),
		cmocka_unit_test(does_without_what_nobody_asked_for_as_a_user),
		cmocka_unit_test(takes_paths_as_runc_does),
		cmocka_unit_test(records_what_it_will_make),
		cmocka_unit_test(gives_its_cgroup_to_whoever_manages_cgroups_inside),
		cmocka_unit_test(opens_what_the_state_recorded),
		cmocka_unit_test(exec_enters_what_is_named_below),
		cmocka_unit_test(update_completes_what_v2_has_in_one_file),
		cmocka_unit_test(update_enables_controllers),
		cmocka_unit_test(tells_limits_that_the_start_may_meet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
