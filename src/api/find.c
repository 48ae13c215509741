/*
 * find.c - see find.h.
 */
#include "api/find.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "state/state.h"

int find_path(const char *what, const char *path, struct err *err)
{
	if (!path || *path == '/')
		return 0;
	return err_say(err, -EINVAL, "%s: \"%.200s\": expected an absolute path", what, path);
}

int find_id(const char *id, struct err *err)
{
	if (!id)
		return err_say(err, -EINVAL, "id: expected a text, not NULL");
	return state_check_id(id, err);
}

int find_root(const char *root, struct arena *arena, const char **ret, struct err *err)
{
	const char *session = getenv("XDG_RUNTIME_DIR");

	if (root) {
		*ret = root;
		return find_path("root", root, err);
	}
	*ret = "/run/containr";
	if (geteuid() == 0)
		return 0;
	if (!session || *session != '/') {
		(void)err_say(err, -EINVAL,
			      "root: there is no directory for the state of containers");
		return err_hint(err, "set XDG_RUNTIME_DIR, or name a directory that only this user "
				     "can write to");
	}
	*ret = arena_printf(arena, "%s/containr", session);
	return arena_failed(arena) ? err_set(err, -ENOMEM, "find the state of containers") : 0;
}
