/*
 * rootfs_mounts.c - the entries of `mounts`: what each becomes, and which are refused.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>

#include "base/num.h"
#include "plan/namespaces.h"
#include "plan/rootfs_plan.h"
#include "sys/abi.h"

/* The files of /proc that may be replaced by others, as LXCFS does; the list of runc. */
static const char *const proc_files[] = {
	"/proc/cpuinfo",
	"/proc/diskstats",
	"/proc/meminfo",
	"/proc/stat",
	"/proc/swaps",
	"/proc/uptime",
	"/proc/loadavg",
	"/proc/slabinfo",
	"/proc/net/dev",
	"/proc/sys/kernel/ns_last_pid",
	"/proc/sys/crypto/fips_enabled",
	NULL,
};

static bool is_type(const struct rootfs_mount *m, const char *type)
{
	return !m->options.bind && m->spec->type && strcmp(m->spec->type, type) == 0;
}

static bool is_proc_file(const char *path)
{
	for (size_t i = 0; proc_files[i]; i++)
		if (strcmp(proc_files[i], path) == 0)
			return true;
	return false;
}

static int check_destination(struct planner *p, const struct rootfs_mount *m)
{
	if (strcmp(m->destination, "/") == 0) {
		(void)err_say(p->err, -EINVAL,
			      "mounts[%zu].destination: \"/\" would replace the root", m->index);
		return err_hint(p->err, "root.path says what the root is");
	}
	if (strcmp(m->destination, "/proc") == 0 && !m->options.bind && !is_type(m, "proc") &&
	    !m->options.remount)
		return err_say(p->err, -EPERM,
			       "mounts[%zu]: %s cannot be mounted at /proc, only a procfs can",
			       m->index, m->spec->type);
	if (rootfs_is_below(m->destination, "/proc") && !is_proc_file(m->destination)) {
		(void)err_say(p->err, -EPERM,
			      "mounts[%zu].destination: %s cannot be mounted because it is inside "
			      "/proc",
			      m->index, m->destination);
		return err_hint(p->err, "files such as /proc/cpuinfo and /proc/meminfo may be "
					"replaced; others would let the container deceive itself "
					"and its runtime");
	}
	return 0;
}

static bool is_mapped(const struct spec_id_mappings *maps, uint64_t id)
{
	for (size_t i = 0; i < maps->n; i++)
		if (id >= maps->v[i].container_id && id - maps->v[i].container_id < maps->v[i].size)
			return true;
	return maps->n == 0; /* those of a namespace that is joined: the kernel knows */
}

/* "gid=5" of devpts is in most configurations and does not exist for a user with one id. */
static int check_id(struct planner *p, const struct rootfs_mount *m, const char *key,
		    const struct spec_id_mappings *maps)
{
	const char *text = mount_options_find(&m->options, key);
	uint64_t id;

	if (!text || num_u64(text, UINT32_MAX, &id) < 0 || is_mapped(maps, id))
		return 0;
	(void)err_say(p->err, -EINVAL,
		      "mounts[%zu].options: %s=%s for %s is not mapped in the user namespace",
		      m->index, key, text, m->destination);
	return err_hint(p->err, "remove the option, or add %s to linux.%sMappings", text, key);
}

static int check_ids(struct planner *p, const struct rootfs_mount *m)
{
	int r;

	if (!spec_has_new_namespace(p->spec, CLONE_NEWUSER) || m->options.bind)
		return 0;
	r = check_id(p, m, "uid", &p->spec->linux.uid_mappings);
	return r < 0 ? r : check_id(p, m, "gid", &p->spec->linux.gid_mappings);
}

static int read_mount(struct planner *p, struct rootfs_mount *m)
{
	struct arena *arena = plan_arena(p);
	const char *source = m->spec->source;
	int r = mount_options_parse(m->spec, m->index, arena, &m->options, p->err);

	if (r < 0)
		return r;
	m->destination = rootfs_clean_path(arena, m->spec->destination);
	m->tree = m->late_read_only = SLOT_NONE;
	r = check_destination(p, m);
	if (r == 0)
		r = check_ids(p, m);
	if (r < 0)
		return r;
	if (strcmp(m->destination, "/proc") == 0)
		p->rootfs->has_proc = true;
	if (is_type(m, "overlay") && !m->options.remount)
		return rootfs_read_overlay(p, m);
	if (m->options.bind && !m->options.remount) {
		m->tree = plan_slot(p);
		m->source = source[0] == '/'
				? source
				: arena_printf(arena, "%s/%s", p->options->bundle, source);
	}
	return 0;
}

/* The mount that is seen at `path` in the end, or NULL. */
static struct rootfs_mount *last_at(struct planner *p, const char *path)
{
	for (size_t i = p->spec->n_mounts; i > 0; i--)
		if (strcmp(p->rootfs->mounts[i - 1].destination, path) == 0 &&
		    !p->rootfs->mounts[i - 1].options.remount)
			return &p->rootfs->mounts[i - 1];
	return NULL;
}

