/*
 * describe_cgroup.c - see describe_cgroup.h.
 */
#include "ops/describe_cgroup.h"

#include <errno.h>

static void hint_controller(int code, struct err *err)
{
	if (code == -EBUSY)
		(void)err_hint(err, "cgroup v2 gives controllers only to the children of a cgroup "
				    "without processes of its own: move its processes to a child, "
				    "or name another cgroupsPath");
	else if (code == -ENOENT)
		(void)err_hint(err,
			       "the cgroup above does not give this controller: enable it "
			       "there in cgroup.subtree_control, or with systemd by Delegate=");
	else
		(void)err_hint(err, "the cgroup is not yours to change: have it delegated to you "
				    "(systemd-run --user --scope -p Delegate=yes …), or leave the "
				    "limit out");
}

static void hint_make(int code, enum phase phase, struct err *err)
{
	if (phase == PHASE_NOT_EMPTY)
		(void)err_hint(err,
			       "a container gets a cgroup of its own, for all that is in it ends "
			       "with the container: name another cgroupsPath");
	else if (phase == PHASE_CONTROLLER)
		hint_controller(code, err);
	else if (code == -EACCES || code == -EPERM || code == -EROFS)
		(void)err_hint(err, "limits and cgroupsPath need a cgroup that you may write: have "
				    "one delegated to you, or leave them out");
	else if (code == -ENODEV)
		(void)err_hint(err, "another file system lies over the cgroups");
	else if (code == -EAGAIN)
		(void)err_hint(err, "cgroup.max.descendants or cgroup.max.depth of a cgroup above "
				    "is reached");
}

static void hint_write(int code, struct err *err)
{
	if (code == -ENOENT)
		(void)err_hint(err,
			       "this kernel does not have the setting, or its controller is off");
	else if (code == -EINVAL || code == -ERANGE || code == -ENOSPC)
		(void)err_hint(err,
			       "the kernel refuses the value: it may be beyond what the cgroup "
			       "above or the machine has");
	else if (code == -EBUSY)
		(void)err_hint(err, "more than this is in use already");
}

void cgroup_hint(const struct step *step, int code, enum phase phase, struct err *err)
{
	if (step->kind == STEP_CGROUP_MAKE)
		hint_make(code, phase, err);
	else if (step->kind == STEP_CGROUP_WRITE)
		hint_write(code, err);
	else if (step->kind == STEP_CGROUP_OPEN && phase == PHASE_CONTROLLER)
		hint_controller(code, err);
	else if (step->kind == STEP_CGROUP_OPEN && code == -ENOENT)
		(void)err_hint(err,
			       "a cgroup below the container's has to be there: make it first");
	else if (step->kind == STEP_CGROUP_DEVICES && (code == -EPERM || code == -EACCES))
		(void)err_hint(err, "device rules on cgroup v2 need CAP_SYS_ADMIN or CAP_BPF over "
				    "the host");
}
