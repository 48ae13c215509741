/*
 * check_linux.c - the rules of what else `linux` has.
 */
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "spec/check_part.h"
#include "spec/names.h"

/* ---- sysctl ------------------------------------------------------------------------------- */

/* What belongs to a namespace; everything else is the host's. */
static const struct {
	const char *path; /* below /proc/sys */
	bool is_prefix;
	int flag;
	const char *type;
} sysctls[] = {
	{ "net/", true, CLONE_NEWNET, "network" },
	{ "fs/mqueue/", true, CLONE_NEWIPC, "ipc" },
	{ "kernel/msgmax", false, CLONE_NEWIPC, "ipc" },
	{ "kernel/msgmnb", false, CLONE_NEWIPC, "ipc" },
	{ "kernel/msgmni", false, CLONE_NEWIPC, "ipc" },
	{ "kernel/msg_next_id", false, CLONE_NEWIPC, "ipc" },
	{ "kernel/sem", false, CLONE_NEWIPC, "ipc" },
	{ "kernel/sem_next_id", false, CLONE_NEWIPC, "ipc" },
	{ "kernel/shmall", false, CLONE_NEWIPC, "ipc" },
	{ "kernel/shmmax", false, CLONE_NEWIPC, "ipc" },
	{ "kernel/shmmni", false, CLONE_NEWIPC, "ipc" },
	{ "kernel/shm_next_id", false, CLONE_NEWIPC, "ipc" },
	{ "kernel/shm_rmid_forced", false, CLONE_NEWIPC, "ipc" },
	{ "kernel/domainname", false, CLONE_NEWUTS, "uts" }, /* how Docker sets the domain name */
};

/* No part may be empty, "." or "..": "net/../kernel/panic" is the host's. */
static bool is_clean_sysctl(const char *path)
{
	for (;;) {
		size_t len = strcspn(path, "/");

		if (strspn(path, ".") == len)
			return false;
		if (path[len] == '\0')
			return true;
		path += len + 1;
	}
}

static int check_sysctl(const struct check *c, const struct spec *spec, const char *key)
{
	char path[256], shown[JSON_SHOWN_SIZE];

	json_show_text(key, shown);
	if (spec_sysctl_path(key, path, sizeof(path)) < 0 || !is_clean_sysctl(path) ||
	    check_has_control(path))
		return check_refuse(c,
				    "linux.sysctl: %s is no name of a sysctl, expected one as in "
				    "\"net.ipv4.ip_forward\"",
				    shown);
	if (strcmp(path, "kernel/hostname") == 0)
		return check_refuse(c, "linux.sysctl: %s has a key of its own, expected hostname",
				    shown);
	if (strcmp(path, "kernel/domainname") == 0 && spec->domainname)
		return check_refuse(c,
				    "linux.sysctl: %s is given beside domainname, expected one of "
				    "them",
				    shown);
	for (size_t i = 0; i < sizeof(sysctls) / sizeof(sysctls[0]); i++) {
		size_t len = strlen(sysctls[i].path) + (sysctls[i].is_prefix ? 0 : 1);

		if (strncmp(path, sysctls[i].path, len) != 0)
			continue;
		if (spec_namespace(spec, sysctls[i].flag))
			return 0;
		return check_refuse(c,
				    "linux.sysctl: %s would be set for the host, expected a "
				    "namespace of type \"%s\" in linux.namespaces",
				    shown, sysctls[i].type);
	}
	return check_refuse(c,
			    "linux.sysctl: %s belongs to no namespace, expected net.*, "
			    "fs.mqueue.*, kernel.domainname or one of System V IPC",
			    shown);
}

