/*
 * exec.h - the plan of a further process in a container that runs.
 */
#pragma once

#include "plan/plan.h"

/* What is known of the container, from its state. */
struct plan_exec {
	uint64_t namespaces;             /* CLONE_NEW* to join through SLOT_TARGET */
	struct spec_strings cgroups;     /* its directories */
	struct spec_strings sub_cgroups; /* "PATH" or "CONTROLLER,…:PATH" below them */
	pid_t pid;                       /* of its init */
	const char *systemd_unit;        /* that it is in, or NULL */
	bool systemd_user;               /* of the manager of a user … */
	const char *systemd_root;        /* … whose own cgroup this is */
	struct sock_fprog filter;        /* its filter; len 0: none */
	uint32_t filter_flags;
};

/*
 * `spec` has the process, and of linux.namespaces those with paths of init's that the process is to
 * share; options->run is set. SLOT_TARGET is a pidfd of the container's init.
 */
int plan_build_exec(struct plan *plan, const struct spec *spec, const struct plan_options *options,
		    const struct facts *facts, const struct plan_exec *exec, struct err *err);
