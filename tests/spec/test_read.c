/*
 * What is in config.json is what is in struct spec: every key, once.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "data.h"
#include "spec/names.h"

#define CAP(n) (UINT64_C(1) << (n))

struct loaded {
	struct arena arena;
	struct spec spec;
	char *text;
};

static int load_full(void **state)
{
	struct loaded *full = calloc(1, sizeof(*full));
	struct err err = { 0 };
	size_t len;

	assert_non_null(full);
	full->text = data_read("full.json", &len);
	if (data_read_spec(full->text, len, &full->arena, &full->spec, &err) < 0)
		fail_msg("%s", err.msg);
	/* Nothing in the spec may point into the file's text. */
	memset(full->text, 'X', len);
	*state = full;
	return 0;
}

static int unload(void **state)
{
	struct loaded *full = *state;

	arena_done(&full->arena);
	free(full->text);
	free(full);
	return 0;
}

static const struct spec *full(void **state)
{
	return &((struct loaded *)*state)->spec;
}

static void assert_strings(const struct spec_strings *strings, size_t n, const char *first)
{
	assert_int_equal(strings->n, n);
	assert_string_equal(strings->v[0], first);
	assert_null(strings->v[n]);
}

static void reads_process(void **state)
{
	const struct spec_process *p = &full(state)->process;

	assert_string_equal(full(state)->oci_version, "1.3.0");
	assert_true(p->has && p->terminal && p->no_new_privileges);
	assert_int_equal(p->console_size.height, 24);
	assert_int_equal(p->console_size.width, 80);
	assert_int_equal(p->user.uid, 1000);
	assert_int_equal(p->user.gid, 1001);
	assert_true(p->user.umask.has && p->user.umask.value == 022);
	assert_int_equal(p->user.n_additional_gids, 2);
	assert_int_equal(p->user.additional_gids[1], 6);
	assert_strings(&p->args, 3, "/bin/sh");
	assert_string_equal(p->args.v[2], "echo \"\xc3\xa9\xf0\x9f\x98\x80\" < <x");
	assert_strings(&p->env, 2, "PATH=/bin");
	assert_string_equal(p->cwd, "/srv");
	assert_string_equal(p->apparmor_profile, "some-profile");
	assert_string_equal(p->selinux_label, "system_u:system_r:container_t:s0:c1,c2");
	assert_true(p->oom_score_adj.has && p->oom_score_adj.value == -500);
}

static void reads_privileges_and_scheduling(void **state)
{
	const struct spec_process *p = &full(state)->process;

	assert_true(p->capabilities.has);
	assert_true(p->capabilities.bounding == (CAP(0) | CAP(5) | CAP(39)));
	assert_true(p->capabilities.effective == CAP(5));
	assert_true(p->capabilities.inheritable == CAP(5));
	assert_true(p->capabilities.permitted == (CAP(0) | CAP(5)));
	assert_true(p->capabilities.ambient == CAP(5));
	assert_int_equal(p->n_rlimits, 2);
	assert_int_equal(p->rlimits[0].resource, RLIMIT_NOFILE);
	assert_string_equal(p->rlimits[0].type, "RLIMIT_NOFILE");
	assert_int_equal(p->rlimits[0].soft, 1024);
	assert_true(p->rlimits[1].hard == UINT64_MAX);
	assert_true(p->scheduler.has);
	assert_int_equal(p->scheduler.policy, SCHED_BATCH);
	assert_int_equal(p->scheduler.nice, -5);
	assert_int_equal(p->scheduler.flags, 0x11);
	assert_true(p->io_priority.has);
	assert_int_equal(p->io_priority.class, 2);
	assert_int_equal(p->io_priority.priority, 4);
	assert_string_equal(p->exec_cpu_affinity.initial, "0-3,7");
	assert_string_equal(p->exec_cpu_affinity.final, "1");
}

static void reads_file_systems_and_hooks(void **state)
{
	const struct spec *s = full(state);

	assert_true(s->root.has && s->root.readonly);
	assert_string_equal(s->root.path, "rootfs");
	assert_string_equal(s->hostname, "box");
	assert_string_equal(s->domainname, "example.org");
	assert_int_equal(s->n_mounts, 2);
	assert_string_equal(s->mounts[0].type, "proc");
	assert_strings(&s->mounts[0].options, 2, "nosuid");
	assert_string_equal(s->mounts[1].destination, "/data"); /* relative in the file */
	assert_string_equal(s->mounts[1].source, "/srv/data");
	assert_int_equal(s->mounts[1].uid_mappings.v[0].host_id, 1000);
	assert_int_equal(s->mounts[1].gid_mappings.v[0].size, 20);
	assert_string_equal(s->hooks.prestart.v[0].path, "/bin/pre");
	assert_strings(&s->hooks.prestart.v[0].args, 2, "pre");
	assert_strings(&s->hooks.prestart.v[0].env, 1, "A=1");
	assert_int_equal(s->hooks.prestart.v[0].timeout.value, 5);
	assert_string_equal(s->hooks.create_runtime.v[0].path, "/bin/runtime");
	assert_false(s->hooks.create_runtime.v[0].timeout.has);
	assert_string_equal(s->hooks.create_container.v[0].path, "/bin/container");
	assert_string_equal(s->hooks.start_container.v[0].path, "/bin/start");
	assert_string_equal(s->hooks.poststart.v[0].path, "/bin/poststart");
	assert_string_equal(s->hooks.poststop.v[1].path, "/bin/last");
	assert_int_equal(s->annotations.n, 2);
	assert_string_equal(s->annotations.v[0].key, "com.example.key");
	assert_string_equal(s->annotations.v[1].value, "");
}

