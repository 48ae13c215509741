/*
 * containr/containr.h - runs programs in containers, from C and from what can call C.
 *
 * A container is described by a configuration, which is the config.json of the OCI runtime
 * specification (https://github.com/opencontainers/runtime-spec): begin with the secure default or
 * with a text of your own, and change it by the functions below. What has been made is known by its
 * id below a state directory, to this library and to the program containr-oci alike.
 *
 * Conventions
 *
 * - Functions that can fail return 0, or a negative errno; `err`, which may be NULL, then has what
 *   was tried, why it went wrong, and what can be done about it. Nothing is left behind by a call
 *   that failed, and a configuration is as it was before.
 * - Handles are opaque. What a function named _new or _from_json gives out, the function named
 *   _free takes back; _free(NULL) does nothing; elsewhere a handle and `ret` are not NULL. Texts
 * that go in are copied, are UTF-8 and end with a NUL.
 * - Structs of options begin with `size`, which is set to sizeof(struct …): so a program goes on
 *   working with a newer library. All other members may be zero, where nothing else is said.
 * - The library prints nothing and does not end the process. Different threads may use it at the
 *   same time, but not one configuration: that needs a lock of their own.
 * - A container's first process is a child of the calling process, if that is still there: waitpid
 *   for its pid after its end, or it stays as a zombie. containr_run without CONTAINR_DETACH and
 *   containr_exec do so themselves. Where SIGCHLD is ignored, create, run and exec are
 *   refused with -EINVAL: its status would be lost.
 *
 * Before the first container: containr_protect().
 */
#ifndef CONTAINR_CONTAINR_H
#define CONTAINR_CONTAINR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CONTAINR_API __attribute__((visibility("default")))
#else
#define CONTAINR_API
#endif

/* An error, in memory of the caller. Its size is part of the interface and stays. Since 0.1. */
struct containr_error {
	int code;           /* negative errno */
	char message[1024]; /* what was tried, on which object, and why it went wrong */
	char hint[512];     /* what can be done about it, or "" */
};

/* A configuration. Since 0.1. */
struct containr_config;

/* "MAJOR.MINOR.PATCH" of the library that is loaded; constant. Since 0.1. */
CONTAINR_API const char *containr_version(void);

/*
 * Takes the program that calls out of the reach of containers. To be called first thing in main(),
 * with its arguments and `environ`, by a program that will call containr_create, _run or _exec.
 *
 * Until it executes the container's program, the process that becomes the container runs *your*
 * executable, and an image can make the kernel run it once more. Root inside could write to the
 * file then, and so to the host. If the caller may write to its own executable (root nearly always
 * may), this executes it again from a read-only view that is attached nowhere or, without the
 * rights for a mount, from a sealed copy in memory, with the same pid, arguments and environment.
 * There, and where there is nothing to protect, it returns 0. $ORIGIN in a search path for
 * libraries does not work in such a program: link it with absolute paths, or statically.
 *
 * Errors: what memfd_create(2) and execveat(2) have. Source: CVE-2019-5736. Since 0.1.
 */
CONTAINR_API int containr_protect(char *const *argv, char *const *envp, struct containr_error *err);

/*
 * What this host has to confine containers with, as a JSON object in *ret, to be given back with
 * containr_text_free(): kernel, uid, userNamespace (are we in one), cgroup ("v1", "v2", "hybrid"),
 * capabilities (a list: what can be granted), modules (the kernel's list), apparmor,
 * apparmorConfined, apparmorDefaultProfile, apparmorRestrictsUserNamespaces, selinux,
 * selinuxEnforcing, landlockAbi (0: none). Later versions may add members. `containr info --json`
 * prints the same. Errors: -ENOMEM, and what reading /proc has. Since 0.1.
 */
CONTAINR_API int containr_info(char **ret, struct containr_error *err);

/* ---- the configuration --------------------------------------------------------------------- */

