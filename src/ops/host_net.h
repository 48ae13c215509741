/*
 * host_net.h - network devices of the host that move into the container (runtime-spec 1.3,
 * config-linux.md, "Network Devices").
 */
#pragma once

#include "ops/ops.h"

/*
 * Moves s->net_device.host into the namespace behind the slot `netns`, or that of the container's
 * process where that is SLOT_NONE, with its permanent global addresses, and brings it up.
 */
int host_net_device(const struct step *s, struct op_ctx *ctx);

/*
 * When the start fails: back, under its old name, with its addresses, up if it was up. `delete` has
 * nothing to do: the specification leaves a device to its namespace, from which the kernel sends
 * hardware back and in which virtual devices end.
 */
void host_net_device_undo(const struct step *s, struct op_ctx *ctx);
