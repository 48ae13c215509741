/*
 * lsm.c - the labels of AppArmor and SELinux; see lsm.h.
 *
 * What the kernel forgets when a program is executed needs no step to take it back: the labels for
 * keys, sockets and files are of that kind.
 */
#include "plan/lsm.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#include "host/apparmor.h"

static const char *selinux_label(const struct planner *p)
{
	const char *label = p->spec->process.selinux_label;

	return label && *label ? label : NULL;
}

static void add_label(struct planner *p, const char *file, const char *text)
{
	plan_add(p, LANE_INIT, (struct step){ .kind = STEP_LABEL, .text = { file, text } });
}

/* ---- AppArmor ----------------------------------------------------------------------------------
 */

/* Without AppArmor everything is unconfined: whoever asks for that gets it. */
static const char *apparmor_profile(const struct planner *p)
{
	const char *name = p->spec->process.apparmor_profile;

	if (!name || !*name || (!p->facts->lsm.apparmor && strcmp(name, "unconfined") == 0))
		return NULL;
	return name;
}

static void refuse_missing(struct planner *p, const char *name)
{
	(void)err_say(p->err, -ENOENT,
		      "process.apparmorProfile: AppArmor profile \"%s\" is not loaded", name);
	if (strcmp(name, APPARMOR_DEFAULT) == 0)
		(void)err_hint(p->err,
			       "root loads it, once after a boot: start a container as root, or "
			       "`apparmor_parser -r /etc/apparmor.d/" APPARMOR_DEFAULT "`");
	else
		(void)err_hint(p->err, "load it with `apparmor_parser -r FILE`; `aa-status` lists "
				       "those that are");
}

static bool may_load(const struct planner *p)
{
	return p->facts->euid == 0 && (p->facts->caps >> CAP_MAC_ADMIN & 1);
}

void add_profile(struct planner *p)
{
	const struct lsm_facts *lsm = &p->facts->lsm;
	const char *name = apparmor_profile(p), *file = p->options->apparmor_file;
	bool is_ours = name && strcmp(name, APPARMOR_DEFAULT) == 0;

	if (!name)
		return;
	if (!lsm->apparmor) {
		(void)err_say(
		    p->err, -EOPNOTSUPP,
		    "process.apparmorProfile: \"%s\" was asked for, but AppArmor is not active "
		    "on this host",
		    name);
		return;
	}
	if (!file && (!lsm->apparmor_profiles || strcmp(name, "unconfined") == 0 ||
		      lsm_has_profile(lsm->apparmor_profiles, name)))
		return; /* a list that cannot be read says nothing: the kernel will, at the label */
	if (file || (is_ours && may_load(p)))
		plan_add(p, LANE_HOST,
			 (struct step){ .kind = STEP_APPARMOR, .text = { file, name } });
	else
		refuse_missing(p, name);
}

/*
 * Who is confined does not leave the profile but adds one: both are in force then. The first one
 * has to allow it, by "change_profile -> &NAME,".
 */
static void add_apparmor_label(struct planner *p)
{
	const char *name = apparmor_profile(p);

	if (name)
		add_label(p, "self/attr/apparmor/exec",
			  arena_printf(plan_arena(p), "%s %s",
				       p->facts->lsm.apparmor_confined ? "stack" : "exec", name));
}

/* ---- SELinux -----------------------------------------------------------------------------------
 */

static void add_selinux_label(struct planner *p)
{
	const char *label = selinux_label(p);

	if (label && !p->facts->lsm.selinux)
		(void)err_say(
		    p->err, -EOPNOTSUPP,
		    "process.selinuxLabel: \"%s\" was asked for, but SELinux is not active on "
		    "this host",
		    label);
	else if (label)
		add_label(p, "self/attr/exec", label);
}

void add_key_label(struct planner *p)
{
	if (p->facts->lsm.selinux && selinux_label(p))
		add_label(p, "self/attr/keycreate", selinux_label(p));
}

void add_labels(struct planner *p)
{
	add_apparmor_label(p);
	add_selinux_label(p);
}

static void add_host_label(struct planner *p, const char *file, const char *text)
{
	plan_add(p, LANE_HOST, (struct step){ .kind = STEP_HOST_LABEL, .text = { file, text } });
}

static void set_creation_labels(struct planner *p, bool on)
{
	const char *mount = p->spec->linux.mount_label;

	if (!p->facts->lsm.selinux)
		return;
	if (selinux_label(p))
		add_host_label(p, "sockcreate", on ? selinux_label(p) : "");
	if (mount && *mount)
		add_host_label(p, "fscreate", on ? mount : "");
}

void add_creation_labels(struct planner *p)
{
	set_creation_labels(p, true);
}

void add_no_creation_labels(struct planner *p)
{
	set_creation_labels(p, false);
}
