#include "cgroup_plan_harness.h"
#include "plan/exec.h"
#include "plan/scope.h"
#include "plan/unit_value.h"

static void start(struct bench *b, const char *path)
{
	bench_start(b, &v2);
	b->options.systemd_cgroup = true;
	b->options.root = "/run/containr";
	b->facts.systemd.cgroup = "";
	b->spec.linux.cgroups_path = path;
}

/* ---- names ------------------------------------------------------------------------------------
 */

static void slices_are_expanded_and_names_completed(void **state)
{
	static const struct {
		const char *path, *expected;
	} cases[] = {
		{ NULL, "/system.slice/containr-c1.scope" },
		{ "", "/system.slice/containr-c1.scope" },
		{ ":docker:x", "/system.slice/docker-x.scope" },
		{ "system.slice::x", "/system.slice/x.scope" },
		{ "machine.slice:libpod:0a1b", "/machine.slice/libpod-0a1b.scope" },
		{ "a-b-c.slice:p:n", "/a.slice/a-b.slice/a-b-c.slice/p-n.scope" },
		{ "-.slice:p:n", "/p-n.scope" },
	};
	struct plan_scope scope;
	struct bench b;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct planner p;

		start(&b, cases[i].path);
		p = bench_planner(&b);
		assert_true(plan_scope_read(&p, &scope));
		assert_string_equal(scope.path, cases[i].expected);
		bench_end(&b);
	}
}

static void a_user_has_a_slice_of_his_own(void **state)
{
	struct bench b;
	struct planner p;

	(void)state;
	start(&b, NULL);
	b.options.id = "a+b";
	b.facts.systemd.user = true;
	b.facts.systemd.cgroup = "/user.slice/user-1000.slice/user@1000.service";
	p = bench_planner(&b);
	assert_string_equal(plan_scope_directory(&p, &v2_host[0]),
			    "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/"
			    "user.slice/containr-a\\x2bb.scope");
	bench_end(&b);
}

static void bad_paths_are_refused_by_name(void **state)
{
	static const struct {
		const char *path, *why;
	} bad[] = {
		{ "/docker/c1", "expected SLICE:PREFIX:NAME" },
		{ "c1", "expected SLICE:PREFIX:NAME" },
		{ "system.slice:c1", "expected SLICE:PREFIX:NAME" },
		{ "a:b:c:d", "expected SLICE:PREFIX:NAME" },
		{ "../a.slice:p:n", "expected SLICE:PREFIX:NAME" },
		{ "system:p:n", "is no slice" },
		{ ".slice:p:n", "is no slice" },
		{ "-a.slice:p:n", "is no slice" },
		{ "a-.slice:p:n", "is no slice" },
		{ "a--b.slice:p:n", "is no slice" },
		{ "a b.slice:p:n", "is no slice" },
		{ "system.slice:p:", "the name behind the second \":\" is empty" },
		{ "system.slice:p:n.slice", "a slice has no processes" },
		{ "system.slice:p:n m", "is no name for a unit" },
		{ "system.slice:p:n%i", "is no name for a unit" },
	};
	struct plan_scope scope;
	struct bench b;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct planner p;

		start(&b, bad[i].path);
		p = bench_planner(&b);
		assert_false(plan_scope_read(&p, &scope));
		assert_int_equal(b.err.code, -EINVAL);
		if (!strstr(b.err.msg, bad[i].why) || !strstr(b.err.msg, "linux.cgroupsPath"))
			fail_msg("%s: %s", bad[i].path, b.err.msg);
		bench_end(&b);
	}
}

static void a_name_may_not_be_longer_than_systemd_takes(void **state)
{
	char path[400];
	struct plan_scope scope;
	struct planner p;
	struct bench b;

	(void)state;
	(void)snprintf(path, sizeof(path), "system.slice:p:%0300d", 7);
	start(&b, path);
	p = bench_planner(&b);
	assert_false(plan_scope_read(&p, &scope));
	bench_end(&b);
}

/* ---- values -----------------------------------------------------------------------------------
 */

/* "t:5", "s:text", "as:a,b", or the error. */
static const char *value_of(const char *text, struct buf *out)
{
	struct arena arena = { 0 };
	struct dbus_value value;
	int r = unit_value_parse(text, &arena, &value);

	out->len = 0;
	if (r < 0)
		buf_str(out, r == -ERANGE ? "range" : "bad");
	else
		buf_printf(out, "%s:", value.type);
	for (size_t i = 0; r == 0 && i < value.n; i++) {
		const char type = value.type[strlen(value.type) - 1];

		buf_str(out, i > 0 ? "," : "");
		if (strchr("so", type))
			buf_str(out, value.v[i].text);
		else if (type == 'd')
			buf_printf(out, "%g", value.v[i].real);
		else
			buf_printf(out, "%lld", (long long)value.v[i].number);
	}
	arena_done(&arena);
	return buf_text(out);
}

