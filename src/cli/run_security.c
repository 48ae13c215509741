/*
 * run_security.c - --security-opt but for seccomp: labels of the security modules, no_new_privs,
 * which paths of /proc and /sys are hidden or read-only.
 */
#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "cli/json_out.h"
#include "cli/people.h"

/*
 * Docker's, and more of the same kind: tables of the allocators (allocinfo: Linux 6.10) and of the
 * host's block devices tell of the whole host; interrupts, thermal counters and the energy that
 * powercap measures are side channels (CVE-2020-8694).
 */
static const char *const masked[] = {
	"/proc/acpi",
	"/proc/allocinfo",
	"/proc/asound",
	"/proc/interrupts",
	"/proc/kcore",
	"/proc/keys",
	"/proc/latency_stats",
	"/proc/pagetypeinfo",
	"/proc/sched_debug",
	"/proc/scsi",
	"/proc/slabinfo",
	"/proc/timer_list",
	"/proc/timer_stats",
	"/proc/vmallocinfo",
	"/sys/dev/block",
	"/sys/devices/system/cpu/cpu0/thermal_throttle",
	"/sys/devices/virtual/powercap",
	"/sys/firmware",
	"/sys/fs/selinux",
};

static const char *const readonly[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define MAX_PATHS   128

/* What the options add up to. */
struct security {
	const char *apparmor;
	const char *user, *role, *type, *level, *file_type; /* of SELinux */
	bool labelled, unmasked_all;
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

static int take_apparmor(struct people *p, struct security *s, const char *value)
{
	(void)p;
	s->apparmor = strcmp(value, "unconfined") == 0 ? NULL : value;
	return 0;
}

static int take_label(struct people *p, struct security *s, const char *value)
{
	const struct {
		const char *name;
		const char **to;
	} parts[] = { { "user", &s->user },
		      { "role", &s->role },
		      { "type", &s->type },
		      { "level", &s->level },
		      { "filetype", &s->file_type } };

	if (strcmp(value, "disable") == 0) {
		s->labelled = false;
		return 0;
	}
	for (size_t i = 0; i < COUNT(parts); i++) {
		size_t len = strlen(parts[i].name);

		if (strncmp(value, parts[i].name, len) != 0 ||
		    (value[len] != ':' && value[len] != '=') || !value[len + 1])
			continue;
		*parts[i].to = value + len + 1;
		s->labelled = true;
		return 0;
	}
	return err_say(p->err, -EINVAL,
		       "--security-opt label=%.100s: expected user:, role:, type:, level: or "
		       "filetype: with a value, or disable",
		       value);
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
		     "seccomp=, no-new-privileges, apparmor=, label=, mask=, unmask= or "
		     "systempaths=");
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

static size_t put_paths(struct buf *out, const char *key, const char *const *list, size_t n,
			const struct security *s, size_t n_more)
{
	size_t count = 0;

	out_open(out, key, '[');
	for (size_t i = 0; i < n; i++)
		if (!is_unmasked(s, list[i])) {
			out_str(out, NULL, list[i]);
			count++;
		}
	for (size_t i = 0; i < n_more; i++)
		out_str(out, NULL, s->mask[i]);
	out_close(out, ']');
	return count + n_more;
}

/* ---- labels -------------------------------------------------------------------------------------
 */

static void put_labels(struct people *p, const struct security *s)
{
	const char *level = s->level ? s->level : "s0";

	p->apparmor = s->apparmor;
	if (s->apparmor)
		out_str(&p->process, "apparmorProfile", s->apparmor);
	if (!s->labelled)
		return;
	p->selinux =
	    arena_printf(p->arena, "%s:%s:%s:%s", s->user ? s->user : "system_u",
			 s->role ? s->role : "system_r", s->type ? s->type : "container_t", level);
	out_str(&p->process, "selinuxLabel", p->selinux);
	out_str(&p->linux, "mountLabel",
		arena_printf(p->arena, "system_u:object_r:%s:%s",
			     s->file_type ? s->file_type : "container_file_t", level));
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
	put_labels(p, &s);
	p->n_masked = put_paths(&p->linux, "maskedPaths", masked, COUNT(masked), &s, s.n_mask);
	p->n_readonly = put_paths(&p->linux, "readonlyPaths", readonly, COUNT(readonly), &s, 0);
	return 0;
}
