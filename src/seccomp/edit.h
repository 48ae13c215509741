/*
 * edit.h - a profile by name, changed by name: "default,+io_uring_setup,-@clock".
 *
 * The text is PROFILE[,EDIT...]. PROFILE is a built-in profile, `unconfined`, or the path of a
 * file; without it (the text begins with an edit) the default one is meant. An EDIT is +CALL,
 * -CALL,
 * +@GROUP or -@GROUP; of several that name the same call the last one counts:
 *  - "+" allows the call, whatever its arguments and the capabilities are;
 *  - "-" denies it with the profile's default action or, where that lets calls pass, with EPERM.
 *    Calls that programs only try (group.h) get ENOSYS, so that they fall back to an older one.
 * What a profile said of these calls before is gone. An edit of a call is also one of its forms on
 * 32-bit architectures (chown: chown32), through which it would be undone otherwise.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "spec/read.h"
#include "spec/spec.h"

/*
 * What stands behind `--security-opt seccomp=`. *ret_unconfined: no filter is wanted, and *ret is
 * empty. *ret may have conditions (includes, excludes): see render.h on how to make config.json of
 * it. -ENOENT: no such profile or file; -EINVAL: what is in it, or an edit, is wrong.
 */
int profile_resolve(const char *text, struct arena *arena, struct spec_seccomp *ret,
		    bool *ret_unconfined, struct err *err);

/* The edits alone, "+a,-b": a profile of its own; it shares what is unchanged with `spec`. */
int profile_edit(const struct spec_seccomp *spec, const char *edits, struct arena *arena,
		 struct spec_seccomp *ret, struct err *err);

/* Where the first edit of such a text begins: paths may have commas of their own. NULL: nowhere. */
const char *profile_edits(const char *text);

/* The JSON of a built-in profile or a file, for messages that tell a place in it. */
int profile_text(const char *name, struct arena *arena, struct spec_source *ret, struct err *err);

/* Lets all calls pass, on every architecture that the default profile has: unconfined as rules. */
int profile_open(struct arena *arena, struct spec_seccomp *ret, struct err *err);