static void reads_linux(void **state)
{
	const struct spec_linux *l = &full(state)->linux;

	assert_int_equal(l->uid_mappings.v[0].host_id, 100000);
	assert_int_equal(l->gid_mappings.v[0].host_id, 200000);
	assert_int_equal(l->sysctl.n, 3);
	assert_string_equal(l->cgroups_path, "/pod/box");
	assert_int_equal(l->n_namespaces, 8);
	assert_int_equal(l->namespaces[1].flag, CLONE_NEWNET);
	assert_string_equal(l->namespaces[1].path, "/run/netns/x");
	assert_string_equal(l->namespaces[7].type, "time");
	assert_int_equal(l->namespaces[7].flag, 0x80);
	assert_int_equal(l->n_devices, 2);
	assert_int_equal(l->devices[0].type, 'c');
	assert_int_equal(l->devices[0].minor, 229);
	/* With the bits of a character device in the file, as Docker has sent it. */
	assert_true(l->devices[0].file_mode.has && l->devices[0].file_mode.value == 0666);
	assert_int_equal(l->devices[0].gid.value, 8);
	assert_false(l->devices[1].uid.has);
	assert_int_equal(l->n_net_devices, 2);
	assert_string_equal(l->net_devices[0].host, "eth0");
	assert_string_equal(l->net_devices[0].name, "inner0");
	assert_null(l->net_devices[1].name);
	assert_int_equal(l->rootfs_propagation, MS_SLAVE);
	assert_strings(&l->masked_paths, 1, "/proc/kcore");
	assert_strings(&l->readonly_paths, 1, "/proc/sys");
	assert_string_equal(l->mount_label, "system_u:object_r:container_file_t:s0:c1,c2");
	assert_string_equal(l->intel_rdt.clos_id, "guaranteed");
	assert_strings(&l->intel_rdt.schemata, 2, "L3:0=f");
	assert_string_equal(l->intel_rdt.l3_cache_schema, "L3:0=ff");
	assert_string_equal(l->intel_rdt.mem_bw_schema, "MB:0=50");
	assert_true(l->intel_rdt.has && l->intel_rdt.enable_monitoring);
	assert_int_equal(l->memory_policy.mode, 3);
	assert_string_equal(l->memory_policy.nodes, "0-1");
	assert_int_equal(l->memory_policy.flags, 1 << 15);
	assert_true(l->personality.has && l->personality.persona == PER_LINUX32);
	assert_true(l->monotonic_offset.has && l->monotonic_offset.secs == -10);
	assert_int_equal(l->monotonic_offset.nanosecs, 500);
	assert_int_equal(l->boottime_offset.secs, 604800);
}

