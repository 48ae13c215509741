/*
 * test_lsm.c - what is planned for AppArmor, SELinux and Landlock on hosts that have them or not.
 */
#include "plan/lsm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/helper.h"
#include "host/selinux.h"
#include "host/selinux_mcs.h"
#include "spec/landlock.h"
#include "sys/landlock.h"

/* A planner over a spec that is empty but for what a test sets. */
struct bench {
	struct planner p;
	struct plan plan;
	struct spec spec;
	struct plan_options options;
	struct facts facts;
	struct err err;
	struct spec_pair note;
};

static void bench_begin(struct bench *b)
{
	*b = (struct bench){ .facts.caps = ~0ULL };
	b->p = (struct planner){ .plan = &b->plan,
				 .spec = &b->spec,
				 .options = &b->options,
				 .facts = &b->facts,
				 .err = &b->err };
}

static const struct step *only_step(const struct bench *b)
{
	assert_int_equal(b->err.code, 0);
	assert_int_equal(b->plan.n_steps, 1);
	return &b->plan.steps[0];
}

/* ---- AppArmor ----------------------------------------------------------------------------------
 */

#define LISTED "containr-default-2 (enforce)\nmine (enforce)\nmine//child (complain)\n"

static void test_profiles_are_found_by_their_whole_name(void **state)
{
	(void)state;
	assert_true(lsm_has_profile(LISTED, "mine"));
	assert_true(lsm_has_profile(LISTED, "mine//child"));
	assert_true(lsm_has_profile(LISTED, "containr-default-2"));
	assert_false(lsm_has_profile(LISTED, "containr-default"));
	assert_false(lsm_has_profile(LISTED, "min"));
	assert_false(lsm_has_profile(LISTED, "child"));
	assert_false(lsm_has_profile("", "mine"));
	assert_false(lsm_has_profile(NULL, "mine"));
}

static const struct {
	const char *profile, *file, *list; /* list NULL: cannot be read */
	bool active, root;
	int error;
	bool loads;
} decisions[] = {
	{ NULL, NULL, LISTED, true, true, 0, false },
	{ "", NULL, LISTED, true, true, 0, false },
	{ "unconfined", NULL, LISTED, true, true, 0, false },
	{ "unconfined", NULL, NULL, false, true, 0, false },
	{ "mine", NULL, LISTED, true, false, 0, false },
	{ "mine", NULL, LISTED, false, true, -EOPNOTSUPP, false },
	{ "other", NULL, LISTED, true, true, -ENOENT, false },
	{ "other", NULL, NULL, true, false, 0, false }, /* the kernel will say */
	{ "other", "/etc/other", LISTED, true, true, 0, true },
	{ "containr-default", NULL, LISTED, true, true, 0, true },
	{ "containr-default", NULL, "containr-default (enforce)\n", true, true, 0, false },
	{ "containr-default", NULL, LISTED, true, false, -ENOENT, false },
	{ "containr-default", NULL, LISTED, false, true, -EOPNOTSUPP, false },
};

static void test_a_profile_is_there_is_loaded_or_is_an_error(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(decisions) / sizeof(decisions[0]); i++) {
		struct bench b;

		bench_begin(&b);
		b.spec.process.apparmor_profile = decisions[i].profile;
		b.options.apparmor_file = decisions[i].file;
		b.facts.euid = decisions[i].root ? 0 : 1000;
		b.facts.caps = decisions[i].root ? ~0ULL : 0;
		b.facts.lsm.apparmor = decisions[i].active;
		b.facts.lsm.apparmor_profiles = decisions[i].list;
		add_profile(&b.p);
		assert_int_equal(b.err.code, decisions[i].error);
		assert_int_equal(b.plan.n_steps, decisions[i].loads);
		if (b.err.code)
			assert_non_null(strstr(b.err.msg, decisions[i].profile));
		if (decisions[i].loads) {
			assert_int_equal(b.plan.steps[0].kind, STEP_APPARMOR);
			assert_int_equal(b.plan.steps[0].lane, LANE_HOST);
		}
		plan_done(&b.plan);
	}
}

static void test_root_without_the_capability_cannot_load(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b);
	b.spec.process.apparmor_profile = "containr-default";
	b.facts.caps = ~(1ULL << CAP_MAC_ADMIN);
	b.facts.lsm.apparmor = true;
	b.facts.lsm.apparmor_profiles = "";
	add_profile(&b.p);
	assert_int_equal(b.err.code, -ENOENT);
	assert_non_null(strstr(b.err.hint, "apparmor_parser"));
	plan_done(&b.plan);
}

