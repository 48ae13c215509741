/*
 * test_bad_resources.c - what is wrong with linux.resources is refused before anything is done, by
 * a message that names the key, the value and what is allowed. From the text of a configuration to
 * the planner's steps.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buf.h"
#include "cgroup_plan_harness.h"
#include "spec/read.h"

struct row {
	const char *resources;           /* JSON */
	const char *key, *value, *allow; /* are all in the message */
};

/* Refused by the reader and its rules: the same on every host. */
static const struct row everywhere[] = {
#define DEVICE(text) "{\"devices\": [" text "]}"
	{ "[]", "linux.resources", "[]", "an object" },
	{ "7", "linux.resources", "7", "an object" },
	{ "null", "linux.resources", "null", "an object" },
	{ "{\"devices\": {}}", "resources.devices", "{}", "an array" },
	{ DEVICE("3"), "devices[0]", "3", "an object" },
	{ DEVICE("{}"), "devices[0].allow", "missing", "true or false" },
	{ DEVICE("{\"allow\": 1, \"access\": \"r\"}"), "devices[0].allow", "1", "true or false" },
	{ DEVICE("{\"allow\": true}"), "devices[0]", "access is missing", "\"rwm\"" },
	{ DEVICE("{\"allow\": false, \"access\": \"x\"}"), "devices[0].access", "\"x\"",
	  "\"rwm\"" },
	{ DEVICE("{\"allow\": false, \"access\": \"rW\"}"), "devices[0].access", "\"rW\"",
	  "\"rwm\"" },
	{ DEVICE("{\"allow\": false, \"access\": \"r\", \"type\": \"p\"}"), "devices[0].type",
	  "\"p\"", "\"a\"" },
	{ DEVICE("{\"allow\": false, \"access\": \"r\", \"type\": \"ab\"}"), "devices[0].type",
	  "\"ab\"", "\"c\"" },
	{ DEVICE("{\"allow\": false, \"access\": \"r\", \"major\": -2}"), "devices[0].major", "-2",
	  "-1 to 4294967295" },
	{ DEVICE("{\"allow\": false, \"access\": \"r\", \"major\": 4294967296}"),
	  "devices[0].major", "4294967296", "-1 to 4294967295" },
	{ DEVICE("{\"allow\": false, \"access\": \"r\", \"minor\": \"1\"}"), "devices[0].minor",
	  "\"1\"", "whole number" },
	{ DEVICE("{\"allow\": false, \"access\": \"r\", \"minor\": 1.5}"), "devices[0].minor",
	  "1.5", "a whole number" },

#define MEMORY(text) "{\"memory\": {" text "}}"
	{ "{\"memory\": 5}", "resources.memory", "5", "an object" },
	{ MEMORY("\"limit\": \"1g\""), "memory.limit", "\"1g\"", "number" },
	{ MEMORY("\"limit\": -2"), "memory.limit", "-2", "-1 to 9223372036854775807" },
	{ MEMORY("\"limit\": 9223372036854775808"), "memory.limit", "9223372036854775808",
	  "-1 to 9223372036854775807" },
	{ MEMORY("\"limit\": 1e9"), "memory.limit", "1e9", "a whole number" },
	{ MEMORY("\"limit\": true"), "memory.limit", "true", "number" },
	{ MEMORY("\"limit\": null"), "memory.limit", "null", "number" },
	{ MEMORY("\"reservation\": -5"), "memory.reservation", "-5", "-1 to" },
	{ MEMORY("\"reservation\": []"), "memory.reservation", "[]", "number" },
	{ MEMORY("\"swap\": -7"), "memory.swap", "-7", "-1 to" },
	{ MEMORY("\"swap\": 0.5"), "memory.swap", "0.5", "whole number" },
	{ MEMORY("\"limit\": 2097152, \"swap\": 1048576"), "memory.swap", "1048576", "2097152" },
	{ MEMORY("\"kernel\": -3"), "memory.kernel", "-3", "-1 to" },
	{ MEMORY("\"kernelTCP\": \"\""), "memory.kernelTCP", "\"\"", "number" },
	{ MEMORY("\"swappiness\": 101"), "memory.swappiness", "101", "0 to 100" },
	{ MEMORY("\"swappiness\": -1"), "memory.swappiness", "-1", "0 to 100" },
	{ MEMORY("\"disableOOMKiller\": 1"), "memory.disableOOMKiller", "1", "true or false" },
	{ MEMORY("\"useHierarchy\": \"yes\""), "memory.useHierarchy", "\"yes\"", "true or false" },
	{ MEMORY("\"checkBeforeUpdate\": 0"), "memory.checkBeforeUpdate", "0", "true or false" },
	{ MEMORY("\"limit\": 1, \"limit\": 2"), "memory", "limit", "twice" },

#define CPU(text) "{\"cpu\": {" text "}}"
	{ "{\"cpu\": \"2\"}", "resources.cpu", "\"2\"", "an object" },
	{ CPU("\"shares\": -1"), "cpu.shares", "-1", "0 to 18446744073709551615" },
	{ CPU("\"shares\": \"many\""), "cpu.shares", "\"many\"", "number" },
	{ CPU("\"shares\": 18446744073709551616"), "cpu.shares", "18446744073709551616", "0 to" },
	{ CPU("\"quota\": 999"), "cpu.quota", "999", "at least 1000" },
	{ CPU("\"quota\": 1"), "cpu.quota", "1", "-1 for no limit" },
	{ CPU("\"quota\": 1.5"), "cpu.quota", "1.5", "whole number" },
	{ CPU("\"quota\": 9223372036854775808"), "cpu.quota", "9223372036854775808",
	  "9223372036854775807" },
	{ CPU("\"period\": 999"), "cpu.period", "999", "1000 to 1000000" },
	{ CPU("\"period\": 1000001"), "cpu.period", "1000001", "1000 to 1000000" },
	{ CPU("\"period\": -1"), "cpu.period", "-1", "0 to" },
	{ CPU("\"quota\": 5000, \"burst\": 5001"), "cpu.burst", "5001", "5000" },
	{ CPU("\"burst\": -1"), "cpu.burst", "-1", "0 to" },
	{ CPU("\"realtimeRuntime\": -2"), "cpu.realtimeRuntime", "-2", "-1 for no limit" },
	{ CPU("\"realtimeRuntime\": 2000, \"realtimePeriod\": 1000"), "cpu.realtimeRuntime", "2000",
	  "1000" },
	{ CPU("\"realtimePeriod\": -1"), "cpu.realtimePeriod", "-1", "0 to" },
	{ CPU("\"idle\": 2"), "cpu.idle", "2", "0 to 1" },
	{ CPU("\"idle\": -1"), "cpu.idle", "-1", "0 to 1" },
	{ CPU("\"idle\": true"), "cpu.idle", "true", "number" },
	{ CPU("\"cpus\": 0"), "cpu.cpus", "0", "a string" },
	{ CPU("\"cpus\": \"a\""), "cpu.cpus", "\"a\"", "\"0-3,7\"" },
	{ CPU("\"cpus\": \"3-1\""), "cpu.cpus", "\"3-1\"", "ascending" },
	{ CPU("\"cpus\": \"0,\""), "cpu.cpus", "\"0,\"", "\"0-3,7\"" },
	{ CPU("\"cpus\": \"0 1\""), "cpu.cpus", "\"0 1\"", "\"0-3,7\"" },
	{ CPU("\"cpus\": \"-1\""), "cpu.cpus", "\"-1\"", "\"0-3,7\"" },
	{ CPU("\"cpus\": \"0\\n1\""), "cpu.cpus", "0\\u000a1", "\"0-3,7\"" },
	{ CPU("\"cpus\": \"99999999999999999999\""), "cpu.cpus", "\"99999999999999999999\"",
	  "\"0-3,7\"" },
	{ CPU("\"mems\": \"1-\""), "cpu.mems", "\"1-\"", "\"0-3,7\"" },
	{ CPU("\"mems\": [0]"), "cpu.mems", "[...]", "a string" },

	{ "{\"pids\": 5}", "resources.pids", "5", "an object" },
	{ "{\"pids\": {\"limit\": \"max\"}}", "pids.limit", "\"max\"", "number" },
	{ "{\"pids\": {\"limit\": 4194305}}", "pids.limit", "4194305", "at most 4194304" },
	{ "{\"pids\": {\"limit\": 9223372036854775808}}", "pids.limit", "9223372036854775808",
	  "9223372036854775807" },

#define BLKIO(text) "{\"blockIO\": {" text "}}"
	{ "{\"blockIO\": []}", "resources.blockIO", "[]", "an object" },
	{ BLKIO("\"weight\": 9"), "blockIO.weight", "9", "10 to 1000" },
	{ BLKIO("\"weight\": 1001"), "blockIO.weight", "1001", "0 to 1000" },
	{ BLKIO("\"weight\": -1"), "blockIO.weight", "-1", "0 to 1000" },
	{ BLKIO("\"leafWeight\": 3"), "blockIO.leafWeight", "3", "10 to 1000" },
	{ BLKIO("\"leafWeight\": 70000"), "blockIO.leafWeight", "70000", "0 to 1000" },
	{ BLKIO("\"weightDevice\": {}"), "blockIO.weightDevice", "{}", "an array" },
	{ BLKIO("\"weightDevice\": [{\"major\": 8, \"minor\": 0, \"weight\": 5}]"),
	  "blockIO.weightDevice[0].weight", "5", "10 to 1000" },
	{ BLKIO("\"weightDevice\": [{\"major\": 8, \"minor\": 0, \"leafWeight\": 1}]"),
	  "blockIO.weightDevice[0].leafWeight", "1", "10 to 1000" },
	{ BLKIO("\"weightDevice\": [{\"minor\": 0, \"weight\": 50}]"),
	  "blockIO.weightDevice[0].major", "missing", "0 to 4294967295" },
	{ BLKIO("\"throttleReadBpsDevice\": [{\"major\": 8, \"minor\": 0}]"),
	  "throttleReadBpsDevice[0].rate", "missing", "0 to" },
	{ BLKIO("\"throttleReadBpsDevice\": [{\"major\": -1, \"minor\": 0, \"rate\": 1}]"),
	  "throttleReadBpsDevice[0].major", "-1", "0 to 4294967295" },
	{ BLKIO("\"throttleWriteBpsDevice\": [{\"major\": 8, \"minor\": 0, \"rate\": -1}]"),
	  "throttleWriteBpsDevice[0].rate", "-1", "0 to" },
	{ BLKIO("\"throttleReadIOPSDevice\": [{\"major\": 8, \"minor\": 0, \"rate\": \"1m\"}]"),
	  "throttleReadIOPSDevice[0].rate", "\"1m\"", "number" },
	{ BLKIO("\"throttleWriteIOPSDevice\": 4"), "blockIO.throttleWriteIOPSDevice", "4",
	  "an array" },

#define PAGES(size, limit) "{\"hugepageLimits\": [{\"pageSize\": " size ", \"limit\": " limit "}]}"
	{ "{\"hugepageLimits\": {}}", "resources.hugepageLimits", "{}", "an array" },
	{ PAGES("\"2M\"", "0"), "hugepageLimits[0].pageSize", "\"2M\"", "\"2MB\"" },
	{ PAGES("\"MB\"", "0"), "hugepageLimits[0].pageSize", "\"MB\"", "\"2MB\"" },
	{ PAGES("\"2mb\"", "0"), "hugepageLimits[0].pageSize", "\"2mb\"", "\"2MB\"" },
	{ PAGES("\"../2MB\"", "0"), "hugepageLimits[0].pageSize", "\"../2MB\"", "\"2MB\"" },
	{ PAGES("2", "0"), "hugepageLimits[0].pageSize", "2", "a string" },
	{ PAGES("\"2MB\"", "-1"), "hugepageLimits[0].limit", "-1", "0 to 18446744073709551615" },
	{ "{\"hugepageLimits\": [{\"pageSize\": \"2MB\"}]}", "hugepageLimits[0].limit", "missing",
	  "0 to" },

	{ "{\"network\": {\"classID\": 4294967296}}", "network.classID", "4294967296",
	  "0 to 4294967295" },
	{ "{\"network\": {\"classID\": \"0x10\"}}", "network.classID", "\"0x10\"", "number" },
	{ "{\"network\": {\"priorities\": [{\"name\": \"a b\", \"priority\": 1}]}}",
	  "network.priorities[0].name", "\"a b\"", "no name of a device" },
	{ "{\"network\": {\"priorities\": [{\"name\": \"lo\"}]}}", "network.priorities[0].priority",
	  "missing", "0 to 4294967295" },
	{ "{\"rdma\": {\"mlx5_1\": {\"hcaHandles\": -1}}}", "rdma.mlx5_1.hcaHandles", "-1",
	  "0 to 4294967295" },
	{ "{\"rdma\": {\"a b\": {\"hcaHandles\": 1}}}", "rdma", "\"a b\"", "no name of a device" },
	{ "{\"rdma\": []}", "resources.rdma", "[]", "an object" },

	{ "{\"unified\": [\"memory.max\"]}", "resources.unified", "[...]", "an object" },
	{ "{\"unified\": {\"memory.max\": 5}}", "unified", "5", "a string" },
	{ "{\"unified\": {\"memory\": \"5\"}}", "unified", "\"memory\"", "\"memory.high\"" },
	{ "{\"unified\": {\"../memory.max\": \"5\"}}", "unified", "\"../memory.max\"",
	  "\"memory.high\"" },
	{ "{\"unified\": {\"a/b.c\": \"5\"}}", "unified", "\"a/b.c\"", "\"memory.high\"" },
	{ "{\"unified\": {\"\": \"5\"}}", "unified", "\"\"", "the key is empty" },
};

