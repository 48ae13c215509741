/*
 * describe.c - see describe.h.
 */
#include "ops/describe.h"

#include <errno.h>
#include <string.h>

#include "ops/describe_cgroup.h"
#include "ops/describe_parts.h"
#include "ops/describe_refused.h"
#include "ops/describe_scope.h"

static const char *const kind_names[STEP_KINDS] = {
	[STEP_APPARMOR] = "apparmor",
	[STEP_HOST_LABEL] = "host-label",
	[STEP_RUN_DIR] = "run-dir",
	[STEP_FILE] = "file",
	[STEP_OPEN] = "open",
	[STEP_TREE] = "tree",
	[STEP_ID_MAPPED] = "id-mapped",
	[STEP_OVERLAY] = "overlay",
	[STEP_CGROUP_MAKE] = "cgroup",
	[STEP_CGROUP_WRITE] = "cgroup-write",
	[STEP_CGROUP_DEVICES] = "cgroup-devices",
	[STEP_CGROUP_JOIN] = "cgroup-join",
	[STEP_CGROUP_OPEN] = "cgroup-open",
	[STEP_SYSTEMD_SCOPE] = "systemd-scope",
	[STEP_SYSTEMD_AWAIT] = "systemd-await",
	[STEP_SYSTEMD_ATTACH] = "systemd-attach",
	[STEP_NETNS] = "network-namespace",
	[STEP_NETNS_UP] = "network-up",
	[STEP_CONNECT] = "connect",
	[STEP_SOCKET_PAIR] = "socket-pair",
	[STEP_GATE] = "gate",
	[STEP_NOTIFY] = "notify",
	[STEP_SPAWN] = "spawn",
	[STEP_ID_MAP] = "id-map",
	[STEP_ID_MAP_HELPER] = "id-map-helper",
	[STEP_PROC_FILE] = "proc-file",
	[STEP_CLOCKS_OPEN] = "clocks-open",
	[STEP_CLOCKS] = "clocks",
	[STEP_UNDUMPABLE] = "undumpable",
	[STEP_RECORD_INIT] = "record-init",
	[STEP_VIEW] = "view",
	[STEP_NET_DEVICE] = "net-device",
	[STEP_INTEL_RDT] = "intel-rdt",
	[STEP_PID_FILE] = "pid-file",
	[STEP_SEND_PIDFD] = "send-pidfd",
	[STEP_CREATED] = "created",
	[STEP_IMAGES] = "images",
	[STEP_IMAGES_END] = "images-end",
	[STEP_DIRECTORY] = "directory",
	[STEP_RECORD_RESTORER] = "record-restorer",
	[STEP_RECORD_SERVER] = "record-server",
	[STEP_CRIU] = "criu",
	[STEP_HOOKS] = "hooks",
	[STEP_RLIMIT] = "rlimit",
	[STEP_STREAMS] = "streams",
	[STEP_DIE_WITH_PARENT] = "die-with-parent",
	[STEP_SET_NS] = "join-namespace",
	[STEP_UNSHARE] = "unshare",
	[STEP_JOIN_NETNS] = "join-network",
	[STEP_ROOT_OF_USERNS] = "root-of-userns",
	[STEP_PROPAGATION] = "propagation",
	[STEP_ROOT_NEW] = "root-new",
	[STEP_ROOT_TREE] = "root",
	[STEP_ROOT_FILE] = "root-file",
	[STEP_MOUNT] = "mount",
	[STEP_DEVICE] = "device",
	[STEP_LINK] = "link",
	[STEP_MASK] = "mask",
	[STEP_READONLY] = "read-only",
	[STEP_ROOT_READONLY] = "root-read-only",
	[STEP_PIVOT] = "pivot",
	[STEP_PROC] = "private-proc",
	[STEP_LOOPBACK] = "loopback",
	[STEP_HOSTNAME] = "hostname",
	[STEP_DOMAINNAME] = "domainname",
	[STEP_SYSCTL] = "sysctl",
	[STEP_TIME_OFFSET] = "time-offset",
	[STEP_OOM_SCORE] = "oom-score",
	[STEP_SESSION] = "session",
	[STEP_TERMINAL] = "terminal",
	[STEP_PERSONALITY] = "personality",
	[STEP_SCHEDULER] = "scheduler",
	[STEP_IO_PRIORITY] = "io-priority",
	[STEP_AFFINITY] = "cpu-affinity",
	[STEP_MEMORY_POLICY] = "memory-policy",
	[STEP_KEYRING] = "keyring",
	[STEP_LABEL] = "label",
	[STEP_LANDLOCK_RULES] = "landlock-rules",
	[STEP_GROUPS] = "groups",
	[STEP_BOUNDING] = "bounding-set",
	[STEP_IDS] = "ids",
	[STEP_CAPABILITIES] = "capabilities",
	[STEP_AMBIENT] = "ambient-set",
	[STEP_HOME] = "home",
	[STEP_CWD] = "cwd",
	[STEP_LOOKUP] = "lookup",
	[STEP_OUTLIVE_PARENT] = "outlive-parent",
	[STEP_AWAIT_HOST] = "await-host",
	[STEP_WAIT_START] = "wait-start",
	[STEP_CLOSE_FDS] = "close-fds",
	[STEP_KEEP_FDS] = "keep-fds",
	[STEP_MOUNT_POINT] = "mount-point",
	[STEP_SOURCES] = "sources",
	[STEP_SIGNALS] = "signals",
	[STEP_NO_NEW_PRIVS] = "no-new-privileges",
	[STEP_LANDLOCK] = "landlock",
	[STEP_SECCOMP] = "seccomp",
	[STEP_EXEC] = "exec",
};