static int check_sysctls(const struct check *c, const struct spec *spec)
{
	for (size_t i = 0; i < spec->linux.sysctl.n; i++) {
		int r = check_sysctl(c, spec, spec->linux.sysctl.v[i].key);

		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- paths -------------------------------------------------------------------------------- */

static int check_path_list(const struct check *c, const char *key, const struct spec_strings *paths)
{
	char shown[JSON_SHOWN_SIZE];

	for (size_t i = 0; i < paths->n; i++) {
		if (*paths->v[i] == '/')
			continue;
		json_show_text(paths->v[i], shown);
		return check_refuse(c,
				    "linux.%s[%zu]: %s is not absolute, expected a path that "
				    "begins with /",
				    key, i, shown);
	}
	return 0;
}

static int check_hidden_paths(const struct check *c, const struct spec *spec)
{
	bool has_masked = spec->linux.masked_paths.n > 0;
	int r;

	if ((has_masked || spec->linux.readonly_paths.n > 0) && !spec_namespace(spec, CLONE_NEWNS))
		return check_refuse(c,
				    "linux.%s: would hide the paths of the host, expected a "
				    "namespace of type \"mount\" in linux.namespaces",
				    has_masked ? "maskedPaths" : "readonlyPaths");
	r = check_path_list(c, "maskedPaths", &spec->linux.masked_paths);
	return r < 0 ? r : check_path_list(c, "readonlyPaths", &spec->linux.readonly_paths);
}

static int check_cgroups_path(const struct check *c, const struct spec *spec)
{
	const char *path = spec->linux.cgroups_path;
	char shown[JSON_SHOWN_SIZE];

	if (!path || (!check_has_dotdot(path) && !check_has_control(path)))
		return 0;
	json_show_text(path, shown);
	return check_refuse(c,
			    "linux.cgroupsPath: %s has \"..\" or a control character, expected a "
			    "path below the root of the cgroups",
			    shown);
}

static int check_devices(const struct check *c, const struct spec *spec)
{
	char shown[JSON_SHOWN_SIZE];

	for (size_t i = 0; i < spec->linux.n_devices; i++) {
		const struct spec_device *device = &spec->linux.devices[i];

		if (check_is_clean_path(device->path) && device->path[strspn(device->path, "/")])
			continue;
		json_show_text(device->path, shown);
		return check_refuse(c,
				    "linux.devices[%zu].path: %s is no path of a device, expected "
				    "an absolute path without \"..\"",
				    i, shown);
	}
	return 0;
}

static int check_mount_label(const struct check *c, const struct spec *spec)
{
	const char *label = spec->linux.mount_label;
	char shown[JSON_SHOWN_SIZE];

	/* It becomes context="LABEL" among mount options. */
	if (!label || (!check_has_control(label) && !strchr(label, '"')))
		return 0;
	json_show_text(label, shown);
	return check_refuse(c,
			    "linux.mountLabel: %s has a quote or a control character, expected a "
			    "label of SELinux",
			    shown);
}

/* ---- intelRdt ----------------------------------------------------------------------------- */

static int check_rdt(const struct check *c, const struct spec *spec)
{
	const struct spec_intel_rdt *rdt = &spec->linux.intel_rdt;
	const char *id = rdt->clos_id;
	char shown[JSON_SHOWN_SIZE];

	/* It names a directory below /sys/fs/resctrl. */
	if (id && (strchr(id, '/') || strcmp(id, ".") == 0 || strcmp(id, "..") == 0 ||
		   check_has_control(id))) {
		json_show_text(id, shown);
		return check_refuse(c,
				    "linux.intelRdt.closID: %s is no name of a directory, expected "
				    "one without /",
				    shown);
	}
	if (rdt->mem_bw_schema &&
	    (strncmp(rdt->mem_bw_schema, "MB:", 3) != 0 || check_has_control(rdt->mem_bw_schema))) {
		json_show_text(rdt->mem_bw_schema, shown);
		return check_refuse(c,
				    "linux.intelRdt.memBwSchema: %s is no schema of memory "
				    "bandwidth, expected one line as in \"MB:0=20;1=70\"",
				    shown);
	}
	for (size_t i = 0; i < rdt->schemata.n; i++) {
		if (!check_has_control(rdt->schemata.v[i]))
			continue;
		json_show_text(rdt->schemata.v[i], shown);
		return check_refuse(c,
				    "linux.intelRdt.schemata[%zu]: %s has a control character, "
				    "expected one line",
				    i, shown);
	}
	return 0;
}

/* ---- memoryPolicy ------------------------------------------------------------------------- */

#define FLAG_STATIC                                                                                \
	(1U << 15) /* MPOL_F_*, which linux/mempolicy.h has and musl's headers have not */
#define FLAG_RELATIVE (1U << 14)

static int check_policy_nodes(const struct check *c, const struct spec_memory_policy *policy)
{
	const char *mode = spec_name_of(spec_memory_policy_names, policy->mode);
	bool takes_none = strcmp(mode, "MPOL_DEFAULT") == 0 || strcmp(mode, "MPOL_LOCAL") == 0;
	char shown[JSON_SHOWN_SIZE];

	if (!policy->nodes) {
		/* Preferring no node is how to prefer the local one: set_mempolicy(2). */
		if (takes_none || strcmp(mode, "MPOL_PREFERRED") == 0)
			return 0;
		return check_refuse(c,
				    "linux.memoryPolicy.nodes: is missing, expected a list of "
				    "nodes with %s",
				    mode);
	}
	json_show_text(policy->nodes, shown);
	if (takes_none)
		return check_refuse(c,
				    "linux.memoryPolicy.nodes: %s has no meaning with %s, expected "
				    "none",
				    shown, mode);
	if (policy->nodes[strspn(policy->nodes, "0123456789,-")] != '\0')
		return check_refuse(c,
				    "linux.memoryPolicy.nodes: %s is no list of nodes, expected "
				    "one as in \"0-1,3\"",
				    shown);
	return 0;
}

static int check_memory_policy(const struct check *c, const struct spec *spec)
{
	const struct spec_memory_policy *policy = &spec->linux.memory_policy;

	if (!policy->has)
		return 0;
	if ((policy->flags & FLAG_STATIC) && (policy->flags & FLAG_RELATIVE))
		return check_refuse(
		    c, "linux.memoryPolicy.flags: MPOL_F_STATIC_NODES and "
		       "MPOL_F_RELATIVE_NODES exclude each other, expected one of them");
	return check_policy_nodes(c, policy);
}

/* ---- the parts that can stand alone ------------------------------------------------------- */

static int check_resources_part(const struct check *c, const struct spec *spec)
{
	const struct check part = { .err = c->err, .prefix = "linux.resources." };

	return check_resources(&part, &spec->linux.resources);
}

static int check_seccomp_part(const struct check *c, const struct spec *spec)
{
	const struct check part = { .err = c->err, .prefix = "linux.seccomp." };

	return check_seccomp(&part, &spec->linux.seccomp);
}

int check_linux(const struct check *c, const struct spec *spec)
{
	static const check_fn checks[] = {
		check_sysctls,       check_hidden_paths,   check_cgroups_path,
		check_devices,       check_mount_label,    check_rdt,
		check_memory_policy, check_resources_part, check_seccomp_part,
	};

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		int r = checks[i](c, spec);

		if (r < 0)
			return r;
	}
	return 0;
}
