/*
 * run_security.c - --security-opt but for seccomp: labels of the security modules, no_new_privs,
 * which paths of /proc and /sys are hidden or read-only.
 */
#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json_out.h"
#include "base/num.h"
#include "cli/people.h"
#include "host/apparmor.h"
#include "host/lsm.h"
#include "host/selinux.h"
#include "sys/abi.h"

/*
 * Docker's, and more of the same kind: tables of the allocators (allocinfo: Linux 6.10) and of the
 * host's block devices tell of the whole host; interrupts, thermal counters and the energy that
 * powercap measures are side channels (CVE-2020-8694).
 */
static const char *const masked[] = {
	"/proc/acpi",          "/proc/allocinfo",
	"/proc/asound",        "/proc/interrupts",
	"/proc/kcore",         "/proc/keys",
	"/proc/latency_stats", "/proc/pagetypeinfo",
	"/proc/sched_debug",   "/proc/scsi",
	"/proc/slabinfo",      "/proc/timer_list",
	"/proc/timer_stats",   "/proc/vmallocinfo",
	"/sys/dev/block",      "/sys/devices/virtual/powercap",
	"/sys/firmware",       "/sys/fs/selinux",
};

static const char *const readonly[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

/* One for each processor that the host has, where it counts at all. */
#define THERMAL_COUNTERS "/sys/devices/system/cpu/cpu%u/thermal_throttle"

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define MAX_PATHS   128
#define MAX_LABELS  16

/* What the options add up to. */
struct security {
	const char *apparmor; /* NULL: not said */
	size_t n_labels;      /* of SELinux: what follows "label=" */
	const char *labels[MAX_LABELS + 1];
	bool unmasked_all;
	size_t n_mask, n_unmask;
	const char *mask[MAX_PATHS], *unmask[MAX_PATHS]; /* the second are patterns */
};

static int refuse(struct people *p, const char *option, const char *expected)
{
	return err_say(p->err, -EINVAL, "--security-opt %.200s: expected %s", option, expected);
}

/* ---- one function an option ---------------------------------------------------------------------
 */

static int take_no_new_privs(struct people *p, struct security *s, const char *value)
{
	(void)s;
	if (*value == '\0') {
		p->no_new_privs = true;
		return 0;
	}
	return value_bool(p->err, "security-opt no-new-privileges", value, &p->no_new_privs);
}

/* What the host has; anything else that is asked for and not there is an error. */
static bool is_auto(const char *value)
{
	return strcmp(value, "auto") == 0;
}

static int take_apparmor(struct people *p, struct security *s, const char *value)
{
	(void)p;
	s->apparmor = is_auto(value) ? NULL : value;
	return 0;
}

static int take_label(struct people *p, struct security *s, const char *value)
{
	if (is_auto(value)) {
		s->n_labels = 0;
		return 0;
	}
	if (s->n_labels == MAX_LABELS)
		return err_say(p->err, -E2BIG, "--security-opt label=%.100s: is one too many",
			       value);
	s->labels[s->n_labels++] = value;
	return 0;
}

static int take_paths(struct people *p, const char *value, const char **list, size_t *n)
{
	for (const char *rest = value; rest;) {
		const char *path = value_part(p->arena, rest, ':', &rest);

		if (*path != '/')
			return err_say(p->err, -EINVAL,
				       "--security-opt: %.100s: expected absolute paths with : "
				       "between them",
				       path);
		if (*n == MAX_PATHS)
			return err_say(p->err, -E2BIG, "--security-opt: more than %d paths",
				       MAX_PATHS);
		list[(*n)++] = path;
	}
	return 0;
}

static int take_mask(struct people *p, struct security *s, const char *value)
{
	return take_paths(p, value, s->mask, &s->n_mask);
}

static int take_unmask(struct people *p, struct security *s, const char *value)
{
	if (strcmp(value, "ALL") != 0)
		return take_paths(p, value, s->unmask, &s->n_unmask);
	s->unmasked_all = true;
	return 0;
}

/* Mount options of /proc, as podman has it: hidepid=2, subset=pid. */
static int take_proc_options(struct people *p, struct security *s, const char *value)
{
	(void)s;
	if (!*value)
		return refuse(p, "proc-opts=", "options with commas between them");
	p->proc_options = value;
	return 0;
}

static int take_system_paths(struct people *p, struct security *s, const char *value)
{
	if (strcmp(value, "unconfined") != 0)
		return refuse(p, "systempaths=", "unconfined");
	s->unmasked_all = true;
	return 0;
}

static int take_nothing(struct people *p, struct security *s, const char *value)
{
	(void)p;
	(void)s;
	(void)value;
	return 0;
}

static const struct {
	const char *name;
	bool alone; /* may come without a value */
	int (*take)(struct people *p, struct security *s, const char *value);
} options[] = {
	{ "seccomp", false, take_nothing }, /* run_seccomp.c */
	{ "no-new-privileges", true, take_no_new_privs },
	{ "apparmor", false, take_apparmor },
	{ "label", false, take_label },
	{ "mask", false, take_mask },
	{ "unmask", false, take_unmask },
	{ "systempaths", false, take_system_paths },
	{ "proc-opts", false, take_proc_options },
};

/* "name=value", docker's older "name:value", or "name". */
static int take_option(struct people *p, struct security *s, const char *option)
{
	const char *names[COUNT(options) + 1] = { NULL }, *nearest, *word;
	size_t len = strcspn(option, "=:");

	for (size_t i = 0; i < COUNT(options); i++) {
		names[i] = options[i].name;
		if (strlen(options[i].name) != len || strncmp(option, options[i].name, len) != 0)
			continue;
		if (option[len] == '\0' && !options[i].alone)
			return refuse(p, option, "a value: NAME=VALUE");
		return options[i].take(p, s, option[len] ? option + len + 1 : "");
	}
	word = arena_printf(p->arena, "%.*s", (int)len, option);
	nearest = value_nearest(names, word);
	(void)refuse(p, option,
		     "seccomp=, no-new-privileges, apparmor=, label=, mask=, unmask=, systempaths= "
		     "or proc-opts=");
	return nearest ? err_hint(p->err, "did you mean %s?", nearest) : -EINVAL;
}

/* ---- paths --------------------------------------------------------------------------------------
 */

static bool is_unmasked(const struct security *s, const char *path)
{
	for (size_t i = 0; i < s->n_unmask; i++)
		if (fnmatch(s->unmask[i], path, 0) == 0)
			return true;
	return s->unmasked_all;
}

static size_t put_paths(const struct security *s, struct buf *out, const char *const *list,
			size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		if (!is_unmasked(s, list[i])) {
			out_str(out, NULL, list[i]);
			count++;
		}
	return count;
}

/* Of the list of all that may ever be there, as "0-7" or "0,2-5", the last: the C library only
 * knows those that we may run on. */
static uint64_t last_processor(void)
{
	_cleanup_buf_ struct buf text = { 0 };
	const char *word, *comma;
	uint64_t last = 0;

	if (people_read_host_file("/sys/devices/system/cpu/possible", &text) < 0 || text.len == 0)
		return 0;
	text.data[strcspn(text.data, "\n")] = '\0';
	comma = strrchr(text.data, ',');
	word = strrchr(comma ? comma : text.data, '-');
	word = word ? word + 1 : comma ? comma + 1 : text.data;
	return num_u64(word, 65535, &last) < 0 ? 0 : last;
}

static size_t put_masked(const struct people *p, const struct security *s, struct buf *out)
{
	const uint64_t last = last_processor();
	size_t n;

	out_open(out, "maskedPaths", '[');
	n = put_paths(s, out, masked, COUNT(masked));
	for (uint64_t i = 0; i <= last; i++) {
		const char *path = arena_printf(p->arena, THERMAL_COUNTERS, (unsigned int)i);

		if (access(path, F_OK) == 0)
			n += put_paths(s, out, &path, 1);
	}
	for (size_t i = 0; i < s->n_mask; i++)
		out_str(out, NULL, s->mask[i]);
	out_close(out, ']');
	return n + s->n_mask;
}

/* ---- labels -------------------------------------------------------------------------------------
 */

/* Root puts our own profile into the kernel; others use it once it is there. */
static bool has_default_profile(const struct people *p)
{
	const struct lsm_facts *lsm = &p->facts.lsm;

	if (!lsm->apparmor)
		return false;
	return (!p->userns && p->facts.caps >> CAP_MAC_ADMIN & 1) || lsm->apparmor_default;
}

/* A name, or the file of a profile, which is loaded. */
static int put_apparmor(struct people *p, const char *value)
{
	int r = 0;

	if (!value)
		value = !p->flags->privileged && has_default_profile(p) ? APPARMOR_DEFAULT
									: "unconfined";
	if (strcmp(value, "unconfined") == 0)
		return 0;
	p->apparmor = value;
	if (strchr(value, '/')) {
		p->apparmor_file = cli_absolute(p->cli, value);
		r = apparmor_file_profile(value, p->arena, &p->apparmor, p->err);
	}
	if (r == 0)
		out_str(&p->process, "apparmorProfile", p->apparmor);
	return r;
}

static int put_selinux(struct people *p, struct security *s)
{
	struct selinux_labels labels = { 0 };
	int r;

	if (p->flags->privileged && s->n_labels == 0)
		s->labels[s->n_labels++] = "disable";
	/* Nothing is chosen and noted down for a plan. */
	if (p->for_plan && p->facts.lsm.selinux && s->n_labels == 0)
		s->labels[s->n_labels++] = "level:s0";
	r = selinux_label_make(p->state_root, p->id, s->labels, p->arena, &labels, p->err);
	if (r < 0)
		return err_prefix(p->err, "--security-opt label");
	if (!p->rootfs && labels.process && !selinux_may_run_programs(labels.process)) {
		(void)err_say(
		    p->err, -EACCES,
		    "--security-opt label: SELinux's policy does not let %s run the host's "
		    "programs",
		    labels.process);
		return err_hint(p->err,
				"`containr selinux install` allows it to " SELINUX_DEFAULT_TYPE
				"; or name a root file system with --rootfs");
	}
	p->selinux = labels.process;
	p->selinux_mount = labels.mount;
	if (labels.process)
		out_str(&p->process, "selinuxLabel", labels.process);
	if (labels.mount)
		out_str(&p->linux, "mountLabel", labels.mount);
	return 0;
}

int run_security(struct people *p)
{
	const struct spec_strings *opts = &p->flags->security_opts;
	struct security s = { .unmasked_all = p->flags->privileged };
	int r = 0;

	for (size_t i = 0; i < opts->n && r == 0; i++) {
		/* What the preset says of privileges is not meant for who asks for all of them. */
		if (p->flags->privileged && i < p->flags->preset_security_opts)
			continue;
		r = take_option(p, &s, opts->v[i]);
	}
	if (r < 0)
		return r;
	out_bool(&p->process, "noNewPrivileges", p->no_new_privs);
	r = put_apparmor(p, s.apparmor);
	if (r == 0)
		r = put_selinux(p, &s);
	if (r < 0)
		return r;
	p->n_masked = put_masked(p, &s, &p->linux);
	out_open(&p->linux, "readonlyPaths", '[');
	p->n_readonly = put_paths(&s, &p->linux, readonly, COUNT(readonly));
	out_close(&p->linux, ']');
	return 0;
}
