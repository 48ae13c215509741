/*
 * init_identity.c - steps that settle who the process is and what it may do.
 *
 * Must: use sys/ only. Mustn't: allocate, lock, log, or decide (tools/check-init).
 */
#include <errno.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>

#include "ops/init_process.h"
#include "sys/sys.h"

int init_rlimit(const struct step *s, struct op_ctx *ctx)
{
	const struct rlimit limit = { .rlim_cur = s->rlimit.soft, .rlim_max = s->rlimit.hard };

	(void)ctx;
	return sys_prlimit(0, s->rlimit.resource, &limit);
}

int init_session(const struct step *s, struct op_ctx *ctx)
{
	int r = sys_setsid();

	(void)s;
	(void)ctx;
	return r < 0 ? r : 0;
}

int init_personality(const struct step *s, struct op_ctx *ctx)
{
	int r = sys_personality(s->persona.persona);

	(void)ctx;
	return r < 0 ? r : 0;
}

int init_scheduler(const struct step *s, struct op_ctx *ctx)
{
	const struct spec_scheduler *want = s->scheduler.scheduler;
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr = {
		.size = sizeof(attr),
		.policy = want->policy,
		.flags = want->flags,
		.nice = want->nice,
		.priority = (uint32_t)want->priority,
		.runtime = want->runtime,
		.deadline = want->deadline,
		.period = want->period,
	};

	(void)ctx;
	return (int)sys_call_3(SYS_sched_setattr, 0, &attr, 0);
}

int init_io_priority(const struct step *s, struct op_ctx *ctx)
{
	const int process = 1; /* IOPRIO_WHO_PROCESS: no user header has it before Linux 6.1 */

	(void)ctx;
	return (int)sys_call_3(SYS_ioprio_set, process, 0,
			       s->io_priority.class << 13 | s->io_priority.priority);
}

int init_affinity(const struct step *s, struct op_ctx *ctx)
{
	(void)ctx;
	return (int)sys_call_3(SYS_sched_setaffinity, 0, s->affinity.size, s->affinity.mask);
}

int init_memory_policy(const struct step *s, struct op_ctx *ctx)
{
	(void)ctx;
	return (int)sys_call_3(SYS_set_mempolicy, s->memory_policy.mode | s->memory_policy.flags,
			       s->memory_policy.nodes, s->memory_policy.max_node);
}

/*
 * A session keyring of the container's own, so that it cannot see the keys of whoever called us.
 * Its possessor may do all; its owner may find it, since the program may run as another user than
 * the one that makes it, but not read it: containers without a user namespace share their owner.
 */
int init_keyring(const struct step *s, struct op_ctx *ctx)
{
	const uint32_t possessor_all = 0x3f000000, user_view = 0x010000, user_search = 0x080000;
	int key = sys_keyctl(KEYCTL_JOIN_SESSION_KEYRING, s->name.name);

	(void)ctx;
	if (key == -ENOSYS) /* a kernel without keys has none to hide */
		return 0;
	if (key < 0)
		return key;
	return (int)sys_call_3(SYS_keyctl, KEYCTL_SETPERM, key,
			       possessor_all | user_view | user_search);
}

int init_groups(const struct step *s, struct op_ctx *ctx)
{
	int r = sys_setgroups(s->groups.n, s->groups.list);

	(void)ctx;
	return r == -EPERM && s->groups.optional ? 0 : r;
}

int init_bounding(const struct step *s, struct op_ctx *ctx)
{
	(void)ctx;
	for (unsigned int cap = 0; cap < 64; cap++) {
		int r = 0;

		if (s->mask.mask >> cap & 1)
			r = sys_prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
		if (r < 0)
			return r;
	}
	return 0;
}

int init_ids(const struct step *s, struct op_ctx *ctx)
{
	int r = 0;

	(void)ctx;
	if (s->ids.keep_caps)
		r = sys_prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
	if (r == 0)
		r = sys_setresgid(s->ids.gid);
	if (r == 0)
		r = sys_setresuid(s->ids.uid);
	if (r == 0 && s->ids.keep_caps)
		r = sys_prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
	return r;
}

int init_capabilities(const struct step *s, struct op_ctx *ctx)
{
	(void)ctx;
	return sys_capset(s->capabilities.effective, s->capabilities.permitted,
			  s->capabilities.inheritable);
}

int init_ambient(const struct step *s, struct op_ctx *ctx)
{
	int r = sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);

	(void)ctx;
	for (unsigned int cap = 0; cap < 64 && r == 0; cap++)
		if (s->mask.mask >> cap & 1)
			r = sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
	return r;
}

/* Handlers are gone since the clone (CLONE_CLEAR_SIGHAND), but what was ignored still is. */
int init_signals(const struct step *s, struct op_ctx *ctx)
{
	(void)s;
	(void)ctx;
	return sys_reset_signals();
}

int init_no_new_privs(const struct step *s, struct op_ctx *ctx)
{
	(void)s;
	(void)ctx;
	return sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
