/*
 * landlock.c - Landlock: as much of what is asked for as the kernel knows; see spec/landlock.h.
 *
 * The newest interface is used that both sides know. What is left out for an older kernel is left
 * out of the rules too, which is what makes falling back step by step safe: a right that is not
 * handled is not denied, and a rule may name handled rights only.
 */
#include <errno.h>

#include "plan/lsm.h"
#include "spec/landlock.h"
#include "sys/landlock.h"

/* What each version of the interface added. */
static const struct {
	unsigned int abi;
	uint64_t fs, net, scoped;
} added[] = {
	{ 1, LANDLOCK_FS_REFER - 1, 0, 0 },
	{ 2, LANDLOCK_FS_REFER, 0, 0 },
	{ 3, LANDLOCK_FS_TRUNCATE, 0, 0 },
	{ 4, 0, LANDLOCK_NET_BIND_TCP | LANDLOCK_NET_CONNECT_TCP, 0 },
	{ 5, LANDLOCK_FS_IOCTL_DEV, 0, 0 },
	{ 6, 0, 0, LANDLOCK_SCOPE_UNIX | LANDLOCK_SCOPE_SIGNAL },
};

static void limit_to(unsigned int abi, struct spec_landlock *l)
{
	uint64_t fs = 0, net = 0, scoped = 0;

	for (size_t i = 0; i < sizeof(added) / sizeof(added[0]) && added[i].abi <= abi; i++) {
		fs |= added[i].fs;
		net |= added[i].net;
		scoped |= added[i].scoped;
	}
	l->fs &= fs;
	l->net &= net;
	l->scoped &= scoped;
}

static void name_bits(uint64_t bits, const struct spec_name *names, struct buf *out)
{
	for (; names->name; names++)
		if (bits & names->value && (names->value & (names->value - 1)) == 0)
			buf_printf(out, "%s%s", out->len > 0 ? ", " : "", names->name);
}

/* Required, and not all of it can be had. */
static void refuse(struct planner *p, const struct spec_landlock *want,
		   const struct spec_landlock *can)
{
	_cleanup_buf_ struct buf names = { 0 };
	unsigned int abi = p->facts->lsm.landlock_abi;

	if (abi == 0) {
		(void)err_say(p->err, -EOPNOTSUPP,
			      "annotation " SPEC_LANDLOCK_KEY
			      ": Landlock is not active on this host");
		(void)err_hint(p->err,
			       "it is in Linux 5.13 and later, and \"landlock\" has to be in "
			       "the kernel's list of modules (lsm= on its command line)");
		return;
	}
	name_bits(want->fs & ~can->fs, spec_landlock_fs_names, &names);
	name_bits(want->net & ~can->net, spec_landlock_net_names, &names);
	name_bits(want->scoped & ~can->scoped, spec_landlock_scope_names, &names);
	(void)err_say(p->err, -EOPNOTSUPP,
		      "annotation " SPEC_LANDLOCK_KEY
		      ": this kernel's Landlock (ABI %u) does not know: %s",
		      abi, buf_text(&names));
	(void)err_hint(p->err, "leave them out, or leave out disableBestEffort");
}

static void set_paths(struct planner *p, const struct spec_landlock *l, struct step_landlock *step)
{
	struct landlock_path *paths;
	size_t n = 0;

	for (size_t i = 0; i < l->n_paths; i++)
		n += l->paths[i].paths.n;
	paths = arena_array(plan_arena(p), n, sizeof(*paths));
	if (!paths)
		return;
	for (size_t i = 0; i < l->n_paths; i++)
		for (size_t k = 0; k < l->paths[i].paths.n && (l->paths[i].access & l->fs); k++)
			paths[step->n_paths++] =
			    (struct landlock_path){ l->paths[i].paths.v[k],
						    l->paths[i].access & l->fs };
	step->paths = paths;
}

static void set_ports(struct planner *p, const struct spec_landlock *l, struct step_landlock *step)
{
	struct landlock_port *ports;
	size_t n = 0;

	for (size_t i = 0; i < l->n_ports; i++)
		n += l->ports[i].n_ports;
	ports = arena_array(plan_arena(p), n, sizeof(*ports));
	if (!ports)
		return;
	for (size_t i = 0; i < l->n_ports; i++)
		for (size_t k = 0; k < l->ports[i].n_ports && (l->ports[i].access & l->net); k++)
			ports[step->n_ports++] =
			    (struct landlock_port){ (uint16_t)l->ports[i].ports[k],
						    l->ports[i].access & l->net };
	step->ports = ports;
}

static void add_step(struct planner *p, const struct spec_landlock *l)
{
	struct step_landlock *landlock = arena_alloc(plan_arena(p), sizeof(*landlock));

	if (!landlock)
		return;
	*landlock = (struct step_landlock){ .slot = plan_slot(p),
					    .fs = l->fs,
					    .net = l->net,
					    .scoped = l->scoped,
					    .required = l->required };
	/* Denials are in the audit log then, for whoever wants to know why. */
	if (p->facts->lsm.landlock_abi >= 7)
		landlock->flags = LANDLOCK_LOG_NEW_EXEC;
	set_paths(p, l, landlock);
	set_ports(p, l, landlock);
	p->landlock = landlock;
	plan_add(p, LANE_INIT, (struct step){ .kind = STEP_LANDLOCK_RULES, .landlock = *landlock });
}

void add_landlock_rules(struct planner *p)
{
	const char *text = spec_landlock_text(p->spec);
	struct spec_landlock want, can;

	if (!text || spec_read_landlock(text, plan_arena(p), &want, p->err) < 0)
		return;
	can = want;
	limit_to(p->facts->lsm.landlock_abi, &can);
	if (want.required &&
	    (want.fs != can.fs || want.net != can.net || want.scoped != can.scoped))
		refuse(p, &want, &can);
	else if (can.fs || can.net || can.scoped)
		add_step(p, &can);
}

void add_landlock(struct planner *p)
{
	if (p->landlock)
		plan_add(p, LANE_INIT,
			 (struct step){ .kind = STEP_LANDLOCK, .landlock = *p->landlock });
}
