/*
 * doctor_security.c - the layers that confine a container: capabilities, seccomp, the security
 * modules. `containr info --security` shows these rows, too.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/cleanup.h"
#include "cli/doctor.h"
#include "seccomp/profile.h"
#include "spec/names.h"
#include "sys/sys.h"

static void check_capabilities(struct doctor *d, const struct check *c, struct finding *f)
{
	const uint64_t missing = d->facts.known_caps & ~d->facts.caps;
	const char *before = "";

	(void)c;
	if (!d->has_facts) {
		finding_set(f, VERDICT_WARNING, "are not known on this kernel");
		return;
	}
	if (d->ordinary) {
		finding_set(f, VERDICT_OK, "none over the host, all inside a user namespace");
		return;
	}
	if (missing == 0) {
		finding_set(f, VERDICT_OK, "all can be granted");
		return;
	}
	finding_set(f, VERDICT_WARNING, "cannot be granted, since we lack them: ");
	for (unsigned int cap = 0; cap < 64; cap++) {
		const char *name = spec_name_of(spec_capability_names, cap);

		if (!(missing >> cap & 1) || !name)
			continue;
		finding_add(f, "%s%s", before, name);
		before = " ";
	}
	finding_remedy(f, "if this is a container, start it with --cap-add ALL");
}

static void check_no_new_privs(struct doctor *d, const struct check *c, struct finding *f)
{
	const bool set = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;

	(void)d;
	(void)c;
	finding_set(f, VERDICT_OK,
		    set ? "is set for us, and so for all containers"
			: "is not set for us; containers get it by default");
}

/* ---- seccomp --------------------------------------------------------------------------------- */

/* A filter that allows everything, in a child that it goes with. */
static int try_filter(void *data, enum attempt_stage *stage)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	const struct sock_fprog program = { 1, &allow };
	const unsigned long *flags = data;
	int r;

	*stage = ATTEMPT_ACTION;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	r = sys_seccomp(SECCOMP_SET_MODE_FILTER, *flags, &program);
	return r < 0 ? r : 0;
}

static void check_filter(struct doctor *d, const struct check *c, struct finding *f)
{
	unsigned long flags = 0;
	struct attempt a = attempt_run(try_filter, &flags);

	(void)d;
	(void)c;
	if (a.err < 0) {
		finding_set(f, VERDICT_WARNING, "no filter can be set: %s", err_text(a.err));
		finding_remedy(f,
			       "use a kernel with CONFIG_SECCOMP_FILTER; without, containers need "
			       "--security-opt seccomp=unconfined");
		return;
	}
	finding_set(f, VERDICT_OK, "filters can be set; built-in profiles:");
	for (unsigned int i = 0; profile_at(i); i++)
		finding_add(f, " %s", profile_at(i)->name);
}

static void check_notify(struct doctor *d, const struct check *c, struct finding *f)
{
	unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
	struct attempt a = attempt_run(try_filter, &flags);

	(void)d;
	(void)c;
	if (a.err == 0)
		finding_set(f, VERDICT_OK, "system calls can be decided by a program outside");
	else if (a.err == -EBUSY)
		finding_set(f, VERDICT_WARNING,
			    "system calls cannot be decided by a program "
			    "outside: one does so for us already");
	else
		finding_set(f, VERDICT_WARNING,
			    "system calls cannot be decided by a program outside: %s",
			    err_text(a.err));
}

/* ---- security modules ------------------------------------------------------------------------ */

/* The line of lsm_report() that begins with the module's name. */
static void check_module(struct doctor *d, const struct check *c, struct finding *f)
{
	const size_t len = strlen(c->arg);
	const char *line = buf_text(&d->lsm);

	while (*line && !(strncmp(line, c->arg, len) == 0 && line[len] == ':')) {
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	line += *line ? len + 1 + strspn(line + len + 1, " ") : 0;
	finding_set(f, strncmp(line, "not active", 10) == 0 ? VERDICT_ABSENT : VERDICT_OK, "%.*s",
		    (int)strcspn(line, "\n"), line);
}

static void check_landlock(struct doctor *d, const struct check *c, struct finding *f)
{
	check_module(d, c, f);
	if (f->verdict != VERDICT_ABSENT)
		return;
	f->verdict = VERDICT_WARNING;
	finding_remedy(
	    f, "boot with lsm=landlock,... (Linux 5.13 or later with CONFIG_SECURITY_LANDLOCK)");
}

/* A permissive module warns of what it does not forbid. */
static void check_selinux(struct doctor *d, const struct check *c, struct finding *f)
{
	check_module(d, c, f);
	if (strstr(buf_text(&f->fact), "does not know")) {
		f->verdict = VERDICT_WARNING;
		finding_remedy(f, "as root: containr selinux install");
	} else if (strstr(buf_text(&f->fact), "permissive")) {
		f->verdict = VERDICT_WARNING;
		finding_remedy(f, "as root: setenforce 1");
	}
}

static void check_apparmor(struct doctor *d, const struct check *c, struct finding *f)
{
	check_module(d, c, f);
	if (!strstr(buf_text(&f->fact), "is not loaded"))
		return;
	/* Root loads it at the first start; others cannot. */
	f->verdict = d->ordinary ? VERDICT_WARNING : VERDICT_OK;
	finding_remedy(f, d->ordinary
			      ? "as root: apparmor_parser -r /etc/apparmor.d/containr-default"
			      : "the first container loads it");
}

const struct check doctor_security[] = {
	{ .name = "capabilities", .run = check_capabilities },
	{ .name = "no_new_privs", .run = check_no_new_privs },
	{ .name = "seccomp", .run = check_filter },
	{ .name = "seccomp-notify", .run = check_notify },
	{ .name = "modules", .run = check_module, .arg = "modules" },
	{ .name = "apparmor", .run = check_apparmor, .arg = "apparmor" },
	{ .name = "selinux", .run = check_selinux, .arg = "selinux" },
	{ .name = "landlock", .run = check_landlock, .arg = "landlock" },
	{ 0 },
};
