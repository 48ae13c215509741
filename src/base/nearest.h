/*
 * nearest.h - what a mistyped word may have been meant to be.
 */
#pragma once

#include <stddef.h>

struct nearest {
	const char *word; /* as typed */
	const char *name; /* the nearest so far, or NULL: none is near enough */
	size_t distance;  /* letters that are wrong, missing or too many */
};

static inline struct nearest nearest_to(const char *word)
{
	return (struct nearest){ .word = word, .distance = 3 };
}

void nearest_consider(struct nearest *n, const char *name);