static void test_the_confined_stack(void **state)
{
	(void)state;
	for (int confined = 0; confined < 2; confined++) {
		const struct step *s;
		struct bench b;

		bench_begin(&b);
		b.spec.process.apparmor_profile = "mine";
		b.facts.lsm.apparmor = true;
		b.facts.lsm.apparmor_confined = confined;
		add_labels(&b.p);
		s = only_step(&b);
		assert_string_equal(s->text.file, "self/attr/apparmor/exec");
		assert_string_equal(s->text.text, confined ? "stack mine" : "exec mine");
		plan_done(&b.plan);
	}
}

/* ---- SELinux -----------------------------------------------------------------------------------
 */

static void test_a_label_needs_selinux(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b);
	b.spec.process.selinux_label = "u:r:t:s0";
	add_key_label(&b.p);
	add_labels(&b.p);
	assert_int_equal(b.err.code, -EOPNOTSUPP);
	assert_non_null(strstr(b.err.msg, "u:r:t:s0"));
	plan_done(&b.plan);
}

static void test_labels_of_keys_and_sockets(void **state)
{
	struct bench b;

	(void)state;
	bench_begin(&b);
	b.spec.process.selinux_label = "u:r:t:s0";
	b.spec.linux.mount_label = "u:r:f:s0";
	b.facts.lsm.selinux = true;
	add_creation_labels(&b.p);
	add_no_creation_labels(&b.p);
	add_key_label(&b.p);
	add_labels(&b.p);
	assert_int_equal(b.err.code, 0);
	assert_int_equal(b.plan.n_steps, 6);
	assert_string_equal(b.plan.steps[0].text.file, "sockcreate");
	assert_string_equal(b.plan.steps[0].text.text, "u:r:t:s0");
	assert_string_equal(b.plan.steps[1].text.file, "fscreate");
	assert_string_equal(b.plan.steps[1].text.text, "u:r:f:s0");
	assert_string_equal(b.plan.steps[2].text.text, "");
	assert_string_equal(b.plan.steps[3].text.text, "");
	assert_string_equal(b.plan.steps[4].text.file, "self/attr/keycreate");
	assert_string_equal(b.plan.steps[5].text.file, "self/attr/exec");
	plan_done(&b.plan);
}

static int make(struct selinux_labels *ret, struct err *err, const char *option)
{
	struct arena arena = { 0 };
	const char *const options[] = { option, NULL };
	int r = selinux_label_make("/nowhere", "id", options, &arena, ret, err);

	arena_done(&arena);
	return r;
}

/* On a host without SELinux, as those are that run this. */
static void test_options_of_labels(void **state)
{
	static const char *const bad[] = { "typ:x",    "type",      "type:",    "type:a b",
					   "type:a:b", "level:s0/", "disabled", "" };
	struct selinux_labels labels = { "left", "alone" };
	struct err err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(make(&labels, &err, bad[i]), -EINVAL);
		assert_string_equal(labels.process, "left");
	}
	assert_int_equal(make(&labels, &err, "disable"), 0);
	assert_null(labels.process);
	assert_null(labels.mount);
	if (selinux_is_enabled())
		return;
	assert_int_equal(make(&labels, &err, NULL), 0);
	assert_null(labels.process);
	assert_int_equal(make(&labels, &err, "level:s0:c1,c2"), -EOPNOTSUPP);
}

static void test_categories(void **state)
{
	char root[] = "/tmp/test-lsm.XXXXXX", level[SELINUX_LEVEL_SIZE], path[64], target[8] = "";
	unsigned int a, b;
	struct err err;

	(void)state;
	assert_non_null(mkdtemp(root));
	assert_int_equal(selinux_level_claim(root, "one", level, &err), 0);
	assert_int_equal(sscanf(level, "s0:c%u,c%u", &a, &b), 2);
	assert_true(a < b && b < 1024);
	(void)snprintf(path, sizeof(path), "%s/.mcs/%s", root, level + strlen("s0:"));
	assert_int_equal(readlink(path, target, sizeof(target) - 1), 3);
	assert_string_equal(target, "one");
	assert_int_equal(unlink(path), 0);
	(void)snprintf(path, sizeof(path), "%s/.mcs", root);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(root), 0);
}

static void test_the_hosts_directories_are_not_relabelled(void **state)
{
	static const char *const paths[] = { "/", "/usr", "/etc/../etc/", "/proc/self/root",
					     "/home" };

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct err err;

		assert_int_equal(selinux_relabel(paths[i], "u:r:t:s0", false, &err), -EPERM);
		assert_non_null(strstr(err.msg, "not allowed"));
	}
}

