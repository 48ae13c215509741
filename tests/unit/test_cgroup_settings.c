#include "cgroup_plan_harness.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_all_in_one_directory_on_v2),
		cmocka_unit_test(refuses_what_cannot_be_had),
		cmocka_unit_test(gives_shares_the_weight_that_peers_give),
		cmocka_unit_test(means_unlimited_and_unset_as_engines_do),
		cmocka_unit_test(translates_block_io),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
