/*
 * people.h - `containr run` and `containr plan` for people: flags become a config.json.
 *
 * Each translator (the table in run_spec.c) takes one group of flags and adds its part to the text
 * of the configuration, which is then read by the ordinary reader: what may be in it is checked in
 * one place, wherever it comes from. A translator refuses only what the reader could not tell, or
 * not in the words of the flag.
 */
#pragma once

#include <sys/types.h>

#include "cli/cli.h"
#include "host/facts.h"
#include "plan/plan.h"
#include "run/run.h"

/* One entry of `mounts` on its way into the configuration. */
struct people_mount {
	const char *destination;
	const char *type, *source; /* source NULL: none */
	const char *options;       /* "ro,nosuid" */
};

/* A volume that gets the container's label: :z, or :Z for this container alone. */
struct people_relabel {
	const char *path;
	bool shared;
};

struct people {
	struct arena *arena;
	struct err *err;
	struct cli *cli; /* for warnings */
	const struct run_flags *flags;
	const char *id;
	const char *state_root;
	struct facts facts;

	/* decided on the way, each by one translator, for those behind it */
	const char *rootfs;  /* NULL: the host's own programs */
	int root_fd;         /* of rootfs, or -1 */
	int ids_lock;        /* while ids are chosen that only this container has; -1: none */
	bool root_in_memory; /* … whose changes go with the container */
	struct plan_root new_root;
	bool userns;        /* the container is in a user namespace, */
	bool joined_userns; /* … of another */
	bool own_id_only;   /* … in which one id is mapped */
	bool few_ids;       /* … in which the group of terminals is not mapped */
	bool keeps_id;      /* … in which we are seen under our own id */
	bool host_net, host_pid, host_ipc, host_uts, host_cgroup;
	bool tty;
	uint32_t uid, gid;
	const char *user_name; /* as passwd has it, or NULL */
	const char *home;
	uint64_t caps;       /* kept in the bounding set */
	uint64_t added_caps; /* named by --cap-add */
	bool no_new_privs;
	bool wants_summary;
	const char *seccomp_name;
	bool no_seccomp;
	bool for_plan;
	const char *apparmor, *selinux; /* NULL: none */
	const char *apparmor_file;      /* with that profile, or NULL */
	const char *selinux_mount;      /* label of files, or NULL */
	size_t n_relabels, max_relabels;
	struct people_relabel *relabels;
	const char *landlock;      /* text of the annotation, or NULL */
	unsigned int landlock_abi; /* of the kernel */
	const char *proc_options;  /* of /proc besides the usual, or NULL */
	size_t n_masked, n_readonly;
	const char *memory_limit, *pids_limit, *cpus_limit; /* as shown to people; NULL: none */
	size_t n_calls, n_calls_known;                      /* allowed, and all of this machine's */
	size_t n_mounts, max_mounts;
	struct people_mount *mounts;

	/* the parts of the configuration: members of objects, items of arrays */
	struct buf top, process, linux, namespaces, devices, device_rules;
};

/* ---- run_preset.c ------------------------------------------------------------------------------
 */

/* The command line as plain flags, one a line. */
void run_preset_print(const struct cli *cli, struct buf *out);

/* ---- run_spec.c --------------------------------------------------------------------------------
 */

/* The configuration as text; `p` has what the translators decided. */
int people_config(struct people *p, struct buf *ret);

/* Who makes the cgroup: "cgroupfs", "systemd" or "disabled". */
bool people_manager_is(const struct people *p, const char *manager);
void people_done(struct people *p);

/* Rewords an error of the reader, which names keys, in terms of flags. */
void people_reword(struct err *err);

/* ---- the translators, in their order -----------------------------------------------------------
 */

