/*
 * run_mounts.c - the file systems that every container has, and those that flags ask for.
 *
 * They are mounted in the order of their depth, so that what was asked for below another is not
 * buried. A mount that somebody asks for takes the place of a usual one at the same path.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/json_out.h"
#include "cli/people.h"
#include "host/proc_cover.h"

static const char *trimmed(struct people *p, const char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	return arena_printf(p->arena, "%.*s", (int)len, path);
}

void people_mount(struct people *p, const char *destination, const char *type, const char *source,
		  const char *options)
{
	if (p->n_mounts == p->max_mounts) {
		size_t max = p->max_mounts ? 2 * p->max_mounts : 64;
		struct people_mount *v = arena_array(p->arena, max, sizeof(*v));

		if (!v)
			return; /* the arena remembers */
		if (p->n_mounts > 0)
			memcpy(v, p->mounts, p->n_mounts * sizeof(*v));
		p->mounts = v;
		p->max_mounts = max;
	}
	p->mounts[p->n_mounts++] =
	    (struct people_mount){ trimmed(p, destination), type, source, options };
}

/* ---- the usual ones -----------------------------------------------------------------------------
 */

/* What a user namespace may not make anew it gets of the host's. */
static int add_proc(struct people *p)
{
	const char *cover = NULL, *more = p->proc_options ? p->proc_options : "";
	bool is_bound;
	int r = 0;

	if ((p->userns || p->facts.in_userns) && !p->host_pid)
		r = proc_cover_find(p->arena, &cover, p->err);
	if (r < 0)
		return r;
	if (cover)
		cli_warn(p->cli,
			 arena_printf(p->arena,
				      "%s covers a part of /proc here, so the kernel lets "
				      "no user namespace have one of its own: the container "
				      "gets this one and sees the processes outside (an "
				      "outer container has its /proc whole with "
				      "--security-opt unmask=ALL, of docker with "
				      "systempaths=unconfined)",
				      cover));
	is_bound = cover || (p->userns && p->host_pid);
	if (is_bound && *more)
		return err_say(
		    p->err, -EINVAL,
		    "--security-opt proc-opts=%.100s: /proc is the host's own mount here", more);
	if (is_bound)
		people_mount(p, "/proc", "bind", "/proc", "rbind,nosuid,noexec,nodev");
	else
		people_mount(
		    p, "/proc", "proc", "proc",
		    arena_printf(p->arena, "nosuid,noexec,nodev%s%s", *more ? "," : "", more));
	return 0;
}

static void add_kernel_mounts(struct people *p)
{
	const bool priv = p->flags->privileged;
	const char *sys = priv ? "nosuid,noexec,nodev" : "nosuid,noexec,nodev,ro";

	if (p->userns && p->host_net)
		people_mount(p, "/sys", "bind", "/sys", "rbind,nosuid,noexec,nodev,rro");
	else
		people_mount(p, "/sys", "sysfs", "sysfs", sys);
	people_mount(p, "/sys/fs/cgroup", "cgroup", "cgroup",
		     priv ? "nosuid,noexec,nodev,rw" : "nosuid,noexec,nodev,ro");
	if (p->host_ipc && access("/dev/mqueue", F_OK) < 0)
		return;
	if (p->host_ipc)
		people_mount(p, "/dev/mqueue", "bind", "/dev/mqueue", "bind,nosuid,noexec,nodev");
	else
		people_mount(p, "/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev");
}

static int add_dev(struct people *p)
{
	uint64_t shm;
	int r = value_size(p->err, "shm-size",
			   given(p->flags->shm_size) ? p->flags->shm_size : "64m", &shm);

	if (r < 0)
		return r;
	people_mount(p, "/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k");
	/* Group 5 is tty everywhere, but where one id is mapped it does not exist. */
	people_mount(p, "/dev/pts", "devpts", "devpts",
		     p->few_ids ? "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620"
				: "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5");
	if (p->host_ipc)
		people_mount(p, "/dev/shm", "bind", "/dev/shm", "bind,nosuid,noexec,nodev");
	else
		people_mount(p, "/dev/shm", "tmpfs", "shm",
			     arena_printf(p->arena, "nosuid,noexec,nodev,mode=1777,size=%llu",
					  (unsigned long long)shm));
	return 0;
}

static void add_writable(struct people *p)
{
	static const char *const paths[] = { "/run", "/tmp", "/var/tmp" };

	if (!p->flags->read_only || !p->flags->read_only_tmpfs)
		return;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		people_mount(p, paths[i], "tmpfs", "tmpfs", "nosuid,nodev,tmpcopyup");
}

/* ---- all of them --------------------------------------------------------------------------------
 */

static size_t depth(const char *path)
{
	size_t n = 0;

	for (; *path; path++)
		n += *path == '/' && path[1] != '/' && path[1] != '\0';
	return n;
}

/* The usual ones come first in the list: the last at a path is the one that was asked for. */
static bool is_replaced(const struct people *p, size_t i)
{
	for (size_t k = i + 1; k < p->n_mounts; k++)
		if (strcmp(p->mounts[k].destination, p->mounts[i].destination) == 0)
			return true;
	return false;
}

static void put_options(struct people *p, const char *options, struct buf *out)
{
	out_open(out, "options", '[');
	for (const char *rest = options; given(rest);) {
		const char *word = value_part(p->arena, rest, ',', &rest);

		if (*word)
			out_str(out, NULL, word);
	}
	out_close(out, ']');
}

static void put_mount(struct people *p, const struct people_mount *m)
{
	struct buf *out = &p->top;

	out_open(out, NULL, '{');
	out_str(out, "destination", m->destination);
	out_str(out, "type", m->type);
	out_str(out, "source", m->source);
	put_options(p, m->options, out);
	out_close(out, '}');
}

static void put_mounts(struct people *p)
{
	size_t left = p->n_mounts;

	out_open(&p->top, "mounts", '[');
	for (size_t d = 0; left > 0; d++)
		for (size_t i = 0; i < p->n_mounts; i++) {
			if (depth(p->mounts[i].destination) != d)
				continue;
			left--;
			if (!is_replaced(p, i))
				put_mount(p, &p->mounts[i]);
		}
	out_close(&p->top, ']');
}

int run_mounts(struct people *p)
{
	int r = add_dev(p);

	if (r == 0)
		r = add_proc(p);
	if (r < 0)
		return r;
	add_kernel_mounts(p);
	if (p->rootfs)
		add_writable(p);
	else
		r = run_host_root(p);
	if (r == 0)
		r = run_binds(p);
	if (r == 0)
		put_mounts(p);
	return r;
}
