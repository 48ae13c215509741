/*
 * step_landlock.h - what the steps of Landlock carry.
 *
 * STEP_LANDLOCK_RULES makes the ruleset, STEP_LANDLOCK puts the process under it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct landlock_path {
	const char *path; /* of the container */
	uint64_t access;  /* LANDLOCK_FS_* */
};

struct landlock_port {
	uint16_t port;
	uint64_t access; /* LANDLOCK_NET_* */
};

struct step_landlock {
	int slot;                 /* of the ruleset */
	uint64_t fs, net, scoped; /* what is denied but for the rules; the kernel knows all of it */
	uint32_t flags;           /* of restrict_self */
	bool required;            /* a path that is not there is an error */
	size_t n_paths;
	const struct landlock_path *paths;
	size_t n_ports;
	const struct landlock_port *ports;
};
