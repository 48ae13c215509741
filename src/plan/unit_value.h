/*
 * unit_value.h - a property of a systemd unit as it stands in an annotation: in the text format of
 * GVariant, as runc takes it.
 */
#pragma once

#include "base/arena.h"
#include "host/dbus_wire.h"

/*
 * 'text', "text", true, 5 (an int32), uint64 5, 1.5, and lists of these: ['a', 'b'], @as [].
 * 0; -EINVAL: not understood; -ERANGE: beyond the type; -ENOMEM.
 */
int unit_value_parse(const char *text, struct arena *arena, struct dbus_value *ret);

/*
 * Properties of time are microseconds on the bus ("TimeoutStopUSec"), seconds for people
 * ("TimeoutStopSec"): makes the former of the latter. -EINVAL: no number.
 */
int unit_value_usec(struct dbus_value *value, struct arena *arena);
