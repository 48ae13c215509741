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

#include "plan/namespaces.h"
#include "plan/rootfs.h"
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

/* ---- by a helper --------------------------------------------------------------------------------
 */

/*
 * In its own pid namespace the container cannot name the server, which has the same user namespace.
 * A user namespace that is joined, or one made with rights over the host, is left to the kernel.
 */
void rootfs_choose_fuse(struct planner *p)
{
	const struct spec_namespace *users = spec_namespace(p->spec, CLONE_NEWUSER);

	if (!spec_has_new_namespace(p->spec, CLONE_NEWPID))
		return;
	if (users ? !users->path && maps_come_first(p) && p->rootfs->taker == TAKER_INIT
		  : p->facts->in_userns && p->rootfs->taker == TAKER_HOST)
		p->rootfs->fuse = p->facts->fuse_overlayfs;
}

/* What the kernel alone knows, or SELinux, is not served by another program; the mount is
 * read-only by itself. */
static bool can_be_served(const struct step_overlay *o)
{
	for (size_t i = 0; i < o->n_options; i++)
		if (strcmp(o->options[i].key, "userxattr") != 0 &&
		    strcmp(o->options[i].key, "ro") != 0)
			return false;
	return true;
}

static void add_apart(struct planner *p, struct step_overlay overlay)
{
	overlay.apart = true;
	overlay.fuse = can_be_served(&overlay) ? p->rootfs->fuse : NULL;
	plan_add(p, LANE_HOST, (struct step){ .kind = STEP_OVERLAY, .overlay = overlay });
}

static void add_in_memory(struct planner *p, const struct step_tree *tree)
{
	struct step_tree *copy = arena_copy(plan_arena(p), tree, sizeof(*tree));
	const char **lower = arena_array(plan_arena(p), 1, sizeof(*lower));

	if (!copy || !lower)
		return;
	lower[0] = tree->path;
	add_apart(p,
		  (struct step_overlay){ .slot = tree->slot,
					 .n_lower = 1,
					 .lower = lower,
					 .in_memory = copy,
					 .place = arena_printf(plan_arena(p), "%s/%s",
							       p->options->root, p->options->id) });
}

void rootfs_add_overlays_apart(struct planner *p)
{
	if (!p->rootfs || !p->rootfs->fuse)
		return;
	if (p->options->root_in_memory)
		add_in_memory(p, &(struct step_tree){ .slot = SLOT_ROOTFS,
						      .path = p->rootfs->root,
						      .recursive = true });
	for (size_t i = 0; i < p->spec->n_mounts; i++) {
		const struct rootfs_mount *m = &p->rootfs->mounts[i];

		if (m->overlay)
			add_apart(p, *m->overlay);
		else if (m->options.in_memory && m->tree != SLOT_NONE)
			add_in_memory(
			    p, &(struct step_tree){ .slot = m->tree,
						    .path = m->source,
						    .recursive = m->options.recursive,
						    .no_follow = m->options.source_no_follow });
	}
}

bool rootfs_is_made_apart(const struct planner *p, const struct rootfs_mount *m)
{
	return p->rootfs->fuse && (m->overlay || m->options.in_memory);
}

void rootfs_add_overlay(struct planner *p, enum lane lane, const struct rootfs_mount *m,
			bool in_init)
{
	struct step_overlay overlay = *m->overlay;

	overlay.in_init = in_init;
	plan_add(p, lane, (struct step){ .kind = STEP_OVERLAY, .overlay = overlay });
}

bool rootfs_has_overlay(const struct spec *spec, const struct plan_options *options)
{
	bool has = options->root_in_memory;

	for (size_t i = 0; i < spec->n_mounts && !has; i++) {
		const struct spec_mount *m = &spec->mounts[i];

		has = m->type && strcmp(m->type, "overlay") == 0;
		for (size_t j = 0; j < m->options.n && !has; j++)
			has = strcmp(m->options.v[j], "tmpoverlay") == 0;
	}
	return has;
}
