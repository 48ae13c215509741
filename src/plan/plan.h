/*
 * plan.h - every step of a container's start, in order, decided before anything is touched.
 *
 * plan_build() is a pure function of spec, options and facts: it makes no system call, so it is
 * tested and fuzzed without privileges, and `containr plan` prints exactly what a start would do.
 * A plan is never changed once built. It owns one arena; it borrows from the spec, which must live
 * as long.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "host/facts.h"
#include "ops/step.h"
#include "spec/spec.h"

/*
 * A root file system that is made, not found: a tmpfs with links and small files, in which the
 * spec's mounts put the rest. What the spec says in root.path is not looked at.
 */
struct plan_root {
	size_t n_links, n_files;
	const struct plan_root_link {
		const char *path, *target;
	} * links;
	const struct plan_root_file {
		const char *path, *text;
	} * files;
};

/* What the command line adds to the spec. */
struct plan_options {
	const char *id;
	const char *root;   /* of the state, absolute */
	const char *bundle; /* absolute */
	const char *config; /* text of config.json, kept beside the state */
	size_t config_len;
	bool run; /* no waiting for `start` */
	bool detach;
	const char *pid_file;
	const char *console_socket;
	const char *pidfd_socket;
	const char *notify_socket; /* NOTIFY_SOCKET of the environment */
	int view; /* descriptor of the read-only view that we run from, 0: none (selfexe.h) */
	unsigned int preserve_fds; /* descriptors 3 … 3 + n - 1 reach the program */
	unsigned int listen_fds;   /* LISTEN_FDS: these too, and the program is told */
	const char *apparmor_file; /* with process.apparmorProfile, or NULL; loaded at each start */
	bool no_pivot, no_new_keyring;
	bool root_in_memory;              /* what is changed in the root is kept in memory */
	bool systemd_cgroup;              /* systemd makes the cgroup */
	bool no_cgroup;                   /* there is none: the caller's is shared */
	const struct plan_root *new_root; /* NULL: root.path is the root */
};

struct plan {
	struct arena arena;
	size_t n_steps, max_steps;
	struct step *steps;
	int n_slots;
	struct spec_strings cgroups; /* the directories that it makes */
	struct step_scope scope;     /* of update: what systemd is told; no unit: nothing */
	size_t spawn;                /* number of the step that makes init */
	size_t after_start; /* number of the first step after the gate; n_steps if there is none */
};

int plan_build(struct plan *plan, const struct spec *spec, const struct plan_options *options,
	       const struct facts *facts, struct err *err);

/* The numbered steps with their lanes, for people or as JSON. */
void plan_print(const struct plan *plan, struct buf *out);
void plan_print_json(const struct plan *plan, struct buf *out);

void plan_done(struct plan *plan);

/* ---- for the files of plan/ ------------------------------------------------------------------ */

/* What the functions of the sequence share while a plan is made. */
struct planner {
	struct plan *plan;
	const struct spec *spec;
	const struct plan_options *options;
	const struct facts *facts;
	struct err *err;              /* err->code is set when a decision could not be made */
	int clocks;                   /* slot of the file for offsets of clocks */
	bool net_joined;              /* the network namespace made beside is joined by a step */
	struct sock_fprog filter;     /* compiled; len 0: none */
	uint32_t filter_flags;        /* SECCOMP_FILTER_FLAG_* */
	bool filter_listens;          /* its notification descriptor goes to SLOT_LISTENER */
	const char *listener_head;    /* the agent's message up to the first pid */
	size_t state_step;            /* number of the step that writes state.json */
	char **env;                   /* of the program */
	const struct plan_exec *exec; /* NULL: a start; else a further process of a container */
	const struct step_landlock *landlock; /* NULL: none */
	struct rootfs_plan *rootfs; /* what the functions of rootfs.c hand on to each other */
};

void plan_add(struct planner *p, enum lane lane, struct step step);
int plan_slot(struct planner *p); /* a fresh slot */

static inline struct arena *plan_arena(struct planner *p)
{
	return &p->plan->arena;
}
