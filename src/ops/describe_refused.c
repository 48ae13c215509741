/*
 * describe_refused.c - see describe_refused.h.
 *
 * Which of several guards said no the kernel does not tell: the hints name those that give this
 * answer, the usual one first.
 */
#include "ops/describe_refused.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

static bool is_denied(int code)
{
	return code == -EPERM || code == -EACCES;
}

static void hint_spawn(const struct step *step, int code, struct err *err)
{
	if (code == -ENOSYS)
		(void)err_hint(err, "the seccomp filter of the container that we are in keeps new "
				    "namespaces from it: start that one with --security-opt "
				    "seccomp=unconfined or --privileged");
	else if (code == -ENOSPC || code == -EUSERS)
		(void)err_hint(err, "a limit is reached: see /proc/sys/user/max_*_namespaces, and "
				    "no more than 32 user namespaces may lie in one another");
	else if (is_denied(code) && (step->spawn.flags & CLONE_NEWUSER))
		(void)err_hint(
		    err, "user namespaces are switched off for us: by the sysctls "
			 "kernel.unprivileged_userns_clone or "
			 "kernel.apparmor_restrict_unprivileged_userns, by the seccomp filter "
			 "of the container that we are in, or because we are in a chroot");
}

static void hint_id_map(int code, struct err *err)
{
	if (is_denied(code))
		(void)err_hint(
		    err, "ids may be mapped that we have ourselves, or that /etc/subuid and "
			 "/etc/subgid give us; on Ubuntu an AppArmor profile has to allow "
			 "user namespaces, too (kernel.apparmor_restrict_unprivileged_userns)");
}

/* mount_too_revealing() in the kernel's fs/namespace.c. */
static void hint_mount(const struct step *step, int code, enum phase phase, struct err *err)
{
	const char *type = step->mount.type;

	if (!is_denied(code) || phase != PHASE_FILE_SYSTEM || !type)
		return;
	if (strcmp(type, "proc") == 0)
		(void)err_hint(
		    err, "where parts of /proc are covered, as in most containers, the kernel "
			 "lets no user namespace see a whole one: start the outer container "
			 "with --security-opt unmask=ALL (docker: systempaths=unconfined), or "
			 "bind its /proc in place of a new one (-v /proc:/proc), which shows "
			 "its processes");
	else if (strcmp(type, "sysfs") == 0)
		(void)err_hint(err, "a sysfs needs a network namespace of our own and a /sys of "
				    "which nothing is covered: bind /sys in place of a new one");
}

static void hint_mount_point(int code, struct err *err)
{
	if (is_denied(code) || code == -EOVERFLOW)
		(void)err_hint(err,
			       "the container's root may not make or reach it in the root file "
			       "system: make it there and let others search the directories; "
			       "with a user namespace, give the files to the ids that it maps");
	else if (code == -EROFS)
		(void)err_hint(err, "it is missing in the root file system, which is read-only: "
				    "make it there, or use an overlay (--rootfs DIR:O)");
}

/* In a UTS namespace of our own we have the right to: only a filter can refuse it. */
static void hint_name(int code, struct err *err)
{
	if (is_denied(code))
		(void)err_hint(err, "the seccomp filter of the container that we are in keeps this "
				    "call from it, as podman's does without CAP_SYS_ADMIN: start "
				    "that one with --security-opt seccomp=unconfined, or keep its "
				    "name (--uts host; in config.json without hostname)");
}

static void hint_loopback(int code, struct err *err)
{
	if (is_denied(code))
		(void)err_hint(err, "a new network namespace needs CAP_NET_ADMIN: start the "
				    "container that we are in with --cap-add NET_ADMIN, or use its "
				    "network (--network host; in config.json without the network "
				    "namespace)");
}

static void hint_id_mapped(int code, enum phase phase, struct err *err)
{
	if (phase == PHASE_ATTRIBUTES && is_denied(code))
		(void)err_hint(
		    err, "the file system was mounted in another user namespace than ours, and "
			 "only root of that one may show other owners: give the files to the ids "
			 "of the container (-v SRC:DST:U of podman), use --userns keep-id, or a "
			 "file system that is mounted in our own, such as a tmpfs");
	else if (phase == PHASE_ATTRIBUTES && code == -EINVAL)
		(void)err_hint(err, "this kernel cannot show other owners of a file system of that "
				    "type, or it does already");
}

/* Layers of layers, or on a file system that the kernel does not take for one. */
static void hint_overlay(int code, enum phase phase, struct err *err)
{
	if (phase == PHASE_SERVER)
		(void)err_hint(err, "the kernel refused these layers, so fuse-overlayfs was asked");
	else if (phase == PHASE_FILE_SYSTEM &&
		 (code == -EINVAL || is_denied(code) || code == -ENODEV || code == -EOPNOTSUPP))
		(void)err_hint(err,
			       "the kernel takes no overlays of overlays of overlays, and no upper "
			       "layer on NFS, FUSE and the like; for an ordinary user's container "
			       "with a pid namespace of its own fuse-overlayfs serves such layers: "
			       "install it (the package has that name)");
	else if (phase == PHASE_OPEN)
		(void)err_hint(err, "the kernel refused these layers, and fuse-overlayfs needs "
				    "/dev/fuse (as root: modprobe fuse; chmod 666 /dev/fuse)");
}

static bool is_overlay(const struct step *step)
{
	return step->kind == STEP_OVERLAY || (step->kind == STEP_MOUNT && step->mount.in_memory) ||
	       (step->kind == STEP_ROOT_TREE && step->tree.in_memory);
}

void refused_hint(const struct step *step, int code, enum phase phase, struct err *err)
{
	if (step->kind == STEP_RUN_DIR && code == -EEXIST)
		(void)err_hint(err,
			       "a container of that name is there, running or stopped: take "
			       "another name, or remove it (containr rm; containr-oci delete)");
	else if (step->kind == STEP_SPAWN)
		hint_spawn(step, code, err);
	else if (step->kind == STEP_ID_MAP || step->kind == STEP_ID_MAP_HELPER)
		hint_id_map(code, err);
	else if (is_overlay(step) && err->hint[0] == '\0' &&
		 (phase == PHASE_FILE_SYSTEM || phase == PHASE_SERVER || phase == PHASE_OPEN))
		hint_overlay(code, phase, err);
	else if (phase == PHASE_MOUNT_POINT)
		hint_mount_point(code, err);
	else if (step->kind == STEP_MOUNT)
		hint_mount(step, code, phase, err);
	else if (step->kind == STEP_HOSTNAME || step->kind == STEP_DOMAINNAME)
		hint_name(code, err);
	else if (step->kind == STEP_NETNS_UP || step->kind == STEP_LOOPBACK)
		hint_loopback(code, err);
	else if (step->kind == STEP_ID_MAPPED)
		hint_id_mapped(code, phase, err);
	else if (step->kind == STEP_RLIMIT && is_denied(code))
		(void)err_hint(err,
			       "only CAP_SYS_RESOURCE may go above the caller's own hard limit "
			       "(`ulimit -H -a` shows it), and nobody above fs.nr_open for files");
	else if ((step->kind == STEP_ROOT_TREE || step->kind == STEP_ROOT_NEW ||
		  step->kind == STEP_PROPAGATION) &&
		 is_denied(code))
		(void)err_hint(err, "mounts are forbidden here: by the Landlock rules (--landlock "
				    "none takes away those of containr run), the AppArmor profile "
				    "or the seccomp filter of the container that we are in");
}
