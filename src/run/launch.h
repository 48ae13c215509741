/*
 * launch.h - what create, run and exec share: a plan at work, and its errors.
 */
#pragma once

#include "run/run.h"
#include "run/spawn.h"
#include "run/supervise.h"
#include "run/walk.h"

/* A container's start from its bundle on. */
struct launch {
	struct arena arena; /* of the spec */
	struct buf config;
	struct spec spec;
	struct plan_options options;
	struct facts facts;
	struct plan plan;
};

#define LAUNCH_NONE                                                                                \
	(struct launch)                                                                            \
	{                                                                                          \
		.facts = {.seed_fd = -1, .systemd.manager = DBUS_NONE }                            \
	}

void launch_done(struct launch *l);

/* Reads the configuration and the facts: all that a plan is made of. */
int launch_prepare(struct launch *l, const struct run_request *request, struct err *err);

/* The same, and makes the plan of a start. */
int launch_plan(struct launch *l, const struct run_request *request, struct err *err);

/*
 * Walks it, and prints each step with its time to `trace`, unless that is -1. The container's lock
 * is held until launch_unlock().
 */
int launch_walk(struct launch *l, struct walk *w, int trace, struct err *err);
void launch_unlock(const struct walk *w, const struct run_request *request);

/* Hooks of the host, with the state of the container. */
int launch_hooks(const struct launch *l, const struct walk *w, const char *name, const char *status,
		 const struct spec_hook_list *list, struct err *err);

/* Has it a pid namespace of its own, so that nothing outlives its first process? */
bool launch_owns_pids(const struct launch *l);

/* supervise_wait(), with an eye on counters that go before we could read them; before the walk. */
void launch_watch(const struct launch *l, struct supervise *s);
int launch_wait(struct walk *w, struct supervise *s, struct err *err);

/* What the cgroups know of its end; false: there are no limits that they could tell of. */
bool launch_end(const struct launch *l, const struct supervise *s, struct cgroup_end *ret);

/* Writes down how it ended, to a descriptor from state_exit_create(). */
void launch_record(const struct launch *l, int fd, int status, const struct supervise *s);

/* After the end of the process: what it left in its cgroup goes too, then all that was made. */
int launch_clean_up(const struct launch *l, struct walk *w, struct err *warning, struct err *err);

/* Before the walk and after it, where the command may stay until the container ends. */
int launch_begin(struct supervise *s, const struct run_request *request, struct err *err);
int launch_finish(struct launch *l, struct walk *w, struct supervise *s, int record,
		  const struct run_request *request, struct err *err);

/* Are the descriptors that shall reach the program there? */
int check_passed_fds(const struct plan_options *o, struct err *err);

/* Makes a walk ready to begin. */
int walk_begin(struct walk *w, const struct plan *plan, struct err *err);

/* Walks it from its first step; when that fails, undoes it all and says which step failed and why.
 */
int walk_start(struct walk *w, struct err *err);

/* The message for a walk that stopped. */
int walk_error(const struct walk *w, int code, struct err *err);

/* Closes what the steps opened, but for these slots; then all that is left. */
void walk_release(struct walk *w, const int *keep, size_t n_keep);
void walk_done(struct walk *w);
