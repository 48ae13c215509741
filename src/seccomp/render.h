/*
 * render.h - a profile as JSON: in Docker's form as it is, or for config.json with its conditions
 * resolved.
 */
#pragma once

#include "base/buf.h"
#include "seccomp/compile.h"

/*
 * The rules that apply in `env`, without includes, excludes and archMap, which config.json of OCI
 * does not have. It compiles to the same program. Shares with `spec` what is unchanged.
 */
int profile_flatten(const struct spec_seccomp *spec, const struct seccomp_env *env,
		    struct arena *arena, struct spec_seccomp *ret, struct err *err);

/* The JSON text, with one rule a line: of Docker's form unless the profile was flattened. */
void profile_render_json(const struct spec_seccomp *spec, struct buf *out);
