/*
 * arena.h - memory with one owner and one lifetime: everything that a spec or a plan points to.
 *
 * A failed allocation is remembered; callers check arena_failed() once, when the whole is complete.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct arena {
	struct arena_block *blocks; /* newest first; the first one has room */
	bool failed;
};

/* Zeroed memory, aligned for any type, or NULL. */
void *arena_alloc(struct arena *a, size_t size);

/* Zeroed memory for an array, or NULL; the product is checked. */
void *arena_array(struct arena *a, size_t n, size_t size);

void *arena_copy(struct arena *a, const void *data, size_t size);
char *arena_strndup(struct arena *a, const char *s, size_t len);

/* Never NULL: "" when memory is short, which arena_failed() tells. */
const char *arena_printf(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

bool arena_failed(const struct arena *a);
void arena_done(struct arena *a);

/* What `from` owns is owned by `to` from now on; `from` is empty. */
void arena_take(struct arena *to, struct arena *from);
