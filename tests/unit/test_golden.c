/*
 * test_golden.c - config.json in, plan out: each folder of tests/golden shows one decision.
 *
 *	config.json   what is to be run
 *	options       what the command line and the host add (below); may be missing
 *	plan.txt      the plan that must come of it, or "error: …"
 *
 * UPDATE_GOLDEN=1 writes plan.txt anew; the diff is then for a person to judge. No privileges are
 * needed and nothing of the host is looked at: facts come from the table here.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "plan/checkpoint.h"
#include "plan/plan.h"
#include "spec/read.h"

/* ---- hosts ------------------------------------------------------------------------------------
 */

#define KNOWN_CAPS ((1ULL << (CAP_CHECKPOINT_RESTORE + 1)) - 1)

static struct cgroup_hierarchy v2[] = { { "", "/sys/fs/cgroup", "/user.slice" } };

/* What systemd gives a user's terminal. */
static struct cgroup_hierarchy v2_user[] = {
	{ "", "/sys/fs/cgroup", "/user.slice/user-1000.slice/user@1000.service/app.slice/t.scope" },
};

static struct cgroup_hierarchy v1[] = {
	{ "memory", "/sys/fs/cgroup/memory", "/" },
	{ "cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct", "/" },
	{ "cpuset", "/sys/fs/cgroup/cpuset", "/" },
	{ "devices", "/sys/fs/cgroup/devices", "/job" },
	{ "pids", "/sys/fs/cgroup/pids", "/" },
	{ "freezer", "/sys/fs/cgroup/freezer", "/" },
	{ "blkio", "/sys/fs/cgroup/blkio", "/" },
	{ "net_cls,net_prio", "/sys/fs/cgroup/net_cls,net_prio", "/" },
	{ "name=systemd", "/sys/fs/cgroup/systemd", "/" },
};

static struct cgroup_hierarchy hybrid[] = {
	{ "memory", "/sys/fs/cgroup/memory", "/" },   { "cpu", "/sys/fs/cgroup/cpu", "/" },
	{ "cpuacct", "/sys/fs/cgroup/cpuacct", "/" }, { "cpuset", "/sys/fs/cgroup/cpuset", "/" },
	{ "pids", "/sys/fs/cgroup/pids", "/" },       { "devices", "/sys/fs/cgroup/devices", "/" },
	{ "freezer", "/sys/fs/cgroup/freezer", "/" }, { "blkio", "/sys/fs/cgroup/blkio", "/" },
	{ "", "/sys/fs/cgroup/unified", "/" },
};