/*
 * The secure default, in *ret: namespaces of its own (of users, too, if the caller is not root; the
 * network is then the host's), Docker's fourteen capabilities, no new privileges, containr's
 * seccomp profile, its AppArmor profile where there is AppArmor, a read-only root, masked and
 * read-only paths in /proc and /sys, no devices but the usual. Where SELinux is active, the start
 * adds labels: system_u:system_r:container_t:s0 with two categories that no other container below
 * the same root has, so the files of the root must be labelled container_file_t. The command is
 * "sh", without a terminal; the root is the directory "rootfs" of the bundle. Errors: -ENOMEM.
 * Since 0.1.
 */
CONTAINR_API int containr_config_new(struct containr_config **ret, struct containr_error *err);

/*
 * From the text of a config.json, which is taken as it is: nothing is added, no seccomp profile
 * either. Unknown keys are kept. Errors: -EINVAL with line, column and key in the message, -ENOMEM.
 * Source: runtime-spec, config.md. Since 0.1.
 */
CONTAINR_API int containr_config_from_json(const char *json, struct containr_config **ret,
					   struct containr_error *err);

/*
 * The config.json that a start would use, but for SELinux labels that it chooses, in *ret; to be
 * given back with containr_text_free(). Errors: -ENOMEM, and those of containr_config_set_seccomp()
 * for a file that was changed meanwhile. Since 0.1.
 */
CONTAINR_API int containr_config_to_json(const struct containr_config *config, char **ret,
					 struct containr_error *err);

CONTAINR_API void containr_config_free(struct containr_config *config); /* since 0.1 */
CONTAINR_API void containr_text_free(char *text);                       /* since 0.1 */

/*
 * What follows changes a configuration. The changes are made in the order of the calls, and a later
 * one counts more. Errors of all: -EINVAL (the value is not allowed; the message names the key),
 * -EILSEQ (a text is not UTF-8), -ENOMEM. All since 0.1.
 */

/* The command: its words, then NULL; at least one. Source: config.md, process.args. */
CONTAINR_API int containr_config_set_args(struct containr_config *config, const char *const *args,
					  struct containr_error *err);

/* The directory of the root file system: absolute, or relative to the bundle. */
CONTAINR_API int containr_config_set_rootfs(struct containr_config *config, const char *path,
					    bool readonly, struct containr_error *err);

/*
 * Whom the program runs as, in ids of the container. Others than root start without capabilities,
 * but for those added afterwards by containr_config_cap_add(), as in Docker.
 */
CONTAINR_API int containr_config_set_user(struct containr_config *config, uint32_t uid,
					  uint32_t gid, struct containr_error *err);

/* "NAME=value"; takes the place of an earlier one of that name. */
CONTAINR_API int containr_config_add_env(struct containr_config *config, const char *entry,
					 struct containr_error *err);

/*
 * Capabilities: "NET_ADMIN", "CAP_NET_ADMIN" in any case of letters, or "ALL". For another user
 * than root an added one is made ambient, too: otherwise it would have no effect.
 * Source: capabilities(7).
 */
CONTAINR_API int containr_config_cap_add(struct containr_config *config, const char *name,
					 struct containr_error *err);
CONTAINR_API int containr_config_cap_drop(struct containr_config *config, const char *name,
					  struct containr_error *err);

/*
 * The seccomp filter, as in `containr run --security-opt seccomp=`: "default", "docker-default",
 * "unconfined" (none) or an absolute path, with changes behind it:
 * "default,+io_uring_setup,-@clock". Its conditions are settled by the capabilities that the
 * configuration has in the end. Errors also: -ENOENT (no such profile or file). Source: seccomp(2),
 * docs of Docker's profiles.
 */
CONTAINR_API int containr_config_set_seccomp(struct containr_config *config, const char *profile,
					     struct containr_error *err);

