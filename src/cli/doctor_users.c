/*
 * doctor_users.c - the ids that a container can have, and the programs that map them.
 */
#include <endian.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/doctor.h"
#include "host/helper.h"
#include "host/subid.h"

static bool is_group(const struct check *c)
{
	return c->flag == 'g';
}

/* ---- /etc/subuid and /etc/subgid ------------------------------------------------------------- */

static void remedy_ranges(struct doctor *d, const struct check *c, struct finding *f)
{
	finding_remedy(f, "as root: usermod --add-sub%cids 100000-165535 %s", c->flag,
		       d->user_name ? d->user_name
				    : arena_printf(d->arena, "NAME (uid %u)", geteuid()));
}

static void count_ranges(struct doctor *d, const struct check *c, const struct subid *file,
			 struct finding *f)
{
	const uint64_t total = subid_total(file, d->user_name, geteuid());
	const char *name = d->user_name ? d->user_name : "this user";

	if (total >= SUBID_USUAL) {
		finding_set(f, VERDICT_OK, "%s gives %s %llu ids", c->arg, name,
			    (unsigned long long)total);
		return;
	}
	finding_set(f, VERDICT_WARNING, "%s gives %s %s: ", c->arg, name,
		    total == 0
			? "no ids"
			: arena_printf(d->arena, "only %llu ids", (unsigned long long)total));
	finding_add(f,
		    total == 0 ? "only one's own id exists in containers" : "images expect 65536");
	remedy_ranges(d, c, f);
}

static void check_ranges(struct doctor *d, const struct check *c, struct finding *f)
{
	_cleanup_buf_ struct buf wrong = { 0 };
	struct subid file;
	struct err err;

	if (subid_read(c->arg, d->arena, &file, &err) < 0) {
		finding_set(f, VERDICT_WARNING, "%s", err.msg);
		return;
	}
	subid_check(&file, &wrong);
	if (d->ordinary && geteuid() != 0)
		count_ranges(d, c, &file, f);
	else if (file.missing)
		finding_set(f, VERDICT_ABSENT, "%s is not there; root needs none", c->arg);
	else
		finding_set(f, VERDICT_OK, "%s has %zu ranges; root needs none", c->arg, file.n);
	if (wrong.len == 0)
		return;
	f->verdict = VERDICT_WARNING;
	finding_add(f, "; %s", buf_text(&wrong));
	finding_remedy(f, "as root: edit %s", c->arg);
}

/* ---- newuidmap and newgidmap ----------------------------------------------------------------- */

/* struct vfs_cap_data of linux/capability.h: is the capability there, and effective? */
static bool has_file_capability(const char *path, unsigned int cap)
{
	uint32_t data[6];
	ssize_t n = getxattr(path, "security.capability", data, sizeof(data));

	return n >= 12 && (le32toh(data[0]) & VFS_CAP_FLAGS_EFFECTIVE) &&
	       (le32toh(data[1]) & 1U << cap);
}

/* What keeps the program from having the rights that it needs, or NULL. */
static const char *find_obstacle(struct doctor *d, const struct check *c, const char *path,
				 struct finding *f)
{
	const unsigned int cap = is_group(c) ? CAP_SETGID : CAP_SETUID;
	struct statvfs fs;
	struct stat st;

	if (stat(path, &st) < 0)
		return err_text(-errno);
	if (!((st.st_mode & S_ISUID) && st.st_uid == 0) && !has_file_capability(path, cap)) {
		finding_remedy(f, "as root: setcap cap_set%cid=ep %s (or chmod u+s)", c->flag,
			       path);
		return arena_printf(d->arena, "has neither the setuid bit of root nor cap_set%cid",
				    c->flag);
	}
	if (statvfs(path, &fs) == 0 && (fs.f_flag & ST_NOSUID)) {
		finding_remedy(f, "mount its file system without nosuid");
		return "is on a file system that is mounted nosuid";
	}
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1) {
		finding_remedy(f, "start containers from a process without no_new_privs");
		return "cannot work: no_new_privs is set for us";
	}
	return NULL;
}

/* Maps the first range that the user has, for a process that waits for it. */
static int try_helper(struct doctor *d, const struct check *c, const char *path,
		      struct buf *messages, struct err *err)
{
	struct subid file;
	const struct subid_range *range = NULL;
	const char *argv[9] = { path, NULL };
	int pid, r = subid_read(is_group(c) ? "/etc/subgid" : "/etc/subuid", d->arena, &file, err);

	for (size_t i = 0; r == 0 && i < file.n && !range; i++)
		if (subid_is_of(&file.v[i], d->user_name, geteuid()))
			range = &file.v[i];
	if (r < 0 || !range)
		return r;
	pid = attempt_userns_begin();
	if (pid < 0)
		return err_set(err, pid, "a user namespace to try it with");
	argv[1] = arena_printf(d->arena, "%d", pid);
	argv[2] = "0";
	argv[3] = arena_printf(d->arena, "%u", is_group(c) ? getegid() : geteuid());
	argv[4] = argv[5] = "1";
	argv[6] = arena_printf(d->arena, "%u", range->first);
	argv[7] = arena_printf(d->arena, "%u", range->size);
	r = helper_run(argv, -1, NULL, messages, err);
	attempt_userns_end(pid);
	return r > 0 ? err_say(err, -EPERM, "%s", buf_text(messages)) : r;
}

static void check_helper(struct doctor *d, const struct check *c, struct finding *f)
{
	_cleanup_buf_ struct buf messages = { 0 };
	const char *path = doctor_program(d, c->arg), *obstacle;
	const bool needed = d->ordinary && geteuid() != 0;
	struct err err = { 0 };

	if (!path) {
		finding_set(
		    f, needed ? VERDICT_WARNING : VERDICT_ABSENT, "%s is not installed%s", c->arg,
		    needed ? ": only one's own id exists in containers" : "; root needs none");
		if (needed)
			finding_remedy(f,
				       "as root: apt install uidmap, or dnf install shadow-utils");
		return;
	}
	obstacle = find_obstacle(d, c, path, f);
	if (obstacle) {
		finding_set(f, needed ? VERDICT_WARNING : VERDICT_OK, "%s %s", path, obstacle);
		return;
	}
	if (!needed) {
		finding_set(f, VERDICT_OK, "%s has the rights that it needs; root needs none",
			    path);
		return;
	}
	if (try_helper(d, c, path, &messages, &err) < 0)
		finding_set(f, VERDICT_WARNING, "%s does not map the range: %s", path, err.msg);
	else
		finding_set(f, VERDICT_OK, "%s has the rights that it needs", path);
}

const struct check doctor_users[] = {
	{ .name = "subuid", .run = check_ranges, .arg = "/etc/subuid", .flag = 'u' },
	{ .name = "subgid", .run = check_ranges, .arg = "/etc/subgid", .flag = 'g' },
	{ .name = "newuidmap", .run = check_helper, .arg = "newuidmap", .flag = 'u' },
	{ .name = "newgidmap", .run = check_helper, .arg = "newgidmap", .flag = 'g' },
	{ 0 },
};