/* ---- Landlock ----------------------------------------------------------------------------------
 */

static void ask(struct bench *b, unsigned int abi, const char *text)
{
	bench_begin(b);
	b->note = (struct spec_pair){ SPEC_LANDLOCK_KEY, text };
	b->spec.annotations = (struct spec_pairs){ 1, &b->note };
	b->facts.lsm.landlock_abi = abi;
	add_landlock_rules(&b->p);
}

#define EVERYTHING                                                                                 \
	"\"ruleset\": {\"handledAccessFS\": [\"all\"], \"handledAccessNet\": [\"all\"], "          \
	"\"scoped\": [\"signal\", \"abstract_unix_socket\"]}, \"rules\": {\"pathBeneath\": "       \
	"[{\"allowedAccess\": [\"read\", \"ioctl_dev\"], \"paths\": [\"/a\", \"/b\"]}, "           \
	"{\"allowedAccess\": [\"truncate\"], \"paths\": [\"/c\"]}], \"netPort\": "                 \
	"[{\"allowedAccess\": [\"bind_tcp\"], \"ports\": [80, 443]}]}"

/* Rules name nothing that is not handled, or the kernel would refuse them. */
static void test_falls_back_step_by_step(void **state)
{
	static const struct {
		unsigned int abi;
		uint64_t fs;
		size_t paths, ports;
		bool scopes, logs;
	} versions[] = {
		{ 1, 0x1fff, 2, 0, false, false }, { 2, 0x3fff, 2, 0, false, false },
		{ 3, 0x7fff, 3, 0, false, false }, { 4, 0x7fff, 3, 2, false, false },
		{ 5, 0xffff, 3, 2, false, false }, { 6, 0xffff, 3, 2, true, false },
		{ 7, 0xffff, 3, 2, true, true },   { 99, 0xffff, 3, 2, true, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		const struct step_landlock *l;
		struct bench b;

		ask(&b, versions[i].abi, "{" EVERYTHING "}");
		l = &only_step(&b)->landlock;
		assert_int_equal(l->fs, versions[i].fs);
		assert_int_equal(l->net, versions[i].ports ? 3 : 0);
		assert_int_equal(l->scoped, versions[i].scopes ? 3 : 0);
		assert_int_equal(l->n_paths, versions[i].paths);
		assert_int_equal(l->n_ports, versions[i].ports);
		assert_int_equal(l->flags, versions[i].logs ? LANDLOCK_LOG_NEW_EXEC : 0);
		for (size_t k = 0; k < l->n_paths; k++)
			assert_true(l->paths[k].access && (l->paths[k].access & ~l->fs) == 0);
		plan_done(&b.plan);
	}
}

static void test_best_effort_without_landlock_is_nothing(void **state)
{
	struct bench b;

	(void)state;
	ask(&b, 0, "{" EVERYTHING "}");
	assert_int_equal(b.err.code, 0);
	assert_int_equal(b.plan.n_steps, 0);
	add_landlock(&b.p);
	assert_int_equal(b.plan.n_steps, 0);
	plan_done(&b.plan);
}

static void test_required_names_what_the_kernel_lacks(void **state)
{
	struct bench b;

	(void)state;
	ask(&b, 0, "{\"disableBestEffort\": true, " EVERYTHING "}");
	assert_int_equal(b.err.code, -EOPNOTSUPP);
	assert_non_null(strstr(b.err.msg, "not active"));
	plan_done(&b.plan);
	ask(&b, 4, "{\"disableBestEffort\": true, " EVERYTHING "}");
	assert_int_equal(b.err.code, -EOPNOTSUPP);
	assert_non_null(strstr(b.err.msg, "ABI 4"));
	assert_non_null(strstr(b.err.msg, "ioctl_dev, abstract_unix_socket, signal"));
	plan_done(&b.plan);
	ask(&b, 6, "{\"disableBestEffort\": true, " EVERYTHING "}");
	assert_true(only_step(&b)->landlock.required);
	plan_done(&b.plan);
}

static void test_rules_alone_handle_all_of_their_kind(void **state)
{
	struct bench b;

	(void)state;
	ask(&b, 7,
	    "{\"rules\": {\"netPort\": [{\"allowedAccess\": [\"bind_tcp\"], \"ports\": [80]}]}}");
	assert_int_equal(only_step(&b)->landlock.fs, 0);
	assert_int_equal(only_step(&b)->landlock.net, 3);
	plan_done(&b.plan);
}

static void test_bad_annotations_are_refused(void **state)
{
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "", "1:1" },
		{ "[]", "expected an object" },
		{ "{}", "restricts nothing" },
		{ "{\"ruleset\": {}}", "restricts nothing" },
		{ "{\"rulesets\": {}}", "rulesets" },
		{ "{\"ruleset\": {\"handledAccessFs\": []}}", "handledAccessFs" },
		{ "{\"ruleset\": {\"handledAccessFS\": [\"reed\"]}}", "reed" },
		{ "{\"ruleset\": {\"handledAccessFS\": \"read\"}}", "handledAccessFS" },
		{ "{\"rules\": {\"pathBeneath\": [{\"paths\": [\"/\"]}]}}", "allowedAccess" },
		{ "{\"rules\": {\"pathBeneath\": [{\"allowedAccess\": [\"read\"], \"paths\": "
		  "[\"a\"]}]}}",
		  "relative" },
		{ "{\"rules\": {\"pathBeneath\": [{\"allowedAccess\": [\"read\"], \"paths\": "
		  "[\"/a/../b\"]}]}}",
		  ".." },
		{ "{\"rules\": {\"netPort\": [{\"allowedAccess\": [\"bind_tcp\"], \"ports\": "
		  "[65536]}]}}",
		  "65536" },
		{ "{\"disableBestEffort\": 1}", "disableBestEffort" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct bench b;

		ask(&b, 7, bad[i].text);
		assert_int_equal(b.err.code, -EINVAL);
		assert_non_null(strstr(b.err.msg, SPEC_LANDLOCK_KEY));
		assert_non_null(strstr(b.err.msg, bad[i].says));
		plan_done(&b.plan);
	}
}

