/*
 * criu_parts.c - see criu_parts.h.
 */
#include "plan/criu_parts.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include "plan/cgroup.h"
#include "plan/mount_options.h"
#include "plan/namespaces.h"
#include "plan/rootfs_plan.h"
#include "sys/abi.h"

/* criu binds a source with the owners that it has on the disk. */
static int check_mounts(struct planner *p, const char *what)
{
	for (size_t i = 0; i < p->spec->n_mounts; i++) {
		const struct spec_mount *m = &p->spec->mounts[i];
		struct mount_options options;

		if (mount_options_parse(m, i, plan_arena(p), &options, p->err) < 0)
			return p->err->code;
		if (options.id_map)
			return err_say(p->err, -EOPNOTSUPP,
				       "%s: mounts[%zu]: the id-mapped mount at %s could not be "
				       "restored: criu knows nothing of its other owners",
				       what, i, m->destination);
	}
	return 0;
}

/* It would come back in a user namespace of its own, apart from those that it was with. */
static int check_userns(struct planner *p, const char *what)
{
	const struct spec_namespace *user = spec_namespace(p->spec, CLONE_NEWUSER);

	if (!user || !user->path)
		return 0;
	return err_say(p->err, -EOPNOTSUPP,
		       "%s: the container is in the user namespace %s, which criu could not put it "
		       "back into",
		       what, user->path);
}

/* criu looks into every process, and makes them again with the ids that they had. */
int criu_check(struct planner *p, const char *what)
{
	if (p->facts->euid == 0 && !p->facts->in_userns && (p->facts->caps & 1ULL << CAP_SYS_ADMIN))
		return check_userns(p, what) < 0 ? p->err->code : check_mounts(p, what);
	(void)err_say(p->err, -EPERM, "%s: criu needs root on the host: operation not permitted",
		      what);
	return err_hint(p->err, "containers of ordinary users cannot be checkpointed or restored");
}

void criu_add_directories(struct planner *p, const struct plan_criu *criu, bool make)
{
	struct step_directory images = { SLOT_IMAGES, criu->images, make,
					 make ? plan_slot(p) : SLOT_NONE };
	struct step_directory work = { SLOT_WORK, criu->work ? criu->work : criu->images,
				       criu->work, SLOT_NONE };

	plan_add(p, LANE_HOST, (struct step){ .kind = STEP_DIRECTORY, .directory = images });
	plan_add(p, LANE_HOST, (struct step){ .kind = STEP_DIRECTORY, .directory = work });
}

void criu_add_sockets(struct planner *p)
{
	plan_add(p, LANE_HOST,
		 (struct step){ .kind = STEP_SOCKET_PAIR,
				.pair = { SLOT_CRIU, SLOT_CRIU_PEER, SOCK_SEQPACKET } });
}

/* In a mount namespace of its own: what it mounts on its way goes with it, whatever happens. */
void criu_add_spawn(struct planner *p)
{
	p->plan->spawn = p->plan->n_steps;
	plan_add(p, LANE_HOST,
		 (struct step){ .kind = STEP_SPAWN,
				.spawn = { .flags = CLONE_NEWNS,
					   .cgroup = plan_cgroup_birth(p),
					   .shares = true,
					   .hold = true } });
}

static void add_program(struct planner *p, const struct plan_criu *criu, char *number)
{
	/* criu starts tar, ip and iptables. Nothing else of our environment is its business. */
	static char env[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	static char name[] = "criu", mode[] = "swrk";
	struct arena *arena = plan_arena(p);
	const char **candidates = arena_array(arena, 2, sizeof(*candidates));
	char **argv = arena_array(arena, 4, sizeof(*argv)),
	     **envp = arena_array(arena, 2, sizeof(*envp));
	struct step_exec exec = { criu->program, candidates, argv, envp };

	if (!candidates || !argv || !envp)
		return;
	candidates[0] = criu->program;
	argv[0] = name;
	argv[1] = mode;
	argv[2] = number;
	envp[0] = env;
	plan_add(p, LANE_INIT, (struct step){ .kind = STEP_LOOKUP, .exec = exec });
	plan_add(p, LANE_INIT, (struct step){ .kind = STEP_EXEC, .exec = exec });
	p->plan->after_start = p->plan->n_steps;
}

void criu_add_exec(struct planner *p, const struct plan_criu *criu, const int *slots, size_t n)
{
	char *number = arena_alloc(plan_arena(p), FD_NUMBER_SIZE);

	if (!number)
		return;
	memcpy(number, "FD", sizeof("FD"));
	/* A signal from the terminal is meant for us, and must not end criu in the middle. */
	plan_add(p, LANE_INIT, (struct step){ .kind = STEP_SESSION });
	plan_add(p, LANE_INIT, (struct step){ .kind = STEP_CWD, .cwd = { "/", 0077 } });
	plan_add(p, LANE_INIT, (struct step){ .kind = STEP_CLOSE_FDS, .close_fds.first = 3 });
	plan_add(p, LANE_INIT,
		 (struct step){ .kind = STEP_KEEP_FDS, .keep_fds = { n, slots, number } });
	plan_add(p, LANE_INIT, (struct step){ .kind = STEP_SIGNALS });
	add_program(p, criu, number);
}

void criu_add_pair(struct criu_pairs *list, const char *key, const char *value)
{
	if (list->n < list->max && key && value)
		list->v[list->n++] = (struct criu_pair){ key, value };
}

struct criu_pairs criu_pairs_for(struct planner *p)
{
	const struct spec_linux *linux = &p->spec->linux;
	struct criu_pairs list = {
		.max = p->spec->n_mounts + linux->masked_paths.n + rootfs_n_devices(p),
	};

	list.v = arena_array(plan_arena(p), list.max + 1, sizeof(*list.v));
	if (!list.v)
		list.max = 0;
	return list;
}

void criu_add_device_pairs(struct planner *p, struct criu_pairs *list)
{
	for (size_t i = 0; i < rootfs_n_devices(p); i++) {
		const char *path = rootfs_device_path(p, i);

		criu_add_pair(list, path, path);
	}
}

bool criu_is_bind(struct planner *p, size_t i)
{
	struct mount_options options;

	if (mount_options_parse(&p->spec->mounts[i], i, plan_arena(p), &options, p->err) < 0)
		return false;
	return options.bind && !options.remount;
}
