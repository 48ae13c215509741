#include "cgroup_harness.h"

/* /dev/fuse is no device of every container; CHECK in the child ends it with 1. */
static void limits_devices(struct bench *b)
{
	struct spec_device_rule rules[] = { { true, 'c', { true, 10 }, { true, 200 }, "r" } };
	int status;
	pid_t pid;

	b->spec.linux.resources.n_devices = 1;
	b->spec.linux.resources.devices = rules;
	CHECK(make(b) == 0);
	pid = fork();
	if (pid == 0) {
		enter(b);
		CHECK(open("/dev/null", O_RDWR) >= 0);
		CHECK(open("/dev/fuse", O_RDWR) < 0 && errno == EPERM);
		CHECK(open("/dev/net/tun", O_RDWR) < 0 && errno == EPERM);
		CHECK(open("/dev/net/tun", O_RDONLY) >= 0 || errno != EPERM);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	finish(b, 0);
}

static void check_file(const char *mount, const struct bench *b, const char *file, const char *want)
{
	char path[256], text[64] = "";
	int fd;

	(void)snprintf(path, sizeof(path), "%s%s/%s", mount, b->path, file);
	fd = open(path, O_RDONLY);
	CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	if (strcmp(text, want) != 0)
		dprintf(2, "%s has %s", path, text);
	CHECK(strcmp(text, want) == 0);
	(void)close(fd);
}

/* What this host has of v1; in the pure view no controller is left to limit anything. */
static void limits_as_asked(struct bench *b)
{
	struct spec_resources *r = &b->spec.linux.resources;
	int status;
	pid_t pid;

	if (b->facts.cgroup.mode != CGROUP_HYBRID)
		return;
	r->memory.limit = (struct opt_i64){ true, 64 << 20 };
	r->cpu.shares = (struct opt_u64){ true, 512 };
	r->cpu.quota = (struct opt_i64){ true, 50000 };
	r->cpu.period = (struct opt_u64){ true, 100000 };
	r->cpu.cpus = "0";
	r->pids_limit = (struct opt_i64){ true, 1 };
	CHECK(make(b) == 0);
	check_file("/sys/fs/cgroup/memory", b, "memory.limit_in_bytes", "67108864\n");
	check_file("/sys/fs/cgroup/cpu", b, "cpu.shares", "512\n");
	check_file("/sys/fs/cgroup/cpu", b, "cpu.cfs_quota_us", "50000\n");
	check_file("/sys/fs/cgroup/cpuset", b, "cpuset.cpus", "0\n");
	pid = fork();
	if (pid == 0) {
		enter(b);
		CHECK(fork() < 0 && errno == EAGAIN);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	finish(b, 0);
}

static void names_the_setting_that_the_kernel_refuses(struct bench *b)
{
	if (b->facts.cgroup.mode != CGROUP_HYBRID)
		return;
	b->spec.linux.resources.cpu.cpus = "4095";
	CHECK(make(b) < 0);
	CHECK(b->ctx.phase == PHASE_WRITE && strcmp(b->ctx.note, "cpuset.cpus") == 0);
	check_nothing_left(b);
}

/* hugetlb is the one controller of v2 here; nobody has enabled it below the root but us. */
static void enables_controllers_on_the_way(struct bench *b)
{
	struct spec_hugepage_limit huge = { "2MB", 4194304 };

	if (!strstr(b->facts.cgroup.v2_controllers, "hugetlb"))
		return;
	b->spec.linux.resources.hugepage_limits = &huge;
	b->spec.linux.resources.n_hugepage_limits = 1;
	CHECK(make(b) == 0);
	check_file(b->facts.cgroup.v[b->facts.cgroup.n - 1].mount, b, "hugetlb.2MB.max",
		   "4194304\n");
	finish(b, 0);
}

CASE(limits_devices)
CASE(limits_as_asked)
CASE(names_the_setting_that_the_kernel_refuses)
CASE(enables_controllers_on_the_way)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(limits_devices),
		BOTH(limits_as_asked),
		BOTH(names_the_setting_that_the_kernel_refuses),
		BOTH(enables_controllers_on_the_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
