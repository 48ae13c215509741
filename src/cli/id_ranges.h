/*
 * id_ranges.h - the ids that we may map into a user namespace besides our own.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "cli/people.h"

#define MAX_RANGES 16 /* newuidmap and the kernel take more; nobody has them */

struct id_range {
	uint32_t first, size;
};

struct id_ranges {
	size_t n;
	struct id_range v[MAX_RANGES];
};

struct own_ids {
	struct id_ranges uids, gids;
	const char *name;   /* as passwd has it, or NULL */
	const char *reason; /* why there are none */
};

/* Root, also of a user namespace, writes the maps itself; others need newuidmap. */
bool own_ids_may_map(const struct people *p);

/* What /etc/subuid and /etc/subgid say, or the user namespace that we are root of. */
int own_ids_read(struct people *p, struct own_ids *ret);

/* The error of a mode that needs more than our own id, where there is none. */
int own_ids_refuse(struct people *p, const struct own_ids *own, const char *mode);

uint32_t id_ranges_total(const struct id_ranges *r);

/* Takes away the first n ids. */
void id_ranges_skip(struct id_ranges *r, uint32_t n);
