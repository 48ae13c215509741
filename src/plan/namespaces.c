/*
 * namespaces.c - which namespaces are joined and which are new, who makes them and when.
 *
 * Without a user namespace all new ones are made by the clone of init, but for these: the network
 * namespace, which a process beside makes meanwhile; the mount namespace, when a small one can be
 * copied in place of the host's; cgroup and time, which the clone would make of its parent's. With
 * one, all of them are made by the clone, so that they belong to it.
 */
#include "plan/namespaces.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <string.h>

#include "plan/cgroup.h"
#include "plan/rootfs.h"
#include "sys/abi.h"

#define LATE (CLONE_NEWCGROUP | CLONE_NEWTIME)

static bool has_path(const struct planner *p, int flag)
{
	const struct spec_namespace *ns = spec_namespace(p->spec, flag);

	return ns && ns->path;
}

/* Init is born below joined namespaces when only that gives it the rights, or the pid. */
static bool joins_before_birth(const struct planner *p)
{
	return spec_namespace(p->spec, CLONE_NEWUSER) || has_path(p, CLONE_NEWPID) ||
	       has_path(p, CLONE_NEWTIME);
}

static bool uses_seed(const struct planner *p)
{
	return p->facts->has_seed && rootfs_wants_seed(p);
}

/*
 * The host moves devices into the namespace that init is in: then that must be so from the start.
 * In a user namespace we might not get back into our own, which can be that of the host, as it is
 * when an engine of an ordinary user runs us. And a pidfd leads to the namespaces of a process that
 * is not dumpable only with CAP_SYS_PTRACE, which root of a container may lack.
 */
bool host_makes_net(const struct planner *p)
{
	return spec_has_new_namespace(p->spec, CLONE_NEWNET) &&
	       !spec_namespace(p->spec, CLONE_NEWUSER) && !p->facts->in_userns &&
	       p->spec->linux.n_net_devices == 0 && (p->facts->caps & 1ULL << CAP_SYS_PTRACE);
}

/* ---- H: before init
 * ------------------------------------------------------------------------------ */

void add_namespace_fds(struct planner *p)
{
	const struct spec_linux *linux = &p->spec->linux;

	for (size_t i = 0; i < linux->n_namespaces; i++) {
		const struct spec_namespace *ns = &linux->namespaces[i];

		if (!ns->path)
			continue;
		plan_add(p, LANE_HOST,
			 (struct step){ .kind = STEP_OPEN,
					.open = { SLOT_NAMESPACE + (int)i, ns->path,
						  O_RDONLY | O_NONBLOCK | O_NOCTTY } });
	}
}

void add_netns(struct planner *p)
{
	if (host_makes_net(p))
		plan_add(p, LANE_HOST, (struct step){ .kind = STEP_NETNS });
}

void add_netns_up(struct planner *p)
{
	if (host_makes_net(p))
		plan_add(p, LANE_HOST, (struct step){ .kind = STEP_NETNS_UP });
}

static size_t list_joins(const struct planner *p, struct step_join *joins)
{
	const struct spec_linux *linux = &p->spec->linux;
	size_t n = 0;

	for (size_t i = 0; i < linux->n_namespaces && joins; i++) {
		const struct spec_namespace *ns = &linux->namespaces[i];

		if (ns->path)
			joins[n++] =
			    (struct step_join){ SLOT_NAMESPACE + (int)i, ns->flag, ns->path };
	}
	return n;
}

/*
 * The files of a process that is not dumpable are root's, so an ordinary user writes the maps
 * first. Root must not: whoever is root in a pid namespace that is joined owns the new user
 * namespace, too, and could trace init, and with it us, as long as it is dumpable (as in
 * CVE-2016-9962).
 */
bool maps_come_first(const struct planner *p)
{
	return spec_has_new_namespace(p->spec, CLONE_NEWUSER) &&
	       !(p->facts->caps & 1ULL << CAP_DAC_OVERRIDE);
}