/* Refused by the planner, on cgroup v1. */
static const struct row on_v1[] = {
	{ CPU("\"shares\": 1"), "cpu.shares", "1", "2 to 262144" },
	{ CPU("\"shares\": 262145"), "cpu.shares", "262145", "2 to 262144" },
	{ MEMORY("\"limit\": 98303"), "memory.limit", "98303", "at least 98304" },
	{ "{\"pids\": {\"limit\": 5}}", "pids.limit", "`pids`", "is not available" },
	{ PAGES("\"2MB\"", "0"), "hugepageLimits", "`hugetlb`", "is not available" },
	{ "{\"unified\": {\"memory.high\": \"5\"}}", "unified[\"memory.high\"]", "cgroup v1",
	  "no such limit" },
};

/* And on v2. */
static const struct row on_v2[] = {
	{ MEMORY("\"limit\": 1"), "memory.limit", "1", "at least 98304" },
	{ MEMORY("\"swap\": 4096"), "memory.swap", "4096", "memory.limit is missing" },
	{ MEMORY("\"kernel\": 4096"), "memory.kernel", "cgroup v2", "no such limit" },
	{ MEMORY("\"kernelTCP\": 4096"), "memory.kernelTCP", "cgroup v2", "no such limit" },
	{ MEMORY("\"swappiness\": 5"), "memory.swappiness", "cgroup v2", "no such limit" },
	{ MEMORY("\"disableOOMKiller\": true"), "memory.disableOOMKiller", "cgroup v2",
	  "no such limit" },
	{ CPU("\"realtimeRuntime\": 5000"), "cpu.realtimeRuntime", "cgroup v2", "no such limit" },
	{ CPU("\"realtimePeriod\": 5000"), "cpu.realtimePeriod", "cgroup v2", "no such limit" },
	{ BLKIO("\"leafWeight\": 50"), "blockIO.leafWeight", "cgroup v2", "no such limit" },
	{ "{\"network\": {\"classID\": 7}}", "network.classID", "`net_cls`", "is not available" },
	{ "{\"rdma\": {\"mlx5_1\": {\"hcaHandles\": 1}}}", "rdma", "`rdma`", "is not available" },
	{ "{\"unified\": {\"cgroup.procs\": \"1\"}}", "unified", "cgroup.procs",
	  "no file of a controller" },
	{ "{\"unified\": {\"cgroup.freeze\": \"1\"}}", "unified", "cgroup.freeze",
	  "no file of a controller" },
	{ "{\"unified\": {\"misc.max\": \"1\"}}", "unified[\"misc.max\"]", "`misc`",
	  "is not available" },
};

