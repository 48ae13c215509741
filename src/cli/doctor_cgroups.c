/*
 * doctor_cgroups.c - how cgroups are mounted, and which limits a container of ours can have.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/doctor.h"
#include "host/cgroup_room.h"
#include "sys/sys.h"

static void check_mode(struct doctor *d, const struct check *c, struct finding *f)
{
	static const char *const modes[] = {
		[CGROUP_NONE] = "there are none",
		[CGROUP_V1] = "v1",
		[CGROUP_V2] = "v2",
		[CGROUP_HYBRID] = "hybrid: v1, and v2 at /sys/fs/cgroup/unified",
	};
	const enum cgroup_mode mode = d->facts.cgroup.mode;

	(void)c;
	finding_set(f,
		    mode != CGROUP_NONE ? VERDICT_OK
		    : d->ordinary       ? VERDICT_WARNING
					: VERDICT_PROBLEM,
		    "%s", modes[mode]);
	if (mode == CGROUP_NONE)
		finding_remedy(f, "as root: mount -t cgroup2 cgroup2 /sys/fs/cgroup");
	else if (mode == CGROUP_V1)
		finding_remedy(f, "v2 has more to offer: boot with "
				  "systemd.unified_cgroup_hierarchy=1");
}

/* A cgroup is really made, where the container's would be. */
static void check_make(struct doctor *d, const struct check *c, struct finding *f)
{
	_cleanup_buf_ struct buf why = { 0 }, remedy = { 0 };
	struct cgroup_room room;
	const char *path;

	(void)c;
	cgroup_room_find(&d->facts.cgroup, "pids", d->arena, &room);
	if (!room.parent) {
		finding_set(f, VERDICT_WARNING, "there is none to make others in");
		return;
	}
	path = arena_printf(d->arena, "%s/containr-doctor.%d", room.parent, getpid());
	if (mkdir(path, 0755) == 0) {
		(void)rmdir(path);
		finding_set(f, VERDICT_OK, "can be made in %s", room.parent);
		return;
	}
	finding_set(f, d->ordinary ? VERDICT_WARNING : VERDICT_PROBLEM,
		    "cannot be made in %s: %s%s", room.parent, err_text(-errno),
		    d->ordinary ? "; containers run without limits" : "");
	room.lack = CGROUP_LACKS_RIGHTS;
	cgroup_room_say(&room, "pids", &why, &remedy);
	finding_remedy(f, "%s", d->ordinary ? buf_text(&remedy) : "mount /sys/fs/cgroup writable");
}

static void check_controller(struct doctor *d, const struct check *c, struct finding *f)
{
	_cleanup_buf_ struct buf why = { 0 }, remedy = { 0 };
	struct cgroup_room room;

	cgroup_room_find(&d->facts.cgroup, c->arg, d->arena, &room);
	if (room.lack == CGROUP_LACKS_NOTHING) {
		finding_set(f, VERDICT_OK, "limits can be set (%s, %s)", room.v1 ? "v1" : "v2",
			    room.parent);
		return;
	}
	cgroup_room_say(&room, c->arg, &why, &remedy);
	finding_set(f, c->flag ? VERDICT_WARNING : VERDICT_ABSENT, "no limits can be set: %s",
		    buf_text(&why));
	/* The row above says how to get rights. */
	if (room.lack != CGROUP_LACKS_RIGHTS && room.lack != CGROUP_LACKS_WRITING)
		finding_remedy(f, "%s", buf_text(&remedy));
}

/* "r0 = 1; exit": allows every device. It is loaded, attached to nothing, and gone. */
static int load_program(void)
{
	static const struct bpf_insn allow[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	static const char license[] = "Apache-2.0";
	union bpf_attr attr;
	_cleanup_close_ int fd = -1;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uint64_t)(uintptr_t)allow;
	attr.insn_cnt = sizeof(allow) / sizeof(allow[0]);
	attr.license = (uint64_t)(uintptr_t)license;
	fd = (int)sys_call_3(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	return fd < 0 ? fd : 0;
}

static void check_devices(struct doctor *d, const struct check *c, struct finding *f)
{
	struct cgroup_room room;
	int r;

	(void)c;
	if (d->ordinary) {
		finding_set(f, VERDICT_ABSENT,
			    "are those that this user may open: in a user "
			    "namespace none can be made");
		return;
	}
	cgroup_room_find(&d->facts.cgroup, "devices", d->arena, &room);
	if (room.v1 && room.lack == CGROUP_LACKS_NOTHING) {
		finding_set(f, VERDICT_OK, "are allowed by a list (v1)");
		return;
	}
	r = load_program();
	if (r == 0) {
		finding_set(f, VERDICT_OK, "are allowed by a program (v2)");
		return;
	}
	finding_set(f, VERDICT_PROBLEM,
		    "cannot be kept from containers: a BPF program of a cgroup: %s", err_text(r));
	finding_remedy(f, "if this is a container, give it CAP_BPF (or CAP_SYS_ADMIN) and "
			  "--security-opt seccomp=unconfined");
}

const struct check doctor_cgroups[] = {
	{ .name = "version", .run = check_mode },
	{ .name = "cgroups", .run = check_make },
	{ .name = "memory", .run = check_controller, .arg = "memory", .flag = 1 },
	{ .name = "cpu", .run = check_controller, .arg = "cpu", .flag = 1 },
	{ .name = "pids", .run = check_controller, .arg = "pids", .flag = 1 },
	{ .name = "io", .run = check_controller, .arg = "io", .flag = 1 },
	{ .name = "cpuset", .run = check_controller, .arg = "cpuset", .flag = 1 },
	{ .name = "hugetlb", .run = check_controller, .arg = "hugetlb" },
	{ .name = "rdma", .run = check_controller, .arg = "rdma" },
	{ .name = "devices", .run = check_devices },
	{ 0 },
};
