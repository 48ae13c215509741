#include "spec/check.h"

#include <ctype.h>
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "spec/check_part.h"

#define HOST_NAME_MAX_LINUX 64 /* __NEW_UTS_LEN */

/* ---- what all checks use ------------------------------------------------------------------ */

int check_refuse(const struct check *c, const char *fmt, ...)
{
	char text[sizeof(c->err->msg)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_say(c->err, -EINVAL, "%s%s", c->prefix, text);
}

bool check_has_dotdot(const char *path)
{
	for (const char *at = path; *at; at += strcspn(at, "/")) {
		at += strspn(at, "/");
		if (strncmp(at, "..", 2) == 0 && (at[2] == '/' || at[2] == '\0'))
			return true;
	}
	return false;
}

bool check_is_clean_path(const char *path)
{
	return *path == '/' && !check_has_dotdot(path);
}

bool check_has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	return false;
}

/* ---- the outermost keys ------------------------------------------------------------------- */

static size_t skip_number(const char *s)
{
	size_t len = strspn(s, "0123456789");

	return len > 1 && *s == '0' ? 0 : len;
}

/* MAJOR.MINOR.PATCH of semver 2.0.0, then anything after - or +. */
static bool is_version(const char *s)
{
	for (int i = 0; i < 3; i++) {
		size_t len = skip_number(s);

		if (len == 0 || (i < 2 && s[len] != '.'))
			return false;
		s += len + (i < 2 ? 1 : 0);
	}
	return *s == '\0' || ((*s == '-' || *s == '+') && s[1] != '\0' && !check_has_control(s));
}

static int check_version(const struct check *c, const struct spec *spec)
{
	const char *version = spec->oci_version ? spec->oci_version : "";
	char shown[JSON_SHOWN_SIZE];

	if (is_version(version) && strncmp(version, "1.", 2) == 0)
		return 0;
	json_show_text(version, shown);
	return check_refuse(
	    c, "ociVersion: %s is not supported, expected 1.MINOR.PATCH as in \"1.3.0\"", shown);
}

/* The specification asks for it no later than start; we want to know at create that start can work.
 */
static int check_has_process(const struct check *c, const struct spec *spec)
{
	if (!spec->process.has)
		return check_refuse(c, "process: is missing, expected an object with args and cwd: "
				       "there is nothing to run");
	return 0;
}

static int check_process_part(const struct check *c, const struct spec *spec)
{
	const struct check part = { .err = c->err, .prefix = "process." };

	return check_process(&part, &spec->process);
}

static int check_root(const struct check *c, const struct spec *spec)
{
	if (!spec->root.has || !spec->root.path)
		return check_refuse(c, "root: is missing, expected an object with the path of the "
				       "root file system");
	return 0;
}

static int check_uts_name(const struct check *c, const struct spec *spec, const char *key,
			  const char *name)
{
	char shown[JSON_SHOWN_SIZE];

	if (!name)
		return 0;
	json_show_text(name, shown);
	if (!spec_namespace(spec, CLONE_NEWUTS))
		return check_refuse(c,
				    "%s: %s would rename the host, expected a namespace of type "
				    "\"uts\" in linux.namespaces",
				    key, shown);
	if (strlen(name) > HOST_NAME_MAX_LINUX)
		return check_refuse(c, "%s: %s has %zu bytes, expected at most %d", key, shown,
				    strlen(name), HOST_NAME_MAX_LINUX);
	if (check_has_control(name))
		return check_refuse(c, "%s: %s has a control character, expected a name", key,
				    shown);
	return 0;
}

static int check_hostname(const struct check *c, const struct spec *spec)
{
	int r = check_uts_name(c, spec, "hostname", spec->hostname);

	return r < 0 ? r : check_uts_name(c, spec, "domainname", spec->domainname);
}

/* ---- mounts ------------------------------------------------------------------------------- */

static bool has_option(const struct spec_mount *mount, const char *option)
{
	for (size_t i = 0; i < mount->options.n; i++)
		if (strcmp(mount->options.v[i], option) == 0)
			return true;
	return false;
}