const char *step_kind_name(enum step_kind kind)
{
	return kind_names[kind];
}

/* The sentences of kinds without arguments. */
static const char *const fixed[STEP_KINDS] = {
	[STEP_NOTIFY] = "make the container's end of NOTIFY_SOCKET",
	[STEP_GATE] = "open the gate at which init waits for start",
	[STEP_NETNS] = "begin to make a network namespace beside, loopback up",
	[STEP_NETNS_UP] = "wait until its loopback device is up",
	[STEP_AWAIT_HOST] = "wait until the host is through with its part",
	[STEP_CLOCKS_OPEN] = "open the file for init's clocks",
	[STEP_UNDUMPABLE] = "close our memory to everybody in the container",
	[STEP_RECORD_INIT] = "record init's pid and start time",
	[STEP_IMAGES_END] = "give the images the modes that they had",
	[STEP_RECORD_RESTORER] = "record criu's pid and start time",
	[STEP_RECORD_SERVER] = "record criu's pid and start time: it serves pages",
	[STEP_KEEP_FDS] = "let criu have its end of the connection",
	[STEP_VIEW] = "let go of the read-only view that we run from: nobody can change it now",
	[STEP_SEND_PIDFD] = "send init's pidfd to the caller",
	[STEP_CREATED] = "hand over: the container is created",
	[STEP_DIE_WITH_PARENT] = "die with the runtime from here on",
	[STEP_JOIN_NETNS] = "join the new network namespace",
	[STEP_ROOT_OF_USERNS] = "become root of the user namespace",
	[STEP_ROOT_NEW] = "make an empty root file system in memory",
	[STEP_ROOT_READONLY] = "make the root file system read-only",
	[STEP_PROC] = "mount a private procfs for settings",
	[STEP_LOOPBACK] = "bring the loopback device up",
	[STEP_SESSION] = "start a new session",
	[STEP_HOME] = "set HOME as the image's /etc/passwd says",
	[STEP_OUTLIVE_PARENT] = "outlive the runtime from here on",
	[STEP_WAIT_START] = "wait for start",
	[STEP_SIGNALS] = "reset signals",
	[STEP_NO_NEW_PRIVS] = "gain no new privileges",
	[STEP_LANDLOCK] = "be restricted by Landlock",
};

void step_describe(const struct step *step, struct buf *out)
{
	if (step_sentences[step->kind])
		step_sentences[step->kind](step, out);
	else
		buf_str(out, fixed[step->kind]);
}

/* ---- errors ------------------------------------------------------------------------------------
 */

