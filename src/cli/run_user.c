/*
 * run_user.c - whom the process runs as: numbers, or names out of the root's /etc/passwd and group.
 *
 * The root may be an image of a stranger: a file is opened inside it, must be a regular one (a FIFO
 * would hang us), and is read up to a cap.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/json_out.h"
#include "base/num.h"
#include "cli/people.h"
#include "sys/sys.h"

#define FILE_CAP   (1024 * 1024)
#define MAX_ID     (UINT32_MAX - 1) /* (uid_t)-1 means "no change" to the kernel */
#define MAX_GROUPS 256

/* ---- files --------------------------------------------------------------------------------------
 */

static int read_regular(int fd, struct buf *ret)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? buf_read_fd(ret, fd, FILE_CAP) : -EINVAL;
}

int people_read_host_file(const char *path, struct buf *ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return fd < 0 ? -errno : read_regular(fd, ret);
}

int people_read_root_file(struct people *p, const char *path, struct buf *ret)
{
	_cleanup_close_ int fd = -1;

	if (!p->rootfs)
		return people_read_host_file(path, ret);
	fd = sys_openat2(p->root_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0,
			 RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
	return fd < 0 ? fd : read_regular(fd, ret);
}

/* ---- entries ------------------------------------------------------------------------------------
 */

/* Splits "a:b:c" in place; false: it has fewer fields. */
static bool split(char *line, char **fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char *colon = strchr(line, ':');

		fields[i] = line;
		if (!colon)
			return i == n - 1;
		*colon = '\0';
		line = colon + 1;
	}
	return true;
}

static bool matches(const char *entry_name, uint64_t entry_id, const char *name, uint32_t id)
{
	return name ? strcmp(entry_name, name) == 0 : entry_id == id;
}

/* name:password:uid:gid:comment:home:shell */
bool people_find_user(struct arena *arena, const char *text, const char *name, uint32_t id,
		      struct people_entry *ret)
{
	char *f[7];
	uint64_t uid, gid;

	for (const char *rest = text; rest;) {
		char *line = arena_strndup(arena, rest, strcspn(rest, "\n"));

		rest = strchr(rest, '\n') ? strchr(rest, '\n') + 1 : NULL;
		if (!line || !split(line, f, 7) || num_u64(f[2], MAX_ID, &uid) < 0 ||
		    num_u64(f[3], MAX_ID, &gid) < 0 || !matches(f[0], uid, name, id))
			continue;
		*ret = (struct people_entry){
			.name = f[0], .id = (uint32_t)uid, .gid = (uint32_t)gid, .home = f[5]
		};
		return true;
	}
	return false;
}

/* name:password:gid:members */
static bool next_group(struct arena *arena, const char **rest, struct people_entry *ret)
{
	char *f[4];
	uint64_t gid;

	while (*rest) {
		char *line = arena_strndup(arena, *rest, strcspn(*rest, "\n"));

		*rest = strchr(*rest, '\n') ? strchr(*rest, '\n') + 1 : NULL;
		if (!line || !split(line, f, 4) || num_u64(f[2], MAX_ID, &gid) < 0)
			continue;
		*ret = (struct people_entry){ .name = f[0], .id = (uint32_t)gid, .members = f[3] };
		return true;
	}
	return false;
}

bool people_find_group(struct arena *arena, const char *text, const char *name, uint32_t id,
		       struct people_entry *ret)
{
	while (next_group(arena, &text, ret))
		if (matches(ret->name, ret->id, name, id))
			return true;
	return false;
}

/* ---- --user and --group-add ---------------------------------------------------------------------
 */

struct wanted {
	const char *passwd, *group; /* the texts of the files */
	size_t n;
	uint32_t groups[MAX_GROUPS];
};

static void add_group(struct wanted *w, uint32_t gid)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->groups[i] == gid)
			return;
	if (w->n < MAX_GROUPS)
		w->groups[w->n++] = gid;
}

