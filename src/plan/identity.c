/*
 * identity.c - who the process is, what it may do, and what it executes.
 *
 * A filter can be loaded by anyone who has given up new privileges, and else by CAP_SYS_ADMIN only.
 * So without no_new_privs that one capability is kept until the filter is in force, behind the
 * gate; the container's own set follows at once.
 */
#include "plan/identity.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "ops/describe.h"
#include "ops/host_notify.h"
#include "plan/hooks.h"
#include "plan/lsm.h"
#include "plan/namespaces.h"
#include "plan/process_text.h"
#include "spec/names.h"
#include "sys/abi.h"

static const struct spec_process *process_of(const struct planner *p)
{
	return &p->spec->process;
}

static void add_init(struct planner *p, struct step step)
{
	plan_add(p, LANE_INIT, step);
}

/* ---- limits and scheduling
 * -------------------------------------------------------------------------- */

bool init_sets_oom_score(const struct planner *p)
{
	const struct opt_i64 *score = &process_of(p)->oom_score_adj;

	return score->has && score->value != p->facts->oom_score_adj &&
	       !spec_namespace(p->spec, CLONE_NEWUSER);
}

static void add_limits(struct planner *p)
{
	const struct spec_process *process = process_of(p);

	if (spec_namespace(p->spec, CLONE_NEWUSER))
		return; /* the parent did it: add_id_maps() */
	for (size_t i = 0; i < process->n_rlimits; i++) {
		const struct spec_rlimit *r = &process->rlimits[i];

		add_init(p, (struct step){ .kind = STEP_RLIMIT,
					   .rlimit = { r->resource, r->soft, r->hard, r->type } });
	}
	if (init_sets_oom_score(p))
		add_init(p,
			 (struct step){ .kind = STEP_OOM_SCORE,
					.text = { "self/oom_score_adj",
						  arena_printf(plan_arena(p), "%" PRId64,
							       process->oom_score_adj.value) } });
}

static void add_memory_policy(struct planner *p)
{
	const struct spec_memory_policy *want = &p->spec->linux.memory_policy;
	struct step step = { .kind = STEP_MEMORY_POLICY,
			     .memory_policy = {
				 .mode = want->mode, .flags = want->flags, .list = want->nodes } };

	if (!want->has)
		return;
	if (want->nodes && node_list_parse(want->nodes, plan_arena(p), &step.memory_policy.nodes,
					   &step.memory_policy.max_node, p->err) < 0) {
		(void)err_prefix(p->err, "linux.memoryPolicy.nodes");
		return;
	}
	add_init(p, step);
}

static void add_affinity(struct planner *p, const char *list)
{
	struct step step = { .kind = STEP_AFFINITY, .affinity.list = list };

	if (!list)
		return;
	if (cpu_list_parse(list, plan_arena(p), &step.affinity.mask, &step.affinity.size, p->err) <
	    0) {
		(void)err_prefix(p->err, "process.execCPUAffinity");
		return;
	}
	add_init(p, step);
}

void add_initial_affinity(struct planner *p)
{
	add_affinity(p, p->spec->process.exec_cpu_affinity.initial);
}

void add_process(struct planner *p)
{
	const struct spec_process *process = process_of(p);

	add_limits(p);
	if (process->scheduler.has)
		add_init(p, (struct step){ .kind = STEP_SCHEDULER,
					   .scheduler.scheduler = &process->scheduler });
	if (process->io_priority.has)
		add_init(p, (struct step){ .kind = STEP_IO_PRIORITY,
					   .io_priority = { (int)process->io_priority.class,
							    process->io_priority.priority } });
	/* runtime-spec: the affinity is for exec alone; a container's own CPUs are its cgroup's. */
	if (p->exec)
		add_affinity(p, process->exec_cpu_affinity.final);
	add_memory_policy(p);
	if (p->spec->linux.personality.has)
		add_init(p, (struct step){ .kind = STEP_PERSONALITY,
					   .persona.persona = p->spec->linux.personality.persona });
}

