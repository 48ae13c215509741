/*
 * check_process.c - the rules of `process`.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "spec/check_part.h"
#include "spec/names.h"

static int check_cwd(const struct check *c, const struct spec_process *process)
{
	char shown[JSON_SHOWN_SIZE];

	if (process->cwd && *process->cwd == '/')
		return 0;
	json_show_text(process->cwd ? process->cwd : "", shown);
	return check_refuse(c, "cwd: %s is not absolute, expected a path that begins with /",
			    shown);
}

static int check_args(const struct check *c, const struct spec_process *process)
{
	if (process->args.n == 0)
		return check_refuse(c, "args: is missing or empty, expected the program and its "
				       "arguments");
	if (*process->args.v[0] == '\0')
		return check_refuse(c, "args[0]: \"\" is empty, expected the program to run");
	return 0;
}

static int check_env(const struct check *c, const struct spec_process *process)
{
	char shown[JSON_SHOWN_SIZE];

	for (size_t i = 0; i < process->env.n; i++) {
		const char *entry = process->env.v[i], *equals = strchr(entry, '=');

		if (equals && equals > entry)
			continue;
		json_show_text(entry, shown);
		return check_refuse(c, "env[%zu]: %s is not NAME=VALUE", i, shown);
	}
	return 0;
}

/* ---- capabilities ------------------------------------------------------------------------- */

static int refuse_capability(const struct check *c, uint64_t extra, const char *set,
			     const char *needed)
{
	/* extra is not 0, and its lowest bit is below 64. */
	const char *name = spec_name_of(spec_capability_names, (uint64_t)__builtin_ctzll(extra));

	return check_refuse(c,
			    "capabilities.%s: \"%s\" is not in capabilities.%s, without which the "
			    "kernel refuses it",
			    set, name ? name : "?", needed);
}

static int check_capabilities(const struct check *c, const struct spec_process *process)
{
	const struct spec_capabilities *caps = &process->capabilities;

	if (caps->effective & ~caps->permitted)
		return refuse_capability(c, caps->effective & ~caps->permitted, "effective",
					 "permitted");
	if (caps->ambient & ~caps->permitted)
		return refuse_capability(c, caps->ambient & ~caps->permitted, "ambient",
					 "permitted");
	if (caps->ambient & ~caps->inheritable)
		return refuse_capability(c, caps->ambient & ~caps->inheritable, "ambient",
					 "inheritable");
	return 0;
}

/* ---- limits and scheduling ---------------------------------------------------------------- */

static int check_rlimits(const struct check *c, const struct spec_process *process)
{
	for (size_t i = 0; i < process->n_rlimits; i++) {
		const struct spec_rlimit *limit = &process->rlimits[i];

		if (limit->soft > limit->hard)
			return check_refuse(c,
					    "rlimits[%zu].soft: %" PRIu64
					    " is above hard, expected "
					    "at most %" PRIu64,
					    i, limit->soft, limit->hard);
		for (size_t k = 0; k < i; k++)
			if (process->rlimits[k].resource == limit->resource)
				return check_refuse(c,
						    "rlimits[%zu].type: \"%s\" is given twice, "
						    "first in rlimits[%zu]",
						    i, limit->type, k);
	}
	return 0;
}

enum { OTHER, FIFO, RR, BATCH, ISO, IDLE, DEADLINE }; /* SCHED_*, which musl has not all of */

static int check_scheduler_priority(const struct check *c, const struct spec_scheduler *s)
{
	bool is_realtime = s->policy == FIFO || s->policy == RR;
	const char *policy = spec_name_of(spec_scheduler_policy_names, s->policy);

	if (s->policy == ISO)
		return check_refuse(c, "scheduler.policy: \"SCHED_ISO\" is in no kernel, expected "
				       "another policy");
	if (s->nice != 0 && s->policy != OTHER && s->policy != BATCH)
		return check_refuse(c,
				    "scheduler.nice: %d has no effect with %s, expected "
				    "SCHED_OTHER or SCHED_BATCH",
				    s->nice, policy);
	if (is_realtime && (s->priority < 1 || s->priority > 99))
		return check_refuse(c,
				    "scheduler.priority: %d is out of range, expected 1 to 99 "
				    "with %s",
				    s->priority, policy);
	if (!is_realtime && s->priority != 0)
		return check_refuse(c,
				    "scheduler.priority: %d has no effect with %s, expected "
				    "SCHED_FIFO or SCHED_RR",
				    s->priority, policy);
	return 0;
}

