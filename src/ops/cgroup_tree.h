/*
 * cgroup_tree.h - directories of cgroups by descriptor: what host_cgroup.c and cgroup_life.c share.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

struct cgroup_dir {
	int fd;           /* negative: none */
	const char *path; /* borrowed */
	bool v2;
	bool freezer; /* v1, and it has one */
};

/* Refuses what is not below /sys/fs/cgroup. */
int cgroup_check_path(const char *path, struct err *err);

/* -ENOENT without a message when there is no such directory. */
int cgroup_dir_open(const char *path, struct cgroup_dir *ret, struct err *err);
void cgroup_dir_close(struct cgroup_dir *dir);

/* One line of a control file; the text is terminated. */
ssize_t cgroup_read(int dir, const char *file, char *text, size_t size);
int cgroup_write(int dir, const char *file, const char *text);

struct pid_list {
	size_t n, room;
	pid_t *v;
};

void pid_list_sort(struct pid_list *list);
void pid_list_done(struct pid_list *list);

/* Appends the pids of the directory and of all below it. */
int cgroup_list_pids(int dir, struct pid_list *list);

/* Removes the cgroups below a directory, deepest first, as far as they are empty. */
int cgroup_remove_inside(int dir);

int cgroup_rmdir(const char *path);

/*
 * Each directory that we make is marked, so that it is known as ours later on: parents go with the
 * last container below them, and what somebody else made stays. It is born with the sticky bit,
 * which nobody else has use for in cgroups, and which is its mark until the other is on it: so it
 * is never without one, whenever we are killed.
 */
enum { CGROUP_BORN = 01755, CGROUP_MODE = 0755 };
bool cgroup_mark(int dir); /* false: this file system has no other mark */
bool cgroup_is_marked(const char *path);
bool cgroup_dir_is_marked(int dir);

/* False only where it is known: a file system without such marks may hold anything of ours. */
bool cgroup_may_be_ours(const char *path);

/* As far as they are ours and nothing is in them; an error only where one could have gone. */
int cgroup_remove_parents(const char *path);
