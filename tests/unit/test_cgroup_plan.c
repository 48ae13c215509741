#include "plan/cgroup.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

/* ---- hosts ------------------------------------------------------------------------------------
 */

static struct cgroup_hierarchy v2_host[] = {
	{ "", "/sys/fs/cgroup", "/user.slice/session-1.scope" },
};

static struct cgroup_hierarchy v1_host[] = {
	{ "name=systemd", "/sys/fs/cgroup/systemd", "/" },
	{ "cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct", "/" },
	{ "memory", "/sys/fs/cgroup/memory", "/own" },
	{ "cpuset", "/sys/fs/cgroup/cpuset", "/" },
	{ "devices", "/sys/fs/cgroup/devices", "/" },
	{ "blkio", "/sys/fs/cgroup/blkio", "/" },
};

static struct cgroup_hierarchy hybrid_host[] = {
	{ "memory", "/sys/fs/cgroup/memory", "/" },
	{ "devices", "/sys/fs/cgroup/devices", "/" },
	{ "", "/sys/fs/cgroup/unified", "/" },
};

static const struct cgroup_facts v2 = { CGROUP_V2, 1, v2_host,
					"cpuset cpu io memory pids hugetlb" };
static const struct cgroup_facts v1 = { CGROUP_V1, 6, v1_host, "" };
static const struct cgroup_facts hybrid = { CGROUP_HYBRID, 3, hybrid_host, "hugetlb" };
static const struct cgroup_facts none = { CGROUP_NONE, 0, NULL, "" };

/* ---- plans as text ----------------------------------------------------------------------------
 */

struct bench {
	struct spec spec;
	struct facts facts;
	struct plan_options options;
	struct plan plan;
	struct err err;
	struct buf text;
};

static void say_step(const struct step *s, struct buf *out)
{
	const struct step_cgroup *c = &s->cgroup;

	switch ((int)s->kind) {
	case STEP_CGROUP_MAKE:
		buf_printf(out, "make %s%s%s%s%s%s", c->path, c->v1 ? " v1" : "",
			   c->controllers ? " with " : "", c->controllers ? c->controllers : "",
			   c->inherit ? " inherits" : "", c->optional ? " optional" : "");
		if (c->delegate)
			buf_printf(out, " for %u", c->owner);
		break;
	case STEP_CGROUP_WRITE:
		buf_printf(out, "%s = %s", c->file, c->value);
		if (c->other_file)
			buf_printf(out, " or %s = %s", c->other_file, c->other_value);
		buf_str(out, c->optional ? " optional" : "");
		break;
	case STEP_CGROUP_DEVICES:
		buf_str(out, "program");
		break;
	case STEP_CGROUP_JOIN:
		buf_printf(out, "%s enters %s", s->lane == LANE_INIT ? "init" : "host", c->path);
		break;
	case STEP_CGROUP_OPEN:
		buf_printf(out, "open %s at %s%s", c->path, c->mount, c->v1 ? " v1" : "");
		break;
	default:
		fail();
	}
	buf_str(out, "\n");
}

static void bench_start(struct bench *b, const struct cgroup_facts *cgroup)
{
	memset(b, 0, sizeof(*b));
	b->options.id = "c1";
	b->facts.kernel_major = 6;
	b->facts.cgroup = *cgroup;
	b->plan.n_slots = SLOT_FIRST_FREE;
}

static struct planner bench_planner(struct bench *b)
{
	b->err.code = 0;
	return (struct planner){ .plan = &b->plan,
				 .spec = &b->spec,
				 .options = &b->options,
				 .facts = &b->facts,
				 .err = &b->err };
}

static const char *plan_text(struct bench *b)
{
	struct planner p = bench_planner(b);

	b->plan.n_steps = 0;
	b->text.len = 0;
	add_cgroup(&p);
	add_cgroup_join(&p);
	assert_false(arena_failed(&b->plan.arena));
	for (size_t i = 0; i < b->plan.n_steps; i++)
		say_step(&b->plan.steps[i], &b->text);
	return b->err.code == 0 ? buf_text(&b->text) : b->err.msg;
}

static void bench_end(struct bench *b)
{
	buf_done(&b->text);
	arena_done(&b->plan.arena);
}

#define I64(x) ((struct opt_i64){ true, x })
#define U64(x) ((struct opt_u64){ true, x })

