/*
 * fuzz_plan.c - a configuration, as bytes, to a plan.
 *
 * Whatever passes the reader gets a plan that keeps the rules of every plan, or an error with a
 * message. Nothing of the host is looked at, and the same input gives the same text. The first byte
 * chooses host and options; '{' is a root with cgroup v2, so that plain files work as a corpus.
 */
#include <linux/capability.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "plan/plan.h"
#include "spec/read.h"

#define ALL_CAPS ((1ULL << (CAP_CHECKPOINT_RESTORE + 1)) - 1)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static struct cgroup_hierarchy v2[] = { { "", "/sys/fs/cgroup", "/user.slice/x" } };
static struct cgroup_hierarchy v1[] = {
	{ "memory", "/sys/fs/cgroup/memory", "/" },
	{ "cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct", "/a" },
	{ "devices", "/sys/fs/cgroup/devices", "/" },
	{ "", "/sys/fs/cgroup/unified", "/" },
};

static struct facts choose_facts(uint8_t choice)
{
	struct facts facts = { .kernel_major = 6,
			       .kernel_minor = 12,
			       .known_caps = ALL_CAPS,
			       .caps = ALL_CAPS,
			       .cgroup = { CGROUP_V2, 1, v2,
					   "cpuset cpu io memory hugetlb pids" } };

	if (choice & 1)
		facts.cgroup = (struct cgroup_facts){ CGROUP_HYBRID, 4, v1, "hugetlb" };
	if (choice & 2) {
		facts.euid = facts.egid = 1000;
		facts.caps = 0;
		facts.in_userns = true;
	}
	facts.lsm.apparmor = facts.lsm.selinux = choice & 4;
	facts.has_seed = choice & 8;
	return facts;
}

static struct plan_options choose_options(uint8_t choice, const char *text, size_t len)
{
	return (struct plan_options){
		.id = "c1",
		.root = "/run/containr",
		.bundle = "/bundle",
		.config = text,
		.config_len = len,
		.run = choice & 16,
		.no_pivot = choice & 32,
		.console_socket = choice & 64 ? "/run/console" : NULL,
		.notify_socket = choice & 128 ? "/run/notify" : NULL,
	};
}

/*
 * One spawn, one exec and that at the end; init does nothing before it is there; the gate is where
 * the plan says; every slot has a place in the table of descriptors.
 */
static void check(const struct plan *plan)
{
	size_t spawns = 0, n = plan->n_steps;

	require(n > 0 && plan->steps[n - 1].kind == STEP_EXEC);
	require(plan->spawn < n && plan->steps[plan->spawn].kind == STEP_SPAWN);
	require(plan->after_start <= n && plan->n_slots >= SLOT_FIRST_FREE);
	for (size_t i = 0; i < n; i++) {
		const struct step *s = &plan->steps[i];

		require(s->kind < STEP_KINDS);
		require(s->lane == LANE_HOST || (s->lane == LANE_INIT && i > plan->spawn));
		require(s->kind != STEP_EXEC || i == n - 1);
		require(s->kind != STEP_WAIT_START || i + 1 == plan->after_start);
		require(s->kind != STEP_TREE ||
			(s->tree.slot >= 0 && s->tree.slot < plan->n_slots));
		spawns += s->kind == STEP_SPAWN;
	}
	require(spawns == 1);
}

static void build(const struct spec *spec, const struct plan_options *options,
		  const struct facts *facts, struct buf *ret)
{
	struct err err = { 0 };
	struct plan plan;
	int r = plan_build(&plan, spec, options, facts, &err);

	if (r < 0) {
		require(err.code == r && err.msg[0] != '\0');
		buf_str(ret, err.msg);
		return;
	}
	check(&plan);
	plan_print(&plan, ret);
	plan_print_json(&plan, ret);
	plan_done(&plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t choice = size > 0 && *data != '{' ? *data : 0;
	size_t skip = size > 0 && *data != '{' ? 1 : 0, len = size - skip;
	char *text = malloc(len > 0 ? len : 1); /* exact, so that a byte beyond is seen */
	struct spec_source source = { "f", text, len, NULL, NULL };
	struct facts facts = choose_facts(choice);
	struct plan_options options = choose_options(choice, text, len);
	struct arena arena = { 0 };
	struct err err = { 0 };
	struct spec spec;

	require(text != NULL);
	if (len > 0)
		memcpy(text, data + skip, len);
	if (spec_read(&source, &arena, &spec, &err) == 0) {
		_cleanup_buf_ struct buf once = { 0 }, again = { 0 };

		build(&spec, &options, &facts, &once);
		build(&spec, &options, &facts, &again);
		require(strcmp(buf_text(&once), buf_text(&again)) == 0);
	}
	arena_done(&arena);
	free(text);
	return 0;
}
