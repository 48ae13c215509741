/*
 * default.h - the first config.json: for `spec`, and what the library begins with.
 *
 * Capabilities and paths are those that Docker gives a container; privileges cannot grow.
 */
#pragma once

#include <sys/types.h>

#include "base/buf.h"

#define SPEC_VERSION "1.3.0" /* of the runtime specification that we follow */

/* An ordinary user, who gets a user namespace in which there is nobody else. */
struct spec_rootless {
	uid_t uid;
	gid_t gid;
};

/* Appends the text; `rootless` NULL: for root. */
void spec_default(const struct spec_rootless *rootless, struct buf *out);
