/*
 * rootfs_overlay.c - mounts of type overlay: lowerdir, upperdir and workdir are paths of the host,
 * as the source of a bind mount is, and like that they are opened once by whoever may reach them.
 *
 * Paths are written as in the kernel's documentation: a backslash stands before a colon or a comma
 * that belongs to a name.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "plan/rootfs_plan.h"

static int refuse(struct planner *p, const struct rootfs_mount *m, const char *what)
{
	return err_say(p->err, -EINVAL, "mounts[%zu].options: the overlay at %s %s", m->index,
		       m->destination, what);
}

/* Up to the separator, which may be '\0', without backslashes; below the bundle if it is relative.
 */
static const char *read_path(struct planner *p, const char *text, char separator, size_t *ret_len)
{
	char *path = arena_alloc(plan_arena(p), strlen(text) + 1);
	size_t n = 0, i = 0;

	if (!path)
		return NULL; /* the arena remembers */
	for (; text[i] && text[i] != separator; i++) {
		if (text[i] == '\\' && text[i + 1])
			i++;
		path[n++] = text[i];
	}
	path[n] = '\0';
	*ret_len = i;
	if (n == 0 || path[0] == '/')
		return path;
	return arena_printf(plan_arena(p), "%s/%s", p->options->bundle, path);
}

static int read_lower(struct planner *p, const struct rootfs_mount *m, const char *text,
		      struct step_overlay *o)
{
	const char **lower = arena_array(plan_arena(p), OVERLAY_MAX_LOWER, sizeof(*lower));
	size_t len;

	if (!lower)
		return err_set(p->err, -ENOMEM, "read the mounts");
	for (;; text += len + 1) {
		const char *path = read_path(p, text, ':', &len);

		if (!path || !*path)
			return refuse(p, m, "has an empty path in lowerdir");
		if (o->n_lower == OVERLAY_MAX_LOWER)
			return refuse(p, m, "has more than 64 directories in lowerdir");
		lower[o->n_lower++] = path;
		if (text[len] == '\0')
			break;
	}
	o->lower = lower;
	if (o->n_lower > OVERLAY_LIST &&
	    (p->facts->kernel_major < 6 ||
	     (p->facts->kernel_major == 6 && p->facts->kernel_minor < 7)))
		return refuse(p, m,
			      "has more than 13 directories in lowerdir, which needs Linux 6.7");
	return 0;
}

/* All but the paths; and what the kernel wants of those who have no rights over the host. */
static int read_options(struct planner *p, const struct rootfs_mount *m, struct step_overlay *o)
{
	const struct mount_options *all = &m->options;
	struct mount_option *v = arena_array(plan_arena(p), all->n_data + 2, sizeof(*v));

	if (!v)
		return err_set(p->err, -ENOMEM, "read the mounts");
	for (size_t i = 0; i < all->n_data; i++)
		if (!mount_options_is_overlay_path(all->data[i].key))
			v[o->n_options++] = all->data[i];
	if (rootfs_needs_userxattr(p) && !mount_options_find(all, "userxattr"))
		v[o->n_options++] = (struct mount_option){ "userxattr", NULL };
	if (p->rootfs->label && !mount_options_find(all, "context"))
		v[o->n_options++] = (struct mount_option){ "context", p->rootfs->label };
	o->options = v;
	return 0;
}

bool rootfs_needs_userxattr(const struct planner *p)
{
	return p->rootfs->taker == TAKER_INIT || p->facts->in_userns;
}

int rootfs_read_overlay(struct planner *p, struct rootfs_mount *m)
{
	const char *lower = mount_options_find(&m->options, "lowerdir");
	const char *upper = mount_options_find(&m->options, "upperdir");
	const char *work = mount_options_find(&m->options, "workdir");
	struct step_overlay *o = arena_alloc(plan_arena(p), sizeof(*o));
	size_t len;
	int r;

	if (!o)
		return err_set(p->err, -ENOMEM, "read the mounts");
	if (!lower)
		return refuse(p, m, "needs lowerdir=DIRECTORY");
	if (!upper != !work)
		return refuse(p, m, "needs upperdir and workdir, or neither");
	*o = (struct step_overlay){ .slot = plan_slot(p) };
	r = read_lower(p, m, lower, o);
	if (r == 0 && o->n_lower < 2 && !upper)
		r = refuse(p, m, "needs two directories in lowerdir, or upperdir and workdir");
	if (r == 0)
		r = read_options(p, m, o);
	if (r < 0)
		return r;
	if (upper) {
		o->upper = read_path(p, upper, '\0', &len);
		o->work = read_path(p, work, '\0', &len);
		if (o->upper && o->work && (!*o->upper || !*o->work))
			return refuse(p, m, "has an empty upperdir or workdir");
	}
	m->overlay = o;
	m->tree = o->slot;
	return 0;
}

void rootfs_add_overlay(struct planner *p, enum lane lane, const struct rootfs_mount *m,
			bool in_init)
{
	struct step_overlay overlay = *m->overlay;

	overlay.in_init = in_init;
	plan_add(p, lane, (struct step){ .kind = STEP_OVERLAY, .overlay = overlay });
}
