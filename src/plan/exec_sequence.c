/*
 * exec_sequence.c - the order in which a further process enters a container. Read build() from top
 * to bottom; see sequence.c for the start itself.
 *
 * A helper joins all namespaces of the container's init by its pidfd and makes the new process
 * below them. Nothing of the host is in its reach from there on: it is not dumpable, what it
 * inherits is closed at exec, and the paths that it uses are the container's.
 */
#include "plan/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>

#include "plan/cgroup.h"
#include "plan/identity.h"
#include "plan/lsm.h"
#include "plan/namespaces.h"
#include "plan/rundir.h"
#include "plan/scope.h"
#include "sys/abi.h"

static bool is_in(const struct planner *p, uint64_t flag)
{
	return p->exec->namespaces & flag;
}

static void add_join(struct planner *p)
{
	struct step_join *join = arena_alloc(plan_arena(p), sizeof(*join));
	struct step step = { .kind = STEP_SPAWN, .spawn = { .cgroup = SLOT_NONE, .joins = join } };

	if (!join)
		return;
	/* Its cgroup comes first: from inside the cgroup namespace the way there is not seen. */
	*join = (struct step_join){ SLOT_TARGET,
				    (int)(p->exec->namespaces & ~(uint64_t)CLONE_NEWCGROUP),
				    "the container" };
	step.spawn.n_joins = join->flags ? 1 : 0;
	step.spawn.shares = true;
	step.spawn.hold = is_in(p, CLONE_NEWUSER) || plan_scope_attaches(p);
	step.spawn.cgroup = plan_scope_attaches(p) ? SLOT_NONE : plan_cgroup_birth(p);
	p->plan->spawn = p->plan->n_steps;
	plan_add(p, LANE_HOST, step);
}

static void add_inside(struct planner *p)
{
	static const struct spec_namespace cgroup = { CLONE_NEWCGROUP, "cgroup",
						      "of the container" };

	add_cgroup_join(p);
	if (is_in(p, CLONE_NEWCGROUP))
		plan_add(p, LANE_INIT,
			 (struct step){
			     .kind = STEP_SET_NS,
			     .set_ns = { SLOT_TARGET, cgroup.flag, cgroup.type, cgroup.path } });
	if (is_in(p, CLONE_NEWUSER))
		plan_add(p, LANE_INIT, (struct step){ .kind = STEP_ROOT_OF_USERNS });
	plan_add(
	    p, LANE_INIT,
	    (struct step){ .kind = STEP_OPEN, .open = { SLOT_ROOTFS, "/", O_PATH | O_DIRECTORY } });
}

/* Only labels and the score are written through it. */
static void add_private_proc(struct planner *p)
{
	const struct spec_process *process = &p->spec->process;

	/* Not for nothing: the end of a mount that was never attached is waited for. */
	if (process->apparmor_profile || process->selinux_label || init_sets_oom_score(p))
		plan_add(p, LANE_INIT, (struct step){ .kind = STEP_PROC });
}

static void build(struct planner *p)
{
	add_profile(p);          /* H it may be gone by now */
	add_sockets(p);          /* H who wants the terminal or the pidfd has to listen */
	add_cgroup_of_exec(p);   /* H opened by its path on the host */
	add_parent_oom_score(p); /* H its own file will be out of an ordinary user's reach */
	add_view(p);             /* H before anybody inside can see who runs from it */
	add_undumpable(p);       /* H before it enters what somebody else is in */
	add_join(p);             /* H all namespaces at once, then a process below them */
	add_id_maps(p);          /* H limits that need rights outside a user namespace */
	add_streams(p);          /* H as for the first process */
	add_scope_attach(p);     /* H as long as it is seen as the caller's process */
	add_birth(p);            /* I it dies with us */
	add_initial_affinity(p); /* I before its cgroup: runtime-spec, execCPUAffinity */
	add_inside(p);           /* I cgroup, then its namespace; root there */
	add_private_proc(p);
	add_terminal(p); /* I the container's own devpts */
	add_process(p);  /* I limits, scheduler: while capabilities last */
	add_identity(p); /* I keyring, directory, label, groups, ids, capabilities */
	add_lookup(p);   /* I */
	add_created(p);  /* H the caller learns of it */
	add_wait_start(p);
	add_confinement(p); /* I */
	add_exec(p);        /* I */
}

int plan_build_exec(struct plan *plan, const struct spec *spec, const struct plan_options *options,
		    const struct facts *facts, const struct plan_exec *exec, struct err *err)
{
	struct planner p = { .plan = plan,
			     .spec = spec,
			     .options = options,
			     .facts = facts,
			     .err = err,
			     .exec = exec,
			     .filter = exec->filter,
			     .filter_flags = exec->filter_flags };

	*plan = (struct plan){ .n_slots = SLOT_FIRST_FREE };
	err->code = 0;
	build(&p);
	if (err->code == 0 && !arena_failed(&plan->arena))
		return 0;
	plan_done(plan);
	return err->code < 0 ? err->code
			     : err_set(err, -ENOMEM, "plan a process in container %s", options->id);
}