#define V2_CONTROLLERS "cpuset cpu io memory hugetlb pids rdma misc"
#define COUNT(array)   (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *name;
	struct facts facts;
} hosts[] = {
	{ "v2-root",
	  { .kernel_major = 6,
	    .kernel_minor = 12,
	    .caps = KNOWN_CAPS,
	    .known_caps = KNOWN_CAPS,
	    .systemd = { .cgroup = "" },
	    .cgroup = { CGROUP_V2, COUNT(v2), v2, V2_CONTROLLERS } } },
	{ "v2-root-seed",
	  { .kernel_major = 6,
	    .kernel_minor = 12,
	    .caps = KNOWN_CAPS,
	    .known_caps = KNOWN_CAPS,
	    .has_seed = true,
	    .seed_fd = -1,
	    .cgroup = { CGROUP_V2, COUNT(v2), v2, V2_CONTROLLERS } } },
	{ "v2-root-apparmor",
	  { .kernel_major = 6,
	    .kernel_minor = 12,
	    .caps = KNOWN_CAPS,
	    .known_caps = KNOWN_CAPS,
	    .lsm = { .apparmor = true, .apparmor_profiles = "docker-default (enforce)\n" },
	    .cgroup = { CGROUP_V2, COUNT(v2), v2, V2_CONTROLLERS } } },
	{ "v2-root-selinux",
	  { .kernel_major = 6,
	    .kernel_minor = 12,
	    .caps = KNOWN_CAPS,
	    .known_caps = KNOWN_CAPS,
	    .lsm = { .selinux = true },
	    .cgroup = { CGROUP_V2, COUNT(v2), v2, V2_CONTROLLERS } } },
	{ "few-caps",
	  { .kernel_major = 6,
	    .kernel_minor = 12,
	    .caps = 1ULL << CAP_SYS_ADMIN,
	    .known_caps = KNOWN_CAPS,
	    .cgroup = { CGROUP_V2, COUNT(v2), v2, V2_CONTROLLERS } } },
	/* What people give to root of a container so that it can have others in it. */
	{ "root-of-a-container",
	  { .kernel_major = 6,
	    .kernel_minor = 12,
	    .caps = KNOWN_CAPS & ~(1ULL << CAP_SYS_PTRACE),
	    .known_caps = KNOWN_CAPS,
	    .cgroup = { CGROUP_V2, COUNT(v2), v2, V2_CONTROLLERS } } },
	{ "v1-root",
	  { .kernel_major = 5,
	    .kernel_minor = 15,
	    .caps = KNOWN_CAPS,
	    .known_caps = KNOWN_CAPS,
	    .systemd = { .cgroup = "", .bus = true },
	    .cgroup = { CGROUP_V1, COUNT(v1), v1, "" } } },
	{ "hybrid-root",
	  { .kernel_major = 6,
	    .kernel_minor = 18,
	    .caps = KNOWN_CAPS,
	    .known_caps = KNOWN_CAPS,
	    .cgroup = { CGROUP_HYBRID, COUNT(hybrid), hybrid, "hugetlb" } } },
	{ "rootless",
	  { .kernel_major = 6,
	    .kernel_minor = 12,
	    .euid = 1000,
	    .egid = 1000,
	    .known_caps = KNOWN_CAPS,
	    .systemd = { .user = true, .cgroup = "/user.slice/user-1000.slice/user@1000.service" },
	    .cgroup = { CGROUP_V2, COUNT(v2_user), v2_user, V2_CONTROLLERS } } },
	/* podman's rootless: root of a user namespace that somebody else made. */
	{ "userns-root",
	  { .kernel_major = 6,
	    .kernel_minor = 12,
	    .in_userns = true,
	    .caps = KNOWN_CAPS,
	    .known_caps = KNOWN_CAPS,
	    .cgroup = { CGROUP_V2, COUNT(v2), v2, V2_CONTROLLERS } } },
	{ "rootless-fuse",
	  { .kernel_major = 6,
	    .kernel_minor = 12,
	    .euid = 1000,
	    .egid = 1000,
	    .known_caps = KNOWN_CAPS,
	    .cgroup = { CGROUP_V2, COUNT(v2_user), v2_user, V2_CONTROLLERS },
	    .fuse_overlayfs = "/usr/bin/fuse-overlayfs" } },
	{ "few-caps-fuse",
	  { .kernel_major = 6,
	    .kernel_minor = 12,
	    .caps = KNOWN_CAPS & ~(1ULL << CAP_DAC_OVERRIDE),
	    .known_caps = KNOWN_CAPS,
	    .cgroup = { CGROUP_V2, COUNT(v2), v2, V2_CONTROLLERS },
	    .fuse_overlayfs = "/usr/bin/fuse-overlayfs" } },
	{ "no-cgroups",
	  { .kernel_major = 6,
	    .kernel_minor = 12,
	    .caps = KNOWN_CAPS,
	    .known_caps = KNOWN_CAPS,
	    .cgroup = { CGROUP_NONE, 0, NULL, "" } } },
};

static const struct facts *find_host(const char *name)
{
	for (size_t i = 0; i < COUNT(hosts); i++)
		if (strcmp(hosts[i].name, name) == 0)
			return &hosts[i].facts;
	fail_msg("there is no host \"%s\" in the table", name);
	return NULL;
}

/* ---- options ----------------------------------------------------------------------------------
 */

struct input {
	struct plan_options options;
	const struct facts *facts;
	bool checkpoint, restore; /* not a start */
	struct criu_options criu;
};

