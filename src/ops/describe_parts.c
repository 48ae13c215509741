/*
 * describe_parts.c - the sentences of steps that carry arguments; see describe.h.
 */
#include <inttypes.h>
#include <linux/sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "ops/describe.h"
#include "ops/describe_cgroup.h"
#include "ops/describe_criu.h"
#include "ops/describe_mount.h"
#include "ops/describe_parts.h"
#include "ops/describe_scope.h"
#include "spec/names.h"
#include "sys/abi.h"

/* ---- parts of sentences ------------------------------------------------------------------------
 */

void describe_flags(struct buf *out, const struct describe_flag *names, size_t n, uint64_t flags)
{
	const char *comma = "";

	for (size_t i = 0; i < n; i++) {
		if ((flags & names[i].flag) == 0)
			continue;
		buf_printf(out, "%s%s", comma, names[i].name);
		comma = ",";
	}
}

static void put_namespaces(struct buf *out, uint64_t flags)
{
	static const struct describe_flag names[] = {
		{ CLONE_NEWUSER, "user" }, { CLONE_NEWPID, "pid" },
		{ CLONE_NEWNS, "mount" },  { CLONE_NEWNET, "network" },
		{ CLONE_NEWIPC, "ipc" },   { CLONE_NEWUTS, "uts" },
		{ CLONE_NEWTIME, "time" }, { CLONE_NEWCGROUP, "cgroup" },
	};

	describe_flags(out, names, sizeof(names) / sizeof(names[0]), flags);
}

static const char *const capability_names[] = {
	"chown",
	"dac_override",
	"dac_read_search",
	"fowner",
	"fsetid",
	"kill",
	"setgid",
	"setuid",
	"setpcap",
	"linux_immutable",
	"net_bind_service",
	"net_broadcast",
	"net_admin",
	"net_raw",
	"ipc_lock",
	"ipc_owner",
	"sys_module",
	"sys_rawio",
	"sys_chroot",
	"sys_ptrace",
	"sys_pacct",
	"sys_admin",
	"sys_boot",
	"sys_nice",
	"sys_resource",
	"sys_time",
	"sys_tty_config",
	"mknod",
	"lease",
	"audit_write",
	"audit_control",
	"setfcap",
	"mac_override",
	"mac_admin",
	"syslog",
	"wake_alarm",
	"block_suspend",
	"audit_read",
	"perfmon",
	"bpf",
	"checkpoint_restore",
};

void describe_capabilities(uint64_t mask, struct buf *out)
{
	const unsigned int known = sizeof(capability_names) / sizeof(capability_names[0]);
	const char *comma = "";

	for (unsigned int cap = 0; cap < 64; cap++) {
		if ((mask >> cap & 1) == 0)
			continue;
		if (cap < known)
			buf_printf(out, "%s%s", comma, capability_names[cap]);
		else
			buf_printf(out, "%s%u", comma, cap);
		comma = ",";
	}
	if (mask == 0)
		buf_str(out, "none");
}

static void put_args(struct buf *out, char *const *argv)
{
	for (; *argv; argv++) {
		buf_str(out, " ");
		buf_json_str(out, *argv);
	}
}

static void put_limit(struct buf *out, uint64_t limit)
{
	if (limit == UINT64_MAX)
		buf_str(out, "unlimited");
	else
		buf_printf(out, "%" PRIu64, limit);
}

/* ---- sentences, in the order of enum step_kind --------------------------------------------------
 */

static void say_apparmor(const struct step *s, struct buf *out)
{
	buf_printf(out, "load the AppArmor profile %s%s%s", s->text.text,
		   s->text.file ? " from " : "", s->text.file ? s->text.file : "");
}

static void say_host_label(const struct step *s, struct buf *out)
{
	if (*s->text.text)
		buf_printf(out, "label what is made by %s: %s", s->text.file, s->text.text);
	else
		buf_printf(out, "label as usual again: %s", s->text.file);
}

static void say_run_dir(const struct step *s, struct buf *out)
{
	buf_printf(out, "claim the id: make and lock %s/%s", s->run_dir.root, s->run_dir.id);
}

static void say_file(const struct step *s, struct buf *out)
{
	buf_printf(out, "write %s of the container", s->file.name);
}

