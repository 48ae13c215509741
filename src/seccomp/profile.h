/*
 * profile.h - the profiles that are part of the program: data/seccomp/NAME.json.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "spec/spec.h"

struct seccomp_profile {
	const char *name;
	const char *summary; /* one line, for lists */
	const char *json;    /* the text, as `profile show` prints it */
};

/* All of them in turn; NULL after the last one. The first one is what containers get by default. */
const struct seccomp_profile *profile_at(unsigned int i);
const struct seccomp_profile *profile_find(const char *name); /* NULL: none of that name */

/* Reads the profile of that name: 0, or -ENOENT with the names that there are. */
int profile_read(const char *name, struct arena *arena, struct spec_seccomp *ret, struct err *err);
