/*
 * program.h - finds a program of the host that we are about to run.
 */
#pragma once

#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"

/*
 * Looks for `name` in the absolute directories of `path` (the value of PATH, or NULL), then in the
 * usual places. For root (`uid` 0) only a file counts that nobody but root can write to, in a
 * directory of which that is true as well: an admin's PATH may lead through places of others.
 * The answer lies in the arena; -ENOENT: there is none.
 */
int program_find(const char *name, const char *path, uid_t uid, struct arena *arena,
		 const char **ret);