static void say_open(const struct step *s, struct buf *out)
{
	buf_printf(out, "open %s%s", s->open.path,
		   s->open.in_init ? " in init's mount namespace" : "");
}

static void say_connect(const struct step *s, struct buf *out)
{
	buf_printf(out, "connect to %s", s->connect.path);
}

static void say_spawn(const struct step *s, struct buf *out)
{
	buf_str(out, "make init");
	for (size_t i = 0; i < s->spawn.n_joins; i++) {
		buf_str(out, i == 0 ? " below the joined namespaces: " : ", ");
		put_namespaces(out, (uint64_t)s->spawn.joins[i].flags);
		buf_printf(out, " of %s", s->spawn.joins[i].path);
	}
	if (s->spawn.flags) {
		buf_str(out, " in new namespaces: ");
		put_namespaces(out, s->spawn.flags);
	}
	if (s->spawn.cgroup != SLOT_NONE)
		buf_str(out, ", inside its cgroup");
	if (s->spawn.hold)
		buf_str(out, ", and have it wait");
}

static void say_clocks(const struct step *s, struct buf *out)
{
	buf_str(out, "set the offsets of init's clocks to ");
	buf_json_str(out, s->clocks.text);
}

static void say_text(const struct step *s, struct buf *out)
{
	buf_printf(out, "write %s: ", s->text.file);
	buf_json_str(out, s->text.text);
}

static void say_id_map_helper(const struct step *s, struct buf *out)
{
	buf_str(out, "map ids by newuidmap");
	for (const char *const *arg = s->id_map_helper.uid_args; *arg; arg++)
		buf_printf(out, " %s", *arg);
	buf_str(out, " and newgidmap");
	for (const char *const *arg = s->id_map_helper.gid_args; *arg; arg++)
		buf_printf(out, " %s", *arg);
}

static void say_net_device(const struct step *s, struct buf *out)
{
	buf_printf(out, "move network device %s in as %s", s->net_device.host, s->net_device.name);
}

static void say_intel_rdt(const struct step *s, struct buf *out)
{
	const struct step_intel_rdt *rdt = &s->intel_rdt;

	buf_printf(out, "%s resctrl group %s/%s",
		   !rdt->may_be_made   ? "join the"
		   : rdt->may_be_there ? "make, if it is missing, and join the"
				       : "make and join the new",
		   rdt->root, rdt->group);
	if (rdt->schemata) {
		buf_str(out, ", with ");
		buf_json_str(out, rdt->schemata);
	}
	if (rdt->monitor)
		buf_printf(out, ", monitored as %s", rdt->monitor);
}

static void say_pid_file(const struct step *s, struct buf *out)
{
	buf_printf(out, "write the pid to %s", s->text.file);
}

static void say_hooks(const struct step *s, struct buf *out)
{
	buf_printf(out, "run %s hooks:", s->hooks.name);
	for (size_t i = 0; i < s->hooks.list->n; i++)
		buf_printf(out, " %s", s->hooks.list->v[i].path);
}

static void say_rlimit(const struct step *s, struct buf *out)
{
	buf_printf(out, "set %s to ", s->rlimit.name);
	put_limit(out, s->rlimit.soft);
	buf_str(out, ", at most ");
	put_limit(out, s->rlimit.hard);
}

static void say_set_ns(const struct step *s, struct buf *out)
{
	buf_printf(out, "join the %s namespace %s", s->set_ns.name, s->set_ns.path);
}

static void say_unshare(const struct step *s, struct buf *out)
{
	buf_str(out, "enter new namespaces: ");
	put_namespaces(out, (uint64_t)s->unshare.flags);
}

static void say_root_file(const struct step *s, struct buf *out)
{
	buf_printf(out, "write %s (%zu bytes)", s->text.file, strlen(s->text.text));
}

static void say_hostname(const struct step *s, struct buf *out)
{
	buf_printf(out, "set the host name to %s", s->name.name);
}

static void say_domainname(const struct step *s, struct buf *out)
{
	buf_printf(out, "set the domain name to %s", s->name.name);
}