static bool is_number(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

static int not_there(struct people *p, const char *flag, const char *value, const char *file)
{
	(void)err_say(p->err, -EINVAL, "--%s %.100s: there is no such name in %s of %s", flag,
		      value, file, p->rootfs ? p->rootfs : "the host");
	return err_hint(p->err, "a number is taken as it is");
}

static int read_id(struct people *p, const char *flag, const char *text, uint32_t *ret)
{
	uint64_t id;

	if (num_u64(text, MAX_ID, &id) < 0)
		return err_say(p->err, -EINVAL, "--%s %.100s: expected a number up to %u", flag,
			       text, MAX_ID);
	*ret = (uint32_t)id;
	return 0;
}

/* Groups that have the user among their members, as login would give them. */
static void add_memberships(struct people *p, struct wanted *w, const char *user)
{
	struct people_entry group;

	for (const char *rest = w->group; next_group(p->arena, &rest, &group);)
		if (value_has(group.members, user))
			add_group(w, group.id);
}

static int find_user(struct people *p, struct wanted *w, const char *user, bool group_given)
{
	struct people_entry entry;
	bool number = is_number(user);
	int r = number ? read_id(p, "user", user, &p->uid) : 0;

	if (r < 0)
		return r;
	if (!people_find_user(p->arena, w->passwd, number ? NULL : user, p->uid, &entry))
		return number ? 0 : not_there(p, "user", user, "/etc/passwd");
	p->uid = entry.id;
	p->gid = entry.gid;
	p->user_name = entry.name;
	p->home = entry.home;
	if (!group_given && entry.id != 0)
		add_memberships(p, w, entry.name);
	return 0;
}

static int find_group(struct people *p, const struct wanted *w, const char *flag, const char *name,
		      uint32_t *ret)
{
	struct people_entry entry;

	if (is_number(name))
		return read_id(p, flag, name, ret);
	if (!people_find_group(p->arena, w->group, name, 0, &entry))
		return not_there(p, flag, name, "/etc/group");
	*ret = entry.id;
	return 0;
}

static int take_user(struct people *p, struct wanted *w)
{
	const char *group = NULL, *user;
	int r = 0;

	if (!given(p->flags->user))
		return 0;
	user = value_part(p->arena, p->flags->user, ':', &group);
	p->uid = p->gid = 0;
	p->user_name = NULL;
	if (*user)
		r = find_user(p, w, user, given(group));
	if (r == 0 && given(group))
		r = find_group(p, w, "user", group, &p->gid);
	return r;
}

static int take_groups(struct people *p, struct wanted *w)
{
	for (size_t i = 0; i < p->flags->groups.n; i++) {
		const char *name = p->flags->groups.v[i];
		uint32_t gid = 0;
		int r;

		if (strcmp(name, "keep-groups") == 0)
			return err_say(p->err, -EOPNOTSUPP,
				       "--group-add keep-groups: is not supported");
		r = find_group(p, w, "group-add", name, &gid);
		if (r < 0)
			return r;
		add_group(w, gid);
	}
	return 0;
}

static int write_user(struct people *p, const struct wanted *w)
{
	struct buf *out = &p->process;
	uint32_t mode;

	out_open(out, "user", '{');
	out_unsigned(out, "uid", p->uid);
	out_unsigned(out, "gid", p->gid);
	if (given(p->flags->umask)) {
		if (num_octal(p->flags->umask, 0777, &mode) < 0)
			return err_say(p->err, -EINVAL,
				       "--umask %.100s: expected an octal mode such as 0022",
				       p->flags->umask);
		out_unsigned(out, "umask", mode);
	}
	if (w->n > 0) {
		out_open(out, "additionalGids", '[');
		for (size_t i = 0; i < w->n; i++)
			out_unsigned(out, NULL, w->groups[i]);
		out_close(out, ']');
	}
	out_close(out, '}');
	return 0;
}

/* The reader would say the same of mappings, which nobody asked for. */
static int check_mapped(struct people *p, const struct wanted *w)
{
	if (!p->own_id_only || (p->uid == 0 && p->gid == 0 && w->n == 0))
		return 0;
	(void)err_say(p->err, -EPERM,
		      "--%s: operation not permitted: this user has one id, which is root inside",
		      p->uid == 0 && p->gid == 0 ? "group-add" : "user");
	return err_hint(p->err, SUBID_HINT);
}

int people_resolve_user(struct people *p, struct spec_strings *ret_groups)
{
	_cleanup_buf_ struct buf passwd = { 0 }, group = { 0 };
	struct wanted w = { 0 };
	int r;

	(void)people_read_root_file(p, "/etc/passwd", &passwd);
	(void)people_read_root_file(p, "/etc/group", &group);
	w.passwd = buf_text(&passwd);
	w.group = buf_text(&group);
	r = take_user(p, &w);
	ret_groups->v = arena_array(p->arena, w.n + 1, sizeof(char *));
	if (!ret_groups->v)
		return err_set(p->err, -ENOMEM, "read --user");
	for (size_t i = 0; i < w.n && r == 0; i++) {
		const char *number = arena_printf(p->arena, "%u", w.groups[i]);

		ret_groups->v[ret_groups->n++] = arena_strndup(p->arena, number, strlen(number));
	}
	return r;
}

/* With the host's programs only root and this user exist: numbers need no look at the host's. */
static bool needs_files(const struct people *p)
{
	return given(p->flags->user) || p->flags->groups.n > 0;
}

int run_user(struct people *p)
{
	_cleanup_buf_ struct buf passwd = { 0 }, group = { 0 };
	struct wanted w = { 0 };
	int r;

	/* Files that are not there have no names; who asks for one will hear so. */
	if (needs_files(p)) {
		(void)people_read_root_file(p, "/etc/passwd", &passwd);
		(void)people_read_root_file(p, "/etc/group", &group);
	}
	w.passwd = buf_text(&passwd);
	w.group = buf_text(&group);
	r = take_user(p, &w);
	if (r == 0)
		r = take_groups(p, &w);
	if (r == 0)
		r = check_mapped(p, &w);
	p->home = p->uid == 0
		      ? "/root"
		      : arena_printf(p->arena, "/home/%s", p->user_name ? p->user_name : "user");
	return r < 0 ? r : write_user(p, &w);
}
