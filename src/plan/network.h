/*
 * network.h - network devices of the host that the container gets (linux.netDevices).
 */
#pragma once

#include "plan/plan.h"

/* After init is born into its network namespace, or that was opened: host steps. */
void add_net_devices(struct planner *p);