static void reads_resources(void **state)
{
	const struct spec_resources *r = &full(state)->linux.resources;

	assert_true(r->has);
	assert_int_equal(r->devices[0].type, 'a');
	assert_string_equal(r->devices[0].access, "rwm");
	assert_false(r->devices[0].allow || r->devices[0].major.has);
	assert_true(r->devices[1].allow && r->devices[1].minor.value == -1);
	assert_int_equal(r->memory.limit.value, 536870912);
	assert_int_equal(r->memory.reservation.value, 1024);
	assert_int_equal(r->memory.swap.value, 1073741824);
	assert_int_equal(r->memory.kernel.value, -1);
	assert_int_equal(r->memory.kernel_tcp.value, 4096);
	assert_int_equal(r->memory.swappiness.value, 60);
	assert_true(r->memory.disable_oom_killer.has && !r->memory.disable_oom_killer.value);
	assert_true(r->memory.use_hierarchy.value && r->memory.check_before_update.value);
	assert_int_equal(r->cpu.shares.value, 1024);
	assert_int_equal(r->cpu.quota.value, -1);
	assert_int_equal(r->cpu.burst.value, 7);
	assert_int_equal(r->cpu.period.value, 100000);
	assert_int_equal(r->cpu.realtime_runtime.value, 950000);
	assert_int_equal(r->cpu.realtime_period.value, 1000000);
	assert_int_equal(r->cpu.idle.value, 1);
	assert_string_equal(r->cpu.cpus, "2-3");
	assert_string_equal(r->cpu.mems, "0");
	assert_int_equal(r->pids_limit.value, 100);
	assert_int_equal(r->block_io.weight.value, 10);
	assert_int_equal(r->block_io.leaf_weight.value, 11);
	assert_int_equal(r->block_io.weight_device.v[0].leaf_weight.value, 300);
	assert_int_equal(r->block_io.throttle_read_bps.v[0].rate.value, 600);
	assert_int_equal(r->block_io.throttle_write_bps.v[0].rate.value, 601);
	assert_int_equal(r->block_io.throttle_read_iops.v[0].rate.value, 602);
	assert_int_equal(r->block_io.throttle_write_iops.v[0].minor, 4);
	assert_string_equal(r->hugepage_limits[0].page_size, "2MB");
	assert_true(r->hugepage_limits[0].limit == 9223372036854771712U);
	assert_int_equal(r->net_class_id.value, 1048577);
	assert_int_equal(r->net_priorities[0].priority, 500);
	assert_string_equal(r->rdma[0].device, "mlx5_1");
	assert_int_equal(r->rdma[0].hca_objects.value, 10000);
	assert_string_equal(r->unified.v[1].value, "8:0 rbps=1\n8:16 wbps=2");
}

static void reads_seccomp(void **state)
{
	const struct spec_seccomp *s = &full(state)->linux.seccomp;

	assert_true(s->has);
	assert_int_equal(s->default_action, SECCOMP_RET_ERRNO);
	assert_int_equal(s->default_errno_ret.value, 38);
	assert_strings(&s->architectures, 2, "SCMP_ARCH_X86_64");
	assert_int_equal(s->flags, SECCOMP_FILTER_FLAG_LOG | 32);
	assert_string_equal(s->listener_path, "/run/agent.sock");
	assert_string_equal(s->listener_metadata, "some data");
	assert_int_equal(s->n_rules, 3);
	assert_strings(&s->rules[0].names, 2, "clone");
	assert_int_equal(s->rules[0].errno_ret.value, 1);
	assert_int_equal(s->rules[0].args[0].op, 7);
	assert_true(s->rules[0].args[0].value == UINT64_MAX);
	assert_int_equal(s->rules[0].args[0].value_two, 1);
	assert_int_equal(s->rules[1].action, SECCOMP_RET_USER_NOTIF);
	assert_strings(&s->rules[2].names, 1, "read");
}

