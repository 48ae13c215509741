/*
 * mount_options.c - see mount_options.h. The names are those of mount(8) and runc, in one table.
 *
 * "ro" of a file system on a disk is also a property of its superblock: without it the kernel would
 * open the disk for writing. The file systems of the kernel share their superblocks with the host,
 * where it would either be refused or change what the host sees; for them it is of the mount alone.
 */
#include "plan/mount_options.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>

#include "sys/abi.h"

/* fsconfig(2) takes 256 bytes with the end. */
enum {
	MAX_VALUE = 255,
};

enum row_kind {
	ROW_ATTR,        /* set and clear: MOUNT_ATTR_* of this mount */
	ROW_REC,         /* the same of all below, too */
	ROW_PROPAGATION, /* set: MS_* */
	ROW_REC_PROPAGATION,
	ROW_BIND, /* set: recursive */
	ROW_REMOUNT,
	ROW_ID_MAP, /* set: recursive */
	ROW_COPY_UP,
	ROW_IN_MEMORY,
	ROW_SOURCE_NO_FOLLOW,
	ROW_DESTINATION_NO_FOLLOW,
	ROW_SUPERBLOCK, /* a flag for the file system, whatever its type */
	ROW_NOTHING,    /* no effect on Linux today, or the default */
};

struct row {
	const char *name;
	enum row_kind kind;
	uint64_t set, clear;
};

