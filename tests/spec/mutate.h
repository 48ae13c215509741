/*
 * mutate.h - good files made bad: one value of a document is replaced, added or removed.
 */
#pragma once

#include <jansson.h>

/*
 * Sets what `path` ("process.args[0]", `linux.sysctl["net.x"]`) names to `value`, JSON text, or
 * removes it if that is NULL; an index one past the end appends. Aborts on a path that leads
 * nowhere.
 */
void mutate_set(json_t *root, const char *path, const char *value);

/* Reads root as config.json; aborts unless it is refused with a message that contains `expected`.
 */
void mutate_expect(const json_t *root, const char *expected);