static const char *const phases[PHASES] = {
	[PHASE_NONE] = "",
	[PHASE_SOURCE] = "open the source",
	[PHASE_MOUNT_POINT] = "make the mount point",
	[PHASE_FILE_SYSTEM] = "create the file system",
	[PHASE_OPTION] = "set the mount option",
	[PHASE_ATTRIBUTES] = "set the mount attributes",
	[PHASE_ATTACH] = "attach the mount",
	[PHASE_PROPAGATION] = "set the propagation",
	[PHASE_COPY] = "copy what is below",
	[PHASE_OPEN] = "open",
	[PHASE_WRITE] = "write",
	[PHASE_VERIFY] = "refused",
	[PHASE_NOT_EMPTY] = "the container's cgroup is not empty",
	[PHASE_CONTROLLER] = "enable the controller",
	[PHASE_TERMINAL] = "open the other end of the terminal",
	[PHASE_SEND] = "send",
	[PHASE_LOAD] = "load it:",
	[PHASE_SYSTEMD] = "systemd:",
	[PHASE_HOOK_START] = "start",
	[PHASE_HOOK_STATUS] = "it failed and said",
	[PHASE_HOOK_TIMEOUT] = "it did not end in time",
	[PHASE_INTERPRETER] = "the file is there, its interpreter is not",
	[PHASE_WRONG_MACHINE] = "the file is a program for another machine",
	[PHASE_JOIN] = "join the namespaces of",
	[PHASE_SERVER] = "let fuse-overlayfs serve it:",
	[PHASE_CRLF] = "its first line ends in a carriage return, so the interpreter is not found",
};

const char *phase_text(enum phase phase)
{
	return phase < PHASES ? phases[phase] : "";
}

/* Engines tell "not found" (127) from "not executable" (126) by these words; see moby's errors.go.
 */
static int exec_error(const struct step *step, int code, enum phase phase, const char *note,
		      struct err *err)
{
	const char *file = step->exec.file;

	if (code == -ENOENT && phase == PHASE_NONE && !strchr(file, '/'))
		return err_say(err, code, "exec: \"%s\": executable file not found in $PATH", file);
	if (phase == PHASE_NONE)
		return err_set(err, code, "exec: \"%s\"", file);
	return err_set(err, code, "exec: \"%s\": %s%s%s", file, phases[phase], *note ? ": " : "",
		       note);
}

/* What the kernel says of a label is short. */
static void label_hint(const struct step *step, int code, struct err *err)
{
	static const char stack[] = "stack ";
	const char *text = step->kind == STEP_LABEL ? step->text.text : "";
	bool is_apparmor = step->kind == STEP_LABEL && strstr(step->text.file, "apparmor");

	if (is_apparmor && code == -ENOENT)
		(void)err_hint(err, "the profile is not loaded: the host's root does that with "
				    "`apparmor_parser -r FILE`");
	else if (is_apparmor && code == -EACCES && strncmp(text, stack, sizeof(stack) - 1) == 0)
		(void)err_hint(err,
			       "the AppArmor profile that this runs under has to allow it: "
			       "change_profile -> &%s,",
			       text + sizeof(stack) - 1);
	else if (step->kind == STEP_LABEL && !is_apparmor && code == -EINVAL)
		(void)err_hint(err, "SELinux's policy does not know this label");
	else if (step->kind == STEP_LABEL && !is_apparmor && code == -EACCES)
		(void)err_hint(err, "SELinux's policy does not let us set this label");
}

int step_error(const struct step *step, size_t number, int code, enum phase phase, const char *note,
	       struct err *err)
{
	_cleanup_buf_ struct buf what = { 0 };

	if (phase >= PHASES)
		phase = PHASE_NONE;
	if (step->kind == STEP_LOOKUP || step->kind == STEP_EXEC)
		return exec_error(step, code, phase, note, err);
	step_describe(step, &what);
	(void)err_set(err, code, "%s (step %zu, %s)%s%s%s%s", buf_text(&what), number,
		      step->lane == LANE_HOST ? "host" : "container", phase ? ": " : "",
		      phases[phase], *note ? " " : "", note);
	cgroup_hint(step, code, phase, err);
	describe_scope_hint(step, code, phase, err);
	label_hint(step, code, err);
	refused_hint(step, code, phase, err);
	return code;
}
