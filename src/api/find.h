/*
 * find.h - which container is meant: the arguments that most functions have.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

/* -EINVAL unless the path is absolute, or NULL. */
int find_path(const char *what, const char *path, struct err *err);

/* -EINVAL unless it can be an id. */
int find_id(const char *id, struct err *err);

/* The directory of the state; `root` NULL: the usual one. */
int find_root(const char *root, struct arena *arena, const char **ret, struct err *err);
