/*
 * step_criu.h - arguments of the steps that checkpoint and restore a container through criu: plain
 * data, like step.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum criu_action {
	CRIU_DUMP,
	CRIU_PRE_DUMP, /* memory alone; the container runs on */
	CRIU_RESTORE,
};

/* How criu treats cgroups that the container made; numbers of its RPC. */
enum criu_cgroup_mode {
	CRIU_CGROUP_IGNORE = 0,
	CRIU_CGROUP_SOFT = 3,
	CRIU_CGROUP_FULL = 4,
	CRIU_CGROUP_STRICT = 5,
};

/* What the command line says, for criu as it is. */
struct criu_options {
	bool leave_running, tcp_established, ext_unix_sk, shell_job, file_locks, auto_dedup,
	    lazy_pages;
	enum criu_cgroup_mode cgroup_mode;
	uint64_t empty_namespaces; /* CLONE_NEW* */
	const char *parent_path;   /* of earlier images, from the directory of the new ones */
	const char *page_server;   /* address, or NULL */
	uint16_t page_server_port;
	int status_fd;           /* gets a zero byte when lazy pages can be fetched; -1: none */
	const char *lsm_profile; /* TYPE:LABEL */
	const char *lsm_mount_context;
};

/* An external mount by its key and path, or a namespace to join by its name and file. */
struct criu_pair {
	const char *key, *value;
};

/* A descriptor that the restored processes get in place of one that they had. */
struct criu_inherit {
	const char *key;
	int slot; /* SLOT_NONE: it is `fd` */
	int fd;
};

/* What criu said about its failure. Whoever makes the plan owns it; the step fills it in. */
struct criu_said {
	uint32_t major, minor; /* its version; 0: it did not come that far */
	char text[640];        /* the last errors of its log, in one line */
};

struct step_criu {
	enum criu_action action;
	const struct criu_options *options;
	const char *log_file; /* its name in the directory of SLOT_WORK */
	const char *root;     /* of the container, a mount */
	const char *freezer;  /* cgroup to freeze it by, or NULL */
	pid_t pid;            /* to checkpoint */
	size_t n_mounts, n_joins, n_externals, n_inherits;
	const struct criu_pair *mounts, *joins;
	const char *const *externals; /* "net[4026532281]:extRootNetNS" */
	const struct criu_inherit *inherits;
	/* Run once the namespaces are there again, or NULL: STEP_HOOKS both. */
	const struct step *prestart, *create_runtime;
	struct criu_said *said;
};

/* A directory on the host, made if it is missing. */
struct step_directory {
	int slot;
	const char *path;
	bool make;
	int made; /* slot: open once we made it, so that undo removes it with all that is in it */
};

/* The images as they are in a tree that was taken of a directory above them, or of theirs. */
struct step_images {
	int tree;
	const char *path;      /* from there; "." */
	const char *host_path; /* of the host, absolute */
};

/* Descriptors that a program of the host's is to have, under the numbers that they have. */
struct step_keep_fds {
	size_t n;
	const int *slots;
	char *number; /* room for FD_NUMBER_SIZE: the number of the first, as an argument */
};

#define FD_NUMBER_SIZE 16

/* Trees that are attached below a directory that is covered, each under its number. */
struct step_sources {
	const char *path;
	const char *also; /* a directory that is made there */
	size_t n;
	const int *slots;
};

struct step_mount_point {
	const char *path;
	int like; /* slot of what will be mounted */
};
