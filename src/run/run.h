/*
 * run.h - carries out what the commands ask for, from the spec to the process and back to nothing.
 *
 * All functions return 0 (or what they say) or a negative errno with the message in `err`, and
 * leave nothing behind when they fail. Messages carry the phrases that engines look for
 * ("does not exist", "process already finished", "executable file not found in $PATH", …).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "ops/cgroup_dirs.h"
#include "ops/cgroup_end.h"
#include "ops/cgroup_usage.h"
#include "plan/plan.h"
#include "run/output.h"
#include "spec/read.h"
#include "state/state.h"

/* ---- launch.c: create and run ------------------------------------------------------------ */

/* Of a detached container that somebody shall watch. */
struct monitor_options {
	struct output_options output;
	bool interactive; /* standard input stays open, although nobody writes to it */
};

struct run_request {
	struct plan_options plan; /* id, root, bundle, … as on the command line */
	const char *config;       /* text in place of BUNDLE/config.json, or NULL */
	spec_unknown_fn unknown;  /* told of unknown keys of config.json; may be NULL */
	void *unknown_data;
	bool keep;   /* leave the container after run, for `delete` */
	bool record; /* … and write down how it ended */
	bool no_subreaper;
	const int *lock;     /* of state_lock_root(), given up once it is on record; NULL: none */
	struct err *warning; /* of run: how a poststop hook failed, or NULL */
	struct buf *reasons; /* of run: what the container met at its end, a line each, or NULL */
	bool trace;          /* print each step with its time to stderr */
	const struct monitor_options *monitor; /* of run_monitored() */
};

/* Makes the container; its process waits for `start`. Reads BUNDLE/config.json. */
int run_create(const struct run_request *request, struct err *err);

/*
 * Makes and starts it; unless detached, waits for its end, forwards signals, carries its terminal,
 * removes it, and returns the exit status (128 + n for signal n).
 */
int run_run(const struct run_request *request, struct err *err);

/*
 * Makes and starts it below a process of its own (monitor.c), which keeps its output, and writes
 * down how it ended; returns once the program runs or, with NOTIFY_SOCKET, once it is ready.
 */
int run_monitored(const struct run_request *given, struct err *err);

/* Builds the plan that create or run would carry out, and prints it. */
int run_plan(const struct run_request *request, bool json, struct buf *out, struct err *err);

/* ---- exec.c ------------------------------------------------------------------------------ */

struct exec_request {
	const char *root, *id;
	const char *process_file;      /* --process, or NULL: the fields below over config.json's */
	struct spec_strings args, env; /* command; additional environment */
	const char *cwd, *user;        /* "UID[:GID]" */
	struct spec_strings caps, additional_gids;
	struct spec_strings cgroups; /* "PATH" or "CONTROLLER,…:PATH", below the container's */
	const char *apparmor, *process_label;
	bool whole_env;  /* env is all of it, not additional */
	bool own_groups; /* additional_gids are all of them */
	bool tty, detach, no_new_privs, ignore_paused;
	const char *console_socket, *pid_file, *pidfd_socket;
	int view; /* as in struct plan_options */
	unsigned int preserve_fds;
};

/* Returns the exit status of the command, or 0 when detached. */
int run_exec(const struct exec_request *request, struct err *err);

/* ---- life.c, start.c, delete.c: a container that is there -------------------------------- */

/* `notify_socket`: the value of NOTIFY_SOCKET, or NULL. Then it returns when it is ready. */
int run_start(const char *root, const char *id, const char *notify_socket, struct err *err);

/* A signal to its first process, or to all. */
int run_kill(const char *root, const char *id, int sig, bool all, struct err *err);

/* 1: it is removed, but a poststop hook failed, and how is in `err`. */
int run_delete(const char *root, const char *id, bool force, struct err *err);

int run_pause(const char *root, const char *id, struct err *err);
int run_resume(const char *root, const char *id, struct err *err);

/* ---- checkpoint.c, restore.c: through criu ----------------------------------------------- */

struct criu_request {
	struct criu_options options;
	const char *program;       /* --criu, or NULL: it is looked for */
	const char *images, *work; /* directories, absolute; work may be NULL */
};

/* Writes it to the disk; unless it is to run on, it is removed then. */
int run_checkpoint(const char *root, const char *id, const struct criu_request *request,
		   bool pre_dump, struct err *err);

/* As run_run(), but its processes come from the images. */
int run_restore(const struct run_request *request, const struct criu_request *criu,
		struct err *err);

/* ---- update.c, events.c ------------------------------------------------------------------ */

struct update_request {
	const char *root, *id;
	struct spec_resources resources;             /* what is to change; devices stay */
	const char *l3_cache_schema, *mem_bw_schema; /* of resctrl, or NULL */
};

/* All of it, or nothing: the message says what was put back. */
int run_update(const struct update_request *request, struct err *err);

/* Told what happens to a container; 0, or a negative errno with a message to stop. */
struct events_listener {
	int (*stats)(void *data, const struct cgroup_dirs *dirs, struct err *err);
	int (*oom)(void *data, struct err *err);
	void *data;
};

/* Statistics every `interval` milliseconds, and shortages of memory, until the container ends. */
int run_events(const char *root, const char *id, int interval,
	       const struct events_listener *listener, struct err *err);

/* Statistics once. */
int run_stats(const char *root, const char *id, const struct events_listener *listener,
	      struct err *err);

/* ---- usage.c ----------------------------------------------------------------------------- */

struct usage {
	const char *id;
	enum state_status status;
	pid_t pid;
	int64_t started_ns, at_ns; /* of CLOCK_BOOTTIME: its process began, this was read */
	struct cgroup_usage cgroup;
	bool has_network; /* one of its own */
	uint64_t received, sent;
};

struct usage_list {
	size_t n;
	struct usage *v;
};

#define USAGE_NETWORK 0x100 /* besides USAGE_* of ops/cgroup_usage.h: received, sent */

/*
 * What each of the containers uses, or all below `root` where no id is given, in one pass. In the
 * arena, in the order of the ids.
 */
int run_usage(const char *root, const struct spec_strings *ids, unsigned int wanted,
	      struct arena *arena, struct usage_list *ret, struct err *err);

/* What the cgroups know of the end of a container, or of its troubles so far. */
int run_end(const char *root, const char *id, struct cgroup_end *ret, struct err *err);

/* The state as runtime-spec has it, with `paused` looked at. It lies in the arena. */
int run_state(const char *root, const char *id, struct arena *arena, struct state *ret,
	      enum state_status *status, struct err *err);

/* The configuration as it was when it was created. It lies in the arena. */
int run_config(const char *root, const char *id, struct arena *arena, struct spec *ret,
	       struct err *err);

/*
 * Waits up to `ms` milliseconds (-1: any time) for its end: 1 and how it was, 0 when nobody wrote
 * that down, -ETIMEDOUT when it has not ended.
 */
int run_wait(const char *root, const char *id, int ms, struct state_exit *ret, struct err *err);

/* The pids inside, as the host sees them. */
int run_pids(const char *root, const char *id, struct arena *arena, size_t *n, pid_t **ret,
	     struct err *err);
