/*
 * init_namespace.c - steps that give init its own view: namespaces, names, network, settings.
 *
 * Must: use sys/ only. Mustn't: allocate, lock, log, or decide (tools/check-init).
 */
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>

#include "ops/init_process.h"
#include "sys/sys.h"

int init_open(const struct step *s, struct op_ctx *ctx)
{
	int fd = sys_openat(AT_FDCWD, s->open.path, s->open.flags | O_CLOEXEC, 0);

	if (fd < 0)
		return fd;
	ctx->fd[s->open.slot] = fd;
	return 0;
}

int init_die_with_parent(const struct step *s, struct op_ctx *ctx)
{
	(void)s;
	(void)ctx;
	return sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

int init_outlive_parent(const struct step *s, struct op_ctx *ctx)
{
	(void)s;
	(void)ctx;
	return sys_prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
}

int init_set_ns(const struct step *s, struct op_ctx *ctx)
{
	return sys_setns(ctx->fd[s->set_ns.slot], s->set_ns.flag);
}

int init_unshare(const struct step *s, struct op_ctx *ctx)
{
	(void)ctx;
	return sys_unshare(s->unshare.flags);
}

/*
 * After the maps are written: our own ids are still those of the host's user. The change of ids
 * clears the signal of a dying parent (prctl(2)), so that is set again.
 */
int init_root_of_userns(const struct step *s, struct op_ctx *ctx)
{
	int r = sys_setresgid(0);

	if (r == 0)
		r = sys_setresuid(0);
	/* Where setgroups is denied, the groups are the user's own and give nothing more. */
	if (r == 0)
		(void)sys_setgroups(0, NULL);
	return r < 0 ? r : init_die_with_parent(s, ctx);
}

int init_hostname(const struct step *s, struct op_ctx *ctx)
{
	(void)ctx;
	return sys_sethostname(s->name.name, strlen(s->name.name));
}

int init_domainname(const struct step *s, struct op_ctx *ctx)
{
	(void)ctx;
	return sys_setdomainname(s->name.name, strlen(s->name.name));
}

/*
 * Writes a setting through the procfs that we mounted ourselves: the /proc that the container sees
 * may be a trap (CVE-2025-52881). Whatever was mounted on top of ours is not crossed.
 */
int init_proc_text(const struct step *s, struct op_ctx *ctx)
{
	size_t len = strlen(s->text.text);
	ssize_t n;
	int fd;

	fd = sys_openat2(ctx->fd[SLOT_PROC], s->text.file, O_WRONLY | O_CLOEXEC, 0,
			 RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV);
	if (fd < 0)
		return op_note(ctx, PHASE_OPEN, fd, "");
	n = sys_write(fd, s->text.text, len);
	(void)sys_close(fd);
	if (n < 0)
		return (int)n;
	return (size_t)n == len ? 0 : -EIO;
}