/* ---- who
 * ------------------------------------------------------------------------------------------------
 */

/* What we do not have ourselves we cannot give; in a user namespace init has all there is. */
static void check_capabilities(struct planner *p, uint64_t wanted)
{
	uint64_t missing = wanted & ~p->facts->caps;
	_cleanup_buf_ struct buf names = { 0 };

	if (spec_namespace(p->spec, CLONE_NEWUSER) || missing == 0)
		return;
	for (unsigned int cap = 0; cap < 64; cap++)
		if (missing >> cap & 1)
			buf_printf(&names, "%s%s", names.len > 0 ? ", " : "",
				   spec_name_of(spec_capability_names, cap));
	(void)err_say(p->err, -EPERM,
		      "process.capabilities: %s cannot be granted: the caller itself lacks it: "
		      "operation not permitted",
		      buf_text(&names));
	(void)err_hint(p->err, "leave it out (--cap-drop), or start %s with more privileges",
		       "the runtime");
}

static void add_capabilities(struct planner *p, uint64_t extra)
{
	const struct spec_capabilities *caps = &process_of(p)->capabilities;

	add_init(p,
		 (struct step){ .kind = STEP_CAPABILITIES,
				.capabilities = { caps->effective | extra, caps->permitted | extra,
						  caps->inheritable } });
	if (caps->ambient && extra == 0)
		add_init(p, (struct step){ .kind = STEP_AMBIENT, .mask.mask = caps->ambient });
}

/* Landlock asks for the same as a filter. */
static uint64_t needed_for_filter(const struct planner *p)
{
	bool needs = (p->filter.len > 0 || p->landlock) && !process_of(p)->no_new_privileges;

	return needs ? 1ULL << CAP_SYS_ADMIN : 0;
}

static void add_groups(struct planner *p, const struct spec_user *user)
{
	const struct spec_namespace *users = spec_namespace(p->spec, CLONE_NEWUSER);
	struct step_groups groups = { user->n_additional_gids, user->additional_gids, false };

	/* The caller's own groups must not get inside, unless setgroups had to be given up for the
	 * map: of this user namespace, of one around it, or of the one that exec joins. */
	if (!(p->facts->caps & 1ULL << CAP_SETGID) && plan_maps_own_id(p) && groups.n == 0)
		return;
	groups.optional =
	    groups.n == 0 && (p->facts->in_userns || (users && (p->exec || users->path)));
	add_init(p, (struct step){ .kind = STEP_GROUPS, .groups = groups });
}

/*
 * Only who has rights over the owner of a pipe may give it away. Root has them over all, from
 * outside of a user namespace; an ordinary user inside, over what is the user's own.
 */
static bool host_gives_streams(const struct planner *p)
{
	return p->facts->caps & 1ULL << CAP_CHOWN;
}

static struct step streams_step(const struct planner *p, bool in_userns)
{
	return (struct step){ .kind = STEP_STREAMS,
			      .streams = { process_of(p)->user.uid, in_userns } };
}

void add_streams(struct planner *p)
{
	bool in_userns = spec_namespace(p->spec, CLONE_NEWUSER);

	if (host_gives_streams(p) && !process_of(p)->terminal &&
	    (in_userns || process_of(p)->user.uid != 0))
		plan_add(p, LANE_HOST, streams_step(p, in_userns));
}

void add_identity(struct planner *p)
{
	const struct spec_process *process = process_of(p);
	const struct spec_user *user = &process->user;
	const struct spec_capabilities *caps = &process->capabilities;
	uint64_t drop = p->facts->known_caps & ~caps->bounding;

	check_capabilities(p, caps->permitted | caps->bounding | caps->inheritable);
	add_key_label(p);
	if (!p->options->no_new_keyring)
		add_init(p, (struct step){ .kind = STEP_KEYRING,
					   .name.name = arena_printf(plan_arena(p), "_ses.%s",
								     p->options->id) });
	/* While we are still root: the user may not be allowed to enter, or to make, the directory.
	 */
	add_init(p,
		 (struct step){ .kind = STEP_CWD,
				.cwd = { process->cwd,
					 user->umask.has ? (uint32_t)user->umask.value : 0022 } });
	add_labels(p);
	add_landlock_rules(p);
	if (!host_gives_streams(p) && !process->terminal && user->uid != 0)
		add_init(p, streams_step(p, true));
	if (drop)
		add_init(p, (struct step){ .kind = STEP_BOUNDING, .mask.mask = drop });
	add_groups(p, user);
	add_init(
	    p, (struct step){ .kind = STEP_IDS, .ids = { user->uid, user->gid, user->uid != 0 } });
	add_capabilities(p, needed_for_filter(p));
}

