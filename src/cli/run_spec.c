/*
 * run_spec.c - the parts of the translators put together, and errors of the whole in terms of
 * flags.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/json_out.h"
#include "cli/people.h"

/* Each needs what those above it decided. */
static int (*const translators[])(struct people *p) = {
	run_root,      run_namespaces, run_ids,     run_user,   run_caps,
	run_seccomp,   run_security,   run_devices, run_mounts, run_landlock,
	run_resources, run_process,    run_names,
};

static void put_all(struct people *p, struct buf *out)
{
	out_open(out, NULL, '{');
	out_str(out, "ociVersion", CLI_SPEC_VERSION);
	out_open(out, "root", '{');
	/* The host's programs are no directory: who takes this text elsewhere finds nothing there.
	 */
	out_str(out, "path", p->rootfs ? p->rootfs : "rootfs");
	out_bool(out, "readonly", !p->rootfs || p->flags->read_only);
	out_close(out, '}');
	out_part(out, "process", '{', &p->process);
	if (p->top.len > 0) {
		buf_str(out, ",");
		buf_add(out, buf_text(&p->top), p->top.len);
	}
	out_part(&p->linux, "namespaces", '[', &p->namespaces);
	if (p->devices.len > 0)
		out_part(&p->linux, "devices", '[', &p->devices);
	out_part(out, "linux", '{', &p->linux);
	buf_str(out, "}\n");
}

static bool out_of_memory(const struct people *p, const struct buf *out)
{
	return arena_failed(p->arena) || p->top.failed || p->process.failed || p->linux.failed ||
	       p->namespaces.failed || p->devices.failed || p->device_rules.failed || out->failed;
}

int people_config(struct people *p, struct buf *ret)
{
	int r = 0;

	for (size_t i = 0; i < sizeof(translators) / sizeof(translators[0]) && r == 0; i++)
		r = translators[i](p);
	if (r < 0)
		return r;
	put_all(p, ret);
	return out_of_memory(p, ret) ? err_set(p->err, -ENOMEM, "write the configuration") : 0;
}

void people_done(struct people *p)
{
	if (p->root_fd >= 0)
		(void)close(p->root_fd);
	if (p->ids_lock >= 0)
		(void)close(p->ids_lock);
	buf_done(&p->top);
	buf_done(&p->process);
	buf_done(&p->linux);
	buf_done(&p->namespaces);
	buf_done(&p->devices);
	buf_done(&p->device_rules);
}

/* ---- errors -------------------------------------------------------------------------------------
 */

static const struct {
	const char *key, *flag;
} keys[] = {
	{ "process.user.additionalGids", "--group-add" },
	{ "process.user", "--user" },
	{ "process.capabilities", "--cap-add" },
	{ "process.rlimits", "--ulimit" },
	{ "process.cwd", "--workdir" },
	{ "process.env", "--env" },
	{ "process.args", "COMMAND" },
	{ "process.apparmorProfile", "--security-opt apparmor" },
	{ "process.selinuxLabel", "--security-opt label" },
	{ "process.oomScoreAdj", "--oom-score-adj" },
	{ "hostname", "--hostname" },
	{ "domainname", "--domainname" },
	{ "mounts", "--volume, --mount or --tmpfs" },
	{ "linux.sysctl", "--sysctl" },
	{ "linux.seccomp", "--security-opt seccomp" },
	{ "linux.uidMappings", "--uidmap" },
	{ "linux.gidMappings", "--gidmap" },
	{ "linux.devices", "--device" },
	{ "linux.cgroupsPath", "--cgroup-parent" },
	{ "linux.personality", "--personality" },
	{ "linux.timeOffsets", "--monotonic or --boottime" },
	{ "linux.mountLabel", "--security-opt label" },
	{ "linux.maskedPaths", "--security-opt mask" },
	{ "linux.resources.memory.swap", "--memory-swap" },
	{ "linux.resources.memory.reservation", "--memory-reservation" },
	{ "linux.resources.memory", "--memory" },
	{ "linux.resources.pids", "--pids-limit" },
	{ "linux.resources.cpu.cpus", "--cpuset-cpus" },
	{ "linux.resources.cpu.mems", "--cpuset-mems" },
	{ "linux.resources.cpu.shares", "--cpu-shares" },
	{ "linux.resources.cpu.period", "--cpu-period" },
	{ "linux.resources.cpu.realtimeRuntime", "--cpu-rt-runtime" },
	{ "linux.resources.cpu.realtimePeriod", "--cpu-rt-period" },
	{ "linux.resources.cpu", "--cpus or --cpu-…" },
	{ "linux.resources.blockIO", "--blkio-weight or --device-…" },
	{ "linux.resources.unified", "--cgroup-conf" },
};

/* "config.json:1:123: " is of no use to somebody who never wrote one. */
static void drop_place(struct err *err)
{
	const char prefix[] = "config.json:";
	const char *rest = err->msg + sizeof(prefix) - 1;

	if (strncmp(err->msg, prefix, sizeof(prefix) - 1) != 0)
		return;
	rest += strspn(rest, "0123456789:");
	rest += *rest == ' ';
	memmove(err->msg, rest, strlen(rest) + 1);
}

void people_reword(struct err *err)
{
	drop_place(err);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		size_t len = strlen(keys[i].key);

		if (strncmp(err->msg, keys[i].key, len) == 0 && strchr(".[:", err->msg[len])) {
			(void)err_prefix(err, "%s", keys[i].flag);
			return;
		}
	}
}