/* The name of a loaded AppArmor profile; NULL: none. Source: apparmor(7). */
CONTAINR_API int containr_config_set_apparmor(struct containr_config *config, const char *profile,
					      struct containr_error *err);

/*
 * SELinux labels of the process and of files, in place of those that a start chooses; NULL: none.
 * Source: selinux(8), mount(8) context=.
 */
CONTAINR_API int containr_config_set_selinux(struct containr_config *config, const char *process,
					     const char *mount, struct containr_error *err);

/*
 * Landlock's rules as JSON, in the form of the annotation run.containr.landlock:
 * {"ruleset": …, "rules": …}; NULL: none. Source: landlock(7), runtime-spec#1241.
 */
CONTAINR_API int containr_config_set_landlock(struct containr_config *config, const char *rules,
					      struct containr_error *err);

/* Limit of memory in bytes; -1: none. Source: config-linux.md, memory.limit; cgroups(7). */
CONTAINR_API int containr_config_set_memory(struct containr_config *config, int64_t bytes,
					    struct containr_error *err);

/* Share of the processors' time where they are short, 2 to 262144; 1024 is usual. */
CONTAINR_API int containr_config_set_cpu_shares(struct containr_config *config, uint64_t shares,
						struct containr_error *err);

/* Most processes and threads at a time; -1: no limit. */
CONTAINR_API int containr_config_set_pids_limit(struct containr_config *config, int64_t limit,
						struct containr_error *err);

/*
 * Gives up confinement: all capabilities, access to all devices (as far as there are nodes for
 * them), all system calls, no label, no Landlock, new privileges, all of /proc, and /sys and
 * cgroups writable. As real root inside, this is root of the host. Calls that follow can take parts
 * of it back.
 */
CONTAINR_API int containr_config_set_privileged(struct containr_config *config,
						struct containr_error *err);

/* true: a network of its own, with nothing in it but loopback; false: the host's. */
CONTAINR_API int containr_config_set_network_isolated(struct containr_config *config, bool isolated,
						      struct containr_error *err);

/*
 * One more mount, after those that are there. `destination` is absolute, in the container; `type`
 * and `source` as in mount(8), and may be NULL; `options` with commas ("bind,ro,nosuid"), or NULL.
 * Source: config.md, mounts.
 */
CONTAINR_API int containr_config_add_mount(struct containr_config *config, const char *destination,
					   const char *type, const char *source,
					   const char *options, struct containr_error *err);

/* ---- containers ------------------------------------------------------------------------------ */

enum {
	CONTAINR_DETACH = 1, /* return when the program runs, not at its end */
	CONTAINR_KEEP = 2,   /* of run: leave the container for containr_delete() at its end */
	CONTAINR_TTY = 4,    /* of exec: with a terminal */
	/*
	 * The caller's executable needs no protection: it trusts every image, or nobody can make
	 * use of the file. Without this, containr_create, _run and _exec return -EPERM where
	 * containr_protect() has something to do and was not called. Source: CVE-2019-5736.
	 */
	CONTAINR_TRUST_EXECUTABLE = 8,
};

/* For containr_create() and containr_run(). Since 0.1. */
struct containr_run_options {
	size_t size;    /* sizeof(struct containr_run_options) */
	const char *id; /* letters, digits and _ + . - */
	/*
	 * Directory of the state of containers, absolute. NULL: /run/containr for root, else
	 * $XDG_RUNTIME_DIR/containr.
	 */
	const char *root;
	const char *bundle; /* absolute; relative paths begin there. NULL: ROOT/ID */
	const struct containr_config *config; /* NULL: BUNDLE/config.json */
	const char *pid_file;       /* gets the pid of the first process; absolute, or NULL */
	const char *console_socket; /* Unix socket that gets the terminal's master; NULL: none */
	uint32_t flags;             /* CONTAINR_… */
	uint32_t preserve_fds;      /* descriptors 3 … 3 + n - 1 reach the program */
};

