/*
 * describe_mount.c - see describe_mount.h. All that a step decides is in its sentence, for a plan
 * is what people judge a start by.
 */
#include "ops/describe_mount.h"

#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "ops/describe_parts.h"
#include "sys/abi.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct describe_flag attributes[] = {
	{ MOUNT_ATTR_RDONLY, "ro" },
	{ MOUNT_ATTR_NOSUID, "nosuid" },
	{ MOUNT_ATTR_NODEV, "nodev" },
	{ MOUNT_ATTR_NOEXEC, "noexec" },
	{ MOUNT_ATTR_NOATIME, "noatime" },
	{ MOUNT_ATTR_STRICTATIME, "strictatime" },
	{ MOUNT_ATTR_NODIRATIME, "nodiratime" },
	{ MOUNT_ATTR_NOSYMFOLLOW, "nosymfollow" },
};

static const struct describe_flag propagations[] = {
	{ MS_SHARED, "shared" },
	{ MS_SLAVE, "slave" },
	{ MS_PRIVATE, "private" },
	{ MS_UNBINDABLE, "unbindable" },
};

/* What follows in the brackets behind a mount; the first one opens them. */
struct list {
	struct buf *out;
	bool open;
};

static struct buf *next(struct list *list, const char *separator)
{
	buf_str(list->out, list->open ? separator : " (");
	list->open = true;
	return list->out;
}

/* The times of access are one setting of several values: what is set says it all. */
static void put_attributes(struct list *list, const char *what, uint64_t flags)
{
	if (flags == 0)
		return;
	buf_str(next(list, *what ? "; " : ","), what);
	describe_flags(list->out, attributes, COUNT(attributes), flags);
}

static void put_propagation(struct list *list, uint64_t type, bool recursive)
{
	if (type == 0)
		return;
	buf_str(next(list, "; "), recursive ? "all below " : "");
	describe_flags(list->out, propagations, COUNT(propagations), type);
}

/* Of the file system itself. */
static void put_options(struct list *list, const struct step_mount *m)
{
	for (size_t i = 0; i < m->n_options; i++) {
		const struct mount_option *o = &m->options[i];

		buf_printf(next(list, ","), "%s%s%s", o->key, o->value ? "=" : "",
			   o->value ? o->value : "");
	}
}

void describe_mount(const struct step *s, struct buf *out)
{
	const struct step_mount *m = &s->mount;
	struct list list = { out, false };

	if (m->remount)
		buf_printf(out, "change the mount on %s", m->destination);
	else if (m->tree != SLOT_NONE && strcmp(m->type, "bind") != 0)
		buf_printf(out, "attach the %s on %s", m->type, m->destination);
	else if (m->tree != SLOT_NONE)
		buf_printf(out, "bind %s on %s", m->source, m->destination);
	else
		buf_printf(out, "mount %s on %s", m->type, m->destination);
	put_attributes(&list, "", m->attr_set);
	put_options(&list, m);
	put_attributes(&list, "not ", m->attr_clear & ~(m->attr_set | MOUNT_ATTR__ATIME));
	put_attributes(&list, "all below ", m->rec_set);
	put_attributes(&list, "all below not ", m->rec_clear & ~(m->rec_set | MOUNT_ATTR__ATIME));
	put_propagation(&list, m->propagation, m->propagation_recursive);
	if (m->copy_up)
		buf_str(next(&list, "; "), "starts with a copy of what is there");
	if (m->label)
		buf_printf(next(&list, "; "), "label %s", m->label);
	if (m->in_memory)
		buf_str(next(&list, "; "), "what is changed is kept in memory");
	if (m->fallback)
		buf_printf(next(&list, "; "), "if that is not allowed, bind %s", m->fallback);
	buf_str(out, list.open ? ")" : "");
}

void describe_tree(const struct step *s, struct buf *out)
{
	buf_printf(
	    out, "take the mount tree of %s%s%s%s%s%s", s->tree.path,
	    s->tree.otherwise ? ", or if it could not be made of " : "",
	    s->tree.otherwise ? s->tree.otherwise : "", s->tree.recursive ? " with all below" : "",
	    s->tree.no_follow ? ", not following a link" : "", s->tree.in_init ? ", for init" : "");
}

void describe_id_mapped(const struct step *s, struct buf *out)
{
	const struct step_id_mapped *map = &s->id_mapped;

	buf_printf(out,
		   "show other owners in that tree%s: ", map->recursive ? " and all below" : "");
	if (!map->uid_map) {
		buf_str(out, "as in the container's user namespace");
		return;
	}
	buf_str(out, "uids ");
	buf_json_str(out, map->uid_map);
	buf_str(out, ", gids ");
	buf_json_str(out, map->gid_map);
}

void describe_overlay(const struct step *s, struct buf *out)
{
	const struct step_overlay *o = &s->overlay;
	struct list list = { out, false };

	buf_str(out, "make an overlay of ");
	for (size_t i = 0; i < o->n_lower; i++)
		buf_printf(out, "%s%s", i > 0 ? ", over " : "", o->lower[i]);
	if (o->upper)
		buf_printf(out, ", changes in %s, by way of %s", o->upper, o->work);
	for (size_t i = 0; i < o->n_options; i++)
		buf_printf(next(&list, ","), "%s%s%s", o->options[i].key,
			   o->options[i].value ? "=" : "",
			   o->options[i].value ? o->options[i].value : "");
	buf_printf(out, "%s%s", list.open ? ")" : "", o->in_init ? ", for init" : "");
	if (o->in_memory)
		buf_str(out, ", changes are kept in memory");
	if (o->fuse)
		buf_printf(out, "; by %s where the kernel refuses", o->fuse);
}

void describe_propagation(const struct step *s, struct buf *out)
{
	buf_str(out, "let no mount propagate back to the host: all of them ");
	describe_flags(out, propagations, COUNT(propagations), s->propagation.type);
}

void describe_root_tree(const struct step *s, struct buf *out)
{
	struct list list = { out, false };

	buf_printf(out, "attach the root file system at %s", s->tree.path);
	put_propagation(&list, s->tree.propagation, true);
	if (s->tree.in_memory)
		buf_str(next(&list, "; "), "what is changed is kept in memory");
	buf_str(out, list.open ? ")" : "");
}

void describe_device(const struct step *s, struct buf *out)
{
	const struct step_device *d = &s->device;

	if (d->bind != SLOT_NONE)
		buf_printf(out, "bind the host's device on %s", d->path);
	else
		buf_printf(out, "make %s %s %u:%u mode %04o owner %u:%u",
			   S_ISBLK(d->mode)    ? "block device"
			   : S_ISFIFO(d->mode) ? "fifo"
					       : "character device",
			   d->path, d->major, d->minor, d->mode & 07777, d->uid, d->gid);
}

void describe_link(const struct step *s, struct buf *out)
{
	buf_printf(out, "make link %s to %s%s", s->link.path, s->link.target,
		   s->link.replace ? ", in place of what is there" : "");
}

void describe_paths(const struct step *s, struct buf *out)
{
	buf_str(out, s->kind == STEP_MASK ? "mask" : "make read-only");
	for (size_t i = 0; i < s->paths.n; i++)
		buf_printf(out, " %s", s->paths.v[i]);
}

void describe_pivot(const struct step *s, struct buf *out)
{
	struct list list = { out, false };

	buf_str(out, s->pivot.no_pivot
			 ? "make it the root by chroot; the host's mounts stay below it"
			 : "make it the root, let go of the host's mounts");
	put_propagation(&list, s->pivot.propagation, false);
	buf_str(out, list.open ? ")" : "");
}