/* The message of the first who refuses the configuration, "" if nobody does. */
static const char *refusal(struct bench *b, const char *resources)
{
	const char *text =
	    arena_printf(&b->plan.arena,
			 "{\"ociVersion\": \"1.3.0\", \"root\": {\"path\": \"r\"}, \"process\": "
			 "{\"cwd\": \"/\", "
			 "\"args\": [\"x\"], \"user\": {\"uid\": 0, \"gid\": 0}}, "
			 "\"linux\": {\"namespaces\": [{\"type\": \"mount\"}], \"resources\": %s}}",
			 resources);
	const struct spec_source source = { .name = "config.json",
					    .text = text,
					    .len = strlen(text) };
	struct planner p = bench_planner(b);

	b->plan.n_steps = 0;
	if (spec_read(&source, &b->plan.arena, &b->spec, &b->err) == 0)
		add_cgroup(&p);
	return b->err.code < 0 ? b->err.msg : "";
}

static void check_rows(const struct cgroup_facts *facts, const struct row *rows, size_t n)
{
	struct bench b;
	size_t wrong = 0;

	bench_start(&b, facts);
	for (size_t i = 0; i < n; i++) {
		const struct row *row = &rows[i];
		const char *said = refusal(&b, row->resources);

		if (strstr(said, row->key) && strstr(said, row->value) && strstr(said, row->allow))
			continue;
		print_error("%s\n  expected %s, %s, %s\n  got      %s\n", row->resources, row->key,
			    row->value, row->allow, said);
		wrong++;
	}
	bench_end(&b);
	assert_int_equal(wrong, 0);
}

