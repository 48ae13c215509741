/*
 * proc_cover.h - whether a procfs may be mounted in a user namespace: the kernel allows it only to
 * whoever sees one already of which nothing is covered (mount_too_revealing() in fs/namespace.c).
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

/*
 * The first mount that covers something in the /proc of this process, or NULL: nothing is covered.
 * Reads the table of all mounts.
 */
int proc_cover_find(struct arena *arena, const char **ret, struct err *err);

/* The same of a text in the form of /proc/self/mountinfo. */
const char *proc_cover_parse(struct arena *arena, const char *text);
