/*
 * check_namespaces.c - the rules of namespaces and of what lives inside one: id mappings, clocks,
 * network devices.
 */
#include <inttypes.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "spec/check_part.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080 /* 5.6; not in musl 1.2.3 */
#endif

#define MAPPINGS_MAX 340 /* UID_GID_MAP_MAX_EXTENTS since 4.15 */

static int check_types(const struct check *c, const struct spec *spec)
{
	const struct spec_namespace *all = spec->linux.namespaces;
	char shown[JSON_SHOWN_SIZE];

	for (size_t i = 0; i < spec->linux.n_namespaces; i++) {
		for (size_t k = 0; k < i; k++)
			if (all[k].flag == all[i].flag)
				return check_refuse(c,
						    "linux.namespaces[%zu].type: \"%s\" is given "
						    "twice, first in linux.namespaces[%zu]",
						    i, all[i].type, k);
		if (!all[i].path || *all[i].path == '/')
			continue;
		json_show_text(all[i].path, shown);
		return check_refuse(c,
				    "linux.namespaces[%zu].path: %s is not absolute, expected a "
				    "path that begins with /",
				    i, shown);
	}
	return 0;
}

/* ---- id mappings -------------------------------------------------------------------------- */

static bool overlap(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size)
{
	return a < (uint64_t)b + b_size && b < (uint64_t)a + a_size;
}

/* Whether two of them overlap; both sides must be distinct for the kernel. */
static int check_overlap(const struct check *c, const char *path,
			 const struct spec_id_mapping *maps, size_t i, size_t k)
{
	const struct spec_id_mapping *a = &maps[i], *b = &maps[k];

	if (overlap(a->container_id, a->size, b->container_id, b->size))
		return check_refuse(c,
				    "%s[%zu].containerID: %" PRIu32 " and the %" PRIu32
				    " ids from there overlap with %s[%zu]",
				    path, i, a->container_id, a->size, path, k);
	if (overlap(a->host_id, a->size, b->host_id, b->size))
		return check_refuse(c,
				    "%s[%zu].hostID: %" PRIu32 " and the %" PRIu32
				    " ids from there overlap with %s[%zu]",
				    path, i, a->host_id, a->size, path, k);
	return 0;
}