/* ---- programs of the host ----------------------------------------------------------------------
 */

static int run(const char *script, struct buf *out, struct buf *said, struct err *err)
{
	const char *argv[] = { "/bin/sh", "-c", script, NULL };

	return helper_run(argv, -1, out, said, err);
}

static void test_helpers_are_heard(void **state)
{
	struct buf out = { 0 }, said = { 0 };
	struct err err;

	(void)state;
	assert_int_equal(run("echo out; printf 'two\\nlines\\n' >&2; exit 3", &out, &said, &err),
			 3);
	assert_string_equal(buf_text(&out), "out\n");
	assert_string_equal(buf_text(&said), "two lines");
	assert_int_equal(run("kill -9 $$", NULL, NULL, &err), -ECANCELED);
	assert_int_equal(
	    helper_run((const char *const[]){ "/not/there", NULL }, -1, NULL, NULL, &err), -ENOENT);
	buf_done(&out);
	buf_done(&said);
}

/* Neither our environment nor our descriptors are a helper's business. */
static void test_helpers_inherit_nothing(void **state)
{
	struct buf out = { 0 };
	struct err err;
	int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 777);

	(void)state;
	assert_int_equal(setenv("SECRET", "leaked", 1), 0);
	assert_int_equal(
	    run("echo ${SECRET:-none}; for f in /proc/self/fd/*; do echo ${f##*/}; done", &out,
		NULL, &err),
	    0);
	assert_int_equal(unsetenv("SECRET"), 0);
	assert_non_null(strstr(buf_text(&out), "none\n0\n1\n"));
	assert_null(strstr(buf_text(&out), "leaked"));
	assert_null(strstr(buf_text(&out), "777"));
	(void)close(fd);
	buf_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_profiles_are_found_by_their_whole_name),
		cmocka_unit_test(test_a_profile_is_there_is_loaded_or_is_an_error),
		cmocka_unit_test(test_root_without_the_capability_cannot_load),
		cmocka_unit_test(test_the_confined_stack),
		cmocka_unit_test(test_a_label_needs_selinux),
		cmocka_unit_test(test_labels_of_keys_and_sockets),
		cmocka_unit_test(test_options_of_labels),
		cmocka_unit_test(test_categories),
		cmocka_unit_test(test_the_hosts_directories_are_not_relabelled),
		cmocka_unit_test(test_falls_back_step_by_step),
		cmocka_unit_test(test_best_effort_without_landlock_is_nothing),
		cmocka_unit_test(test_required_names_what_the_kernel_lacks),
		cmocka_unit_test(test_rules_alone_handle_all_of_their_kind),
		cmocka_unit_test(test_bad_annotations_are_refused),
		cmocka_unit_test(test_helpers_are_heard),
		cmocka_unit_test(test_helpers_inherit_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