/*
 * Makes a container. Its process waits for containr_start(). Standard input, output and error are
 * the caller's. Errors: -EEXIST (the id is in use), -EINVAL, -EPERM (also: see
 * CONTAINR_TRUST_EXECUTABLE), -ENOENT (also: there is no such program), and what the kernel says of
 * a step, which the message names. Source: runtime-spec, runtime.md, create. Since 0.1.
 */
CONTAINR_API int containr_create(const struct containr_run_options *options,
				 struct containr_error *err);

/*
 * Makes and starts a container, waits for its end, removes it and returns its exit status, 0 to
 * 255 (128 + n for signal n); 0 at once with CONTAINR_DETACH. While it waits, signals to the
 * calling thread go on to the container, and the process is not dumpable (prctl(2)): its memory is
 * closed to others, and there are no core dumps. Errors: those of containr_create(). Since 0.1.
 */
CONTAINR_API int containr_run(const struct containr_run_options *options,
			      struct containr_error *err);

/*
 * Runs the program of a created container. `root` as in containr_run_options, here and below.
 * Errors: -ENOENT (there is no such container), -EBUSY (it runs already), -ESRCH (it has ended).
 * Since 0.1.
 */
CONTAINR_API int containr_start(const char *root, const char *id, struct containr_error *err);

/* For containr_exec(). Since 0.1. */
struct containr_exec_options {
	size_t size; /* sizeof(struct containr_exec_options) */
	const char *id, *root;
	const char *const *args; /* the command: its words, then NULL */
	const char *const *env;  /* "NAME=value" more than the container's, then NULL; or NULL */
	const char *cwd;         /* NULL: the container's */
	const char *user;        /* "UID[:GID]"; NULL: the container's */
	const char *pid_file;
	const char *console_socket;
	uint32_t flags; /* CONTAINR_DETACH, _TTY, _TRUST_EXECUTABLE */
	uint32_t preserve_fds;
};

/*
 * Runs a further program in a running container, confined as the first one, and returns its exit
 * status; 0 at once with CONTAINR_DETACH. Errors: -ENOENT (no such container, or no such program),
 * -EBUSY (it is paused), -ESRCH (it has ended), -EPERM. Since 0.1.
 */
CONTAINR_API int containr_exec(const struct containr_exec_options *options,
			       struct containr_error *err);

/*
 * Sends a signal (a number, as SIGTERM) to the first process, or to all of the container.
 * Errors: -ENOENT, -ESRCH (it has ended), -EINVAL. Source: signal(7). Since 0.1.
 */
CONTAINR_API int containr_kill(const char *root, const char *id, int signal, bool all,
			       struct containr_error *err);

/*
 * Removes a container that has ended (with `force`: kills it first) and all that was made for it.
 * 1: it is removed, but a poststop hook failed, and `err` says how. Errors: -ENOENT (not with
 * `force`), -EBUSY (it runs). Since 0.1.
 */
CONTAINR_API int containr_delete(const char *root, const char *id, bool force,
				 struct containr_error *err);

/*
 * Stops all processes of a container for a while, and lets them go on. Errors: -ENOENT, -EINVAL (it
 * does not run, or is not paused). Source: cgroups(7), freezer. Since 0.1.
 */
CONTAINR_API int containr_pause(const char *root, const char *id, struct containr_error *err);
CONTAINR_API int containr_resume(const char *root, const char *id, struct containr_error *err);

/*
 * The state as JSON in *ret, to be given back with containr_text_free(): ociVersion, id, status
 * (creating, created, running, paused, stopped), pid unless stopped, bundle, annotations.
 * Errors: -ENOENT, -ENOMEM. Source: runtime-spec, runtime.md, state. Since 0.1.
 */
CONTAINR_API int containr_state(const char *root, const char *id, char **ret,
				struct containr_error *err);

#ifdef __cplusplus
}
#endif

#endif
