/*
 * rootfs_path.c - paths as text, for decisions; what they lead to is found out when a step is done.
 */
#include <string.h>

#include "plan/rootfs_plan.h"

const char *rootfs_clean_path(struct arena *arena, const char *path)
{
	char *clean = arena_alloc(arena, strlen(path) + 2);
	size_t len = 0;

	if (!clean)
		return "/";
	for (size_t n; *path; path += n) {
		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (n == 0 || (n == 1 && path[0] == '.'))
			continue;
		if (n == 2 && memcmp(path, "..", 2) == 0) {
			while (len > 0 && clean[--len] != '/')
				;
			continue;
		}
		clean[len++] = '/';
		memcpy(clean + len, path, n);
		len += n;
	}
	if (len == 0)
		clean[len++] = '/';
	clean[len] = '\0';
	return clean;
}

bool rootfs_is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	if (len == 1)
		return path[1] != '\0';
	return strncmp(path, dir, len) == 0 && path[len] == '/';
}