void add_undumpable(struct planner *p)
{
	plan_add(p, LANE_HOST, (struct step){ .kind = STEP_UNDUMPABLE });
}

void add_spawn(struct planner *p)
{
	struct step step = { .kind = STEP_SPAWN, .spawn = { .cgroup = SLOT_NONE } };
	struct step_spawn *s = &step.spawn;
	const struct spec_linux *linux = &p->spec->linux;

	for (size_t i = 0; i < linux->n_namespaces; i++)
		if (!linux->namespaces[i].path && !(linux->namespaces[i].flag & LATE))
			s->flags |= (uint64_t)linux->namespaces[i].flag;
	if (host_makes_net(p))
		s->flags &= ~(uint64_t)CLONE_NEWNET;
	if (uses_seed(p))
		s->flags &= ~(uint64_t)CLONE_NEWNS;
	if (joins_before_birth(p)) {
		struct step_join *joins =
		    arena_array(plan_arena(p), linux->n_namespaces + 1, sizeof(*joins));

		s->joins = joins;
		s->n_joins = list_joins(p, joins);
	}
	s->cgroup = plan_cgroup_birth(p);
	/* Nothing of init's may be done before the maps are there, or the cgroup. */
	s->hold = spec_namespace(p->spec, CLONE_NEWUSER) != NULL || p->options->systemd_cgroup;
	s->shares = p->options->run && !plan_memory_is_tight(p);
	if (!maps_come_first(p))
		add_undumpable(p);
	p->plan->spawn = p->plan->n_steps;
	plan_add(p, LANE_HOST, step);
}

/* ---- H: what only the parent may
 * ------------------------------------------------------------------- */

const char *plan_map_text(struct planner *p, const struct spec_id_mappings *maps)
{
	const char *text = "";

	for (size_t i = 0; i < maps->n; i++)
		text = arena_printf(plan_arena(p), "%s%" PRIu32 " %" PRIu32 " %" PRIu32 "\n", text,
				    maps->v[i].container_id, maps->v[i].host_id, maps->v[i].size);
	return text;
}

static const char *const *map_args(struct planner *p, const struct spec_id_mappings *maps)
{
	const char **args = arena_array(plan_arena(p), maps->n * 3 + 1, sizeof(*args));

	for (size_t i = 0; i < maps->n && args; i++) {
		args[i * 3] = arena_printf(plan_arena(p), "%" PRIu32, maps->v[i].container_id);
		args[i * 3 + 1] = arena_printf(plan_arena(p), "%" PRIu32, maps->v[i].host_id);
		args[i * 3 + 2] = arena_printf(plan_arena(p), "%" PRIu32, maps->v[i].size);
	}
	return args;
}

static void add_parent_text(struct planner *p, enum step_kind kind, const char *file,
			    const char *text)
{
	plan_add(p, LANE_HOST, (struct step){ .kind = kind, .text = { file, text } });
}

/* One's own id alone may be mapped by anyone, if setgroups is given up (user_namespaces(7)). */
static bool maps_only(const struct spec_id_mappings *maps, uint32_t id)
{
	return maps->n == 1 && maps->v[0].size == 1 && maps->v[0].host_id == id;
}

bool plan_maps_own_id(const struct planner *p)
{
	return maps_only(&p->spec->linux.uid_mappings, p->facts->euid) &&
	       maps_only(&p->spec->linux.gid_mappings, p->facts->egid);
}

