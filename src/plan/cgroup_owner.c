/*
 * cgroup_owner.c - to whom the container's cgroup is delegated, see cgroup_part.h.
 *
 * A configuration that mounts the cgroup file system writable into a cgroup namespace wants
 * something inside to manage cgroups (systemd, another runtime). That works if the files belong to
 * whom it runs as, and it is safe on v2, where no one inside can change the limits of the directory
 * that was given away (cgroup-v2.rst, "Delegation").
 */
#include <sched.h>
#include <string.h>

#include "plan/cgroup_part.h"

static bool is_writable_cgroup(const struct spec_mount *m)
{
	if (!m->type || (strcmp(m->type, "cgroup") != 0 && strcmp(m->type, "cgroup2") != 0) ||
	    strcmp(m->destination, "/sys/fs/cgroup") != 0)
		return false;
	for (size_t i = 0; i < m->options.n; i++)
		if (strcmp(m->options.v[i], "ro") == 0 || strcmp(m->options.v[i], "rro") == 0)
			return false;
	return true;
}

static bool has_writable_cgroup(const struct spec *spec)
{
	for (size_t i = 0; i < spec->n_mounts; i++)
		if (is_writable_cgroup(&spec->mounts[i]))
			return true;
	return false;
}

/* The user of the host that a user of the container is; false: it has none. */
static bool host_uid(const struct spec *spec, uint32_t uid, uid_t *ret)
{
	const struct spec_id_mappings *maps = &spec->linux.uid_mappings;

	for (size_t i = 0; i < maps->n; i++) {
		const struct spec_id_mapping *map = &maps->v[i];

		if (uid >= map->container_id && uid - map->container_id < map->size) {
			*ret = map->host_id + (uid - map->container_id);
			return true;
		}
	}
	return false;
}

bool cgroup_owner(const struct planner *p, uid_t *ret)
{
	const struct spec_namespace *user_ns = spec_namespace(p->spec, CLONE_NEWUSER);
	uint32_t uid = p->spec->process.user.uid;

	if (!spec_has_new_namespace(p->spec, CLONE_NEWCGROUP) || !has_writable_cgroup(p->spec))
		return false;
	if (!user_ns) {
		*ret = uid;
		return uid != p->facts->euid;
	}
	return host_uid(p->spec, uid, ret) && *ret != p->facts->euid;
}