static void annotations_have_the_values_that_runc_takes(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{ "'inactive-or-failed'", "s:inactive-or-failed" },
		{ "\"it's\"", "s:it's" },
		{ "'it\\'s'", "s:it's" },
		{ "true", "b:1" },
		{ " false ", "b:0" },
		{ "5", "i:5" },
		{ "-5", "i:-5" },
		{ "uint64 123456789", "t:123456789" },
		{ "@t 18446744073709551615", "t:-1" },
		{ "byte 255", "y:255" },
		{ "int16 -32768", "n:-32768" },
		{ "1.5", "d:1.5" },
		{ "double 2", "d:2" },
		{ "['a', 'b']", "as:a,b" },
		{ "@as []", "as:" },
		{ "[uint32 1, 2]", "au:1,2" },
		{ "objectpath '/a'", "o:/a" },
		/* not these */
		{ "", "bad" },
		{ "text", "bad" },
		{ "'text", "bad" },
		{ "'a' 'b'", "bad" },
		{ "trueish", "bad" },
		{ "5x", "bad" },
		{ "0x10", "bad" },
		{ "[]", "bad" },
		{ "['a'", "bad" },
		{ "['a', ]", "bad" },
		{ "['a' 'b']", "bad" },
		{ "['a', 5]", "bad" },
		{ "@as 'a'", "bad" },
		{ "@t 'a'", "bad" },
		{ "@", "bad" },
		{ "@q 1", "q:1" },
		{ "uint64 'a'", "bad" },
		{ "boolean 1", "bad" },
		{ "2147483648", "range" },
		{ "byte 256", "range" },
		{ "uint64 18446744073709551616", "range" },
	};
	struct buf out = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (strcmp(value_of(cases[i].text, &out), cases[i].expected) != 0)
			fail_msg("%s: expected %s, got %s", cases[i].text, cases[i].expected,
				 out.data);
	buf_done(&out);
}

/* ---- what systemd is told ---------------------------------------------------------------------
 */

static const char *told(struct bench *b)
{
	struct planner p = bench_planner(b);

	b->plan.n_steps = 0;
	b->text.len = 0;
	buf_str(&b->text, "");
	add_scope(&p);
	for (size_t i = 0; i < b->plan.n_steps; i++) {
		const struct step_scope *s = &b->plan.steps[i].scope;

		for (size_t k = 0; k < s->n_properties; k++)
			buf_printf(&b->text, "%s %s %s\n", s->properties[k].name,
				   s->properties[k].value.type, s->properties[k].text);
	}
	return b->err.code == 0 ? buf_text(&b->text) : b->err.msg;
}

static void limits_become_properties(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	ask_for_much(&b.spec.linux.resources);
	assert_string_equal(told(&b), "MemorySwapMax t 2097152\n"
				      "MemoryMax t 1048576\n"
				      "MemoryLow t 4096\n"
				      "CPUWeight t 100\n"
				      "CPUQuotaPerSecUSec t 500000\n"
				      "CPUQuotaPeriodUSec t 100000\n"
				      "AllowedCPUs ay 0-1\n"
				      "TasksMax t 64\n");
	bench_end(&b);
}

static void quotas_are_rounded_up_and_no_limit_is_infinity(void **state)
{
	struct bench b;

	(void)state;
	start(&b, NULL);
	b.spec.linux.resources.cpu.quota = I64(12345);
	b.spec.linux.resources.memory.limit = I64(-1);
	b.spec.linux.resources.pids_limit = I64(-1);
	b.spec.linux.resources.cpu.idle = I64(1);
	assert_string_equal(told(&b), "MemorySwapMax t infinity\n"
				      "MemoryMax t infinity\n"
				      "CPUQuotaPerSecUSec t 130000\n"
				      "CPUQuotaPeriodUSec t 100000\n"
				      "CPUWeight t 0\n"
				      "TasksMax t infinity\n");
	bench_end(&b);
}

static void a_list_of_cpus_becomes_a_mask(void **state)
{
	struct planner p;
	struct bench b;
	const struct step_scope *s;

	(void)state;
	start(&b, NULL);
	b.spec.linux.resources.cpu.cpus = "0-1,9";
	p = bench_planner(&b);
	add_scope(&p);
	s = &b.plan.steps[0].scope;
	assert_true(s->properties[0].value.n >= 2);
	assert_int_equal(s->properties[0].value.v[0].number, 3);
	assert_int_equal(s->properties[0].value.v[1].number, 2);
	bench_end(&b);
}

