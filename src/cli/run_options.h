/*
 * run_options.h - what `containr run` was asked for, under the names of docker and podman. Texts
 * are as they were typed; each is understood in one place (run_*.c) and nowhere else.
 */
#pragma once

#include <stdbool.h>

#include "spec/spec.h"

struct run_flags {
	/* the container */
	const char *name, *hostname, *domainname, *cidfile, *pid_file, *rootfs, *secure;
	struct spec_strings labels, label_files, annotations;
	const char *log_driver, *stop_signal, *stop_timeout;
	struct spec_strings log_opts;
	bool replace, remove, keep, detach, interactive, tty, trace, summary, no_pivot,
	    no_new_keyring;

	/* the process */
	const char *workdir, *user, *entrypoint, *umask, *oom_score_adj, *personality;
	const char *preserve_fds;
	struct spec_strings env, env_files, groups, ulimits;

	/* confinement */
	bool privileged, read_only, read_only_tmpfs;
	struct spec_strings cap_add, cap_drop, security_opts, landlock;

	/* files */
	const char *shm_size;
	struct spec_strings tmpfs, volumes, mounts, devices, device_rules, sysctls;

	/* namespaces */
	const char *pid, *ipc, *uts, *userns, *network, *cgroupns, *timens, *monotonic, *boottime;
	struct spec_strings uid_maps, gid_maps;

	/* limits */
	const char *memory, *memory_swap, *memory_reservation, *memory_swappiness, *kernel_memory;
	const char *cpus, *cpu_shares, *cpu_period, *cpu_quota, *cpu_rt_period, *cpu_rt_runtime;
	const char *cpuset_cpus, *cpuset_mems, *pids_limit, *blkio_weight, *cgroup_parent;
	const char *cgroup_manager;
	bool oom_kill_disable;
	struct spec_strings blkio_weight_devices, read_bps, write_bps, read_iops, write_iops;
	struct spec_strings cgroup_conf;

	/* `plan` only */
	const char *format;
	bool show_flags, show_config;

	int first_word;              /* of argv: where the flags of this command begin */
	struct spec_strings preset;  /* the flags that stand before those */
	size_t preset_security_opts; /* … and how many of security_opts are theirs */
	const char *limits_left_out; /* which limits of the preset cannot be set here, and why */
};
