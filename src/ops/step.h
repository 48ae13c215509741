/*
 * step.h - one thing to do, as plain data. A step holds no function and no decision: what to do was
 * settled when the plan was made, how to do it is in the tables of operations (ops.h), and the
 * sentence for people is made from its arguments when somebody asks (describe.h).
 */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ops/step_cgroup.h"
#include "ops/step_criu.h"
#include "ops/step_landlock.h"
#include "ops/step_mount.h"
#include "ops/step_scope.h"
#include "spec/spec.h"

/* Who carries a step out. The plan is one list; each process walks it and does its own lane. */
enum lane {
	LANE_HOST, /* the runtime, outside the container */
	LANE_INIT, /* the process that becomes the container; no allocation from here on */
};

/*
 * Descriptors that exist only at run time have numbers in the plan: fixed ones for those that every
 * start knows, and from SLOT_FIRST_FREE on those that a plan hands out (mount sources, namespaces).
 */
enum {
	SLOT_NONE = -1,
	SLOT_RUN_DIR, /* the container's directory below --root, locked */
	SLOT_ROOTFS,  /* the root file system: a detached mount, or a directory, later "/" */
	SLOT_PROC,    /* a procfs that we made: the only one that settings are written through */
	SLOT_CGROUP,  /* the cgroup v2 directory that init is born in */
	SLOT_CONSOLE, /* socket over which init sends the terminal's master */
	SLOT_CONSOLE_PEER, /* the other end, when the runtime itself is the terminal's user */
	SLOT_LISTENER,     /* connection to the agent that gets the seccomp notifications */
	SLOT_GATE,         /* listening socket on which init waits for `start` */
	SLOT_NOTIFY,       /* the container's end of NOTIFY_SOCKET */
	SLOT_TARGET,       /* pidfd of the process whose namespaces exec joins */
	SLOT_PIDFD_SOCKET, /* socket that wants init's pidfd */
	SLOT_NETNS,     /* pidfd of who makes the network namespace, through which init joins it */
	SLOT_VIEW,      /* the read-only view that we run from */
	SLOT_SYSTEMD,   /* connection to systemd, until it has made the scope */
	SLOT_SEED,      /* a tiny mount namespace to start from */
	SLOT_CRIU,      /* our end of the connection to criu */
	SLOT_CRIU_PEER, /* criu's end */
	SLOT_IMAGES,    /* the directory of criu's images */
	SLOT_WORK,      /* the directory of its log */
	SLOT_NAMESPACE, /* those with paths, in the order of the spec: at most eight */
	SLOT_FIRST_FREE = SLOT_NAMESPACE + 8,
};