int check_id_mappings(const struct check *c, const char *path, const struct spec_id_mappings *maps)
{
	if (maps->n > MAPPINGS_MAX)
		return check_refuse(c, "%s: %zu mappings, expected at most %d", path, maps->n,
				    MAPPINGS_MAX);
	for (size_t i = 0; i < maps->n; i++) {
		const struct spec_id_mapping *map = &maps->v[i];
		uint32_t first =
		    map->container_id > map->host_id ? map->container_id : map->host_id;

		if (map->size == 0 || map->size > UINT32_MAX - first)
			return check_refuse(c,
					    "%s[%zu].size: %" PRIu32 " ids from %" PRIu32
					    " end beyond the last id, expected at most %" PRIu32,
					    path, i, map->size, first, UINT32_MAX - first);
		for (size_t k = 0; k < i; k++) {
			int r = check_overlap(c, path, maps->v, i, k);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static bool is_mapped(const struct spec_id_mappings *maps, uint32_t id)
{
	for (size_t i = 0; i < maps->n; i++)
		if (overlap(id, 1, maps->v[i].container_id, maps->v[i].size))
			return true;
	return false;
}

static int check_user_namespace(const struct check *c, const struct spec *spec)
{
	const struct spec_namespace *user = spec_namespace(spec, CLONE_NEWUSER);
	const struct spec_linux *l = &spec->linux;
	bool has_uids = l->uid_mappings.n > 0, has_gids = l->gid_mappings.n > 0;
	int r;

	if (!user && (has_uids || has_gids))
		return check_refuse(c,
				    "linux.%s: there is nothing to map, expected a namespace of "
				    "type \"user\" in linux.namespaces",
				    has_uids ? "uidMappings" : "gidMappings");
	/* A joined one has its mappings; engines repeat them, which does no harm. */
	if (user && has_uids != has_gids)
		return check_refuse(c,
				    "linux.%s: is missing, expected uidMappings and gidMappings "
				    "together",
				    has_uids ? "gidMappings" : "uidMappings");
	if (user && !user->path && !has_uids)
		return check_refuse(
		    c, "linux.uidMappings: is missing, expected the ids of a new "
		       "namespace of type \"user\": without them nobody is root in it");
	r = check_id_mappings(c, "linux.uidMappings", &l->uid_mappings);
	return r < 0 ? r : check_id_mappings(c, "linux.gidMappings", &l->gid_mappings);
}

/* setuid() and setgroups() would fail with EINVAL, late and without saying which id. */
static int check_user_mapped(const struct check *c, const struct spec *spec)
{
	const struct spec_user *user = &spec->process.user;
	const struct spec_id_mappings *gids = &spec->linux.gid_mappings;

	if (spec->linux.uid_mappings.n == 0)
		return 0;
	if (!is_mapped(&spec->linux.uid_mappings, user->uid))
		return check_refuse(c,
				    "process.user.uid: %" PRIu32 " is not mapped, expected an id "
				    "out of linux.uidMappings",
				    user->uid);
	if (!is_mapped(gids, user->gid))
		return check_refuse(c,
				    "process.user.gid: %" PRIu32 " is not mapped, expected an id "
				    "out of linux.gidMappings",
				    user->gid);
	for (size_t i = 0; i < user->n_additional_gids; i++)
		if (!is_mapped(gids, user->additional_gids[i]))
			return check_refuse(c,
					    "process.user.additionalGids[%zu]: %" PRIu32 " is not "
					    "mapped, expected an id out of linux.gidMappings",
					    i, user->additional_gids[i]);
	return 0;
}

/* ---- clocks ------------------------------------------------------------------------------- */

static int check_time(const struct check *c, const struct spec *spec)
{
	const struct spec_namespace *time = spec_namespace(spec, CLONE_NEWTIME);

	if (!spec->linux.monotonic_offset.has && !spec->linux.boottime_offset.has)
		return 0;
	if (!time)
		return check_refuse(c, "linux.timeOffsets: there is no clock to set, expected a "
				       "namespace of type \"time\" in linux.namespaces");
	if (time->path)
		return check_refuse(c,
				    "linux.timeOffsets: the clocks of a namespace that is joined "
				    "cannot be set, expected one of type \"time\" without path");
	return 0;
}

/* ---- network devices ---------------------------------------------------------------------- */

/* dev_valid_name() of the kernel; % would make it a pattern. */
static bool is_device_name(const char *name)
{
	return *name && strlen(name) < IFNAMSIZ && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0 && !check_has_control(name) && !strpbrk(name, "/: %");
}

/* The kernel puts a free number in the place of one "%d" (runtime-spec 1.3, "Network Devices"). */
static bool is_inner_name(const char *name)
{
	const char *number = strstr(name, "%d");
	char rest[IFNAMSIZ];

	if (!number || strlen(name) >= sizeof(rest))
		return is_device_name(name);
	memcpy(rest, name, (size_t)(number - name));
	memcpy(rest + (number - name), number + 2, strlen(number + 2) + 1);
	return is_device_name(rest);
}

static const char *inner_name(const struct spec_net_device *device)
{
	return device->name ? device->name : device->host;
}

static int check_net_devices(const struct check *c, const struct spec *spec)
{
	const struct spec_net_device *all = spec->linux.net_devices;
	char shown[JSON_SHOWN_SIZE];

	if (spec->linux.n_net_devices > 0 && !spec_namespace(spec, CLONE_NEWNET))
		return check_refuse(c, "linux.netDevices: there is nowhere to move to, expected a "
				       "namespace of type \"network\" in linux.namespaces");
	for (size_t i = 0; i < spec->linux.n_net_devices; i++) {
		const char *bad = !is_device_name(all[i].host)          ? all[i].host
				  : !is_inner_name(inner_name(&all[i])) ? all[i].name
									: NULL;

		if (bad) {
			json_show_text(bad, shown);
			return check_refuse(c,
					    "linux.netDevices: %s is no name of a device, expected "
					    "1 to 15 characters without / : %% and space",
					    shown);
		}
		for (size_t k = 0; k < i; k++)
			if (!strchr(inner_name(&all[i]), '%') &&
			    strcmp(inner_name(&all[i]), inner_name(&all[k])) == 0)
				return check_refuse(c,
						    "linux.netDevices: \"%s\" is the name of two "
						    "devices in the container",
						    inner_name(&all[i]));
	}
	return 0;
}

int check_namespaces(const struct check *c, const struct spec *spec)
{
	static const check_fn checks[] = {
		check_types, check_user_namespace, check_user_mapped, check_time, check_net_devices,
	};

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		int r = checks[i](c, spec);

		if (r < 0)
			return r;
	}
	return 0;
}
