/*
 * ids_taken.h - the ids that containers of ours have while they run, so that another gets others.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "cli/id_ranges.h"

/*
 * Adds the ranges, as struct id_range. Until the container of who asks is on record, p->ids_lock
 * has others wait with the same question; not for a plan.
 */
int ids_taken_read(struct people *p, struct buf *taken);

/* Has it any of the wanted ones? */
bool ids_taken_has(const struct buf *taken, const struct id_range *wanted);
