/*
 * check_seccomp.c - the rules of `linux.seccomp`, and of a profile in a file of its own.
 */
#include <inttypes.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>

#include "spec/check_part.h"
#include "spec/names.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5) /* 5.19 */
#endif

#define ERRNO_MAX 4095 /* MAX_ERRNO: what is above would look like an address to the C library */

/* What goes with ERRNO is an errno, with TRACE a number for the tracer; other actions have no data.
 */
static bool is_good_errno(uint32_t action, const struct opt_u64 *number)
{
	if (!number->has || action == SECCOMP_RET_TRACE)
		return true;
	return action == SECCOMP_RET_ERRNO && number->value <= ERRNO_MAX;
}

static int refuse_errno(const struct check *c, uint32_t action, const struct opt_u64 *number,
			const char *path)
{
	if (action != SECCOMP_RET_ERRNO)
		return check_refuse(c,
				    "%s: %" PRIu64 " has no meaning with %s, expected "
				    "SCMP_ACT_ERRNO or SCMP_ACT_TRACE",
				    path, number->value,
				    spec_name_of(spec_seccomp_action_names, action));
	return check_refuse(c, "%s: %" PRIu64 " is no errno, expected 0 to %d", path, number->value,
			    ERRNO_MAX);
}

static int check_defaults(const struct check *c, const struct spec_seccomp *seccomp)
{
	/* Every call of the container would wait for the agent, those of our own set-up too. */
	if (seccomp->default_action == SECCOMP_RET_USER_NOTIF)
		return check_refuse(c, "defaultAction: \"SCMP_ACT_NOTIFY\" cannot be the default, "
				       "expected another action");
	if (!is_good_errno(seccomp->default_action, &seccomp->default_errno_ret))
		return refuse_errno(c, seccomp->default_action, &seccomp->default_errno_ret,
				    "defaultErrnoRet");
	return 0;
}

static bool notifies(const struct spec_seccomp *seccomp)
{
	for (size_t i = 0; i < seccomp->n_rules; i++)
		if (seccomp->rules[i].action == SECCOMP_RET_USER_NOTIF)
			return true;
	return false;
}

static int check_listener(const struct check *c, const struct spec_seccomp *seccomp)
{
	char shown[JSON_SHOWN_SIZE];

	if (notifies(seccomp) && !seccomp->listener_path)
		return check_refuse(c, "listenerPath: is missing, expected the socket of the agent "
				       "that SCMP_ACT_NOTIFY asks");
	if (seccomp->listener_metadata && !seccomp->listener_path)
		return check_refuse(c,
				    "listenerMetadata: has nobody to go to, expected listenerPath");
	if (seccomp->listener_path && *seccomp->listener_path != '/') {
		json_show_text(seccomp->listener_path, shown);
		return check_refuse(c,
				    "listenerPath: %s is not absolute, expected a path that begins "
				    "with /",
				    shown);
	}
	if ((seccomp->flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) && !notifies(seccomp))
		return check_refuse(c, "flags: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs a rule "
				       "with SCMP_ACT_NOTIFY");
	return 0;
}

static int check_names(const struct check *c, size_t i, const struct spec_seccomp_rule *rule)
{
	for (size_t k = 0; k < rule->names.n; k++) {
		const char *name = rule->names.v[k];

		if (*name == '\0')
			return check_refuse(c,
					    "syscalls[%zu].names[%zu]: \"\" is empty, expected the "
					    "name of a system call",
					    i, k);
		/* We hand the listener's descriptor over with one of these: nobody would answer. */
		if (rule->action == SECCOMP_RET_USER_NOTIF && strcmp(name, "write") == 0)
			return check_refuse(c,
					    "syscalls[%zu].names[%zu]: \"write\" cannot wait for "
					    "the agent, expected another action than "
					    "SCMP_ACT_NOTIFY",
					    i, k);
	}
	return 0;
}

static int check_args(const struct check *c, size_t i, const struct spec_seccomp_rule *rule)
{
	for (size_t k = 0; k < rule->n_args; k++)
		if (rule->args[k].index > 5)
			return check_refuse(c,
					    "syscalls[%zu].args[%zu].index: %" PRIu32 " is out of "
					    "range, expected 0 to 5",
					    i, k, rule->args[k].index);
	return 0;
}

static int check_rule_errno(const struct check *c, size_t i, const struct spec_seccomp_rule *rule)
{
	char path[64];

	if (is_good_errno(rule->action, &rule->errno_ret))
		return 0;
	(void)snprintf(path, sizeof(path), "syscalls[%zu].errnoRet", i);
	return refuse_errno(c, rule->action, &rule->errno_ret, path);
}

static int check_rules(const struct check *c, const struct spec_seccomp *seccomp)
{
	for (size_t i = 0; i < seccomp->n_rules; i++) {
		const struct spec_seccomp_rule *rule = &seccomp->rules[i];
		int r = check_names(c, i, rule);

		if (r == 0)
			r = check_args(c, i, rule);
		if (r == 0)
			r = check_rule_errno(c, i, rule);
		if (r < 0)
			return r;
	}
	return 0;
}

int check_seccomp(const struct check *c, const struct spec_seccomp *seccomp)
{
	static int (*const checks[])(const struct check *, const struct spec_seccomp *) = {
		check_defaults,
		check_listener,
		check_rules,
	};

	if (!seccomp->has)
		return 0;
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		int r = checks[i](c, seccomp);

		if (r < 0)
			return r;
	}
	return 0;
}