static void reads_profiles_of_docker(void **state)
{
	struct spec_source source = { .name = "profile.json" };
	struct spec_seccomp s;
	struct arena arena = { 0 };
	struct err err = { 0 };
	char *text = data_read("profile.json", &source.len);

	(void)state;
	source.text = text;
	if (spec_read_seccomp(&source, &arena, &s, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(s.n_arch_map, 2);
	assert_strings(&s.arch_map[0].sub_architectures, 2, "SCMP_ARCH_X86");
	assert_true(s.rules[1].includes.caps == (CAP(0) | CAP(21)));
	assert_strings(&s.rules[1].includes.arches, 1, "amd64");
	assert_string_equal(s.rules[1].includes.min_kernel, "4.8");
	assert_true(s.rules[2].excludes.caps == CAP(21));
	assert_int_equal(s.rules[2].errno_ret.value, EPERM);
	arena_done(&arena);
	free(text);
}

/* ---- what engines write ------------------------------------------------------------------- */

static void takes_what_engines_write(void **state)
{
	static const char *const files[] = { "docker.json", "podman.json", "runc-spec.json",
					     "runc-spec-rootless.json" };

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct arena arena = { 0 };
		struct err err = { 0 };
		struct spec spec;
		size_t len;
		char *text = data_read(files[i], &len);

		if (data_read_spec(text, len, &arena, &spec, &err) < 0)
			fail_msg("%s", err.msg);
		arena_done(&arena);
		free(text);
	}
}

struct notes {
	char text[512];
};

static void note(void *data, const char *path, const char *why, unsigned int line,
		 unsigned int column)
{
	struct notes *notes = data;
	size_t len = strlen(notes->text);

	(void)snprintf(notes->text + len, sizeof(notes->text) - len, "%s %s %u:%u\n", path, why,
		       line, column);
}

static int read_process(const char *text, struct spec_process *process, struct err *err,
			struct notes *notes)
{
	const struct spec_source source = {
		.name = "p.json",
		.text = text,
		.len = strlen(text),
		.unknown = note,
		.unknown_data = notes,
	};
	struct arena arena = { 0 };
	int r = spec_read_process(&source, &arena, process, err);

	arena_done(&arena);
	return r;
}

static void skips_and_reports_what_it_does_not_know(void **state)
{
	struct spec_process process;
	struct notes notes = { 0 };
	struct err err = { 0 };
	int r = read_process("{\"cwd\":\"/\",\"args\":[\"a\"],\n\"new\":{\"uid\":null},\n"
			     "\"capabilities\":{\"bounding\":[\"CAP_KILL\",\"CAP_FROM_2031\"],"
			     "\"ambient\":[\"CAP_KILL\"]}}",
			     &process, &err, &notes);

	(void)state;
	assert_int_equal(r, 0);
	assert_true(process.capabilities.bounding == CAP(5));
	assert_true(process.capabilities.ambient == 0);
	assert_string_equal(notes.text,
			    "new is not known 2:1\n"
			    "capabilities.bounding[1]=\"CAP_FROM_2031\" is not known 3:40\n"
			    "capabilities.ambient=\"CAP_KILL\" cannot be had without the same "
			    "in permitted and inheritable 3:67\n");
}

static void failure_leaves_the_result_alone(void **state)
{
	struct spec_process process = { .cwd = "old" };
	struct notes notes = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(read_process("{\"cwd\":\"/\",\"args\":[]}", &process, &err, &notes),
			 -EINVAL);
	assert_string_equal(err.msg,
			    "p.json:1:19: args: is missing or empty, expected the program and "
			    "its arguments");
	assert_string_equal(process.cwd, "old");
}

static void an_empty_text_is_none(void **state)
{
	struct spec_process process;
	struct notes notes = { 0 };
	struct err err = { 0 };
	int r = read_process("{\"cwd\":\"/\",\"args\":[\"a\"],\"selinuxLabel\":\"\",\"env\":[]}",
			     &process, &err, &notes);

	(void)state;
	assert_int_equal(r, 0);
	assert_null(process.selinux_label);
	assert_null(process.env.v);
}

static void reads_resources_alone(void **state)
{
	static const char text[] = "{\"memory\":{\"limit\":5},\n\"pids\":{\"limit\":1.5}}";
	struct spec_source source = { .name = "r.json", .text = text, .len = sizeof(text) - 1 };
	struct spec_resources resources;
	struct arena arena = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(spec_read_resources(&source, &arena, &resources, &err), -EINVAL);
	assert_string_equal(err.msg,
			    "r.json:2:17: pids.limit: 1.5 is not a whole number, expected a "
			    "whole number from -9223372036854775808 to 9223372036854775807");
	arena_done(&arena);
}

static void names_and_numbers_go_both_ways(void **state)
{
	(void)state;
	assert_int_equal(spec_name_find(spec_capability_names, "CAP_CHECKPOINT_RESTORE")->value,
			 40);
	assert_null(spec_name_find(spec_capability_names, "cap_kill"));
	assert_string_equal(spec_name_of(spec_namespace_names, CLONE_NEWUSER), "user");
	assert_null(spec_name_of(spec_namespace_names, 1));
	for (uint64_t i = 0; i <= 40; i++)
		assert_non_null(spec_name_of(spec_capability_names, i));
}

static void sysctls_have_one_path(void **state)
{
	static const char *const keys[][2] = {
		{ "net.ipv4.ip_forward", "net/ipv4/ip_forward" },
		{ "net/ipv4/conf/eno2.100/rp_filter", "net/ipv4/conf/eno2.100/rp_filter" },
		{ "net.ipv4.conf.eno2/100.rp_filter", "net/ipv4/conf/eno2.100/rp_filter" },
	};
	char path[64];

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		assert_int_equal(spec_sysctl_path(keys[i][0], path, sizeof(path)), 0);
		assert_string_equal(path, keys[i][1]);
	}
	assert_int_equal(spec_sysctl_path("net.ipv4", path, 8), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_process),
		cmocka_unit_test(reads_privileges_and_scheduling),
		cmocka_unit_test(reads_file_systems_and_hooks),
		cmocka_unit_test(reads_linux),
		cmocka_unit_test(reads_resources),
		cmocka_unit_test(reads_seccomp),
		cmocka_unit_test(reads_profiles_of_docker),
		cmocka_unit_test(takes_what_engines_write),
		cmocka_unit_test(skips_and_reports_what_it_does_not_know),
		cmocka_unit_test(failure_leaves_the_result_alone),
		cmocka_unit_test(an_empty_text_is_none),
		cmocka_unit_test(reads_resources_alone),
		cmocka_unit_test(names_and_numbers_go_both_ways),
		cmocka_unit_test(sysctls_have_one_path),
	};

	return cmocka_run_group_tests(tests, load_full, unload);
}