static void add_maps(struct planner *p)
{
	const struct spec_id_mappings *uids = &p->spec->linux.uid_mappings;
	const struct spec_id_mappings *gids = &p->spec->linux.gid_mappings;
	const uint64_t needed = 1ULL << CAP_SETUID | 1ULL << CAP_SETGID;

	if ((p->facts->caps & needed) == needed || plan_maps_own_id(p)) {
		if ((p->facts->caps & needed) != needed)
			add_parent_text(p, STEP_ID_MAP, "setgroups", "deny");
		add_parent_text(p, STEP_ID_MAP, "uid_map", plan_map_text(p, uids));
		add_parent_text(p, STEP_ID_MAP, "gid_map", plan_map_text(p, gids));
		return;
	}
	plan_add(p, LANE_HOST,
		 (struct step){ .kind = STEP_ID_MAP_HELPER,
				.id_map_helper = { map_args(p, uids), map_args(p, gids) } });
}

void add_parent_oom_score(struct planner *p)
{
	const struct opt_i64 *score = &p->spec->process.oom_score_adj;

	if (score->has && spec_namespace(p->spec, CLONE_NEWUSER))
		add_parent_text(p, STEP_PROC_FILE, "oom_score_adj",
				arena_printf(plan_arena(p), "%" PRId64, score->value));
}

static bool moves_clocks(const struct planner *p)
{
	const struct spec_linux *linux = &p->spec->linux;

	return spec_has_new_namespace(p->spec, CLONE_NEWTIME) &&
	       (linux->monotonic_offset.has || linux->boottime_offset.has);
}

/*
 * As root of a user namespace init could not open a file of its own in /proc, for that is root's as
 * long as our memory is closed.
 */
static void open_clocks(struct planner *p)
{
	if (p->exec || !moves_clocks(p))
		return;
	p->clocks = plan_slot(p);
	plan_add(p, LANE_HOST, (struct step){ .kind = STEP_CLOCKS_OPEN, .clocks.slot = p->clocks });
}

static const char *clock_line(struct planner *p, const char *clock,
			      const struct spec_time_offset *o)
{
	if (!o->has)
		return "";
	return arena_printf(plan_arena(p), "%s %" PRId64 " %" PRIu32, clock, o->secs, o->nanosecs);
}

void add_clocks(struct planner *p)
{
	const struct spec_linux *linux = &p->spec->linux;
	struct step step = { .kind = STEP_CLOCKS, .clocks.slot = p->clocks };

	if (!spec_namespace(p->spec, CLONE_NEWUSER) || !moves_clocks(p))
		return;
	step.clocks.text = arena_printf(
	    plan_arena(p), "%s%s%s", clock_line(p, "monotonic", &linux->monotonic_offset),
	    linux->monotonic_offset.has && linux->boottime_offset.has ? "\n" : "",
	    clock_line(p, "boottime", &linux->boottime_offset));
	plan_add(p, LANE_HOST, step);
}

void add_id_maps(struct planner *p)
{
	const struct spec_process *process = &p->spec->process;

	if (spec_has_new_namespace(p->spec, CLONE_NEWUSER))
		add_maps(p);
	if (!spec_namespace(p->spec, CLONE_NEWUSER))
		return;
	/* Inside the user namespace these would be beyond init's rights. */
	for (size_t i = 0; i < process->n_rlimits; i++) {
		const struct spec_rlimit *r = &process->rlimits[i];

		plan_add(p, LANE_HOST,
			 (struct step){ .kind = STEP_RLIMIT,
					.rlimit = { r->resource, r->soft, r->hard, r->type } });
	}
	if (!p->exec)
		add_parent_oom_score(p);
	open_clocks(p);
	if (maps_come_first(p)) {
		add_user_overlays(p);
		add_undumpable(p);
	}
}

void add_birth(struct planner *p)
{
	plan_add(p, LANE_INIT, (struct step){ .kind = STEP_DIE_WITH_PARENT });
}

/* ---- I: the rest
 * -------------------------------------------------------------------------------------- */

static void add_set_ns(struct planner *p, int slot, const struct spec_namespace *ns)
{
	plan_add(
	    p, LANE_INIT,
	    (struct step){ .kind = STEP_SET_NS, .set_ns = { slot, ns->flag, ns->type, ns->path } });
}

