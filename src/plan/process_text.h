/*
 * process_text.h - what the configuration says about the process in text, as the kernel wants it.
 * Pure: no system call, so that a plan can be made anywhere.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "spec/spec.h"

/*
 * A list of CPUs such as "0-3,7" as the mask of sched_setaffinity(2): *size bytes, a multiple of
 * the kernel's word. Spaces around elements and empty elements are passed over, as in the kernel's
 * own lists. Returns 0 or -EINVAL with a message that quotes the list.
 */
int cpu_list_parse(const char *list, struct arena *arena, const uint8_t **ret_mask,
		   size_t *ret_size, struct err *err);

/*
 * A list of NUMA nodes as nodemask and maxnode of set_mempolicy(2). The kernel reads one bit less
 * than maxnode says, so that is the number of bits plus one. NULL: no mask (NULL, 0).
 */
int node_list_parse(const char *list, struct arena *arena, const unsigned long **ret_nodes,
		    size_t *ret_max_node, struct err *err);

/*
 * The paths at which a program may be, in the order to try them, NULL-terminated. A file with a
 * slash is its own only candidate; else each absolute directory of the last PATH in `env` counts,
 * or the usual six where there is no PATH. Empty and relative elements are not searched: they would
 * run what lies in the working directory, and Go's LookPath refuses the same since Go 1.19.
 */
const char *const *exec_candidates(struct arena *arena, const char *file,
				   const struct spec_strings *env);