static void on_v1_only_what_would_bind_the_container_is_told(void **state)
{
	struct bench b;

	(void)state;
	bench_start(&b, &hybrid);
	b.options.systemd_cgroup = true;
	b.facts.systemd.cgroup = "";
	b.spec.linux.resources.memory.limit = I64(1 << 20);
	assert_string_equal(told(&b), "");
	bench_end(&b);
}

static const char *told_of(struct bench *b, const char *key, const char *value)
{
	static struct spec_pair pair;

	pair = (struct spec_pair){ key, value };
	start(b, NULL);
	b->spec.annotations = (struct spec_pairs){ .n = 1, .v = &pair };
	return told(b);
}

static void annotations_become_properties(void **state)
{
	static const struct {
		const char *key, *value, *expected;
	} cases[] = {
		{ "org.systemd.property.CollectMode", "'inactive'", "CollectMode s 'inactive'\n" },
		{ "org.systemd.property.TimeoutStopUSec", "uint64 5",
		  "TimeoutStopUSec t uint64 5\n" },
		{ "org.systemd.property.TimeoutStopSec", "5", "TimeoutStopUSec t 5\n" },
		{ "org.systemd.property.TimeoutStopSec", "1.5", "TimeoutStopUSec t 1.5\n" },
		{ "org.systemd.propertyX", "5", "" },
	};
	static const struct {
		const char *key, *value, *why;
	} bad[] = {
		{ "org.systemd.property.X", "5", "three or more letters" },
		{ "org.systemd.property.A-B-C", "5", "three or more letters" },
		{ "org.systemd.property.TimeoutStopSec", "'5s'", "a number of seconds" },
		{ "org.systemd.property.TimeoutStopSec", "-1", "a number of seconds" },
		{ "org.systemd.property.CollectMode", "inactive", "'text'" },
		{ "org.systemd.property.TimeoutStopUSec", "5000000000", "uint64 5" },
		{ "org.systemd.property.Slice", "'a.slice'", "not yours to set" },
		{ "org.systemd.property.Description", "'mine'", "not yours to set" },
		{ "org.systemd.property.Delegate", "false", "not yours to set" },
	};
	struct bench b;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_string_equal(told_of(&b, cases[i].key, cases[i].value), cases[i].expected);
		bench_end(&b);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *said = told_of(&b, bad[i].key, bad[i].value);

		if (!strstr(said, bad[i].why) || !strstr(said, bad[i].key) || b.err.code != -EINVAL)
			fail_msg("%s=%s: %s", bad[i].key, bad[i].value, said);
		bench_end(&b);
	}
}

/* ---- exec -------------------------------------------------------------------------------------
 */

static bool attaches_from(const char *own)
{
	struct cgroup_hierarchy h = { "", "/sys/fs/cgroup", own };
	struct plan_exec exec = { .systemd_unit = "c1.scope",
				  .systemd_user = true,
				  .systemd_root = "/user.slice/user@1000.service" };
	struct facts facts = { .cgroup = { CGROUP_V2, 1, &h, "" } };
	struct planner p = { .exec = &exec, .facts = &facts };

	return plan_scope_attaches(&p);
}

static void systemd_moves_only_whom_the_user_cannot_move_himself(void **state)
{
	(void)state;
	assert_true(attaches_from("/user.slice/session-1.scope"));
	assert_true(attaches_from("/user.slice/user@1000.serviceX"));
	assert_false(attaches_from("/user.slice/user@1000.service"));
	assert_false(attaches_from("/user.slice/user@1000.service/app.slice/a.scope"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slices_are_expanded_and_names_completed),
		cmocka_unit_test(a_user_has_a_slice_of_his_own),
		cmocka_unit_test(bad_paths_are_refused_by_name),
		cmocka_unit_test(a_name_may_not_be_longer_than_systemd_takes),
		cmocka_unit_test(annotations_have_the_values_that_runc_takes),
		cmocka_unit_test(limits_become_properties),
		cmocka_unit_test(quotas_are_rounded_up_and_no_limit_is_infinity),
		cmocka_unit_test(a_list_of_cpus_becomes_a_mask),
		cmocka_unit_test(on_v1_only_what_would_bind_the_container_is_told),
		cmocka_unit_test(annotations_become_properties),
		cmocka_unit_test(systemd_moves_only_whom_the_user_cannot_move_himself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
