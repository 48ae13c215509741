/*
 * sequence.c - the order of a container's start. Read plan_build() from top to bottom.
 *
 * Each line appends steps; its comment gives the reason of its place. H: done by the host, I: done
 * by init. Where the lane changes, one waits for the other, so steps of one lane stand together.
 */
#include <errno.h>
#include <sched.h>

#include "plan/cgroup.h"
#include "plan/hooks.h"
#include "plan/identity.h"
#include "plan/lsm.h"
#include "plan/namespaces.h"
#include "plan/network.h"
#include "plan/plan.h"
#include "plan/rdt.h"
#include "plan/rootfs.h"
#include "plan/rundir.h"
#include "plan/scope.h"
#include "sys/abi.h"

static void build(struct planner *p)
{
	add_view(p);          /* H before anybody inside can see who runs from it */
	add_netns(p);         /* H the dearest namespace is made beside what follows */
	add_rundir(p);        /* H the id is ours; all that will be made is on disk before it is */
	add_rootfs_handle(p); /* H opened once: what the path means cannot change any more */
	add_profile(p); /* H AppArmor's, before anything is made that it could be missing for */
	add_sockets(p); /* H a caller that does not listen is found before things are made */
	add_cgroup(p);  /* H with its limits, so that init is born inside */
	add_namespace_fds(p);  /* H paths are the host's: opened while they are in sight */
	add_mount_sources(p);  /* H trees that need the host's view or rights */
	add_spawn(p);          /* H user + pid namespace and the rest, pidfd */
	add_id_maps(p);        /* H maps, limits: only the parent may */
	add_record_init(p);    /* H `delete` finds the process from here on */
	add_streams(p);        /* H to the user; in a user namespace, its maps say which */
	add_scope(p);          /* H systemd makes the cgroup, and moves init, which waits */
	add_netns_up(p);       /* H its maker and init have the processors until then */
	add_scope_cgroup(p);   /* H limits, once systemd is done */
	add_device_program(p); /* H init waits for it before anything of the image runs */
	add_copies(p);         /* H for exec and hooks; `delete` does not need them */
	add_late_view(p);      /* H it takes its time, which init has something to do in */
	add_intel_rdt(p);      /* H needs the pid */
	add_net_devices(p);    /* H needs the network namespace */
	add_birth(p);          /* I no half-made container outlives the runtime */
	add_cgroup_join(p);    /* I where it could not be born inside */
	add_namespaces(p);     /* I root in the user namespace; the others, which belong to it */
	add_clocks(p);         /* H before anything enters the new time namespace */
	add_late_mount_sources(p); /* H needs init's mount namespace */
	add_rootfs(p);             /* I propagation, root, mounts, devices, links */
	add_network_join(p);       /* I if sysfs did not need it before */
	add_host_hooks(p); /* H prestart, createRuntime: namespaces are there, the old root too */
	add_init_hooks(p); /* I createContainer: the host's programs are still in sight */
	add_terminal(p);   /* I session; the container's own devpts */
	add_names(p);      /* I host name, domain name, sysctl: while /proc/sys is writable */
	add_process(p);    /* I limits, scheduler: while capabilities last */
	add_restricted_paths(p); /* I masked and read-only paths: nothing is mounted after this */
	add_pivot(p);            /* I new root; the host's mounts are let go */
	add_identity(p);         /* I keyring, directory, label, groups, ids, capabilities */
	add_lookup(p);           /* I find the program now: "not found" is an error of create */
	add_created(p);          /* H the caller learns of it */
	add_wait_start(p);       /* I create ends here; `start` opens the gate */
	add_start_hooks(p);      /* I startContainer */
	add_confinement(p);      /* I descriptors, signals, no_new_privs, seccomp */
	add_exec(p);             /* I nothing privileged is left to do */
}

/* An ordinary user has rights over nothing but what is inside a user namespace of his own. */
static int check_rights(const struct planner *p)
{
	const uint64_t needed = 1ULL << CAP_SYS_ADMIN;

	if ((p->facts->caps & needed) || spec_namespace(p->spec, CLONE_NEWUSER))
		return 0;
	(void)err_say(p->err, -EPERM,
		      "linux.namespaces: there is no user namespace, and the caller lacks "
		      "CAP_SYS_ADMIN to do without: operation not permitted");
	return err_hint(p->err,
			"add {\"type\": \"user\"} with uidMappings and gidMappings "
			"(`containr-oci spec --rootless` writes such a config.json), or run as "
			"root");
}

/* Before 6.3 an exec did not enter a new time namespace: the clocks would silently be the host's.
 */
static int check_time(const struct planner *p)
{
	const struct facts *f = p->facts;

	if (!spec_has_new_namespace(p->spec, CLONE_NEWTIME) || f->kernel_major > 6 ||
	    (f->kernel_major == 6 && f->kernel_minor >= 3))
		return 0;
	return err_say(p->err, -EOPNOTSUPP,
		       "linux.namespaces: a new time namespace needs Linux 6.3, this is %u.%u",
		       f->kernel_major, f->kernel_minor);
}

/* What a plan cannot express, with the reason; what the spec itself forbids is in spec/check.c. */
static int check(const struct planner *p)
{
	if (p->options->systemd_cgroup && p->facts->systemd.user &&
	    p->facts->cgroup.mode != CGROUP_V2)
		return err_say(p->err, -EOPNOTSUPP,
			       "--systemd-cgroup: a user's systemd has cgroups of v2 only, and "
			       "this host has v1");
	if (check_rights(p) < 0)
		return p->err->code;
	return check_time(p);
}

int plan_build(struct plan *plan, const struct spec *spec, const struct plan_options *options,
	       const struct facts *facts, struct err *err)
{
	struct planner p = {
		.plan = plan, .spec = spec, .options = options, .facts = facts, .err = err
	};

	*plan = (struct plan){ .n_slots = SLOT_FIRST_FREE };
	err->code = 0;
	if (check(&p) == 0) {
		build(&p);
		finish_rundir(&p);
	}
	if (err->code == 0 && !arena_failed(&plan->arena))
		return 0;
	plan_done(plan);
	return err->code < 0 ? err->code : err_set(err, -ENOMEM, "plan container %s", options->id);
}