static int check_mount_source(const struct check *c, size_t i, const struct spec_mount *mount)
{
	bool is_bind = (mount->type && strcmp(mount->type, "bind") == 0) ||
		       has_option(mount, "bind") || has_option(mount, "rbind");
	char shown[JSON_SHOWN_SIZE];

	if (mount->source || !is_bind)
		return 0;
	json_show_text(mount->destination, shown);
	return check_refuse(c, "mounts[%zu].source: is missing, expected the path to bind at %s", i,
			    shown);
}

static int check_mount_mappings(const struct check *c, size_t i, const struct spec_mount *mount)
{
	char path[64];
	int r;

	if ((mount->uid_mappings.n > 0) != (mount->gid_mappings.n > 0))
		return check_refuse(c,
				    "mounts[%zu].%s: is missing, expected both uidMappings and "
				    "gidMappings or none",
				    i, mount->uid_mappings.n > 0 ? "gidMappings" : "uidMappings");
	(void)snprintf(path, sizeof(path), "mounts[%zu].uidMappings", i);
	r = check_id_mappings(c, path, &mount->uid_mappings);
	if (r < 0)
		return r;
	(void)snprintf(path, sizeof(path), "mounts[%zu].gidMappings", i);
	return check_id_mappings(c, path, &mount->gid_mappings);
}

static int check_mounts(const struct check *c, const struct spec *spec)
{
	for (size_t i = 0; i < spec->n_mounts; i++) {
		const struct spec_mount *mount = &spec->mounts[i];
		char shown[JSON_SHOWN_SIZE];
		int r;

		if (*mount->destination != '/') {
			json_show_text(mount->destination, shown);
			return check_refuse(c,
					    "mounts[%zu].destination: %s is not absolute, "
					    "expected a path that begins with /",
					    i, shown);
		}
		r = check_mount_source(c, i, mount);
		if (r == 0)
			r = check_mount_mappings(c, i, mount);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- hooks -------------------------------------------------------------------------------- */

static int check_hook(const struct check *c, const char *kind, size_t i,
		      const struct spec_hook *hook)
{
	char shown[JSON_SHOWN_SIZE];

	if (*hook->path != '/') {
		json_show_text(hook->path, shown);
		return check_refuse(c,
				    "hooks.%s[%zu].path: %s is not absolute, expected a path that "
				    "begins with /",
				    kind, i, shown);
	}
	if (hook->timeout.has && hook->timeout.value <= 0)
		return check_refuse(c, "hooks.%s[%zu].timeout: %lld is not above 0", kind, i,
				    (long long)hook->timeout.value);
	return 0;
}

static int check_hooks(const struct check *c, const struct spec *spec)
{
	const struct spec_hooks *hooks = &spec->hooks;
	const struct {
		const char *kind;
		const struct spec_hook_list *list;
	} kinds[] = {
		{ "prestart", &hooks->prestart },
		{ "createRuntime", &hooks->create_runtime },
		{ "createContainer", &hooks->create_container },
		{ "startContainer", &hooks->start_container },
		{ "poststart", &hooks->poststart },
		{ "poststop", &hooks->poststop },
	};

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		for (size_t i = 0; i < kinds[k].list->n; i++) {
			int r = check_hook(c, kinds[k].kind, i, &kinds[k].list->v[i]);

			if (r < 0)
				return r;
		}
	return 0;
}

/* ---- the whole ---------------------------------------------------------------------------- */

int spec_check(const struct spec *spec, struct err *err)
{
	/* What is missing as a whole comes before what is wrong inside. */
	static const check_fn checks[] = {
		check_version,      check_root,       check_has_process,
		check_process_part, check_namespaces, check_mounts,
		check_hostname,     check_hooks,      check_linux,
	};
	const struct check c = { .err = err, .prefix = "" };

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		int r = checks[i](&c, spec);

		if (r < 0)
			return r;
	}
	return 0;
}

int spec_check_process(const struct spec_process *process, struct err *err)
{
	const struct check c = { .err = err, .prefix = "" };

	return check_process(&c, process);
}

int spec_check_resources(const struct spec_resources *resources, struct err *err)
{
	const struct check c = { .err = err, .prefix = "" };

	return check_resources(&c, resources);
}

int spec_check_seccomp(const struct spec_seccomp *seccomp, struct err *err)
{
	const struct check c = { .err = err, .prefix = "" };

	return check_seccomp(&c, seccomp);
}