static void add_joins(struct planner *p)
{
	const struct spec_linux *linux = &p->spec->linux;

	if (joins_before_birth(p))
		return;
	for (size_t i = 0; i < linux->n_namespaces; i++)
		if (linux->namespaces[i].path)
			add_set_ns(p, SLOT_NAMESPACE + (int)i, &linux->namespaces[i]);
}

static void add_time_offset(struct planner *p, const char *clock, const struct spec_time_offset *o)
{
	if (o->has)
		plan_add(
		    p, LANE_INIT,
		    (struct step){ .kind = STEP_TIME_OFFSET,
				   .text = { "self/timens_offsets", clock_line(p, clock, o) } });
}

void add_namespaces(struct planner *p)
{
	static const struct spec_namespace seed = { CLONE_NEWNS, "mount", "of the kernel" };
	int flags = 0;

	if (spec_namespace(p->spec, CLONE_NEWUSER))
		plan_add(p, LANE_INIT, (struct step){ .kind = STEP_ROOT_OF_USERNS });
	add_joins(p);
	if (uses_seed(p)) {
		add_set_ns(p, SLOT_SEED, &seed);
		flags |= CLONE_NEWNS;
	}
	if (spec_has_new_namespace(p->spec, CLONE_NEWCGROUP))
		flags |= CLONE_NEWCGROUP;
	if (spec_has_new_namespace(p->spec, CLONE_NEWTIME))
		flags |= CLONE_NEWTIME;
	if (flags)
		plan_add(p, LANE_INIT,
			 (struct step){ .kind = STEP_UNSHARE, .unshare.flags = flags });
	if (spec_has_new_namespace(p->spec, CLONE_NEWNET) && !host_makes_net(p))
		plan_add(p, LANE_INIT, (struct step){ .kind = STEP_LOOPBACK });
}

void add_netns_before_sysfs(struct planner *p)
{
	if (!host_makes_net(p) || p->net_joined)
		return;
	p->net_joined = true;
	plan_add(p, LANE_INIT, (struct step){ .kind = STEP_JOIN_NETNS });
}

void add_network_join(struct planner *p)
{
	add_netns_before_sysfs(p);
	if (spec_namespace(p->spec, CLONE_NEWUSER))
		return;
	/* After the private procfs is there, before anything that a clock could matter to. */
	add_time_offset(p, "monotonic", &p->spec->linux.monotonic_offset);
	add_time_offset(p, "boottime", &p->spec->linux.boottime_offset);
}

/* net.ipv4.ip_forward → sys/net/ipv4/ip_forward; a slash in the key means a dot in a name. */
static const char *sysctl_file(struct planner *p, const char *key)
{
	const size_t head = strlen("sys/");
	char *file = arena_alloc(plan_arena(p), head + strlen(key) + 1);
	bool slashes =
	    strchr(key, '/') && (!strchr(key, '.') || strchr(key, '/') < strchr(key, '.'));

	if (!file)
		return "";
	memcpy(file, "sys/", head);
	for (size_t i = 0; key[i]; i++) {
		char c = key[i];

		if (!slashes)
			c = key[i] == '.' ? '/' : key[i] == '/' ? '.' : key[i];
		file[head + i] = c;
	}
	return file;
}

void add_names(struct planner *p)
{
	const struct spec *spec = p->spec;

	if (spec->hostname)
		plan_add(p, LANE_INIT,
			 (struct step){ .kind = STEP_HOSTNAME, .name.name = spec->hostname });
	if (spec->domainname)
		plan_add(p, LANE_INIT,
			 (struct step){ .kind = STEP_DOMAINNAME, .name.name = spec->domainname });
	for (size_t i = 0; i < spec->linux.sysctl.n; i++)
		plan_add(p, LANE_INIT,
			 (struct step){ .kind = STEP_SYSCTL,
					.text = { sysctl_file(p, spec->linux.sysctl.v[i].key),
						  spec->linux.sysctl.v[i].value } });
}