static void ask_for_much(struct spec_resources *r)
{
	r->memory.limit = I64(1 << 20);
	r->memory.swap = I64(3 << 20);
	r->memory.reservation = I64(4096);
	r->cpu.shares = U64(1024);
	r->cpu.quota = I64(50000);
	r->cpu.burst = U64(1000);
	r->cpu.cpus = "0-1";
	r->pids_limit = I64(64);
}

/* ---- the tests --------------------------------------------------------------------------------
 */

static void limits_all_in_one_directory_on_v2(void **state)
{
	struct bench b;
	struct planner p;

	(void)state;
	bench_start(&b, &v2);
	b.spec.linux.cgroups_path = "/box/c1";
	ask_for_much(&b.spec.linux.resources);
	assert_string_equal(plan_text(&b),
			    "make /sys/fs/cgroup/box/c1 with memory cpu cpuset pids\n"
			    "memory.swap.max = 2097152\n"
			    "memory.max = 1048576\n"
			    "memory.low = 4096\n"
			    "cpu.weight = 100\n"
			    "cpu.max = 50000 100000\n"
			    "cpu.max.burst = 1000\n"
			    "cpuset.cpus = 0-1\n"
			    "pids.max = 64\n"
			    "program\n");
	p = bench_planner(&b);
	assert_int_equal(plan_cgroup_birth(&p), SLOT_CGROUP);
	bench_end(&b);
}

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
	b.spec.linux.resources.memory.limit = I64(4096);
	b.spec.linux.resources.hugepage_limits = &huge;
	b.spec.linux.resources.n_hugepage_limits = 1;
	b.spec.linux.resources.memory.swappiness =
	    U64(10); /* only v1 has it, and memory is there */
	assert_string_equal(
	    plan_text(&b),
	    "make /sys/fs/cgroup/memory/c1 v1\n"
	    "memory.limit_in_bytes = 4096\n"
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

/* Each is asked for alone; the message begins with the key that cannot be had. */
static void refuses_what_cannot_be_had(void **state)
{
	struct spec_pair procs = { "cgroup.procs", "1" }, above = { "../memory.max", "1" };
	struct spec_pair high = { "memory.high", "1" }, depth = { "cgroup.max.depth", "2" };
	struct spec_hugepage_limit huge = { "2MB/../x", 1 };
	struct spec_resources swap = { .memory = { .limit = I64(10), .swap = I64(5) } };
	struct spec_resources bare_swap = { .memory = { .swap = I64(5) } };
	struct spec_resources rt = { .cpu = { .realtime_runtime = I64(5) } };
	struct spec_resources class = { .net_class_id = U64(5) };
	struct spec_resources pids = { .pids_limit = I64(5) };
	struct spec_resources move = { .unified = { 1, &procs } },
			      up = { .unified = { 1, &above } };
	struct spec_resources unified = { .unified = { 1, &high } };
	struct spec_resources nested = { .unified = { 1, &depth } };
	struct spec_resources size = { .n_hugepage_limits = 1, .hugepage_limits = &huge };
	const struct {
		const struct cgroup_facts *host;
		const struct spec_resources *resources;
		const char *begin;
	} cases[] = {
		{ &v2, &swap,
		  "linux.resources.memory.swap: 5 is memory and swap together, and below" },
		{ &v2, &bare_swap, "linux.resources.memory.swap: 5 is memory and swap together" },
		{ &v2, &rt,
		  "linux.resources.cpu.realtimeRuntime: there is no such limit in cgroup v2" },
		{ &v2, &class, "linux.resources.network.classID: the requested cgroup controller" },
		{ &v1, &pids,
		  "linux.resources.pids.limit: the requested cgroup controller `pids`" },
		{ &v2, &move, "linux.resources.unified: \"cgroup.procs\" is no file" },
		{ &v2, &up, "linux.resources.unified: \"../memory.max\" is no file" },
		{ &v2, &unified,
		  "make /sys/fs/cgroup/user.slice/c1 with memory\nmemory.high = 1\n" },
		{ &v2, &nested, "make /sys/fs/cgroup/user.slice/c1\ncgroup.max.depth = 2\n" },
		{ &v1, &unified,
		  "linux.resources.unified[\"memory.high\"]: there is no such limit in "
		  "cgroup v1" },
		{ &hybrid, &unified, "linux.resources.unified[\"memory.high\"]: there is no such" },
		{ &v2, &size, "linux.resources.hugepageLimits[0].pageSize: \"2MB/../x\"" },
		{ &none, &pids, "limit devices: the requested cgroup controller `devices`" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bench b;
		const char *text;

		bench_start(&b, cases[i].host);
		b.spec.linux.resources = *cases[i].resources;
		text = plan_text(&b);
		if (strncmp(text, cases[i].begin, strlen(cases[i].begin)) != 0)
			fail_msg("case %zu: %s", i, text);
		bench_end(&b);
	}
}

static const char *weight_of(uint64_t shares, struct bench *b)
{
	const char *at;

	bench_start(b, &v2);
	b->spec.linux.resources.cpu.shares = U64(shares);
	at = strstr(plan_text(b), "cpu.weight = ");
	assert_non_null(at);
	return at + strlen("cpu.weight = ");
}

static void gives_shares_the_weight_that_peers_give(void **state)
{
	static const struct {
		uint64_t shares;
		const char *weight;
	} cases[] = {
		{ 1, "1\n" },
		{ 2, "1\n" },
		{ 102, "17\n" },
		{ 1024, "100\n" },
		{ 262143, "10000\n" },
		{ 262144, "10000\n" },
		{ UINT64_MAX, "10000\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bench b;
		const char *got = weight_of(cases[i].shares, &b);

		if (strncmp(got, cases[i].weight, strlen(cases[i].weight)) != 0)
			fail_msg("%lu shares: %s", cases[i].shares, got);
		bench_end(&b);
	}
}

static void means_unlimited_and_unset_as_engines_do(void **state)
{
	struct spec_resources *r;
	struct bench b;

	(void)state;
	bench_start(&b, &v2);
	r = &b.spec.linux.resources;
	r->memory.limit = I64(0); /* what engines send for "not set" */
	r->cpu.shares = U64(0);
	r->block_io.weight = U64(0);
	assert_string_equal(plan_text(&b), "make /sys/fs/cgroup/user.slice/c1\nprogram\n");
	r->memory.limit = I64(-1);
	r->pids_limit = I64(-1);
	assert_string_equal(plan_text(&b), "make /sys/fs/cgroup/user.slice/c1 with memory pids\n"
					   "memory.swap.max = max optional\n"
					   "memory.max = max\n"
					   "pids.max = max\n"
					   "program\n");
	r->pids_limit = I64(0); /* lets one in: 0 would keep init itself from being born */
	assert_non_null(strstr(plan_text(&b), "pids.max = 1\n"));
	bench_end(&b);
}

static void translates_block_io(void **state)
{
	struct spec_blkio_device device = { .major = 8, .rate = U64(1048576), .weight = U64(10) };
	struct spec_blkio_device stopped = { .major = 8, .minor = 16, .rate = U64(0) };
	struct spec_blkio *io;
	struct bench b;

	(void)state;
	bench_start(&b, &v2);
	io = &b.spec.linux.resources.block_io;
	io->weight = U64(1000);
	io->weight_device = (struct spec_blkio_devices){ 1, &device };
	io->throttle_read_bps = (struct spec_blkio_devices){ 1, &device };
	io->throttle_write_iops = (struct spec_blkio_devices){ 1, &stopped };
	assert_string_equal(plan_text(&b), "make /sys/fs/cgroup/user.slice/c1 with io\n"
					   "io.bfq.weight = 1000 or io.weight = default 10000\n"
					   "io.bfq.weight = 8:0 10 or io.weight = 8:0 1\n"
					   "io.max = 8:0 rbps=1048576\n"
					   "io.max = 8:16 wiops=max\n"
					   "program\n");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_all_in_one_directory_on_v2),
		cmocka_unit_test(enters_by_itself_where_nobody_can_be_born_inside),
		cmocka_unit_test(is_in_every_hierarchy_of_v1),
		cmocka_unit_test(finds_each_controller_of_a_hybrid_host),
		cmocka_unit_test(does_without_what_nobody_asked_for_as_a_user),
		cmocka_unit_test(takes_paths_as_runc_does),
		cmocka_unit_test(records_what_it_will_make),
		cmocka_unit_test(refuses_what_cannot_be_had),
		cmocka_unit_test(gives_shares_the_weight_that_peers_give),
		cmocka_unit_test(means_unlimited_and_unset_as_engines_do),
		cmocka_unit_test(translates_block_io),
		cmocka_unit_test(gives_its_cgroup_to_whoever_manages_cgroups_inside),
		cmocka_unit_test(opens_what_the_state_recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
