#include "plan/network.h"

#include <sched.h>

/* The namespace with a path is one that we opened; a new one is that of init, which we make. */
static int namespace_slot(const struct planner *p)
{
	const struct spec_linux *linux = &p->spec->linux;

	for (size_t i = 0; i < linux->n_namespaces; i++)
		if (linux->namespaces[i].flag == CLONE_NEWNET && linux->namespaces[i].path)
			return SLOT_NAMESPACE + (int)i;
	return SLOT_NONE;
}

void add_net_devices(struct planner *p)
{
	const struct spec_linux *linux = &p->spec->linux;

	for (size_t i = 0; i < linux->n_net_devices; i++) {
		const struct spec_net_device *device = &linux->net_devices[i];

		plan_add(p, LANE_HOST,
			 (struct step){ .kind = STEP_NET_DEVICE,
					.net_device = {
					    .host = device->host,
					    .name = device->name ? device->name : device->host,
					    .netns = namespace_slot(p),
					    .slot = plan_slot(p),
					} });
	}
}