static void say_terminal(const struct step *s, struct buf *out)
{
	buf_str(out, "open a terminal");
	if (s->terminal.rows > 0 || s->terminal.columns > 0)
		buf_printf(out, " of %u rows and %u columns", s->terminal.rows,
			   s->terminal.columns);
}

static void say_personality(const struct step *s, struct buf *out)
{
	buf_printf(out, "set the personality to 0x%lx", s->persona.persona);
}

static void say_scheduler(const struct step *s, struct buf *out)
{
	const struct spec_scheduler *want = s->scheduler.scheduler;

	buf_printf(out, "set scheduling policy %s, nice %d, priority %d",
		   spec_name_of(spec_scheduler_policy_names, want->policy), want->nice,
		   want->priority);
}

static void say_io_priority(const struct step *s, struct buf *out)
{
	buf_printf(out, "set I/O priority class %s, priority %d",
		   spec_name_of(spec_io_class_names, (uint64_t)s->io_priority.class),
		   s->io_priority.priority);
}

static void say_affinity(const struct step *s, struct buf *out)
{
	buf_printf(out, "run on CPUs %s only", s->affinity.list);
}

static void say_memory_policy(const struct step *s, struct buf *out)
{
	buf_printf(out, "set memory policy %s for nodes %s",
		   spec_name_of(spec_memory_policy_names, s->memory_policy.mode),
		   s->memory_policy.list ? s->memory_policy.list : "(none)");
	for (const struct spec_name *f = spec_memory_policy_flag_names; f->name; f++)
		if (s->memory_policy.flags & f->value)
			buf_printf(out, ", %s", f->name);
}

static void say_keyring(const struct step *s, struct buf *out)
{
	buf_printf(out, "join a new session keyring %s", s->name.name);
}

static void say_landlock_rules(const struct step *s, struct buf *out)
{
	const struct step_landlock *l = &s->landlock;

	buf_printf(out, "make Landlock rules for %zu paths and %zu ports", l->n_paths, l->n_ports);
}

static void say_groups(const struct step *s, struct buf *out)
{
	buf_str(out, "set additional groups:");
	for (size_t i = 0; i < s->groups.n; i++)
		buf_printf(out, " %u", s->groups.list[i]);
	if (s->groups.n == 0)
		buf_str(out, " none");
	if (s->groups.optional)
		buf_str(out, ", if this user namespace allows it");
}

static void say_bounding(const struct step *s, struct buf *out)
{
	buf_str(out, "drop from the bounding set: ");
	describe_capabilities(s->mask.mask, out);
}

static void say_streams(const struct step *s, struct buf *out)
{
	buf_printf(out, "give pipes among the standard streams to user %u", s->streams.uid);
	if (s->streams.in_userns)
		buf_str(out, " of the container");
}

static void say_ids(const struct step *s, struct buf *out)
{
	buf_printf(out, "become user %u, group %u", s->ids.uid, s->ids.gid);
}

static void say_capabilities(const struct step *s, struct buf *out)
{
	buf_str(out, "keep capabilities: ");
	describe_capabilities(s->capabilities.permitted, out);
	if (s->capabilities.effective != s->capabilities.permitted) {
		buf_str(out, "; effective: ");
		describe_capabilities(s->capabilities.effective, out);
	}
	if (s->capabilities.inheritable) {
		buf_str(out, "; inheritable: ");
		describe_capabilities(s->capabilities.inheritable, out);
	}
}

static void say_ambient(const struct step *s, struct buf *out)
{
	buf_str(out, "raise ambient capabilities: ");
	describe_capabilities(s->mask.mask, out);
}

static void say_cwd(const struct step *s, struct buf *out)
{
	buf_printf(out, "change to directory %s, umask %04o", s->cwd.path, s->cwd.umask);
}

static void say_lookup(const struct step *s, struct buf *out)
{
	buf_str(out, "find the program ");
	buf_json_str(out, s->exec.file);
}

static void say_close_fds(const struct step *s, struct buf *out)
{
	buf_printf(out, "let the program have no file descriptor from %u on", s->close_fds.first);
}

static void say_seccomp(const struct step *s, struct buf *out)
{
	buf_printf(out, "load the seccomp filter of %u instructions%s", s->seccomp.prog.len,
		   s->seccomp.message_head ? " and send its listener" : "");
}

