/*
 * cgroup_plan_harness.h - hosts of every kind, and what is planned for them as lines of text.
 */
#pragma once

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "plan/cgroup.h"

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

static inline void say_step(const struct step *s, struct buf *out)
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

static inline void bench_start(struct bench *b, const struct cgroup_facts *cgroup)
{
	memset(b, 0, sizeof(*b));
	b->options.id = "c1";
	b->facts.kernel_major = 6;
	b->facts.caps = ~0ULL;
	b->facts.cgroup = *cgroup;
	b->plan.n_slots = SLOT_FIRST_FREE;
}

static inline struct planner bench_planner(struct bench *b)
{
	b->err.code = 0;
	return (struct planner){ .plan = &b->plan,
				 .spec = &b->spec,
				 .options = &b->options,
				 .facts = &b->facts,
				 .err = &b->err };
}

static inline const char *plan_text(struct bench *b)
{
	struct planner p = bench_planner(b);

	b->plan.n_steps = 0;
	b->text.len = 0;
	add_cgroup(&p);
	add_device_program(&p);
	add_cgroup_join(&p);
	assert_false(arena_failed(&b->plan.arena));
	for (size_t i = 0; i < b->plan.n_steps; i++)
		say_step(&b->plan.steps[i], &b->text);
	return b->err.code == 0 ? buf_text(&b->text) : b->err.msg;
}

static inline void bench_end(struct bench *b)
{
	buf_done(&b->text);
	arena_done(&b->plan.arena);
}

#define I64(x) ((struct opt_i64){ true, x })
#define U64(x) ((struct opt_u64){ true, x })

static inline void ask_for_much(struct spec_resources *r)
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

#define I64(x) ((struct opt_i64){ true, x })
#define U64(x) ((struct opt_u64){ true, x })