/* Kinds of steps. The names that `plan` prints are in describe.c. */
enum step_kind {
	/* what the host does */
	STEP_APPARMOR,
	STEP_HOST_LABEL,
	STEP_RUN_DIR,
	STEP_FILE,
	STEP_OPEN,
	STEP_TREE,
	STEP_ID_MAPPED,
	STEP_OVERLAY,
	STEP_CGROUP_MAKE,
	STEP_CGROUP_WRITE,
	STEP_CGROUP_DEVICES,
	STEP_CGROUP_JOIN,
	STEP_CGROUP_OPEN,
	STEP_SYSTEMD_SCOPE,
	STEP_SYSTEMD_AWAIT,
	STEP_SYSTEMD_ATTACH,
	STEP_NETNS,
	STEP_NETNS_UP,
	STEP_CONNECT,
	STEP_SOCKET_PAIR,
	STEP_GATE,
	STEP_NOTIFY,
	STEP_SPAWN,
	STEP_ID_MAP,
	STEP_ID_MAP_HELPER,
	STEP_PROC_FILE,
	STEP_CLOCKS_OPEN,
	STEP_CLOCKS,
	STEP_UNDUMPABLE,
	STEP_RECORD_INIT,
	STEP_VIEW,
	STEP_NET_DEVICE,
	STEP_INTEL_RDT,
	STEP_PID_FILE,
	STEP_SEND_PIDFD,
	STEP_CREATED,
	STEP_DIRECTORY,
	STEP_IMAGES,
	STEP_IMAGES_END,
	STEP_RECORD_RESTORER,
	STEP_RECORD_SERVER,
	STEP_CRIU,
	/* what both can do */
	STEP_HOOKS,
	STEP_RLIMIT,
	STEP_STREAMS,
	/* what init does */
	STEP_DIE_WITH_PARENT,
	STEP_SET_NS,
	STEP_UNSHARE,
	STEP_JOIN_NETNS,
	STEP_ROOT_OF_USERNS,
	STEP_PROPAGATION,
	STEP_ROOT_NEW,
	STEP_ROOT_TREE,
	STEP_ROOT_FILE,
	STEP_MOUNT,
	STEP_DEVICE,
	STEP_LINK,
	STEP_MASK,
	STEP_READONLY,
	STEP_ROOT_READONLY,
	STEP_PIVOT,
	STEP_PROC,
	STEP_LOOPBACK,
	STEP_HOSTNAME,
	STEP_DOMAINNAME,
	STEP_SYSCTL,
	STEP_TIME_OFFSET,
	STEP_OOM_SCORE,
	STEP_SESSION,
	STEP_TERMINAL,
	STEP_PERSONALITY,
	STEP_SCHEDULER,
	STEP_IO_PRIORITY,
	STEP_AFFINITY,
	STEP_MEMORY_POLICY,
	STEP_KEYRING,
	STEP_LABEL,
	STEP_LANDLOCK_RULES,
	STEP_GROUPS,
	STEP_BOUNDING,
	STEP_IDS,
	STEP_CAPABILITIES,
	STEP_AMBIENT,
	STEP_HOME,
	STEP_CWD,
	STEP_LOOKUP,
	STEP_OUTLIVE_PARENT,
	STEP_AWAIT_HOST,
	STEP_WAIT_START,
	STEP_CLOSE_FDS,
	STEP_KEEP_FDS,
	STEP_MOUNT_POINT,
	STEP_SOURCES,
	STEP_SIGNALS,
	STEP_NO_NEW_PRIVS,
	STEP_LANDLOCK,
	STEP_SECCOMP,
	STEP_EXEC,
	STEP_KINDS
};

struct step_run_dir {
	const char *root, *id; /* ROOT/ID is made, ROOT too if it is missing */
};

/* A new file in the run directory, or in that of another slot. */
struct step_file {
	const char *name;
	const void *data;
	size_t len;
	int dir;      /* slot; 0 is SLOT_RUN_DIR */
	bool replace; /* one that is there is removed first */
};

struct step_open {
	int slot;
	const char *path;
	int flags;    /* for open(2); O_CLOEXEC is added */
	bool in_init; /* host lane: as a place in init's mount namespace */
};

struct step_connect {
	int slot;
	const char *path; /* of a listening Unix socket */
};

struct step_pair {
	int slot, peer;
	int type; /* SOCK_STREAM or SOCK_SEQPACKET */
};

/* A namespace, or a pidfd with several, to be entered before init is born. */
struct step_join {
	int slot, flags;  /* CLONE_NEW* */
	const char *path; /* for messages */
};

/*
 * Makes init. With joins, a helper enters those first, so that init is born below them: the user
 * namespace of a new pid namespace, the pid namespace of exec.
 */
struct step_spawn {
	uint64_t flags; /* CLONE_NEW* */
	int cgroup;     /* slot of the cgroup v2 directory to be born in, or SLOT_NONE */
	size_t n_joins;
	const struct step_join *joins;
	bool hold;   /* init waits for the host's next steps before it does its own */
	bool shares; /* init borrows our memory: we wait for its exec */
};

/* Offsets of a time namespace, and the slot of the file of init's that they are written to. */
struct step_clocks {
	int slot;
	const char *text; /* "monotonic 5 0\n" */
};

struct step_text {
	const char *file, *text;
};

/* newuidmap and newgidmap with what follows the pid; they run side by side. */
struct step_id_map_helper {
	const char *const *uid_args, *const *gid_args; /* NULL-terminated */
};

struct step_net_device {
	const char *host, *name;
	int netns; /* slot of the namespace to join, or SLOT_NONE: init's own, which is new */
	int slot;  /* for a socket there: what undo needs */
};

/* Puts init into a group of resctrl, which is made or found. */
struct step_intel_rdt {
	const char *root;  /* where resctrl is mounted */
	const char *group; /* directory below it */
	bool may_be_made, may_be_there;
	const char *expected;   /* lines that one that is there must have, or NULL */
	const char *schemata;   /* lines to write, or NULL */
	const char *monitor;    /* monitoring group to make in it, or NULL */
	int made, monitor_made; /* slots: open once we made them */
};

