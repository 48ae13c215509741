/*
 * run_options.c - the flags of `run` and `plan`: one row each, in groups as the help shows them.
 *
 * What docker or podman has and we do not yet is refused by name: a flag that is accepted and does
 * nothing is worse than none.
 */
#include "cli/people.h"

#define AT(member) offsetof(struct options, run.member)

#define FLAG(name, letter, member, help)                                                           \
	{                                                                                          \
		name, letter, OPTION_FLAG, AT(member), NULL, help                                  \
	}
#define TEXT(name, letter, member, value, help)                                                    \
	{                                                                                          \
		name, letter, OPTION_TEXT, AT(member), value, help                                 \
	}
#define LIST(name, letter, member, value, help)                                                    \
	{                                                                                          \
		name, letter, OPTION_LIST, AT(member), value, help                                 \
	}
#define NOT_YET(name, letter, why)                                                                 \
	{                                                                                          \
		name, letter, OPTION_REFUSED, 0, NULL, why                                         \
	}

const struct option_row people_options[] = {
	FLAG("detach", 'd', detach, "return once the program runs; `logs` shows its output"),
	FLAG("interactive", 'i', interactive, "pass standard input on"),
	FLAG("tty", 't', tty, "give the program a terminal"),
	FLAG("rm", 0, remove, "remove the container at its end: the default unless detached"),
	FLAG("keep", 0, keep, "leave the container for `rm` at its end: the default if detached"),
	TEXT("name", 0, name, "name", "of the container (a random one)"),
	FLAG("replace", 0, replace, "remove a container of that name first"),
	TEXT("log-driver", 0, log_driver, "driver", "k8s-file keeps what -d says, none does not"),
	LIST("log-opt", 0, log_opts, "key=value", "max-size=8m of a file of the log, max-file=2"),
	TEXT("stop-signal", 0, stop_signal, "signal", "what `stop` sends first (TERM)"),
	TEXT("stop-timeout", 0, stop_timeout, "seconds", "after which `stop` kills (10)"),
	TEXT("rootfs", 0, rootfs, "dir", "the root file system (the host's own programs)"),
	TEXT("secure", 0, secure, "preset",
	     "strict, default or dev: flags that stand before all others"),
	FLAG("summary", 0, summary, "say what is confined, on standard error"),
	TEXT("hostname", 'h', hostname, "name", "host name (the container's name)"),
	TEXT("domainname", 0, domainname, "name", "NIS domain name"),
	TEXT("cidfile", 0, cidfile, "file", "write the container's name to a new file"),
	TEXT("pidfile", 0, pid_file, "file", "write the process id to a file"),
	LIST("annotation", 0, annotations, "key=value", "annotation of the container"),
	LIST("label", 'l', labels, "key[=value]", "label, which is an annotation here"),
	LIST("label-file", 0, label_files, "file", "read labels from a file, one a line"),

	LIST("env", 'e', env, "name[=value]", "set a variable, or pass on ours"),
	LIST("env-file", 0, env_files, "file", "read variables from a file, one a line"),
	TEXT("workdir", 'w', workdir, "dir", "working directory"),
	TEXT("user", 'u', user, "user[:group]", "names or numbers (root)"),
	LIST("group-add", 0, groups, "group", "additional group"),
	TEXT("entrypoint", 0, entrypoint, "program", "program that gets COMMAND as its arguments"),
	TEXT("umask", 0, umask, "mode", "of the program (0022)"),
	LIST("ulimit", 0, ulimits, "name=soft[:hard]",
	     "limit such as nofile=1024:4096; host: ours"),
	TEXT("oom-score-adj", 0, oom_score_adj, "n", "-1000 to 1000"),
	TEXT("personality", 0, personality, "domain", "LINUX or LINUX32"),
	TEXT("preserve-fds", 0, preserve_fds, "n", "pass n more descriptors, from 3 on"),

	LIST("cap-add", 0, cap_add, "capability", "keep a capability; ALL: those that we have"),
	LIST("cap-drop", 0, cap_drop, "capability", "drop a capability; ALL: all of them"),
	FLAG("privileged", 0, privileged, "open all that confines, but for namespaces"),
	LIST("security-opt", 0, security_opts, "option",
	     "seccomp=auto|default[,+call,-call]|docker-default|unconfined|FILE, "
	     "no-new-privileges=BOOL, apparmor=auto|PROFILE|FILE|unconfined, "
	     "label=auto|disable|type:T|level:L|user:U|role:R|filetype:T, mask=PATHS, "
	     "unmask=PATHS|ALL, systempaths=unconfined, proc-opts=OPTIONS"),
	LIST(
	    "landlock", 0, landlock, "rule",
	    "auto, default, full, none, read=PATH, write=PATH, exec=PATH, bind=PORT, connect=PORT, "
	    "scope=NAME, "
	    "required"),
	FLAG("read-only", 0, read_only, "read-only root (the host's programs always are)"),
	FLAG("read-only-tmpfs", 0, read_only_tmpfs, "writable /tmp, /run, /var/tmp with it (true)"),

	LIST("volume", 'v', volumes, "host:container[:opts]",
	     "bind a directory or file: ro, z, idmap, rshared, …"),
	LIST("mount", 0, mounts, "type=bind|tmpfs,…",
	     "src=,dst=,ro, tmpfs-size=, bind-propagation="),
	LIST("tmpfs", 0, tmpfs, "path[:opts]", "a private directory in memory"),
	TEXT("shm-size", 0, shm_size, "size", "of /dev/shm (64m)"),
	LIST("device", 0, devices, "host[:container[:rwm]]", "a device of the host"),
	LIST("device-cgroup-rule", 0, device_rules, "rule", "as in 'c 1:3 rwm'"),
	LIST("sysctl", 0, sysctls, "name=value", "setting of a namespace"),

	TEXT("network", 0, network, "mode", "none, host, ns:PATH or container:NAME"),
	TEXT("net", 0, network, "mode", "the same"),
	TEXT("pid", 0, pid, "mode", "private, host, ns:PATH or container:NAME"),
	TEXT("ipc", 0, ipc, "mode", "the same"),
	TEXT("uts", 0, uts, "mode", "the same"),
	TEXT("cgroupns", 0, cgroupns, "mode", "the same"),
	TEXT("timens", 0, timens, "mode",
	     "private, host (as if nothing is said), ns:PATH or container:NAME"),
	TEXT("monotonic", 0, monotonic, "secs", "offset of that clock, in a time namespace"),
	TEXT("boottime", 0, boottime, "secs", "the same"),
	TEXT("userns", 0, userns, "mode", "host, auto, keep-id, nomap, ns:PATH or container:NAME"),
	LIST("uidmap", 0, uid_maps, "inside:outside:n", "map n user ids"),
	LIST("gidmap", 0, gid_maps, "inside:outside:n", "map n group ids"),

	TEXT("memory", 'm', memory, "size", "limit, as in 512m"),
	TEXT("memory-swap", 0, memory_swap, "size",
	     "memory and swap together (twice the memory); -1: any"),
	TEXT("memory-reservation", 0, memory_reservation, "size",
	     "what is left to it when memory is short"),
	TEXT("memory-swappiness", 0, memory_swappiness, "n", "0 to 100, cgroup v1"),
	TEXT("kernel-memory", 0, kernel_memory, "size", "cgroup v1"),
	FLAG("oom-kill-disable", 0, oom_kill_disable, "stop instead of being killed, cgroup v1"),
	TEXT("pids-limit", 0, pids_limit, "n", "processes and threads (2048); -1: any"),
	TEXT("pids", 0, pids_limit, "n", "the same"),
	TEXT("cpus", 0, cpus, "n", "processors' worth of time, as in 1.5"),
	TEXT("cpu-shares", 'c', cpu_shares, "n", "weight among others, 1024 is usual"),
	TEXT("cpu-period", 0, cpu_period, "us", "of the quota"),
	TEXT("cpu-quota", 0, cpu_quota, "us", "of time in each period"),
	TEXT("cpu-rt-period", 0, cpu_rt_period, "us", "of the realtime scheduler, cgroup v1"),
	TEXT("cpu-rt-runtime", 0, cpu_rt_runtime, "us", "of the realtime scheduler, cgroup v1"),
	TEXT("cpuset-cpus", 0, cpuset_cpus, "list", "processors, as in 0-3,5"),
	TEXT("cpuset-mems", 0, cpuset_mems, "list", "memory nodes"),
	TEXT("blkio-weight", 0, blkio_weight, "n", "10 to 1000"),
	LIST("blkio-weight-device", 0, blkio_weight_devices, "device:n", "for one device"),
	LIST("device-read-bps", 0, read_bps, "device:rate", "bytes a second, as in /dev/sda:1mb"),
	LIST("device-write-bps", 0, write_bps, "device:rate", "bytes a second"),
	LIST("device-read-iops", 0, read_iops, "device:rate", "operations a second"),
	LIST("device-write-iops", 0, write_iops, "device:rate", "operations a second"),
	LIST("cgroup-conf", 0, cgroup_conf, "file=value",
	     "of cgroup v2, as in memory.high=1073741824"),
	TEXT("cgroup-parent", 0, cgroup_parent, "path",
	     "below which the container's cgroup is made; of systemd a slice"),
	TEXT("cgroup-manager", 0, cgroup_manager, "manager",
	     "who makes the cgroup: cgroupfs (the default), systemd, or disabled: nobody"),

	FLAG("no-pivot", 0, no_pivot, "keep the root mount, for a root file system in a ramdisk"),
	FLAG("no-new-keyring", 0, no_new_keyring, "share the caller's session keyring"),
	{ 0 },
};

