/*
 * cgroup_room.c - see cgroup_room.h.
 *
 * v1 has a hierarchy for each controller. In v2 a controller reaches a cgroup from the root down:
 * each directory gives its children what its cgroup.subtree_control names. Root enables what is
 * missing on the way when it makes a container (ops/host_cgroup.c); others have what they get.
 */
#include "host/cgroup_room.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

static bool lists(const char *list, const char *word, const char *separators)
{
	const size_t len = strlen(word);

	for (const char *at = list; *at; at += strspn(at, separators)) {
		size_t n = strcspn(at, separators);

		if (n == len && strncmp(at, word, len) == 0)
			return true;
		at += n;
	}
	return false;
}

static bool file_lists(const char *dir, const char *file, const char *word, struct arena *arena)
{
	_cleanup_close_ int fd =
	    open(arena_printf(arena, "%s/%s", dir, file), O_RDONLY | O_CLOEXEC);
	char text[512];
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return lists(text, word, " \n");
}

/* Where the planner makes the container's: below our own in v1, beside it in v2. */
static const char *find_parent(const struct cgroup_facts *facts, const struct cgroup_hierarchy *h,
			       struct arena *arena)
{
	size_t len = strlen(h->own);

	while (len > 0 && h->own[len - 1] == '/')
		len--;
	while (facts->mode == CGROUP_V2 && len > 0 && h->own[--len] != '/')
		;
	return arena_printf(arena, "%s%.*s", h->mount, (int)len, h->own);
}

static const struct cgroup_hierarchy *find_hierarchy(const struct cgroup_facts *facts,
						     const char *controller)
{
	const char *name = strcmp(controller, "io") == 0 ? "blkio" : controller;
	const struct cgroup_hierarchy *v2 = NULL;

	for (size_t i = 0; i < facts->n; i++) {
		if (*facts->v[i].controllers == '\0')
			v2 = &facts->v[i];
		else if (lists(facts->v[i].controllers, name, ","))
			return &facts->v[i];
	}
	return v2;
}

/* The directory nearest to `dir` that has the controller and does not give it on, or NULL. */
static const char *find_giver(const struct cgroup_hierarchy *h, const char *dir, const char *name,
			      struct arena *arena)
{
	for (size_t len = strlen(dir); len >= strlen(h->mount); len--) {
		const char *path;

		if (dir[len] != '\0' && dir[len] != '/')
			continue;
		path = arena_printf(arena, "%.*s", (int)len, dir);
		if (file_lists(path, "cgroup.controllers", name, arena))
			return path;
	}
	return NULL;
}

static enum cgroup_lack find_rights(const char *dir)
{
	if (access(dir, W_OK) == 0)
		return CGROUP_LACKS_NOTHING;
	return errno == EROFS ? CGROUP_LACKS_WRITING : CGROUP_LACKS_RIGHTS;
}

static void find_v2(const struct cgroup_hierarchy *h, const char *controller, struct arena *arena,
		    struct cgroup_room *room)
{
	const char *name = strcmp(controller, "blkio") == 0 ? "io" : controller;
	const enum cgroup_lack rights = find_rights(room->parent);

	room->giver = find_giver(h, room->parent, name, arena);
	if (!room->giver)
		room->lack = CGROUP_LACKS_CONTROLLER;
	else if (rights != CGROUP_LACKS_NOTHING)
		room->lack = rights;
	else if (!file_lists(room->parent, "cgroup.subtree_control", name, arena) &&
		 access(arena_printf(arena, "%s/cgroup.subtree_control", room->giver), W_OK) < 0)
		room->lack = CGROUP_LACKS_DELEGATION;
}

void cgroup_room_find(const struct cgroup_facts *facts, const char *controller, struct arena *arena,
		      struct cgroup_room *ret)
{
	const struct cgroup_hierarchy *h = find_hierarchy(facts, controller);

	*ret = (struct cgroup_room){ .lack = CGROUP_LACKS_CONTROLLER };
	if (!h)
		return;
	ret->v1 = *h->controllers != '\0';
	ret->parent = find_parent(facts, h, arena);
	ret->lack = CGROUP_LACKS_NOTHING;
	if (ret->v1)
		ret->lack = find_rights(ret->parent);
	else
		find_v2(h, controller, arena, ret);
}

/* ---- in words -------------------------------------------------------------------------------- */

static void say_giver(const struct cgroup_room *room, const char *controller, struct buf *why,
		      struct buf *remedy)
{
	buf_printf(why, "%s does not give it to the cgroups below", room->giver);
	if (strstr(room->parent, "/user@"))
		buf_printf(remedy,
			   "as root: systemctl edit user@.service, add [Service] and "
			   "Delegate=cpu cpuset io memory pids; then systemctl daemon-reload, and "
			   "log in again (or now: echo +%s > %s/cgroup.subtree_control)",
			   controller, room->giver);
	else
		buf_printf(remedy, "as root: echo +%s > %s/cgroup.subtree_control", controller,
			   room->giver);
}

/* Only v2 can be handed to an ordinary user, whole directories at a time. */
static void say_rights(const struct cgroup_room *room, struct buf *remedy)
{
	if (room->v1)
		buf_str(remedy, "ordinary users can be given cgroups of v2 only: boot with "
				"systemd.unified_cgroup_hierarchy=1");
	else if (access("/run/systemd/system", F_OK) == 0)
		buf_str(remedy, "log in through systemd, and start it with systemd-run --user "
				"--scope -p Delegate=yes");
	else
		buf_printf(remedy, "as root: chown %u %s %s/cgroup.procs %s/cgroup.subtree_control",
			   geteuid(), room->parent, room->parent, room->parent);
}

void cgroup_room_say(const struct cgroup_room *room, const char *controller, struct buf *why,
		     struct buf *remedy)
{
	switch (room->lack) {
	case CGROUP_LACKS_NOTHING:
		return;
	case CGROUP_LACKS_CONTROLLER:
		if (room->parent && !room->v1)
			buf_printf(why, "neither %s nor a directory above it has it", room->parent);
		else
			buf_str(why, "no hierarchy below /sys/fs/cgroup has it");
		buf_printf(remedy,
			   "boot the kernel with cgroup_enable=%s (see /proc/cgroups), or have the "
			   "container that this is given the controller",
			   controller);
		return;
	case CGROUP_LACKS_DELEGATION:
		say_giver(room, controller, why, remedy);
		return;
	case CGROUP_LACKS_RIGHTS:
		buf_printf(why, "%s is not ours to make cgroups in", room->parent);
		say_rights(room, remedy);
		return;
	case CGROUP_LACKS_WRITING:
		buf_printf(why, "%s is mounted read-only", room->parent);
		buf_str(remedy, "start the container that we are in with --privileged");
		return;
	}
}