/* What is still to be made in a read-only tmpfs: devices, or mount points. */
static bool is_written_later(const struct planner *p, const struct rootfs_mount *m)
{
	if (strcmp(m->destination, "/dev") == 0)
		return true;
	for (size_t i = m->index + 1; i < p->spec->n_mounts; i++)
		if (rootfs_is_below(p->rootfs->mounts[i].destination, m->destination))
			return true;
	return false;
}

static void read_dev(struct planner *p)
{
	const struct rootfs_mount *dev = last_at(p, "/dev");

	if (!dev)
		return;
	p->rootfs->skip_devices = dev->options.bind;
	if (is_type(dev, "tmpfs"))
		p->rootfs->dev = plan_slot(p);
}

int rootfs_read_mounts(struct planner *p)
{
	size_t n = p->spec->n_mounts;

	p->rootfs->mounts = arena_array(plan_arena(p), n, sizeof(*p->rootfs->mounts));
	if (!p->rootfs->mounts && n > 0)
		return err_set(p->err, -ENOMEM, "read the mounts");
	for (size_t i = 0; i < n; i++) {
		struct rootfs_mount *m = &p->rootfs->mounts[i];

		m->spec = &p->spec->mounts[i];
		m->index = i;
		if (read_mount(p, m) < 0)
			return p->err->code;
	}
	read_dev(p);
	for (size_t i = 0; i < n; i++) {
		struct rootfs_mount *m = &p->rootfs->mounts[i];

		if (is_type(m, "tmpfs") && (m->options.attr_set & MOUNT_ATTR_RDONLY) &&
		    is_written_later(p, m))
			m->late_read_only = m == last_at(p, "/dev") ? p->rootfs->dev : plan_slot(p);
	}
	return 0;
}

/* ---- steps ---------------------------------------------------------------------------------- */

/* Options and, where the file system takes it, the SELinux label as one more. */
static void add_options(struct planner *p, const struct rootfs_mount *m, struct step_mount *step)
{
	static const char *const unlabelled[] = { "proc", "sysfs", "cgroup", "cgroup2", NULL };
	struct mount_option *all;

	if (m->overlay)
		return;
	step->n_options = m->options.n_data;
	step->options = m->options.data;
	if (!p->rootfs->label || m->options.bind || mount_options_find(&m->options, "context"))
		return;
	for (size_t i = 0; unlabelled[i]; i++)
		if (is_type(m, unlabelled[i]))
			return;
	/* Its superblock is older than the mount: the kernel refuses a new label for it. */
	if (is_type(m, "mqueue")) {
		step->label = p->rootfs->label;
		return;
	}
	all = arena_array(plan_arena(p), m->options.n_data + 1, sizeof(*all));
	if (!all)
		return;
	memcpy(all, m->options.data, m->options.n_data * sizeof(*all));
	all[step->n_options++] = (struct mount_option){ "context", p->rootfs->label };
	step->options = all;
}

/* Which slot keeps the mount: the procfs, /dev for the devices, or one for a later read-only. */
static int slot_to_keep(struct planner *p, const struct rootfs_mount *m)
{
	if (m == last_at(p, "/proc"))
		return SLOT_PROC;
	if (m == last_at(p, "/dev") && p->rootfs->dev != SLOT_NONE)
		return p->rootfs->dev;
	return m->late_read_only;
}

/* Like the directory that it covers: so that one has to be looked at. */
static bool inherits_mode(const struct rootfs_mount *m)
{
	return is_type(m, "tmpfs") && !mount_options_find(&m->options, "mode");
}

/*
 * In a user namespace a sysfs may be new only with the network namespace, and where nothing of the
 * one outside is covered. Else it is that one, with what covers it, as in other runtimes.
 */
static const char *sysfs_fallback(const struct planner *p)
{
	return rootfs_in_userns(p) ? "/sys" : NULL;
}

static bool is_plain_new(const struct rootfs_mount *m)
{
	return !m->options.bind && !m->options.copy_up && !inherits_mode(m) &&
	       !rootfs_is_below(m->destination, "/proc");
}

/* A single name in a /dev of our own. One that starts with a copy has the image's links in it. */
static bool is_name_in_dev(struct planner *p, const struct rootfs_mount *m)
{
	const struct rootfs_mount *dev = last_at(p, "/dev");

	return is_plain_new(m) && p->rootfs->dev != SLOT_NONE && m->index >= dev->index &&
	       !dev->options.copy_up && rootfs_is_below(m->destination, "/dev") &&
	       !strchr(m->destination + strlen("/dev/"), '/');
}

/* Where the destination is a single name in a directory that we hold by then. */
static int directory_of(struct planner *p, const struct rootfs_mount *m)
{
	if (is_plain_new(m) && !strchr(m->destination + 1, '/'))
		return SLOT_ROOTFS;
	return is_name_in_dev(p, m) ? p->rootfs->dev : SLOT_NONE;
}