static const struct {
	const char *name;
	size_t text; /* offsets in struct plan_options */
} text_options[] = {
	{ "pid-file", offsetof(struct plan_options, pid_file) },
	{ "console-socket", offsetof(struct plan_options, console_socket) },
	{ "pidfd-socket", offsetof(struct plan_options, pidfd_socket) },
	{ "notify-socket", offsetof(struct plan_options, notify_socket) },
};

static const struct {
	const char *name;
	size_t flag;
} flag_options[] = {
	{ "run", offsetof(struct plan_options, run) },
	{ "detach", offsetof(struct plan_options, detach) },
	{ "no-pivot", offsetof(struct plan_options, no_pivot) },
	{ "no-new-keyring", offsetof(struct plan_options, no_new_keyring) },
	{ "systemd-cgroup", offsetof(struct plan_options, systemd_cgroup) },
	{ "no-cgroup", offsetof(struct plan_options, no_cgroup) },
};

static const struct {
	const char *name;
	size_t flag; /* offsets in struct input */
} criu_flags[] = {
	{ "checkpoint", offsetof(struct input, checkpoint) },
	{ "restore", offsetof(struct input, restore) },
	{ "lazy-pages", offsetof(struct input, criu.lazy_pages) },
};

static unsigned int number(const char *text)
{
	uint64_t value = 0;

	assert_int_equal(num_u64(text, 1000, &value), 0);
	return (unsigned int)value;
}

/* One line, "name" or "name=value"; it stays in memory as long as the options. */
static void read_option(struct input *in, char *line)
{
	char *value = strchr(line, '='), *options = (char *)&in->options;

	if (value)
		*value++ = '\0';
	for (size_t i = 0; i < COUNT(flag_options) && !value; i++)
		if (strcmp(line, flag_options[i].name) == 0) {
			*(bool *)(void *)(options + flag_options[i].flag) = true;
			return;
		}
	for (size_t i = 0; i < COUNT(criu_flags) && !value; i++)
		if (strcmp(line, criu_flags[i].name) == 0) {
			*(bool *)(void *)((char *)in + criu_flags[i].flag) = true;
			return;
		}
	for (size_t i = 0; i < COUNT(text_options) && value; i++)
		if (strcmp(line, text_options[i].name) == 0) {
			*(const char **)(void *)(options + text_options[i].text) = value;
			return;
		}
	if (value && strcmp(line, "facts") == 0)
		in->facts = find_host(value);
	else if (value && strcmp(line, "preserve-fds") == 0)
		in->options.preserve_fds = number(value);
	else if (value && strcmp(line, "view") == 0)
		in->options.view = (int)number(value);
	else if (value && strcmp(line, "listen-fds") == 0)
		in->options.listen_fds = number(value);
	else
		fail_msg("options: \"%s\" is no option", line);
}

static void read_options(struct input *in, char *text)
{
	char *rest = text;

	in->facts = find_host("v2-root");
	in->criu.status_fd = -1;
	in->options.id = "c1";
	in->options.root = "/run/containr";
	in->options.bundle = "/bundle";
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
		if (*line && *line != '#')
			read_option(in, line);
}

/* ---- one case ---------------------------------------------------------------------------------
 */

/* False if there is no such file. */
static bool read_text(const char *folder, const char *name, struct buf *ret)
{
	_cleanup_close_ int fd = -1;
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	assert_int_equal(buf_read_fd(ret, fd, 1 << 20), 0);
	return true;
}

static void write_text(const char *folder, const char *name, const struct buf *text)
{
	char path[4096];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(text->data, 1, text->len, file), text->len);
	assert_int_equal(fclose(file), 0);
}

/* A container with the process 77, and images of it that came of two checkpoints. */
static int build_plan(const struct spec *spec, const struct input *in, struct plan *ret,
		      struct err *err)
{
	static struct criu_said said;
	static char directory[] = "/sys/fs/cgroup/c1";
	static char *cgroups[] = { directory };
	static const struct spec_strings dirs = { 1, cgroups };
	static const char *points[8];
	static const bool masked[8];
	const struct plan_criu criu = { .program = "/usr/sbin/criu",
					.options = &in->criu,
					.images = "/images/two",
					.said = &said };
	const struct plan_checkpoint checkpoint = { .criu = criu,
						    .pid = 77,
						    .cgroups = &dirs,
						    .mount_points = points,
						    .masked_files = masked,
						    .descriptors = "[]" };
	const struct plan_restore restore = {
		.criu = criu,
		.pipes = { NULL, "pipe:[7]", NULL },
		.top = "/images",
		.below = "two",
	};

