/*
 * read.h - from JSON text to a checked spec.
 *
 * A key of the wrong type, an unknown value, a missing required key, a null, a duplicate key or a
 * number out of range is refused: err->msg has "FILE:LINE:COLUMN: KEY.PATH: what is wrong, with the
 * value, and what is allowed". So is what the rules between keys forbid (check.h, run by each of
 * these functions). Unknown keys are skipped, as the specification demands, and reported through
 * `unknown`; so are capabilities that have no number here or that the kernel would not raise.
 *
 * What is as good as missing is missing: an empty string where a text is optional. The destination
 * of a mount is absolute. The file's mode of a device has permission bits only.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "spec/spec.h"

/*
 * Called for each key or value that is skipped, with its path ("process.foo", or with the value as
 * in process.capabilities.bounding[3]="CAP_NEW"), what is the matter ("is not known") and its
 * place; may be NULL.
 */
typedef void (*spec_unknown_fn)(void *data, const char *path, const char *why, unsigned int line,
				unsigned int column);

struct spec_source {
	const char *name; /* of the file, for messages */
	const char *text;
	size_t len;
	spec_unknown_fn unknown;
	void *unknown_data;
};

/* A whole config.json. All memory comes from `arena`; strings are copied out of the text. */
int spec_read(const struct spec_source *source, struct arena *arena, struct spec *ret,
	      struct err *err);

/* One process object, as `exec --process FILE` has it. */
int spec_read_process(const struct spec_source *source, struct arena *arena,
		      struct spec_process *ret, struct err *err);

/* linux.resources alone, as `update --resources FILE` has it. */
int spec_read_resources(const struct spec_source *source, struct arena *arena,
			struct spec_resources *ret, struct err *err);

/* A seccomp profile in OCI's or Docker's form. */
int spec_read_seccomp(const struct spec_source *source, struct arena *arena,
		      struct spec_seccomp *ret, struct err *err);
