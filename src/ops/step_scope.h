/*
 * step_scope.h - what steps about a scope of systemd carry.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "host/dbus_wire.h"

struct step_scope {
	const char *unit;        /* "containr-c1.scope" */
	const char *slice;       /* "machine.slice" */
	const char *description; /* by which `delete` knows that the unit is ours */
	bool user;               /* of the manager of a user */
	bool bus;                /* that is reached over a bus */
	size_t n_properties;
	const struct dbus_property *properties;
};