int run_root(struct people *p);       /* where the root file system comes from */
int run_namespaces(struct people *p); /* which are new, joined or the host's */
int run_ids(struct people *p);        /* id mappings */
int run_user(struct people *p);       /* whom the process runs as */
int run_caps(struct people *p);
int run_seccomp(struct people *p);
int run_security(struct people *p); /* labels, no_new_privs, hidden paths */
int run_devices(struct people *p);
int run_mounts(struct people *p);
int run_landlock(struct people *p);  /* what may be written where */
int run_host_root(struct people *p); /* the host's programs as the root, for run_mounts(), */
int run_binds(struct people *p);     /* … and what of the host is wanted besides */
int run_resources(struct people *p);
int run_process(struct people *p);
int run_names(struct people *p); /* host name, annotations, labels, sysctls */

/* ---- run_summary.c -----------------------------------------------------------------------------
 */

void run_summary(struct people *p, struct buf *out);

/* ---- run_detach.c ------------------------------------------------------------------------------
 */

/* Annotations by which later commands know what was asked for. */
#define PEOPLE_STOP_SIGNAL  "org.opencontainers.image.stopSignal"
#define PEOPLE_STOP_TIMEOUT "run.containr.stop-timeout"
#define PEOPLE_SECCOMP      "run.containr.seccomp"
#define PEOPLE_OURS         "run.containr." /* what they begin with */

#define PEOPLE_STOP_SECONDS 10

/* Checks the flags about output and about the end of a container; fills *ret. */
int people_monitor(struct people *p, struct monitor_options *ret);

/* ---- for the translators -----------------------------------------------------------------------
 */

/* run_mounts.c: options separated by commas. */
void people_mount(struct people *p, const char *destination, const char *type, const char *source,
		  const char *options);

/* run_names.c */
const char *people_hostname(struct people *p);

/* run_user.c: a small file of the host, or of the container's root: 0 or a negative errno. */
int people_read_host_file(const char *path, struct buf *ret);
int people_read_root_file(struct people *p, const char *path, struct buf *ret);

/* run_user.c: whom --user means in p->rootfs; sets uid, gid and, if there is one, the home. */
int people_resolve_user(struct people *p, struct spec_strings *ret_groups);

/* run_process.c: `entries` (NAME=VALUE, or NAME: ours) and those of files over what is in `ret`. */
int people_add_env(struct people *p, const struct spec_strings *files,
		   const struct spec_strings *entries, struct spec_strings *ret);

/* cmd_run.c: 126 and 127 for a program that cannot be executed or is not there, else 125. */
int people_status(const struct err *err);

/* An entry of /etc/passwd or /etc/group. */
struct people_entry {
	const char *name;
	uint32_t id, gid;
	const char *home, *shell; /* of a user */
	const char *members;      /* of a group: "a,b" */
};

/* The entry with this name or, if name is NULL, this id. */
bool people_find_user(struct arena *arena, const char *text, const char *name, uint32_t id,
		      struct people_entry *ret);
bool people_find_group(struct arena *arena, const char *text, const char *name, uint32_t id,
		       struct people_entry *ret);

/* run_value.c: values in the forms of docker; messages begin with "--FLAG VALUE: ". */
int value_size(struct err *err, const char *flag, const char *text, uint64_t *ret);
int value_number(struct err *err, const char *flag, const char *text, int64_t min, int64_t max,
		 int64_t *ret);
/* "1.5" with `scale` 1000 is 1500. */
int value_decimal(struct err *err, const char *flag, const char *text, uint64_t scale,
		  uint64_t *ret);
int value_bool(struct err *err, const char *flag, const char *text, bool *ret);

/* Up to the separator: the part, and *rest behind it (NULL at the end). */
const char *value_part(struct arena *arena, const char *text, char separator, const char **rest);
bool value_has(const char *list, const char *word); /* "a,b,c" */

/* The word of a list, which ends with NULL, that was meant by a mistyped one, or NULL. */
const char *value_nearest(const char *const *words, const char *word);

/* The first process of a running container, for container:ID. */
int people_pid_of(struct people *p, const char *flag, const char *id, pid_t *ret);

/* How an ordinary user gets more than one id. */
#define SUBID_HINT                                                                                 \
	"as root: apt install uidmap; usermod --add-subuids 100000-165535 "                        \
	"--add-subgids 100000-165535 NAME"

static inline bool given(const char *text)
{
	return text && *text;
}
