/*
 * systemd.c - see systemd.h.
 *
 * systemd listens at a private socket, as root at /run/systemd/private, for a user in his runtime
 * directory. There one message is one hop, signals need no wish, and no bus has to run. Where the
 * socket is out of sight (a container that was given the host's bus), the bus does.
 */
#include "host/systemd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sys/sys.h"

#define NAME    "org.freedesktop.systemd1"
#define PATH    "/org/freedesktop/systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"

#define MAX_ADDRESS 256

/* ---- where it is ------------------------------------------------------------------------------
 */

static const char *given_env(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

bool systemd_is_users(uid_t euid, bool in_userns)
{
	const char *user = getenv("USER");

	if (euid != 0)
		return true;
	return in_userns && given_env("XDG_RUNTIME_DIR") && !(user && strcmp(user, "root") == 0);
}

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* The value of a key of an address, "%20" decoded; false if it is too long or malformed. */
static bool decode(const char *value, char *ret, size_t size)
{
	size_t len = strlen(ret);

	for (; *value && !strchr(",;", *value); value++) {
		int high = *value == '%' ? hex(value[1]) : 0;
		int low = *value == '%' && high >= 0 ? hex(value[2]) : 0;

		if (high < 0 || low < 0 || len + 1 >= size)
			return false;
		if (*value == '%') {
			ret[len++] = (char)(high << 4 | low);
			value += 2;
		} else {
			ret[len++] = *value;
		}
	}
	ret[len] = '\0';
	return len > 0;
}

/* Of "unix:path=/run/user/1000/bus,guid=…;…" the first socket; '@' for an abstract one. */
static bool parse_address(const char *address, char *ret, size_t size)
{
	for (const char *one = address; one; one = strchr(one, ';') ? strchr(one, ';') + 1 : NULL) {
		const char *path = one + strlen("unix:path=");
		const char *abstract = one + strlen("unix:abstract=");

		(void)snprintf(ret, size, "%s", "");
		if (strncmp(one, "unix:path=", strlen("unix:path=")) == 0 &&
		    decode(path, ret, size))
			return true;
		(void)snprintf(ret, size, "@");
		if (strncmp(one, "unix:abstract=", strlen("unix:abstract=")) == 0 &&
		    decode(abstract, ret, size))
			return true;
	}
	return false;
}

struct place {
	char path[MAX_ADDRESS];
	bool bus;
};

static void add_place(struct place *places, size_t *n, bool bus, const char *dir, const char *name)
{
	int len = snprintf(places[*n].path, MAX_ADDRESS, "%s%s", dir, name);

	places[*n].bus = bus;
	*n += len > 0 && len < MAX_ADDRESS;
}

/* A session that begins with su has no variable, but the directory may be there. */
static void find_runtime_dir(char *ret, size_t size)
{
	const char *given = given_env("XDG_RUNTIME_DIR");

	(void)snprintf(ret, size, "/run/user/%u", geteuid());
	if (given)
		(void)snprintf(ret, size, "%s", given);
	else if (access(ret, F_OK) < 0)
		(void)snprintf(ret, size, "%s", "");
}

static size_t users_places(struct place places[3])
{
	const char *address = given_env("DBUS_SESSION_BUS_ADDRESS");
	char dir[MAX_ADDRESS];
	size_t n = 0;

	find_runtime_dir(dir, sizeof(dir));
	if (*dir)
		add_place(places, &n, false, dir, "/systemd/private");
	if (address && parse_address(address, places[n].path, MAX_ADDRESS))
		places[n++].bus = true;
	if (*dir)
		add_place(places, &n, true, dir, "/bus");
	return n;
}

static size_t systems_places(struct place places[3])
{
	const char *address = given_env("DBUS_SYSTEM_BUS_ADDRESS");
	size_t n = 0;

	add_place(places, &n, false, "/run/systemd/private", "");
	if (address && parse_address(address, places[n].path, MAX_ADDRESS))
		places[n++].bus = true;
	add_place(places, &n, true, "/run/dbus/system_bus_socket", "");
	return n;
}

/* ---- connecting -------------------------------------------------------------------------------
 */

static int no_session(struct err *err)
{
	(void)err_say(err, -ENOENT,
		      "systemd of user %u: there is no session: XDG_RUNTIME_DIR and "
		      "DBUS_SESSION_BUS_ADDRESS are not set",
		      geteuid());
	return err_hint(err,
			"su and sudo begin none: log in (ssh, machinectl shell), or have root run "
			"`loginctl enable-linger USER` and set XDG_RUNTIME_DIR=/run/user/UID; or "
			"use the cgroupfs manager");
}

static int not_reached(bool user, int code, const char *path, struct err *err)
{
	(void)err_set(err, code, "systemd of %s: connect to %s", user ? "the user" : "the system",
		      path);
	if (user && (code == -EACCES || code == -EPERM))
		return err_hint(err, "it is another user's: XDG_RUNTIME_DIR or "
				     "DBUS_SESSION_BUS_ADDRESS are left from before su or sudo");
	if (user)
		return err_hint(
		    err, "does `systemctl --user status` work here? It needs a session of "
			 "this user (ssh, machinectl shell, or `loginctl enable-linger`) and "
			 "dbus-user-session; else use the cgroupfs manager");
	if (code == -EACCES || code == -EPERM)
		return err_hint(err, "only root may; an ordinary user's containers are made by the "
				     "systemd of his session");
	return err_hint(err, "is systemd the init of this host? Else use the cgroupfs manager");
}

int systemd_connect(bool user, struct dbus *ret, bool *ret_bus, struct err *err)
{
	struct place places[3];
	size_t n = user ? users_places(places) : systems_places(places), told = 0;
	int first = 0;

	for (size_t i = 0; i < n; i++) {
		int r = dbus_connect(places[i].path, places[i].bus, ret);

		if (r == 0) {
			*ret_bus = places[i].bus;
			return 0;
		}
		/* What is not there tells less than what refuses us. */
		if (first == 0 || (first == -ENOENT && r != -ENOENT)) {
			first = r;
			told = i;
		}
	}
	return n == 0 ? no_session(err) : not_reached(user, first, places[told].path, err);
}

/* ---- asking -----------------------------------------------------------------------------------
 */

int systemd_send(struct dbus *manager, const char *method, const char *signature,
		 const struct buf *body)
{
	const struct dbus_call call = { NAME, PATH, MANAGER, method, signature };

	return dbus_send(manager, &call, body);
}

int systemd_watch_jobs(struct dbus *manager)
{
	static const char rule[] = "type='signal',sender='" NAME "',interface='" MANAGER
				   "',member='JobRemoved',path='" PATH "'";
	const struct dbus_call call = { "org.freedesktop.DBus", "/org/freedesktop/DBus",
					"org.freedesktop.DBus", "AddMatch", "s" };
	_cleanup_buf_ struct buf body = { 0 }, text = { 0 };
	struct dbus_message answer;
	int r;

	dbus_put_text(&body, rule);
	r = dbus_ask(manager, &call, &body, &text, &answer);
	return r == 0 && answer.kind == DBUS_ERROR ? -EACCES : r;
}

/* An error that somebody can do something about has an errno of its own. */
static int code_of(const char *name)
{
	static const struct {
		const char *name;
		int code;
	} codes[] = {
		{ NAME ".UnitExists", -EEXIST },
		{ NAME ".NoSuchUnit", -ENOENT },
		{ "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", -EACCES },
		{ "org.freedesktop.DBus.Error.AccessDenied", -EACCES },
		{ "org.freedesktop.DBus.Error.NoReply", -ETIMEDOUT },
		{ "org.freedesktop.DBus.Error.InvalidArgs", -EINVAL },
		{ "org.freedesktop.DBus.Error.PropertyReadOnly", -EINVAL },
		{ "org.freedesktop.DBus.Error.UnknownProperty", -EINVAL },
		{ "org.freedesktop.DBus.Error.ServiceUnknown", -ENODEV },
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(name, codes[i].name) == 0)
			return codes[i].code;
	return -EPROTO;
}

/* What somebody else wrote goes onto a terminal: no control characters. */
static void put_plain(char *why, size_t size, const char *text)
{
	(void)snprintf(why, size, "%s", text);
	for (char *c = why; *c; c++)
		*c = (unsigned char)*c < ' ' || *c == 0x7f ? '?' : *c;
}

static int refusal(const struct dbus_message *m, char *why, size_t size)
{
	struct dbus_reader r = { .data = m->body, .len = m->body_len };
	const char *text = *m->signature == 's' ? dbus_get_text(&r) : "";

	put_plain(why, size, r.bad || *text == '\0' ? m->error : text);
	return code_of(m->error);
}

const char *systemd_hint(int code, bool user)
{
	if (code == -EEXIST)
		return "a container or a service with the same unit is there: delete it, or name "
		       "another one in cgroupsPath";
	if (code == -EACCES)
		return user ? "systemd asks for a password that nobody is here to give: it takes "
			      "this process for one of another session or user"
			    : "systemd lets only root do this without a password: as an ordinary "
			      "user, have your own session's systemd do it";
	if (code == -ETIMEDOUT)
		return "systemd did not answer: `systemctl list-jobs` shows what it is at";
	if (code == -EINVAL)
		return "this version of systemd does not take the property, or not the value: see "
		       "systemd.resource-control(5)";
	if (code == -EPROTO)
		return user ? "`journalctl --user` may say more" : "`journalctl` may say more";
	return NULL;
}

/* ---- jobs -------------------------------------------------------------------------------------
 */

/* JobRemoved: number, job, unit, result. */
struct removed {
	char job[128], result[64];
};

static void note_removed(const struct dbus_message *m, const char *unit, struct removed *ret)
{
	struct dbus_reader r = { .data = m->body, .len = m->body_len };
	const char *job, *whose, *result;

	if (m->kind != DBUS_SIGNAL || strcmp(m->member, "JobRemoved") != 0 ||
	    strcmp(m->interface, MANAGER) != 0 || strcmp(m->signature, "uoss") != 0)
		return;
	(void)dbus_get_u32(&r);
	job = dbus_get_text(&r);
	whose = dbus_get_text(&r);
	result = dbus_get_text(&r);
	if (r.bad || strcmp(whose, unit) != 0)
		return;
	(void)snprintf(ret->job, sizeof(ret->job), "%s", job);
	put_plain(ret->result, sizeof(ret->result), result);
}

static int job_of(const struct dbus_message *m, char *ret, size_t size)
{
	struct dbus_reader r = { .data = m->body, .len = m->body_len };
	const char *job = strcmp(m->signature, "o") == 0 ? dbus_get_text(&r) : "";

	(void)snprintf(ret, size, "%s", job);
	return r.bad || *job == '\0' ? -EBADMSG : 0;
}

int systemd_await_job(struct dbus *manager, uint32_t serial, const char *unit, char *why,
		      size_t size)
{
	_cleanup_buf_ struct buf text = { 0 };
	int64_t deadline = dbus_deadline();
	struct removed removed = { "", "" };
	char job[sizeof(removed.job)] = "";

	why[0] = '\0';
	while (job[0] == '\0' || strcmp(job, removed.job) != 0) {
		struct dbus_message m;
		int r = dbus_receive(manager, deadline, &text, &m);

		if (r == 0 && m.reply_serial == serial && m.kind == DBUS_ERROR)
			return refusal(&m, why, size);
		if (r == 0 && m.reply_serial == serial)
			r = job_of(&m, job, sizeof(job));
		else if (r == 0)
			note_removed(&m, unit, &removed);
		if (r < 0)
			return r;
	}
	if (strcmp(removed.result, "done") == 0)
		return 0;
	(void)snprintf(why, size, "%s: %s", unit, removed.result);
	return strcmp(removed.result, "timeout") == 0 ? -ETIMEDOUT : -EPROTO;
}

int systemd_await_done(struct dbus *manager, uint32_t serial, char *why, size_t size)
{
	_cleanup_buf_ struct buf text = { 0 };
	int64_t deadline = dbus_deadline();
	struct dbus_message m;
	int r;

	why[0] = '\0';
	do
		r = dbus_receive(manager, deadline, &text, &m);
	while (r == 0 && m.reply_serial != serial);
	return r == 0 && m.kind == DBUS_ERROR ? refusal(&m, why, size) : r;
}

/* ---- properties -------------------------------------------------------------------------------
 */

/* A property whose value is a text. */
static int get_text(struct dbus *manager, const char *path, const char *interface,
		    const char *property, struct arena *arena, const char **ret)
{
	const struct dbus_call call = { NAME, path, "org.freedesktop.DBus.Properties", "Get",
					"ss" };
	_cleanup_buf_ struct buf body = { 0 }, text = { 0 };
	struct dbus_reader reader;
	struct dbus_message m;
	const char *value;
	int r;

	dbus_put_text(&body, interface);
	dbus_put_text(&body, property);
	r = dbus_ask(manager, &call, &body, &text, &m);
	if (r < 0)
		return r;
	if (m.kind == DBUS_ERROR)
		return code_of(m.error);
	reader = (struct dbus_reader){ .data = m.body, .len = m.body_len };
	value = strcmp(m.signature, "v") == 0 ? dbus_get_text_variant(&reader) : "";
	if (reader.bad || strcmp(m.signature, "v") != 0)
		return -EBADMSG;
	*ret = arena_strndup(arena, value, strlen(value));
	return *ret ? 0 : -ENOMEM;
}

/* A path of a cgroup without a slash at its end, and with no way out of where it is. */
static bool is_cgroup(const char *path)
{
	size_t len = strlen(path);

	if (len == 0)
		return true;
	return path[0] == '/' && path[len - 1] != '/' && !strstr(path, "/../") &&
	       !(len >= 3 && strcmp(path + len - 3, "/..") == 0);
}

int systemd_facts_read(bool user, struct arena *arena, struct systemd_facts *ret, struct err *err)
{
	struct systemd_facts facts = { .user = user, .manager = DBUS_NONE };
	int r = systemd_connect(user, &facts.manager, &facts.bus, err);

	if (r < 0)
		return r;
	r = get_text(&facts.manager, PATH, MANAGER, "ControlGroup", arena, &facts.cgroup);
	if (r == 0 && !is_cgroup(facts.cgroup))
		r = -EBADMSG;
	if (r == 0) {
		*ret = facts;
		return 0;
	}
	dbus_close(&facts.manager);
	(void)err_set(err, r, "systemd of %s: ask for its cgroup",
		      user ? "the user" : "the system");
	return systemd_hint(r, user) ? err_hint(err, "%s", systemd_hint(r, user)) : r;
}

/* ---- the end of a unit ------------------------------------------------------------------------
 */

/* Asking for a unit that is not there gives one with its name as description. */
static int is_ours(struct dbus *manager, const char *unit, const char *description)
{
	_cleanup_(arena_done) struct arena arena = { 0 };
	_cleanup_buf_ struct buf path = { 0 };
	const char *found = "";
	int r;

	dbus_escape_path(unit, &path);
	r = get_text(manager, buf_text(&path), NAME ".Unit", "Description", &arena, &found);
	return r < 0 ? r : strcmp(found, description) == 0;
}

static int stop(struct dbus *manager, const char *unit, char *why, size_t size)
{
	_cleanup_buf_ struct buf body = { 0 };
	int r;

	dbus_put_text(&body, unit);
	dbus_put_text(&body, "replace");
	r = systemd_send(manager, "StopUnit", "ss", &body);
	if (r == 0)
		r = systemd_await_job(manager, manager->serial, unit, why, size);
	return r == -ENOENT ? 0 : r; /* it has ended by itself meanwhile */
}

int systemd_stop(bool user, const char *unit, const char *description, struct err *err)
{
	_cleanup_dbus_ struct dbus manager = DBUS_NONE;
	char why[256] = "";
	bool bus = false;
	int r = systemd_connect(user, &manager, &bus, err);

	if (r == -ENOENT || r == -ECONNREFUSED)
		return 0;
	if (r < 0)
		return r;
	r = is_ours(&manager, unit, description);
	if (r == 0 || r == -ENOENT)
		return 0;
	if (r > 0)
		r = bus ? systemd_watch_jobs(&manager) : 0;
	if (r == 0)
		r = stop(&manager, unit, why, sizeof(why));
	if (r == 0)
		return 0;
	(void)err_set(err, r, "stop %s%s%s", unit, *why ? ": " : "", why);
	return systemd_hint(r, user) ? err_hint(err, "%s", systemd_hint(r, user)) : r;
}