struct step_hooks {
	const char *name; /* "createRuntime" */
	const struct spec_hook_list *list;
	const char *state_head, *state_tail; /* the state as JSON; the pid goes between */
};

struct step_rlimit {
	int resource;
	uint64_t soft, hard;
	const char *name;
};

struct step_set_ns {
	int slot, flag;
	const char *name; /* "network", and for messages the path */
	const char *path;
};

struct step_unshare {
	int flags;
};

struct step_name {
	const char *name;
};

struct step_terminal {
	uint16_t rows, columns;
	uint32_t uid; /* owner of the terminal */
	bool dev_console;
};

struct step_persona {
	unsigned long persona;
};

struct step_scheduler {
	const struct spec_scheduler *scheduler;
};

struct step_io_priority {
	int class, priority;
};

struct step_affinity {
	const uint8_t *mask;
	size_t size;
	const char *list;
};

struct step_memory_policy {
	uint32_t mode, flags;
	const unsigned long *nodes;
	size_t max_node;
	const char *list;
};

struct step_groups {
	size_t n;
	const uint32_t *list;
	bool optional; /* where a user namespace has given setgroups up for ever, go without */
};

struct step_streams {
	uint32_t uid;
	bool in_userns;
};

struct step_ids {
	uint32_t uid, gid;
	bool keep_caps;
};

struct step_capabilities {
	uint64_t effective, permitted, inheritable;
};

struct step_mask {
	uint64_t mask; /* capabilities to drop, or to make ambient */
};

/* HOME= of the user that the image's /etc/passwd names, where the configuration sets none. */
struct step_home {
	uint32_t uid;
	char *
	    entry; /* of envp, "HOME=/" and room for HOME_SIZE bytes; the one thing init fills in */
};

#define HOME_SIZE 1024

struct step_cwd {
	const char *path;
	uint32_t umask;
};

struct step_close_fds {
	unsigned int first; /* descriptors from here on do not reach the program */
};

struct step_seccomp {
	struct sock_fprog prog;
	uint32_t flags; /* SECCOMP_FILTER_FLAG_* */
	/* Sent with the notification descriptor: head, pid, middle, pid, tail. head NULL: none. */
	const char *message_head, *message_middle, *message_tail;
};

struct step_exec {
	const char *file;              /* argv[0] as configured */
	const char *const *candidates; /* paths to try in order, NULL-terminated */
	char *const *argv;
	char *const *envp;
};

struct step {
	enum step_kind kind;
	enum lane lane;
	union {
		struct step_run_dir run_dir;
		struct step_file file;
		struct step_open open;
		struct step_connect connect;
		struct step_pair pair;
		struct step_cgroup cgroup;
		struct step_scope scope;
		struct step_spawn spawn;
		struct step_text
		    text; /* id map, proc file, sysctl, label, pid file, new root, root file */
		struct step_clocks clocks;
		struct step_id_map_helper id_map_helper;
		struct step_net_device net_device;
		struct step_intel_rdt intel_rdt;
		struct step_hooks hooks;
		struct step_rlimit rlimit;
		struct step_set_ns set_ns;
		struct step_unshare unshare;
		struct step_tree tree;
		struct step_id_mapped id_mapped;
		struct step_overlay overlay;
		struct step_propagation propagation;
		struct step_mount mount;
		struct step_device device;
		struct step_link link;
		struct step_paths paths;
		struct step_pivot pivot;
		struct step_name name;
		struct step_terminal terminal;
		struct step_persona persona;
		struct step_scheduler scheduler;
		struct step_io_priority io_priority;
		struct step_affinity affinity;
		struct step_memory_policy memory_policy;
		struct step_landlock landlock;
		struct step_groups groups;
		struct step_streams streams;
		struct step_ids ids;
		struct step_capabilities capabilities;
		struct step_mask mask;
		struct step_home home;
		struct step_cwd cwd;
		struct step_close_fds close_fds;
		struct step_seccomp seccomp;
		struct step_exec exec;
		struct step_directory directory;
		struct step_images images;
		struct step_criu criu;
		struct step_keep_fds keep_fds;
		struct step_mount_point mount_point;
		struct step_sources sources;
	};
};