/* What init takes itself, of what no one has taken for it. */
static void add_source(struct planner *p, const struct rootfs_mount *m)
{
	if (p->rootfs->taker != TAKER_INIT || rootfs_is_made_apart(p, m))
		return;
	if (m->overlay)
		rootfs_add_overlay(p, LANE_INIT, m, false);
	else if (m->tree != SLOT_NONE)
		rootfs_add_tree(p, LANE_INIT,
				(struct step_tree){ .slot = m->tree,
						    .path = m->source,
						    .recursive = m->options.recursive,
						    .no_follow = m->options.source_no_follow });
}

static void add_mount(struct planner *p, const struct rootfs_mount *m)
{
	const struct mount_options *o = &m->options;
	const bool at_proc = strcmp(m->destination, "/proc") == 0 && !o->remount;
	struct step_mount step = {
		.source = m->source ? m->source : m->spec->source,
		.destination = m->destination,
		.type = o->bind ? "bind" : m->spec->type,
		.tree = m->tree,
		.keep = slot_to_keep(p, m),
		.attr_set = o->attr_set,
		.attr_clear = o->attr_clear,
		.rec_set = o->rec_set,
		.rec_clear = o->rec_clear,
		.propagation = o->propagation,
		.propagation_recursive = o->propagation_recursive,
		.remount = o->remount,
		/* Through a link the container's /proc or /sys could be somewhere else
		 * (CVE-2019-19921). */
		.no_symlinks = at_proc || is_type(m, "proc") || is_type(m, "sysfs") ||
			       o->destination_no_follow,
		.in_proc = rootfs_is_below(m->destination, "/proc"),
		.must_be_proc = at_proc && o->bind,
		.copy_up = o->copy_up,
		.in_memory = o->in_memory && !rootfs_is_made_apart(p, m),
		.userxattr = o->in_memory && rootfs_in_userns(p),
		.inherit_mode = inherits_mode(m),
	};

	/* A sysfs shows the devices of the network namespace that it was made in. */
	if (is_type(m, "sysfs")) {
		add_netns_before_sysfs(p);
		step.fallback = sysfs_fallback(p);
	}
	step.dir = directory_of(p, m);
	add_options(p, m, &step);
	if (m->late_read_only != SLOT_NONE)
		step.attr_set &= ~(uint64_t)MOUNT_ATTR_RDONLY;
	/* A copy of a shared mount is its peer, and so would be what is mounted in it. */
	if (o->bind && !o->remount && !o->propagation) {
		step.propagation = rootfs_default_propagation(p);
		step.propagation_recursive = o->recursive;
	}
	add_source(p, m);
	plan_add(p, LANE_INIT, (struct step){ .kind = STEP_MOUNT, .mount = step });
}

/*
 * A new sysfs needs the network namespace, which takes the host longer than what is before it takes
 * init. Meanwhile init mounts what are names in a /dev of our own, which no link can lead astray,
 * and makes the devices. All other mounts keep their order: a path may lead into what is before.
 */
static size_t first_late(struct planner *p)
{
	const struct rootfs_mount *sys = last_at(p, "/sys");
	size_t n = p->spec->n_mounts;

	if (!sys || !is_type(sys, "sysfs") || !host_makes_net(p))
		return n;
	for (size_t i = sys->index; i < n; i++) {
		const struct rootfs_mount *m = &p->rootfs->mounts[i];

		/* What is put in the place of a device, or below it, has to be there first. */
		if (strcmp(m->destination, "/dev") == 0 ||
		    (rootfs_is_below(m->destination, "/dev") && !is_name_in_dev(p, m)))
			return n;
	}
	/* What is mounted where a device is to be made has to be there before it, too. */
	for (size_t i = 0; i < p->spec->linux.n_devices; i++)
		if (!rootfs_is_below(p->spec->linux.devices[i].path, "/dev"))
			return n;
	return sys->index;
}

static void add_mounts(struct planner *p, bool late)
{
	const size_t first = first_late(p);

	for (size_t i = 0; i < p->spec->n_mounts; i++) {
		struct rootfs_mount *m = &p->rootfs->mounts[i];

		if ((i >= first && !is_name_in_dev(p, m)) != late)
			continue;
		if (rootfs_is_cgroup(m))
			rootfs_add_cgroup(p, m);
		else
			add_mount(p, m);
	}
}

void rootfs_add_mounts(struct planner *p)
{
	add_mounts(p, false);
}

void rootfs_add_late_mounts(struct planner *p)
{
	add_mounts(p, true);
}

void rootfs_add_late_read_only(struct planner *p)
{
	for (size_t i = 0; i < p->spec->n_mounts; i++) {
		const struct rootfs_mount *m = &p->rootfs->mounts[i];

		if (m->late_read_only == SLOT_NONE)
			continue;
		plan_add(p, LANE_INIT,
			 (struct step){ .kind = STEP_MOUNT,
					.mount = { .destination = m->destination,
						   .type = m->spec->type,
						   .tree = m->late_read_only,
						   .keep = SLOT_NONE,
						   .dir = SLOT_NONE,
						   .remount = true,
						   .attr_set = MOUNT_ATTR_RDONLY } });
	}
}