	if (in->checkpoint)
		return plan_build_checkpoint(ret, spec, &in->options, in->facts, &checkpoint, err);
	if (in->restore)
		return plan_build_restore(ret, spec, &in->options, in->facts, &restore, err);
	return plan_build(ret, spec, &in->options, in->facts, err);
}

static void make_plan(const struct buf *config, struct input *in, struct buf *ret)
{
	const struct spec_source source = { "config.json", config->data, config->len, NULL, NULL };
	struct arena arena = { 0 };
	struct err err = { 0 };
	struct spec spec;
	struct plan plan;

	in->options.config = config->data;
	in->options.config_len = config->len;
	if (spec_read(&source, &arena, &spec, &err) < 0 || build_plan(&spec, in, &plan, &err) < 0) {
		buf_printf(ret, "error: %s\n", err.msg);
		if (err.hint[0])
			buf_printf(ret, "hint: %s\n", err.hint);
	} else {
		plan_print(&plan, ret);
		plan_done(&plan);
	}
	arena_done(&arena);
	assert_false(ret->failed);
}

/* Says in which line they differ, which is most of what one wants to know. */
static void expect_same(const char *folder, char *expected, char *got)
{
	for (int line = 1; expected || got; line++) {
		char *want = expected ? strsep(&expected, "\n") : NULL;
		char *have = got ? strsep(&got, "\n") : NULL;

		if (!want || !have || strcmp(want, have) != 0)
			fail_msg(
			    "%s/plan.txt:%d:\nexpected  %s\ngot       %s\n"
			    "If that is how it should be: UPDATE_GOLDEN=1, then read the diff.",
			    folder, line, want ? want : "(the end)", have ? have : "(the end)");
	}
}

static void plan_is_as_written(void **state)
{
	const char *folder = *state;
	_cleanup_buf_ struct buf config = { 0 }, options = { 0 }, expected = { 0 };
	_cleanup_buf_ struct buf got = { 0 }, again = { 0 };
	struct input in = { 0 };

	assert_true(read_text(folder, "config.json", &config));
	(void)read_text(folder, "options", &options);
	buf_str(&options, "\n");
	read_options(&in, options.data);
	make_plan(&config, &in, &got);
	make_plan(&config, &in, &again);
	assert_string_equal(got.data, again.data);
	if (getenv("UPDATE_GOLDEN"))
		write_text(folder, "plan.txt", &got);
	if (!read_text(folder, "plan.txt", &expected))
		fail_msg("%s/plan.txt is missing: UPDATE_GOLDEN=1 writes it", folder);
	expect_same(folder, expected.data, got.data);
}

/* ---- all of them ------------------------------------------------------------------------------
 */

static int is_case(const struct dirent *entry)
{
	return entry->d_type == DT_DIR && entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	struct dirent **entries = NULL;
	struct CMUnitTest *tests;
	char(*folders)[4096];
	int n, r;

	if (argc != 2 || (n = scandir(argv[1], &entries, is_case, alphasort)) <= 0) {
		(void)fprintf(stderr, "usage: %s tests/golden\n", argv[0]);
		return 1;
	}
	tests = calloc((size_t)n, sizeof(*tests));
	folders = calloc((size_t)n, sizeof(*folders));
	for (int i = 0; i < n && tests && folders; i++) {
		(void)snprintf(folders[i], sizeof(folders[i]), "%s/%s", argv[1],
			       entries[i]->d_name);
		tests[i] = (struct CMUnitTest){ entries[i]->d_name, plan_is_as_written, NULL, NULL,
						folders[i] };
	}
	r = _cmocka_run_group_tests("golden", tests, (size_t)n, NULL, NULL);
	for (int i = 0; i < n; i++)
		free(entries[i]);
	free(entries);
	free(tests);
	free(folders);
	return r;
}