#define N(rows) (sizeof(rows) / sizeof((rows)[0]))

static void names_key_value_and_range(void **state)
{
	(void)state;
	check_rows(&v2, everywhere, N(everywhere));
	check_rows(&hybrid, everywhere, N(everywhere));
}

static void names_what_v1_does_not_have(void **state)
{
	(void)state;
	check_rows(&v1, on_v1, N(on_v1));
}

static void names_what_v2_does_not_have(void **state)
{
	(void)state;
	check_rows(&v2, on_v2, N(on_v2));
}

/* What engines send for "not set", and the ends of the ranges. */
static void takes_what_is_right(void **state)
{
	static const char *const right[] = {
		"{}",
		MEMORY("\"limit\": 0, \"swap\": 0, \"reservation\": 0"),
		MEMORY("\"limit\": -1, \"swap\": -1"),
		MEMORY("\"limit\": 98304, \"swap\": 98304"),
		CPU("\"shares\": 0, \"quota\": 0, \"period\": 0, \"burst\": 0, \"cpus\": \"\""),
		CPU("\"shares\": 2, \"quota\": 1000, \"period\": 1000, \"burst\": 1000"),
		CPU("\"shares\": 262144, \"quota\": -1, \"period\": 1000000"),
		CPU("\"cpus\": \"0-0,3,5-1000\""),
		BLKIO("\"weight\": 0"),
		BLKIO("\"weight\": 10"),
	};
	struct bench b;

	(void)state;
	for (size_t i = 0; i < N(right); i++) {
		bench_start(&b, &v2);
		assert_string_equal(refusal(&b, right[i]), "");
		bench_end(&b);
		bench_start(&b, &v1);
		assert_string_equal(refusal(&b, right[i]), "");
		bench_end(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_key_value_and_range),
		cmocka_unit_test(names_what_v1_does_not_have),
		cmocka_unit_test(names_what_v2_does_not_have),
		cmocka_unit_test(takes_what_is_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
