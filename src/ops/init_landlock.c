/*
 * init_landlock.c - the steps of Landlock.
 *
 * Rules hold what a path leads to when they are made, within the root; no later link or mount
 * changes that. The ruleset is a descriptor that ends with exec, like all of ours.
 *
 * Must: use sys/ only. Mustn't: allocate, lock, log, or decide (tools/check-init).
 */
#include <errno.h>
#include <sys/stat.h>

#include "ops/init_path.h"
#include "ops/init_process.h"
#include "sys/landlock.h"
#include "sys/sys.h"

/* Rights to what is in a directory make no sense for another file, and the kernel refuses them. */
static int add_path(int ruleset, int fd, uint64_t access)
{
	struct landlock_path_attr rule = { .access = access, .fd = fd };
	struct statx st;
	int r = sys_statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &st);

	if (r < 0)
		return r;
	if (!S_ISDIR(st.stx_mode))
		rule.access &= LANDLOCK_FS_OF_FILES;
	return rule.access ? sys_landlock_add_rule(ruleset, LANDLOCK_RULE_PATH, &rule) : 0;
}

static bool may_be_missing(const struct step_landlock *l, int r)
{
	return !l->required && (r == -ENOENT || r == -ENOTDIR);
}

static int add_paths(const struct step_landlock *l, int ruleset, struct op_ctx *ctx)
{
	for (size_t i = 0; i < l->n_paths; i++) {
		_cleanup_fd_ int fd = path_open(ctx->fd[SLOT_ROOTFS], l->paths[i].path);
		int r = fd < 0 ? fd : add_path(ruleset, fd, l->paths[i].access);

		if (fd < 0 && may_be_missing(l, fd))
			continue;
		if (r < 0)
			return op_note(ctx, PHASE_OPEN, r, l->paths[i].path);
	}
	return 0;
}

static int add_ports(const struct step_landlock *l, int ruleset)
{
	int r = 0;

	for (size_t i = 0; i < l->n_ports && r == 0; i++) {
		struct landlock_port_attr rule = { l->ports[i].access, l->ports[i].port };

		r = sys_landlock_add_rule(ruleset, LANDLOCK_RULE_PORT, &rule);
	}
	return r;
}

/* Older kernels know a shorter struct; the rest of ours is zero then, which they accept. */
int init_landlock_rules(const struct step *s, struct op_ctx *ctx)
{
	const struct step_landlock *l = &s->landlock;
	struct landlock_attr attr = { .fs = l->fs, .net = l->net, .scoped = l->scoped };
	int ruleset = sys_landlock_create_ruleset(&attr, sizeof(attr), 0);
	int r;

	if (ruleset < 0)
		return ruleset;
	ctx->fd[l->slot] = ruleset;
	r = add_paths(l, ruleset, ctx);
	return r == 0 ? add_ports(l, ruleset) : r;
}

int init_landlock(const struct step *s, struct op_ctx *ctx)
{
	return sys_landlock_restrict_self(ctx->fd[s->landlock.slot], s->landlock.flags);
}