static void say_exec(const struct step *s, struct buf *out)
{
	buf_str(out, "execute");
	put_args(out, s->exec.argv);
}

const step_sentence step_sentences[STEP_KINDS] = {
	[STEP_APPARMOR] = say_apparmor,
	[STEP_HOST_LABEL] = say_host_label,
	[STEP_RUN_DIR] = say_run_dir,
	[STEP_FILE] = say_file,
	[STEP_OPEN] = say_open,
	[STEP_TREE] = describe_tree,
	[STEP_ID_MAPPED] = describe_id_mapped,
	[STEP_OVERLAY] = describe_overlay,
	[STEP_CGROUP_MAKE] = describe_cgroup_make,
	[STEP_CGROUP_WRITE] = describe_cgroup_write,
	[STEP_CGROUP_DEVICES] = describe_cgroup_devices,
	[STEP_CGROUP_JOIN] = describe_cgroup_join,
	[STEP_CGROUP_OPEN] = describe_cgroup_open,
	[STEP_SYSTEMD_SCOPE] = describe_scope,
	[STEP_SYSTEMD_AWAIT] = describe_scope_await,
	[STEP_SYSTEMD_ATTACH] = describe_scope_attach,
	[STEP_CONNECT] = say_connect,
	[STEP_SOCKET_PAIR] = describe_socket_pair,
	[STEP_IMAGES] = describe_images,
	[STEP_DIRECTORY] = describe_directory,
	[STEP_CRIU] = describe_criu,
	[STEP_MOUNT_POINT] = describe_mount_point,
	[STEP_SOURCES] = describe_sources,
	[STEP_SPAWN] = say_spawn,
	[STEP_ID_MAP] = say_text,
	[STEP_ID_MAP_HELPER] = say_id_map_helper,
	[STEP_PROC_FILE] = say_text,
	[STEP_CLOCKS] = say_clocks,
	[STEP_NET_DEVICE] = say_net_device,
	[STEP_INTEL_RDT] = say_intel_rdt,
	[STEP_PID_FILE] = say_pid_file,
	[STEP_HOOKS] = say_hooks,
	[STEP_RLIMIT] = say_rlimit,
	[STEP_SET_NS] = say_set_ns,
	[STEP_UNSHARE] = say_unshare,
	[STEP_ROOT_FILE] = say_root_file,
	[STEP_PROPAGATION] = describe_propagation,
	[STEP_ROOT_TREE] = describe_root_tree,
	[STEP_MOUNT] = describe_mount,
	[STEP_DEVICE] = describe_device,
	[STEP_LINK] = describe_link,
	[STEP_MASK] = describe_paths,
	[STEP_READONLY] = describe_paths,
	[STEP_PIVOT] = describe_pivot,
	[STEP_HOSTNAME] = say_hostname,
	[STEP_DOMAINNAME] = say_domainname,
	[STEP_SYSCTL] = say_text,
	[STEP_TIME_OFFSET] = say_text,
	[STEP_OOM_SCORE] = say_text,
	[STEP_TERMINAL] = say_terminal,
	[STEP_PERSONALITY] = say_personality,
	[STEP_SCHEDULER] = say_scheduler,
	[STEP_IO_PRIORITY] = say_io_priority,
	[STEP_AFFINITY] = say_affinity,
	[STEP_MEMORY_POLICY] = say_memory_policy,
	[STEP_KEYRING] = say_keyring,
	[STEP_LABEL] = say_text,
	[STEP_LANDLOCK_RULES] = say_landlock_rules,
	[STEP_GROUPS] = say_groups,
	[STEP_BOUNDING] = say_bounding,
	[STEP_STREAMS] = say_streams,
	[STEP_IDS] = say_ids,
	[STEP_CAPABILITIES] = say_capabilities,
	[STEP_AMBIENT] = say_ambient,
	[STEP_CWD] = say_cwd,
	[STEP_LOOKUP] = say_lookup,
	[STEP_CLOSE_FDS] = say_close_fds,
	[STEP_SECCOMP] = say_seccomp,
	[STEP_EXEC] = say_exec,
};
