/*
 * rootfs_dev.c - the devices and links that every container has, and those that are asked for.
 */
#include <string.h>
#include <sys/stat.h>

#include "plan/rootfs_plan.h"

/* The devices that the runtime specification promises. */
static const struct spec_device usual[] = {
	{ .type = 'c', .path = "/dev/null", .major = 1, .minor = 3 },
	{ .type = 'c', .path = "/dev/zero", .major = 1, .minor = 5 },
	{ .type = 'c', .path = "/dev/full", .major = 1, .minor = 7 },
	{ .type = 'c', .path = "/dev/random", .major = 1, .minor = 8 },
	{ .type = 'c', .path = "/dev/urandom", .major = 1, .minor = 9 },
	{ .type = 'c', .path = "/dev/tty", .major = 5, .minor = 0 },
};

static const struct {
	const char *path, *target;
	bool replace;
} links[] = {
	{ "/dev/fd", "/proc/self/fd", false },
	{ "/dev/stdin", "/proc/self/fd/0", false },
	{ "/dev/stdout", "/proc/self/fd/1", false },
	{ "/dev/stderr", "/proc/self/fd/2", false },
	{ "/dev/core", "/proc/kcore", false },
	/* The one of an image would lead to the terminals of another devpts. */
	{ "/dev/ptmx", "pts/ptmx", true },
};

enum {
	N_USUAL = sizeof(usual) / sizeof(usual[0]),
	N_LINKS = sizeof(links) / sizeof(links[0]),
};

size_t rootfs_n_devices(const struct planner *p)
{
	return N_USUAL + p->spec->linux.n_devices;
}

/* Devices by number, the usual ones first; NULL: left out for one of the same path. */
static const struct spec_device *device(struct planner *p, size_t i)
{
	const struct spec_linux *linux = &p->spec->linux;
	const struct spec_device *d = i < N_USUAL ? &usual[i] : &linux->devices[i - N_USUAL];
	const char *path = rootfs_clean_path(plan_arena(p), d->path);
	size_t later = i < N_USUAL ? 0 : i - N_USUAL + 1;

	/* The link to pts/ptmx stands there. */
	if (strcmp(path, "/dev/ptmx") == 0)
		return NULL;
	for (; later < linux->n_devices; later++)
		if (strcmp(rootfs_clean_path(plan_arena(p), linux->devices[later].path), path) == 0)
			return NULL;
	return d;
}

const char *rootfs_device_path(struct planner *p, size_t i)
{
	const struct spec_device *d = device(p, i);

	return d ? rootfs_clean_path(plan_arena(p), d->path) : NULL;
}

static bool is_bound(const struct planner *p, const struct spec_device *d)
{
	return p->rootfs->bind_devices && d->type != 'p';
}

void rootfs_add_device_sources(struct planner *p, enum lane lane)
{
	struct rootfs_plan *r = p->rootfs;

	if (!r->bind_devices || r->skip_devices)
		return;
	r->device_trees = arena_array(plan_arena(p), rootfs_n_devices(p), sizeof(int));
	for (size_t i = 0; r->device_trees && i < rootfs_n_devices(p); i++) {
		const struct spec_device *d = device(p, i);

		if (!d || !is_bound(p, d))
			continue;
		r->device_trees[i] = plan_slot(p);
		rootfs_add_tree(p, lane,
				(struct step_tree){ .slot = r->device_trees[i], .path = d->path });
	}
}

/* A name in the tmpfs that we have just mounted needs no lookup. */
static int directory_of(const struct planner *p, const char *path)
{
	const char prefix[] = "/dev/";
	size_t len = sizeof(prefix) - 1;

	if (strncmp(path, prefix, len) != 0 || strchr(path + len, '/'))
		return SLOT_NONE;
	return p->rootfs->dev;
}

static uint32_t mode_of(const struct spec_device *d)
{
	uint32_t permissions = d->file_mode.has ? (uint32_t)(d->file_mode.value & 07777) : 0666;

	if (d->type == 'b')
		return S_IFBLK | permissions;
	return (d->type == 'p' ? (uint32_t)S_IFIFO : (uint32_t)S_IFCHR) | permissions;
}

static void add_device(struct planner *p, size_t i)
{
	const struct spec_device *d = device(p, i);
	struct step_device step;

	if (!d)
		return;
	step = (struct step_device){
		.path = rootfs_clean_path(plan_arena(p), d->path),
		.mode = mode_of(d),
		/* The specification's check keeps them within the kernel's 12 and 20 bits. */
		.major = (uint32_t)d->major,
		.minor = (uint32_t)d->minor,
		.uid = (uint32_t)d->uid.value,
		.gid = (uint32_t)d->gid.value,
		.bind = SLOT_NONE,
	};
	if (is_bound(p, d) && p->rootfs->device_trees)
		step.bind = p->rootfs->device_trees[i];
	step.dir = directory_of(p, step.path);
	plan_add(p, LANE_INIT, (struct step){ .kind = STEP_DEVICE, .device = step });
}

void rootfs_add_devices(struct planner *p)
{
	if (p->rootfs->skip_devices)
		return;
	for (size_t i = 0; i < rootfs_n_devices(p); i++)
		add_device(p, i);
	for (size_t i = 0; i < N_LINKS; i++)
		plan_add(p, LANE_INIT,
			 (struct step){ .kind = STEP_LINK,
					.link = { .target = links[i].target,
						  .path = links[i].path,
						  .dir = directory_of(p, links[i].path),
						  .replace = links[i].replace } });
}