static int check_scheduler_deadline(const struct check *c, const struct spec_scheduler *s)
{
	/* A period of 0 is the deadline: sched_setattr(2). */
	uint64_t period = s->period > 0 ? s->period : s->deadline;

	if (s->policy != DEADLINE) {
		if (s->runtime == 0 && s->deadline == 0 && s->period == 0)
			return 0;
		return check_refuse(c,
				    "scheduler.%s: has no effect with %s, expected SCHED_DEADLINE",
				    s->runtime > 0    ? "runtime"
				    : s->deadline > 0 ? "deadline"
						      : "period",
				    spec_name_of(spec_scheduler_policy_names, s->policy));
	}
	if (s->runtime == 0 || s->runtime > s->deadline)
		return check_refuse(c,
				    "scheduler.runtime: %" PRIu64 " is out of range, expected 1 to "
				    "the deadline of %" PRIu64,
				    s->runtime, s->deadline);
	if (s->deadline > period)
		return check_refuse(c,
				    "scheduler.deadline: %" PRIu64 " is above the period, expected "
				    "at most %" PRIu64,
				    s->deadline, period);
	return 0;
}

static int check_scheduler(const struct check *c, const struct spec_process *process)
{
	int r;

	if (!process->scheduler.has)
		return 0;
	r = check_scheduler_priority(c, &process->scheduler);
	return r < 0 ? r : check_scheduler_deadline(c, &process->scheduler);
}

/* Reads a number; its end, or NULL where there is none or it is beyond all kernels. */
static const char *skip_cpu(const char *text, unsigned long *ret)
{
	char *end;

	if (*text < '0' || *text > '9')
		return NULL;
	*ret = strtoul(text, &end, 10);
	return *ret > 32767 ? NULL : end;
}

/* "0-3,7": ranges that do not run backwards. Empty elements are passed over, as the kernel does. */
static bool is_cpu_list(const char *list)
{
	while (*list) {
		unsigned long first, last;

		list += strspn(list, " ,");
		if (!*list)
			return true;
		list = skip_cpu(list, &first);
		if (!list)
			return false;
		last = first;
		if (*list == '-')
			list = skip_cpu(list + 1, &last);
		if (!list || last < first || !strchr(" ,", *list))
			return false;
	}
	return true;
}

static int check_affinity(const struct check *c, const struct spec_process *process)
{
	const struct {
		const char *key, *list;
	} lists[] = {
		{ "initial", process->exec_cpu_affinity.initial },
		{ "final", process->exec_cpu_affinity.final },
	};
	char shown[JSON_SHOWN_SIZE];

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const char *list = lists[i].list;

		if (!list || is_cpu_list(list))
			continue;
		json_show_text(list, shown);
		return check_refuse(c,
				    "execCPUAffinity.%s: %s is no list of CPUs, expected one as "
				    "in \"0-3,7\"",
				    lists[i].key, shown);
	}
	return 0;
}

/* ---- labels ------------------------------------------------------------------------------- */

/* They are written to /proc/self/attr, where a line's end would change their meaning. */
static int check_labels(const struct check *c, const struct spec_process *process)
{
	const struct {
		const char *key, *label;
	} labels[] = {
		{ "apparmorProfile", process->apparmor_profile },
		{ "selinuxLabel", process->selinux_label },
	};
	char shown[JSON_SHOWN_SIZE];

	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		if (!labels[i].label || !check_has_control(labels[i].label))
			continue;
		json_show_text(labels[i].label, shown);
		return check_refuse(c,
				    "%s: %s has a control character, expected a label of one line",
				    labels[i].key, shown);
	}
	return 0;
}

int check_process(const struct check *c, const struct spec_process *process)
{
	static int (*const checks[])(const struct check *, const struct spec_process *) = {
		check_args,    check_cwd,       check_env,      check_capabilities,
		check_rlimits, check_scheduler, check_affinity, check_labels,
	};

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		int r = checks[i](c, process);

		if (r < 0)
			return r;
	}
	return 0;
}
