/*
 * corpus.h - profiles to compare with: those that people use, and random ones.
 */
#pragma once

#include "base/arena.h"
#include "spec/spec.h"

/* A profile in OCI's or Docker's form. Returns false if the file is not there; exits if it is bad.
 */
bool corpus_read(const char *path, struct arena *arena, struct spec_seccomp *ret);

/* Without includes and excludes that do not apply, and without names that libseccomp does not know.
 */
void corpus_resolve(struct spec_seccomp *spec, uint64_t caps, const char *docker_arch);

/*
 * The same profile for the same seed. `arches`, which ends with NULL, is the list to choose from.
 * With tangles, the rules for a call look at different arguments and have different actions, which
 * libseccomp does not bear.
 */
void corpus_random(uint32_t seed, const char *const *arches, bool has_tangles, struct arena *arena,
		   struct spec_seccomp *ret);
