/*
 * cgroup_dirs.c - see cgroup_dirs.h.
 */
#include "ops/cgroup_dirs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "sys/sys.h"

#define ROOT     "/sys/fs/cgroup/"
#define MAX_FILE (4 * 1024 * 1024) /* memory.numa_stat of a large machine has a megabyte */

void cgroup_dirs_done(struct cgroup_dirs *dirs)
{
	for (size_t i = 0; i < dirs->n; i++)
		cgroup_dir_close(&dirs->v[i]);
	dirs->n = 0;
}

/* A hierarchy of v1 is mounted under the names of its controllers: "cpu,cpuacct". */
bool cgroup_path_has(const char *path, const char *controller)
{
	const char *at = path + strlen(ROOT);
	size_t len = strlen(controller), n;

	for (;; at += n + 1) {
		n = strcspn(at, ",/");
		if (n == len && strncmp(at, controller, n) == 0)
			return true;
		if (at[n] != ',')
			return false;
	}
}

/* One of v1 that has none of the controllers is not worth the calls that open it. */
static bool is_wanted(const struct spec_strings *paths, size_t i, const char *const *controllers)
{
	const char *path = paths->v[i];

	if (!controllers || paths->n == 1 || strncmp(path, ROOT, strlen(ROOT)) != 0 ||
	    cgroup_path_has(path, "unified"))
		return true;
	for (; *controllers; controllers++)
		if (cgroup_path_has(path, *controllers))
			return true;
	return false;
}

int cgroup_dirs_open(const struct spec_strings *paths, const char *const *controllers,
		     struct cgroup_dirs *ret, struct err *err)
{
	ret->n = 0;
	for (size_t i = 0; i < paths->n && ret->n < CGROUP_DIRS_MAX; i++) {
		int r = -ENOENT;

		if (is_wanted(paths, i, controllers))
			r = cgroup_dir_open(paths->v[i], &ret->v[ret->n], err);
		if (r == 0)
			ret->n++;
		if (r == 0 || r == -ENOENT)
			continue;
		cgroup_dirs_done(ret);
		return r;
	}
	return 0;
}

const struct cgroup_dir *cgroup_dirs_v2(const struct cgroup_dirs *dirs)
{
	for (size_t i = 0; i < dirs->n; i++)
		if (dirs->v[i].v2)
			return &dirs->v[i];
	return NULL;
}

const struct cgroup_dir *cgroup_dirs_find(const struct cgroup_dirs *dirs, const char *controller)
{
	for (size_t i = 0; i < dirs->n; i++)
		if (!dirs->v[i].v2 && cgroup_path_has(dirs->v[i].path, controller))
			return &dirs->v[i];
	return cgroup_dirs_v2(dirs);
}

/* ---- files ------------------------------------------------------------------------------------
 */

void cgroup_read_text(const struct cgroup_dir *dir, const char *file, struct buf *ret)
{
	_cleanup_close_ int fd =
	    dir ? sys_openat(dir->fd, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC, 0) : -ENOENT;

	ret->len = 0;
	if (ret->data)
		ret->data[0] = '\0';
	if (fd >= 0 && buf_read_fd(ret, fd, MAX_FILE) < 0)
		ret->len = 0;
}

uint64_t cgroup_read_u64(const struct cgroup_dir *dir, const char *file, uint64_t otherwise)
{
	char text[32];
	ssize_t n = dir ? cgroup_read(dir->fd, file, text, sizeof(text)) : -ENOENT;
	uint64_t value;

	if (n <= 0)
		return otherwise;
	text[strcspn(text, "\n")] = '\0';
	if (strcmp(text, "max") == 0)
		return CGROUP_NO_LIMIT;
	return num_u64(text, UINT64_MAX, &value) < 0 ? otherwise : value;
}

uint64_t cgroup_find_u64(const char *text, const char *key, uint64_t otherwise)
{
	size_t len = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, len) == 0 && line[len] == ' ')
			return strtoull(line + len + 1, NULL, 10);
	}
	return otherwise;
}

uint64_t cgroup_limit_v1(uint64_t limit)
{
	return limit >= (uint64_t)INT64_MAX / 65536 * 65536 ? CGROUP_NO_LIMIT : limit;
}
