/*
 * cli.h - what the programs of the command line have in common: a table of commands, each with a
 * table of options, and one way to report what went wrong.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "cli/run_options.h"
#include "spec/spec.h"

#define CLI_SPEC_VERSION "1.3.0" /* of the runtime specification that we follow */

/* Of update. */
struct update_flags {
	const char *resources, *memory, *memory_reservation, *memory_swap, *kernel_memory,
	    *kernel_memory_tcp, *cpu_period, *cpu_quota, *cpu_burst, *cpu_share, *cpu_rt_period,
	    *cpu_rt_runtime, *cpu_idle, *cpuset_cpus, *cpuset_mems, *pids_limit, *blkio_weight,
	    *l3_cache_schema, *mem_bw_schema;
};

/* Of stop, kill, rm, wait, ps, logs and exec. */
struct life_flags {
	const char *time, *signal, *tail, *since, *until;
	bool ignore, follow, timestamps, no_trunc, no_heading, interactive;
	struct spec_strings filters, env_files, cap_add;
};

/* Values of all options of all commands; each option means the same wherever it is taken. */
struct options {
	/* before the command */
	const char *root, *log, *log_format, *rootless;
	bool debug, systemd_cgroup;

	bool help, version, all, force, quiet, detach, keep, tty, trace;
	bool no_pivot, no_new_keyring, no_subreaper, no_new_privs, ignore_paused, spec_rootless;
	const char *bundle, *pid_file, *console_socket, *pidfd_socket, *format;
	const char *process, *cwd, *user, *apparmor, *process_label, *cgroup, *arch, *output;
	unsigned int preserve_fds;
	struct spec_strings env, caps, additional_gids, cgroups;

	struct run_flags run; /* of people's commands */
	struct update_flags update;

	struct life_flags life; /* of people's commands about containers that are there */

	bool stats;                  /* of events */
	bool no_stream;              /* of stats and top */
	bool json, strict, security; /* of doctor and info */
	/* of checkpoint and restore */
	bool leave_running, tcp_established, ext_unix_sk, shell_job, file_locks, auto_dedup,
	    lazy_pages, pre_dump;
	const char *criu, *image_path, *work_path, *parent_path, *page_server, *status_fd,
	    *manage_cgroups, *empty_ns, *lsm_profile, *lsm_mount_context;

	const char *interval;
};

enum option_type {
	OPTION_FLAG,    /* --name, --name=true, --name=false */
	OPTION_TEXT,    /* --name VALUE, --name=VALUE; the last one counts */
	OPTION_NUMBER,  /* the same, a whole number */
	OPTION_LIST,    /* the same, each one counts */
	OPTION_REFUSED, /* known from elsewhere, but not here: `help` says why */
};

/* Tables end with a row without a name. */
struct option_row {
	const char *name;
	char letter; /* 0: none */
	enum option_type type;
	size_t at;         /* in struct options */
	const char *value; /* what it is called in the help */
	const char *help;
};

struct cli {
	const struct program *program;
	const struct command *command; /* NULL before it is known */
	char *const *argv;
	struct options o;
	struct spec_strings args; /* what is left: ids, a command to run */
	int view;                 /* what selfexe_protect() left open, for struct plan_options */
	struct arena arena;
	struct err err;
};

struct command {
	const char *name;
	const char *args; /* for the usage line: "<container-id> [signal]"; NULL: none */
	const char *help; /* one line */
	const struct option_row *options, *more; /* NULL: no more */
	size_t min_args, max_args;
	const char *missing; /* what the first missing argument is called */
	bool stop;           /* options end at the first argument: what follows is another's */
	bool protect;        /* makes a process inside a container: see run/selfexe.h */
	bool takes_view;     /* and hands cli->view on to the plan of its start */
	int failure;         /* exit status of its own failure; 0: 1 */
	/* Sets options before those of argv[i …] are read; may be NULL. 0 or a negative errno. */
	int (*preset)(struct cli *cli, int i);
	int (*run)(struct cli *cli); /* exit status, or a negative errno with cli->err */
};

struct program {
	const char *name;
	const char *help; /* one line */
	const struct option_row *options;
	const struct command *commands; /* ends with a row without a name */
	int unknown;                    /* exit status for a command that there is not */
	int failure;                    /* exit status of our own failures; 0: 1 */
};

/* The main function of a program. */
int cli_main(const struct program *program, char **argv);

/* ---- for the commands -------------------------------------------------------------------- */

/* The directory of all state: --root, or what the environment says. */
const char *cli_root(struct cli *cli);

/* An absolute form of a path; of "" and NULL, NULL. */
const char *cli_absolute(struct cli *cli, const char *path);

/* Prints to standard output: 0 or a negative errno. */
int cli_print(struct cli *cli, const struct buf *text);

/* Says something that is no failure, in the log or on standard error. */
void cli_warn(const struct cli *cli, const char *text);

/* The same for each line of a text. */
void cli_warn_lines(const struct cli *cli, const struct buf *text);

/* The same for whom --debug was given. */
void cli_debug(const struct cli *cli, const char *text);

/* Refuses a --format other than "json" or `other`; sets *ret_json. */
int cli_format(struct cli *cli, const char *other, bool *ret_json);