/* ---- the program
 * ------------------------------------------------------------------------------------------ */

static bool has_home(const struct spec_strings *env)
{
	for (size_t i = 0; i < env->n; i++)
		if (strncmp(env->v[i], "HOME=", strlen("HOME=")) == 0)
			return true;
	return false;
}

/* The configured environment, and what the runtime itself has to tell the program. */
static char **make_env(struct planner *p, char **ret_home)
{
	const struct spec_strings *env = &process_of(p)->env;
	char **v = arena_array(plan_arena(p), env->n + 5, sizeof(*v));
	size_t n = env->n;

	if (!v)
		return NULL;
	if (n > 0)
		memcpy(v, env->v, n * sizeof(*v));
	if (!has_home(env)) {
		char *home = arena_alloc(plan_arena(p), strlen("HOME=/") + HOME_SIZE);

		if (home)
			memcpy(home, "HOME=/", strlen("HOME=/"));
		v[n++] = *ret_home = home;
	}
	if (p->options->notify_socket)
		v[n++] = arena_strndup(plan_arena(p), NOTIFY_SETTING, strlen(NOTIFY_SETTING));
	if (p->options->listen_fds > 0) {
		char text[64];
		int len = snprintf(text, sizeof(text), "LISTEN_FDS=%u", p->options->listen_fds);

		v[n++] = arena_strndup(plan_arena(p), text, (size_t)len);
		v[n++] = arena_strndup(plan_arena(p), "LISTEN_PID=1", strlen("LISTEN_PID=1"));
	}
	return v;
}

static struct step exec_step(struct planner *p, enum step_kind kind)
{
	const struct spec_process *process = process_of(p);
	const char *file = process->args.n > 0 ? process->args.v[0] : "";

	return (struct step){ .kind = kind,
			      .exec = { .file = file,
					.candidates =
					    exec_candidates(plan_arena(p), file, &process->env),
					.argv = process->args.v,
					.envp = p->env } };
}

void add_lookup(struct planner *p)
{
	char *home = NULL;

	p->env = make_env(p, &home);
	if (home)
		add_init(p, (struct step){ .kind = STEP_HOME,
					   .home = { process_of(p)->user.uid, home } });
	add_init(p, exec_step(p, STEP_LOOKUP));
}

static void add_filter(struct planner *p)
{
	struct step step = { .kind = STEP_SECCOMP,
			     .seccomp = { .prog = p->filter, .flags = p->filter_flags } };

	if (p->filter_listens) {
		step.seccomp.message_head = p->listener_head;
		step.seccomp.message_middle = HOOK_STATE_TAIL ",\"pid\":";
		step.seccomp.message_tail = "}";
	}
	if (p->filter.len > 0)
		add_init(p, step);
	if (needed_for_filter(p))
		add_capabilities(p, 0);
}

void add_confinement(struct planner *p)
{
	add_init(p, (struct step){ .kind = STEP_CLOSE_FDS,
				   .close_fds.first =
				       3 + p->options->preserve_fds + p->options->listen_fds });
	add_init(p, (struct step){ .kind = STEP_SIGNALS });
	if (process_of(p)->no_new_privileges)
		add_init(p, (struct step){ .kind = STEP_NO_NEW_PRIVS });
	add_landlock(p);
	add_filter(p);
}

void add_exec(struct planner *p)
{
	add_init(p, exec_step(p, STEP_EXEC));
}
