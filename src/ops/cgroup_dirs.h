/*
 * cgroup_dirs.h - all directories of a container that is there, to read its files by controller.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "ops/cgroup_tree.h"
#include "spec/spec.h"

/* v1 has fewer controllers than that, and each hierarchy has at least one, or a name. */
#define CGROUP_DIRS_MAX 24

struct cgroup_dirs {
	size_t n;
	struct cgroup_dir v[CGROUP_DIRS_MAX];
};

/*
 * Those with one of the controllers, a list that ends with NULL, or all: NULL. What is not there
 * any more is left out. 0 or a negative errno with its message.
 */
int cgroup_dirs_open(const struct spec_strings *paths, const char *const *controllers,
		     struct cgroup_dirs *ret, struct err *err);
void cgroup_dirs_done(struct cgroup_dirs *dirs);

/* Is a path below the hierarchy of v1 that has the controller? */
bool cgroup_path_has(const char *path, const char *controller);

/* That of v2, or NULL. */
const struct cgroup_dir *cgroup_dirs_v2(const struct cgroup_dirs *dirs);

/* That of the hierarchy of v1 that has the controller, else that of v2, or NULL. */
const struct cgroup_dir *cgroup_dirs_find(const struct cgroup_dirs *dirs, const char *controller);

/* ---- files ----------------------------------------------------------------------------------- */

#define CGROUP_NO_LIMIT UINT64_MAX

/* A file of any length, replacing what is in `ret`; the text is "" where there is no such file. */
void cgroup_read_text(const struct cgroup_dir *dir, const char *file, struct buf *ret);

/* A number, or CGROUP_NO_LIMIT for "max"; `otherwise` where there is no such file. */
uint64_t cgroup_read_u64(const struct cgroup_dir *dir, const char *file, uint64_t otherwise);

/* The number behind a word at the begin of a line, "oom_kill 3"; `otherwise` without such a line.
 */
uint64_t cgroup_find_u64(const char *text, const char *key, uint64_t otherwise);

/* v1 says with a large number, the last page of a signed one, that there is no limit. */
uint64_t cgroup_limit_v1(uint64_t limit);