/* The attributes that have a plain name, and with "r" in front a recursive one. */
static const struct row attributes[] = {
	{ "ro", ROW_ATTR, MOUNT_ATTR_RDONLY, 0 },
	{ "rw", ROW_ATTR, 0, MOUNT_ATTR_RDONLY },
	{ "nosuid", ROW_ATTR, MOUNT_ATTR_NOSUID, 0 },
	{ "suid", ROW_ATTR, 0, MOUNT_ATTR_NOSUID },
	{ "nodev", ROW_ATTR, MOUNT_ATTR_NODEV, 0 },
	{ "dev", ROW_ATTR, 0, MOUNT_ATTR_NODEV },
	{ "noexec", ROW_ATTR, MOUNT_ATTR_NOEXEC, 0 },
	{ "exec", ROW_ATTR, 0, MOUNT_ATTR_NOEXEC },
	{ "nodiratime", ROW_ATTR, MOUNT_ATTR_NODIRATIME, 0 },
	{ "diratime", ROW_ATTR, 0, MOUNT_ATTR_NODIRATIME },
	{ "nosymfollow", ROW_ATTR, MOUNT_ATTR_NOSYMFOLLOW, 0 },
	{ "symfollow", ROW_ATTR, 0, MOUNT_ATTR_NOSYMFOLLOW },
	/* One field of three values, the standard one is relatime. */
	{ "noatime", ROW_ATTR, MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME },
	{ "atime", ROW_ATTR, MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
	{ "strictatime", ROW_ATTR, MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME },
	{ "nostrictatime", ROW_ATTR, MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
	{ "relatime", ROW_ATTR, MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
	{ "norelatime", ROW_ATTR, MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
};

static const struct row others[] = {
	{ "bind", ROW_BIND, false, 0 },
	{ "rbind", ROW_BIND, true, 0 },
	{ "remount", ROW_REMOUNT, 0, 0 },
	{ "shared", ROW_PROPAGATION, MS_SHARED, 0 },
	{ "slave", ROW_PROPAGATION, MS_SLAVE, 0 },
	{ "private", ROW_PROPAGATION, MS_PRIVATE, 0 },
	{ "unbindable", ROW_PROPAGATION, MS_UNBINDABLE, 0 },
	{ "rshared", ROW_REC_PROPAGATION, MS_SHARED, 0 },
	{ "rslave", ROW_REC_PROPAGATION, MS_SLAVE, 0 },
	{ "rprivate", ROW_REC_PROPAGATION, MS_PRIVATE, 0 },
	{ "runbindable", ROW_REC_PROPAGATION, MS_UNBINDABLE, 0 },
	{ "idmap", ROW_ID_MAP, false, 0 },
	{ "ridmap", ROW_ID_MAP, true, 0 },
	{ "tmpcopyup", ROW_COPY_UP, 0, 0 },
	{ "tmpoverlay", ROW_IN_MEMORY, 0, 0 },
	{ "src-nofollow", ROW_SOURCE_NO_FOLLOW, 0, 0 },
	{ "copy-symlink", ROW_SOURCE_NO_FOLLOW, 0, 0 },
	{ "dest-nofollow", ROW_DESTINATION_NO_FOLLOW, 0, 0 },
	{ "sync", ROW_SUPERBLOCK, 0, 0 },
	{ "async", ROW_SUPERBLOCK, 0, 0 },
	{ "dirsync", ROW_SUPERBLOCK, 0, 0 },
	{ "mand", ROW_SUPERBLOCK, 0, 0 },
	{ "nomand", ROW_SUPERBLOCK, 0, 0 },
	{ "lazytime", ROW_SUPERBLOCK, 0, 0 },
	{ "nolazytime", ROW_SUPERBLOCK, 0, 0 },
	{ "defaults", ROW_NOTHING, 0, 0 },
	{ "iversion", ROW_NOTHING, 0, 0 }, /* file systems decide by themselves */
	{ "noiversion", ROW_NOTHING, 0, 0 },
	{ "silent", ROW_NOTHING, 0, 0 },
	{ "loud", ROW_NOTHING, 0, 0 },
};

/* Where "ro" must not reach the superblock. */
static const char *const kernel_types[] = { "proc",   "sysfs",  "tmpfs",   "devpts",
					    "mqueue", "cgroup", "cgroup2", NULL };

static const struct row *find_row(const struct row *rows, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

#define FIND(rows, name) find_row(rows, sizeof(rows) / sizeof((rows)[0]), name)

static void change(uint64_t *set, uint64_t *clear, const struct row *row)
{
	*set = (*set & ~row->clear) | row->set;
	*clear = (*clear & ~row->set) | row->clear;
}

static void add_data(struct mount_options *o, const char *key, const char *value)
{
	o->data[o->n_data++] = (struct mount_option){ key, value };
}

static void apply(struct mount_options *o, const struct row *row)
{
	switch (row->kind) {
	case ROW_ATTR:
		change(&o->attr_set, &o->attr_clear, row);
		break;
	case ROW_REC:
		change(&o->rec_set, &o->rec_clear, row);
		break;
	case ROW_PROPAGATION:
	case ROW_REC_PROPAGATION:
		o->propagation = row->set;
		o->propagation_recursive = row->kind == ROW_REC_PROPAGATION;
		break;
	case ROW_BIND:
		o->bind = true;
		o->recursive = row->set != 0;
		break;
	case ROW_REMOUNT:
		o->remount = true;
		break;
	case ROW_ID_MAP:
		o->id_map = true;
		o->id_map_recursive = row->set != 0;
		break;
	case ROW_COPY_UP:
		o->copy_up = true;
		break;
	case ROW_IN_MEMORY:
		o->in_memory = true;
		break;
	case ROW_SOURCE_NO_FOLLOW:
		o->source_no_follow = true;
		break;
	case ROW_DESTINATION_NO_FOLLOW:
		o->destination_no_follow = true;
		break;
	case ROW_SUPERBLOCK:
		add_data(o, row->name, NULL);
		break;
	case ROW_NOTHING:
		break;
	}
}

/* True if it is one of ours. */
static bool read_known(struct mount_options *o, const char *name)
{
	const struct row *row = FIND(attributes, name);
	struct row recursive;

	if (!row)
		row = FIND(others, name);
	if (!row && name[0] == 'r') {
		row = FIND(attributes, name + 1);
		if (row) {
			recursive = *row;
			recursive.kind = ROW_REC;
			row = &recursive;
		}
	}
	if (row)
		apply(o, row);
	return row != NULL;
}

/* An option ends at a comma that is not in quotes, as in context="a:b:c:s0:c1,c2". */
static size_t option_length(const char *s)
{
	bool quoted = false;
	size_t i;

	for (i = 0; s[i] && (quoted || s[i] != ','); i++) {
		if (s[i] == '"')
			quoted = !quoted;
		else if (s[i] == '\\' && s[i + 1])
			i++;
	}
	return i;
}

static char *without_quotes(char *value)
{
	size_t len = strlen(value);

	if (len < 2 || value[0] != '"' || value[len - 1] != '"')
		return value;
	value[len - 1] = '\0';
	return value + 1;
}

/* "size=64k" or "newinstance"; NULL if memory is short, which the arena remembers. */
static const char *read_data(struct mount_options *o, char *text)
{
	char *equals = strchr(text, '=');
	const char *value = NULL;

	if (equals) {
		*equals = '\0';
		value = without_quotes(equals + 1);
	}
	add_data(o, text, value);
	return value ? value : text;
}

static size_t count_options(const struct spec_mount *m)
{
	size_t n = 1; /* for "ro" of the superblock */

	for (size_t i = 0; i < m->options.n; i++) {
		n++;
		for (const char *s = m->options.v[i]; *s; s++)
			n += *s == ',';
	}
	return n;
}

bool mount_options_is_overlay_path(const char *key)
{
	return strcmp(key, "lowerdir") == 0 || strcmp(key, "upperdir") == 0 ||
	       strcmp(key, "workdir") == 0;
}

/* Those reach the kernel as descriptors. */
static bool has_no_end(const struct spec_mount *m, const char *key)
{
	return m->type && strcmp(m->type, "overlay") == 0 && mount_options_is_overlay_path(key);
}

/* One string of the list, which may itself be a list with commas. */
static int read_list(const char *list, const struct spec_mount *m, size_t index,
		     struct arena *arena, struct mount_options *o, struct err *err)
{
	for (const char *s = list; *s;) {
		size_t len = option_length(s);
		char *text = arena_strndup(arena, s, len);

		s += len + (s[len] == ',');
		if (!text)
			return err_set(err, -ENOMEM, "read mount options");
		if (len == 0 || read_known(o, text))
			continue;
		if (strlen(read_data(o, text)) > MAX_VALUE && !has_no_end(m, text))
			return err_say(err, -EINVAL,
				       "mounts[%zu].options: the value of %s for %s is longer than "
				       "the %d bytes that the kernel takes",
				       index, text, m->destination, MAX_VALUE);
	}
	return 0;
}

static int check_bind(const struct spec_mount *m, size_t index, const struct mount_options *o,
		      struct err *err)
{
	if (o->n_data > 0) {
		(void)err_say(err, -EINVAL,
			      "mounts[%zu].options: unknown option %s for the bind mount at %s",
			      index, o->data[0].key, m->destination);
		return err_hint(err,
				"options of a file system have no meaning for a piece of an "
				"existing one; known are ro, nosuid, nodev, noexec, noatime, … "
				"with or without r in front, and [r]private, [r]slave, "
				"[r]shared, [r]unbindable, idmap, ridmap");
	}
	if (o->copy_up)
		return err_say(err, -EINVAL,
			       "mounts[%zu].options: tmpcopyup at %s is for mounts of type tmpfs",
			       index, m->destination);
	if (!o->remount && (!m->source || m->source[0] == '\0'))
		return err_say(err, -EINVAL, "mounts[%zu].source: the bind mount at %s needs one",
			       index, m->destination);
	return 0;
}

static bool is_kernel_type(const char *type)
{
	for (size_t i = 0; kernel_types[i]; i++)
		if (strcmp(kernel_types[i], type) == 0)
			return true;
	return false;
}

static int check_new(const struct spec_mount *m, size_t index, struct mount_options *o,
		     struct err *err)
{
	if (!m->type || m->type[0] == '\0') {
		(void)err_say(err, -EINVAL, "mounts[%zu].type: missing for %s", index,
			      m->destination);
		return err_hint(err, "name a file system, or add the option bind or rbind");
	}
	if (o->copy_up && strcmp(m->type, "tmpfs") != 0)
		return err_say(err, -EINVAL,
			       "mounts[%zu].options: tmpcopyup at %s is for mounts of type tmpfs, "
			       "not %s",
			       index, m->destination, m->type);
	if (o->in_memory)
		return err_say(err, -EINVAL,
			       "mounts[%zu].options: tmpoverlay at %s is for bind mounts", index,
			       m->destination);
	if (o->id_map || m->uid_mappings.n > 0 || m->gid_mappings.n > 0)
		return err_say(err, -EINVAL, "mounts[%zu]: id mappings at %s are for bind mounts",
			       index, m->destination);
	/* It is new: there is nothing below. */
	o->attr_set = (o->attr_set & ~o->rec_clear) | o->rec_set;
	o->attr_clear = o->rec_set = o->rec_clear = 0;
	if ((o->attr_set & MOUNT_ATTR_RDONLY) && !is_kernel_type(m->type))
		add_data(o, "ro", NULL);
	return 0;
}

/* A tree of one mount needs one call: what is for all below is for this one. */
static void settle_bind(struct mount_options *o)
{
	const struct row all = { NULL, ROW_ATTR, o->rec_set, o->rec_clear };

	if (o->recursive)
		return;
	change(&o->attr_set, &o->attr_clear, &all);
	o->rec_set = o->rec_clear = 0;
	o->propagation_recursive = false;
}

int mount_options_parse(const struct spec_mount *m, size_t index, struct arena *arena,
			struct mount_options *ret, struct err *err)
{
	struct mount_options o = { .bind = m->type && strcmp(m->type, "bind") == 0 };
	int r = 0;

	o.data = arena_array(arena, count_options(m), sizeof(*o.data));
	if (!o.data)
		return err_set(err, -ENOMEM, "read mount options");
	for (size_t i = 0; i < m->options.n && r == 0; i++)
		r = read_list(m->options.v[i], m, index, arena, &o, err);
	if (r < 0)
		return r;
	if (o.bind || o.remount) {
		r = check_bind(m, index, &o, err);
		if (o.bind && !o.remount)
			settle_bind(&o);
	} else {
		r = check_new(m, index, &o, err);
	}
	if (m->uid_mappings.n > 0 || m->gid_mappings.n > 0)
		o.id_map = true;
	if (r == 0)
		*ret = o;
	return r;
}

const char *mount_options_find(const struct mount_options *o, const char *key)
{
	for (size_t i = 0; i < o->n_data; i++)
		if (strcmp(o->data[i].key, key) == 0)
			return o->data[i].value ? o->data[i].value : "";
	return NULL;
}

const char *mount_options_name(size_t i, bool *ret_recursive)
{
	const size_t n = sizeof(attributes) / sizeof(attributes[0]);

	*ret_recursive = i < n;
	if (i < n)
		return attributes[i].name;
	return i - n < sizeof(others) / sizeof(others[0]) ? others[i - n].name : NULL;
}
