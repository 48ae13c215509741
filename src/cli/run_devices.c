/*
 * run_devices.c - --device, --device-cgroup-rule, and every device of the host for --privileged.
 *
 * Where the container's root is not the host's, devices cannot be made and those of the host are
 * bound; a limit to reading is not possible there and refused.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/json_out.h"
#include "base/num.h"
#include "cli/people.h"

#define MAX_DEPTH   4
#define MAX_DEVICES 2048

static char type_of(const struct stat *st)
{
	return S_ISBLK(st->st_mode) ? 'b' : S_ISCHR(st->st_mode) ? 'c' : '\0';
}

static void put_rule(struct people *p, const struct stat *st, const char *access)
{
	struct buf *out = &p->device_rules;
	const char type[] = { type_of(st), '\0' };

	out_open(out, NULL, '{');
	out_bool(out, "allow", true);
	out_str(out, "type", type);
	out_unsigned(out, "major", major(st->st_rdev));
	out_unsigned(out, "minor", minor(st->st_rdev));
	out_str(out, "access", access);
	out_close(out, '}');
}

static void put_device(struct people *p, const char *host, const char *path, const struct stat *st)
{
	struct buf *out = &p->devices;
	const char type[] = { type_of(st), '\0' };

	/* Someone who may not make devices gets the host's own file. */
	if (p->userns) {
		people_mount(p, path, "bind", host, "bind,nosuid,noexec");
		return;
	}
	out_open(out, NULL, '{');
	out_str(out, "path", path);
	out_str(out, "type", type);
	out_unsigned(out, "major", major(st->st_rdev));
	out_unsigned(out, "minor", minor(st->st_rdev));
	out_unsigned(out, "fileMode", st->st_mode & 07777);
	out_unsigned(out, "uid", st->st_uid);
	out_unsigned(out, "gid", st->st_gid);
	out_close(out, '}');
}

/* ---- --device -----------------------------------------------------------------------------------
 */

static bool is_access(const char *text)
{
	return *text && text[strspn(text, "rwm")] == '\0';
}

/* "HOST[:CONTAINER][:rwm]". */
static int add_device(struct people *p, const char *value)
{
	const char *rest, *host = value_part(p->arena, value, ':', &rest);
	const char *path = rest ? value_part(p->arena, rest, ':', &rest) : NULL;
	const char *access = rest;
	struct stat st;

	if (path && !access && is_access(path)) {
		access = path;
		path = NULL;
	}
	access = access ? access : "rwm";
	path = given(path) ? path : host;
	if (*host != '/' || *path != '/' || !is_access(access))
		return err_say(p->err, -EINVAL,
			       "--device %.200s: expected HOST[:CONTAINER][:rwm], as in "
			       "/dev/fuse or /dev/sda:/dev/xvda:r",
			       value);
	if (stat(host, &st) < 0)
		return err_set(p->err, -errno, "--device %.200s: %s", value, host);
	if (type_of(&st) == '\0')
		return err_say(p->err, -EINVAL, "--device %.200s: %s is not a device%s", value,
			       host, S_ISDIR(st.st_mode) ? ", name those in it" : "");
	if (p->userns && !strchr(access, 'w'))
		return err_say(p->err, -EOPNOTSUPP,
			       "--device %.200s: a limit to \"%s\" is not possible in a user "
			       "namespace",
			       value, access);
	put_device(p, host, path, &st);
	put_rule(p, &st, access);
	return 0;
}

/* ---- --device-cgroup-rule -----------------------------------------------------------------------
 */

static int read_number(const char *text, int64_t *ret)
{
	if (strcmp(text, "*") != 0)
		return num_i64(text, 0, UINT32_MAX, ret);
	*ret = -1;
	return 0;
}

/* "c 1:3 rwm", "b *:* m", "a". */
static int add_rule(struct people *p, const char *value)
{
	const char *rest, *type = value_part(p->arena, value, ' ', &rest);
	const char *numbers = rest ? value_part(p->arena, rest, ' ', &rest) : "*:*";
	const char *access = rest ? rest : "rwm";
	const char *minor_text, *major_text = value_part(p->arena, numbers, ':', &minor_text);
	int64_t major_number, minor_number;
	struct buf *out = &p->device_rules;

	if (strlen(type) != 1 || !strchr("abc", *type) || !minor_text || !is_access(access) ||
	    read_number(major_text, &major_number) < 0 ||
	    read_number(minor_text, &minor_number) < 0)
		return err_say(p->err, -EINVAL,
			       "--device-cgroup-rule %.200s: expected a rule such as 'c 1:3 rwm'",
			       value);
	out_open(out, NULL, '{');
	out_bool(out, "allow", true);
	out_str(out, "type", type);
	out_num(out, "major", major_number);
	out_num(out, "minor", minor_number);
	out_str(out, "access", access);
	out_close(out, '}');
	return 0;
}

/* ---- --privileged -------------------------------------------------------------------------------
 */

/* Directories of /dev that the container has its own of, and the terminal that it gets. */
static bool is_own(const char *path)
{
	static const char *const own[] = { "/dev/pts",  "/dev/shm",     "/dev/mqueue", "/dev/fd",
					   "/dev/ptmx", "/dev/console", "/dev/tty",    NULL };
	size_t i = 0;

	while (own[i] && strcmp(own[i], path) != 0)
		i++;
	return own[i] != NULL;
}

static bool is_usual(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && major(st->st_rdev) == 1 &&
	       strchr("\003\005\007\010\011", (int)minor(st->st_rdev)) && minor(st->st_rdev) != 0;
}

static void add_tree(struct people *p, const char *path, int depth, size_t *n)
{
	_cleanup_dir_ DIR *dir = opendir(path);
	const struct dirent *entry;
	struct stat st;

	while (dir && *n < MAX_DEVICES && (entry = readdir(dir))) {
		const char *name = arena_printf(p->arena, "%s/%s", path, entry->d_name);

		if (entry->d_name[0] == '.' || is_own(name) || lstat(name, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode) && depth > 0)
			add_tree(p, name, depth - 1, n);
		if (type_of(&st) == '\0' || is_usual(&st))
			continue;
		put_device(p, name, name, &st);
		(*n)++;
	}
}

static void allow_all(struct people *p)
{
	out_open(&p->device_rules, NULL, '{');
	out_bool(&p->device_rules, "allow", true);
	out_str(&p->device_rules, "access", "rwm");
	out_close(&p->device_rules, '}');
}

int run_devices(struct people *p)
{
	const struct run_flags *f = p->flags;
	size_t n = 0;
	int r = 0;

	out_open(&p->device_rules, NULL, '{');
	out_bool(&p->device_rules, "allow", false);
	out_str(&p->device_rules, "access", "rwm");
	out_close(&p->device_rules, '}');
	if (f->privileged) {
		allow_all(p);
		add_tree(p, "/dev", MAX_DEPTH, &n);
	}
	for (size_t i = 0; i < f->devices.n && r == 0; i++)
		r = add_device(p, f->devices.v[i]);
	for (size_t i = 0; i < f->device_rules.n && r == 0; i++)
		r = add_rule(p, f->device_rules.v[i]);
	return r;
}
