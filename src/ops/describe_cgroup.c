/*
 * describe_cgroup.c - see describe_cgroup.h.
 */
#include "ops/describe_cgroup.h"

#include <errno.h>
#include <string.h>

/* ---- in words ---------------------------------------------------------------------------------
 */

void describe_cgroup_make(const struct step *s, struct buf *out)
{
	buf_printf(out, "make cgroup %s", s->cgroup.path);
	if (s->cgroup.controllers)
		buf_printf(out, ", on its way enable the controllers %s where they are not",
			   s->cgroup.controllers);
	if (s->cgroup.delegate)
		buf_printf(out, ", and give it to uid %u", s->cgroup.owner);
}

void describe_cgroup_write(const struct step *s, struct buf *out)
{
	buf_printf(out, "set %s to ", s->cgroup.file);
	buf_json_str(out, s->cgroup.value);
	buf_printf(out, " in cgroup %s", s->cgroup.path);
}

void describe_cgroup_devices(const struct step *s, struct buf *out)
{
	buf_printf(out, "limit devices in cgroup %s by a program of %zu instructions",
		   s->cgroup.path, s->cgroup.n_devices);
}

void describe_cgroup_join(const struct step *s, struct buf *out)
{
	buf_printf(out, "move init into cgroup %s", s->cgroup.path);
}

void describe_cgroup_open(const struct step *s, struct buf *out)
{
	buf_printf(out, "open cgroup %s", s->cgroup.path);
}

/* ---- hints ------------------------------------------------------------------------------------
 */

/* Whose it is to give, and how: only v2 can be handed to an ordinary user, whole directories. */
static void hint_rights(const struct step_cgroup *c, struct err *err)
{
	const int len = (int)(strrchr(c->path, '/') - c->path);

	if (!c->limit)
		(void)err_hint(err, "cgroupsPath needs a cgroup that you may write: have one "
				    "delegated to you, or leave it out");
	else if (c->v1)
		(void)err_hint(
		    err,
		    "linux.resources.%s needs it, and %.*s is root's: ordinary users can "
		    "be given cgroups of v2 only (boot with "
		    "systemd.unified_cgroup_hierarchy=1); or leave the limit out",
		    c->limit, len, c->path);
	else
		(void)err_hint(
		    err,
		    "linux.resources.%s needs it, and %.*s is not yours: with systemd, "
		    "start it from `systemd-run --user --scope -p Delegate=yes`; else, as "
		    "root, chown the directory and its cgroup.procs and "
		    "cgroup.subtree_control to you; or leave the limit out",
		    c->limit, len, c->path);
}

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
		(void)err_hint(err,
			       "an ordinary user has the controllers that root gives him: with "
			       "systemd, as root, `systemctl edit user@.service` with "
			       "Delegate=cpu cpuset io memory pids; or leave the limit out");
}

static void hint_make(const struct step_cgroup *c, int code, enum phase phase, struct err *err)
{
	if (phase == PHASE_NOT_EMPTY)
		(void)err_hint(err,
			       "a container gets a cgroup of its own, for all that is in it ends "
			       "with the container: name another cgroupsPath");
	else if (phase == PHASE_CONTROLLER)
		hint_controller(code, err);
	else if (code == -EROFS)
		(void)err_hint(err, "the container that we are in has its cgroups read-only: start "
				    "it with --privileged; `containr run --cgroup-manager "
				    "disabled` does without a cgroup");
	else if (code == -EACCES || code == -EPERM)
		hint_rights(c, err);
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
		hint_make(&step->cgroup, code, phase, err);
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