const struct option_row people_run_options[] = {
	FLAG("trace", 0, trace, "print each step with its time"),
	NOT_YET("publish", 'p', "networks other than none and host are not supported yet"),
	NOT_YET("publish-all", 'P', "networks other than none and host are not supported yet"),
	NOT_YET("expose", 0, "networks other than none and host are not supported yet"),
	NOT_YET("dns", 0, "networks other than none and host are not supported yet"),
	NOT_YET("dns-search", 0, "networks other than none and host are not supported yet"),
	NOT_YET("dns-option", 0, "networks other than none and host are not supported yet"),
	NOT_YET("add-host", 0, "networks other than none and host are not supported yet"),
	NOT_YET("ip", 0, "networks other than none and host are not supported yet"),
	NOT_YET("ip6", 0, "networks other than none and host are not supported yet"),
	NOT_YET("mac-address", 0, "networks other than none and host are not supported yet"),
	NOT_YET("network-alias", 0, "networks other than none and host are not supported yet"),
	NOT_YET("init", 0, "run a program that reaps children, such as tini, as COMMAND"),
	NOT_YET("restart", 0, "a service manager such as systemd can restart containr"),
	NOT_YET("health-cmd", 0, "nobody watches containers yet"),
	NOT_YET("timeout", 0, "use timeout(1) around containr"),
	NOT_YET("detach-keys", 0, "there is no attach command yet"),
	NOT_YET("attach", 'a', "there is no attach command yet"),
	NOT_YET("sig-proxy", 0, "signals are always passed on"),
	NOT_YET("sdnotify", 0, "NOTIFY_SOCKET is passed on to the program"),
	NOT_YET("volumes-from", 0, "name the directories with --volume"),
	NOT_YET("volume-driver", 0, "there are no named volumes yet"),
	NOT_YET("pull", 0, "there are no images yet: use --rootfs"),
	NOT_YET("platform", 0, "there are no images yet: use --rootfs"),
	NOT_YET("storage-opt", 0, "there are no images yet: use --rootfs"),
	NOT_YET("pod", 0, "join the namespaces of another container with container:NAME"),
	NOT_YET("gpus", 0, "name the devices with --device"),
	NOT_YET("cgroups", 0, "name the manager: --cgroup-manager systemd, cgroupfs or disabled"),
	NOT_YET("isolation", 0, "it is for Windows"),
	NOT_YET("runtime", 0, "containr is the runtime"),
	NOT_YET("subuidname", 0, "use --uidmap"),
	NOT_YET("subgidname", 0, "use --gidmap"),
	{ 0 },
};

const struct option_row people_plan_options[] = {
	TEXT("format", 0, format, "format", "text or json"),
	FLAG("flags", 0, show_flags, "show the command with its preset as plain flags"),
	FLAG("config", 0, show_config, "show the config.json that the flags become"),
	{ 0 },
};
