/*
 * state.h - what is on disk about a container: one directory below --root, one file a concern.
 *
 *   ROOT/ID/             mode 0700; making it claims the id, a flock on it excludes other commands
 *   ROOT/ID/state.json   written once, before the first side effect: all that `delete` must know
 *   ROOT/ID/config.json  the configuration as it was read, for exec and for hooks
 *   ROOT/ID/seccomp.bpf  the compiled filter, for exec (absent: none)
 *   ROOT/ID/init         "PID STARTTIME\n", written once, as soon as init exists
 *   ROOT/ID/restorer     the same of criu, written before it restores an init
 *   ROOT/ID/server.N     the same of each process that serves an overlay (ops/host_fuse.c), or the
 *                        memory of a checkpoint
 *   ROOT/ID/images       modes to be given back to criu's images, while a restore is at work
 *   ROOT/ID/gate         socket on which init waits for `start`; nobody listens once it has begun
 *   ROOT/ID/watcher      "PID STARTTIME DETACHED\n" of the process that waits for its end
 *   ROOT/ID/exit         how it ended; empty until then, and absent where nobody watches
 *   ROOT/ID/ctr.log      what a detached container said; ctr.log.1 and so on are older
 *
 * But for the log, nothing is ever rewritten, so nothing can be torn: a file is there, or a kill
 * came before it. The time of creation is the file's own. The directory is on a tmpfs; nothing
 * needs to reach a disk.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "spec/spec.h"

#define STATE_FILE     "state.json"
#define STATE_CONFIG   "config.json"
#define STATE_FILTER   "seccomp.bpf"
#define STATE_INIT     "init"
#define STATE_SERVER   "server."
#define STATE_GATE     "gate"
#define STATE_WATCHER  "watcher"
#define STATE_EXIT     "exit"
#define STATE_LOG      "ctr.log"
#define STATE_RESTORER "restorer"
#define STATE_IMAGES   "images"

enum state_status {
	STATE_CREATING,
	STATE_CREATED,
	STATE_RUNNING,
	STATE_PAUSED,
	STATE_STOPPED,
};

struct state {
	/* state.json */
	const char *id, *oci_version;
	const char *bundle, *rootfs; /* absolute */
	struct spec_pairs annotations;
	struct spec_strings cgroups; /* absolute directories, made by us or about to be */
	bool systemd_cgroup;
	const char *systemd_unit;        /* the scope that we make, or NULL */
	const char *systemd_description; /* by which we know that it is ours */
	bool systemd_user;               /* it is of the manager of a user … */
	const char *systemd_root;        /* … whose own cgroup this is */
	uint64_t namespaces; /* CLONE_NEW* that the container does not share with the host */
	struct spec_capabilities
	    capabilities; /* of its process: what exec gets when it names none */
	const char *apparmor_profile, *selinux_label; /* likewise */
	struct spec_extent process;                   /* in config.json */
	bool no_new_privileges;
	bool has_filter;                 /* there is a seccomp.bpf */
	uint32_t filter_flags;           /* SECCOMP_FILTER_FLAG_* */
	bool poststart, poststop;        /* such hooks are in config.json */
	const char *intel_rdt;           /* directory of resctrl that we make, or NULL */
	struct spec_strings after_start; /* sentences of the steps behind the gate … */
	uint64_t after_start_first;      /* … and the number of the first */

	/* the file `init` */
	pid_t pid;           /* 0: none was made yet */
	uint64_t start_time; /* field 22 of /proc/PID/stat, in clock ticks since boot */

	/* the file `restorer`: what is in the cgroups is ours, init or not */
	pid_t restorer;

	/* the directory */
	int64_t created_sec; /* CLOCK_REALTIME when state.json was written */
	uint32_t created_nsec;
	uid_t owner;
};

/* The text of state.json. */
void state_render(const struct state *state, struct buf *ret);

/* Refuses an id that is empty, ".", "..", longer than 1024 bytes or not made of [A-Za-z0-9_+.-]. */
int state_check_id(const char *id, struct err *err);

/*
 * Opens ROOT/ID: a descriptor, -ENOENT with a message that says that the container "does not
 * exist". With `lock`, excludes other commands first, waiting up to ten seconds for them.
 */
int state_open(const char *root, const char *id, bool lock, struct err *err);
void state_unlock(int dir);

/*
 * Opens ROOT, making it and what is above it if it is missing, and excludes others who choose what
 * only one container may have: a descriptor. state_unlock() gives it up for all who inherited it.
 */
int state_lock_root(const char *root, struct err *err);

/* The same without a lock, nor a message. */
int state_open_root(const char *root);

/* Reads all that is there about a container. A state that was only claimed has an id and no more.
 */
int state_read(int dir, const char *id, struct arena *arena, struct state *ret, struct err *err);

/*
 * What its process is doing now; a pid that was given to another process means stopped. Paused is
 * not looked at here: cgroups are not this layer's business.
 */
enum state_status state_status(int dir, const struct state *state);
const char *state_status_name(enum state_status status);

/*
 * A connection to the gate, or a negative errno: nobody waits there (any more). -EAGAIN: init does,
 * but takes no more connections, because it is frozen.
 */
int state_gate(int dir);

/* The start time of a process, or 0 if there is none or it is a zombie. */
uint64_t state_start_time(pid_t pid);

/* ---- record.c: what whoever watches a container writes down ---------------------------------- */

struct state_exit {
	uint64_t status, signal; /* as of a shell: 128 + signal; signal 0: it exited */
	uint64_t sec, nsec;      /* CLOCK_REALTIME */
	uint64_t oom_kills, memory_limit, memory_peak, pids_refused, pids_limit; /* cgroup_end.h */
};

/* Each returns a descriptor, or a negative errno. */
int state_exit_create(int dir);
int state_exit_open(int dir);

int state_exit_write(int fd, const struct state_exit *e);

/* 1: it has ended so, 0: not yet, or a negative errno. */
int state_exit_read(int fd, struct state_exit *ret);

/*
 * A descriptor that becomes readable with what is written from now on, and does not block; or a
 * negative errno: a user has a few of them only.
 */
int state_exit_watch(int fd);

/*
 * Those that serve overlays end with the container's mounts. Waits for that as long as `ms` for
 * each, and kills those that do not; returns how many there were to be killed.
 */
int state_servers_end(int dir, int ms);

/* Images that others were let into: what they were like before, and which directory it is. */
struct state_images {
	uint64_t dir_mode, clocks_mode; /* permission bits */
	uint64_t device, inode;
	char path[PATH_MAX]; /* of the directory, absolute */
};

int state_images_write(int dir, const struct state_images *images);

/* 1: ret is what was written, 0: nothing was, or not to its end, or a negative errno. */
int state_images_read(int dir, struct state_images *ret);

struct state_watcher {
	pid_t pid;
	bool detached; /* it is there for nothing else; else somebody's command in the foreground */
};

int state_watcher_write(int dir, pid_t pid, bool detached);

/* A pidfd of the process that watches, or -ESRCH; ret may be NULL. */
int state_watcher_open(int dir, struct state_watcher *ret);

/* The ids below `root`, sorted; none if there is no such directory. */
int state_list(const char *root, struct arena *arena, struct spec_strings *ret, struct err *err);

/* Removes ROOT/ID and what is in it. */
int state_remove(const char *root, const char *id, struct err *err);
