/*
 * program.c - see program.h.
 */
#include "host/program.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "sys/sys.h"

static const char usual[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/* Can somebody else than root and `uid` change it? */
static bool is_trusted(const struct statx *st, uid_t uid)
{
	return (st->stx_uid == 0 || st->stx_uid == uid) && (st->stx_mode & 022) == 0;
}

static bool is_program(const char *path, const char *dir, uid_t uid)
{
	const unsigned int mask = STATX_TYPE | STATX_MODE | STATX_UID;
	struct statx file, parent;

	if (sys_statx(AT_FDCWD, path, 0, mask, &file) < 0 || !S_ISREG(file.stx_mode) ||
	    (file.stx_mode & 0111) == 0)
		return false;
	if (uid != 0)
		return true;
	return is_trusted(&file, uid) && sys_statx(AT_FDCWD, dir, 0, mask, &parent) == 0 &&
	       is_trusted(&parent, uid);
}

static const char *find_in(const char *name, const char *path, uid_t uid, struct arena *arena)
{
	while (*path) {
		size_t len = strcspn(path, ":");
		const char *dir = arena_printf(arena, "%.*s", (int)len, path);
		const char *file = arena_printf(arena, "%s/%s", dir, name);

		if (dir[0] == '/' && is_program(file, dir, uid))
			return file;
		path += len + (path[len] == ':');
	}
	return NULL;
}

int program_find(const char *name, const char *path, uid_t uid, struct arena *arena,
		 const char **ret)
{
	const char *found = path ? find_in(name, path, uid, arena) : NULL;

	if (!found)
		found = find_in(name, usual, uid, arena);
	if (!found)
		return arena_failed(arena) ? -ENOMEM : -ENOENT;
	*ret = found;
	return 0;
}
