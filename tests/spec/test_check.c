/*
 * Rules between keys: full.json with one or two values changed breaks one rule each, and the
 * message has the path of the key that is wrong, its value and what would be right. The second
 * table is what must go on working although it looks odd.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data.h"
#include "mutate.h"
#include "spec/check.h"

struct change {
	const char *path, *value; /* value NULL: removed */
};

static const struct {
	struct change changes[3];
	const char *says;
} refused[] = {
	/* the outermost keys */
	{ { { "ociVersion", "\"2.0.0\"" } },
	  "ociVersion: \"2.0.0\" is not supported, expected 1.MINOR.PATCH" },
	{ { { "ociVersion", "\"1.0\"" } }, "ociVersion: \"1.0\" is not supported" },
	{ { { "ociVersion", "\"1.0.x\"" } }, "ociVersion: \"1.0.x\" is not supported" },
	{ { { "ociVersion", "\"1.01.0\"" } }, "ociVersion: \"1.01.0\" is not supported" },
	{ { { "ociVersion", "\"1.0.0 \"" } }, "ociVersion: \"1.0.0 \" is not supported" },
	{ { { "ociVersion", "\"1.0.0-\"" } }, "ociVersion: \"1.0.0-\" is not supported" },
	{ { { "process", NULL } }, "process: is missing, expected an object with args and cwd" },
	{ { { "root", NULL } }, "root: is missing, expected an object with the path" },
	{ { { "hostname",
	      "\"a23456789012345678901234567890123456789012345678901234567890123456789\"" } },
	  "has 69 bytes, expected at most 64" },
	{ { { "domainname", "\"a\\nb\"" } }, "domainname: \"a\\u000ab\" has a control character" },
	{ { { "linux.namespaces[4]", NULL } },
	  "hostname: \"box\" would rename the host, expected a namespace of type \"uts\"" },
	{ { { "linux.namespaces[4]", NULL }, { "hostname", NULL } },
	  "domainname: \"example.org\" would rename the host" },

	/* process */
	{ { { "process.args", NULL } }, "process.args: is missing or empty, expected the program" },
	{ { { "process.args", "[]" } }, "process.args: is missing or empty" },
	{ { { "process.args[0]", "\"\"" } },
	  "process.args[0]: \"\" is empty, expected the program to run" },
	{ { { "process.cwd", "\"srv\"" } },
	  "process.cwd: \"srv\" is not absolute, expected a path that begins with /" },
	{ { { "process.env[2]", "\"NOVALUE\"" } },
	  "process.env[2]: \"NOVALUE\" is not NAME=VALUE" },
	{ { { "process.env[0]", "\"=x\"" } }, "process.env[0]: \"=x\" is not NAME=VALUE" },
	{ { { "process.env[0]", "\"\"" } }, "process.env[0]: \"\" is not NAME=VALUE" },
	{ { { "process.capabilities.effective[0]", "\"CAP_BPF\"" } },
	  "process.capabilities.effective: \"CAP_BPF\" is not in capabilities.permitted" },
	{ { { "process.rlimits[0].soft", "4096" } },
	  "process.rlimits[0].soft: 4096 is above hard, expected at most 2048" },
	{ { { "process.rlimits[1].type", "\"RLIMIT_NOFILE\"" } },
	  "process.rlimits[1].type: \"RLIMIT_NOFILE\" is given twice, first in rlimits[0]" },
	{ { { "process.scheduler.policy", "\"SCHED_ISO\"" } },
	  "process.scheduler.policy: \"SCHED_ISO\" is in no kernel" },
	{ { { "process.scheduler.policy", "\"SCHED_IDLE\"" } },
	  "process.scheduler.nice: -5 has no effect with SCHED_IDLE, expected SCHED_OTHER or "
	  "SCHED_BATCH" },
	{ { { "process.scheduler.priority", "5" } },
	  "process.scheduler.priority: 5 has no effect with SCHED_BATCH, expected SCHED_FIFO or "
	  "SCHED_RR" },
	{ { { "process.scheduler", "{\"policy\":\"SCHED_FIFO\"}" } },
	  "process.scheduler.priority: 0 is out of range, expected 1 to 99 with SCHED_FIFO" },
	{ { { "process.scheduler.runtime", "7" } },
	  "process.scheduler.runtime: has no effect with SCHED_BATCH" },
	{ { { "process.scheduler.deadline", "7" } },
	  "process.scheduler.deadline: has no effect with SCHED_BATCH" },
	{ { { "process.scheduler.period", "7" } },
	  "process.scheduler.period: has no effect with SCHED_BATCH" },
	{ { { "process.scheduler",
	      "{\"policy\":\"SCHED_DEADLINE\",\"runtime\":5,\"deadline\":4,\"period\":9}" } },
	  "process.scheduler.runtime: 5 is out of range, expected 1 to the deadline of 4" },
	{ { { "process.scheduler",
	      "{\"policy\":\"SCHED_DEADLINE\",\"runtime\":3,\"deadline\":4,\"period\":3}" } },
	  "process.scheduler.deadline: 4 is above the period, expected at most 3" },
	{ { { "process.scheduler", "{\"policy\":\"SCHED_DEADLINE\"}" } },
	  "process.scheduler.runtime: 0 is out of range" },
	{ { { "process.execCPUAffinity.initial", "\"0;1\"" } },
	  "process.execCPUAffinity.initial: \"0;1\" is no list of CPUs" },
	{ { { "process.execCPUAffinity.final", "\"all\"" } },
	  "process.execCPUAffinity.final: \"all\" is no list of CPUs" },
	{ { { "process.apparmorProfile", "\"a\\nb\"" } },
	  "process.apparmorProfile: \"a\\u000ab\" has a control character" },
	{ { { "process.selinuxLabel", "\"a\\u0001\"" } },
	  "process.selinuxLabel: \"a\\u0001\" has a control character" },
	{ { { "process.user.uid", "70000" } },
	  "process.user.uid: 70000 is not mapped, expected an id out of linux.uidMappings" },
	{ { { "process.user.gid", "65536" } }, "process.user.gid: 65536 is not mapped" },
	{ { { "process.user.additionalGids[1]", "65537" } },
	  "process.user.additionalGids[1]: 65537 is not mapped" },

	/* mounts and hooks */
	{ { { "mounts[1].source", NULL } },
	  "mounts[1].source: is missing, expected the path to bind at \"/data\"" },
	{ { { "mounts[0].options[0]", "\"rbind\"" }, { "mounts[0].source", NULL } },
	  "mounts[0].source: is missing" },
	{ { { "mounts[1].gidMappings", NULL } },
	  "mounts[1].gidMappings: is missing, expected both" },
	{ { { "mounts[1].uidMappings", "[]" } },
	  "mounts[1].uidMappings: is missing, expected both" },
	{ { { "mounts[1].uidMappings[0].size", "4294967295" } },
	  "mounts[1].uidMappings[0].size: 4294967295 ids from 1000" },
	{ { { "hooks.prestart[0].path", "\"pre\"" } },
	  "hooks.prestart[0].path: \"pre\" is not absolute" },
	{ { { "hooks.poststop[1].path", "\"./last\"" } },
	  "hooks.poststop[1].path: \"./last\" is not absolute" },

	/* namespaces and what lives in them */
	{ { { "linux.namespaces[8]", "{\"type\":\"pid\"}" } },
	  "linux.namespaces[8].type: \"pid\" is given twice, first in linux.namespaces[0]" },
	{ { { "linux.namespaces[1].path", "\"proc/1/ns/net\"" } },
	  "linux.namespaces[1].path: \"proc/1/ns/net\" is not absolute" },
	{ { { "linux.namespaces[5]", NULL } },
	  "linux.uidMappings: there is nothing to map, expected a namespace of type \"user\"" },
	{ { { "linux.gidMappings", NULL } },
	  "linux.gidMappings: is missing, expected uidMappings and gidMappings together" },
	{ { { "linux.uidMappings", "[]" } },
	  "linux.uidMappings: is missing, expected uidMappings and gidMappings together" },
	{ { { "linux.uidMappings", NULL }, { "linux.gidMappings", NULL } },
	  "linux.uidMappings: is missing, expected the ids of a new namespace" },
	{ { { "linux.uidMappings[1]", "{\"containerID\":65535,\"hostID\":7,\"size\":1}" } },
	  "linux.uidMappings[1].containerID: 65535 and the 1 ids from there overlap with "
	  "linux.uidMappings[0]" },
	{ { { "linux.gidMappings[1]", "{\"containerID\":65536,\"hostID\":265535,\"size\":3}" } },
	  "linux.gidMappings[1].hostID: 265535 and the 3 ids from there overlap with "
	  "linux.gidMappings[0]" },
	{ { { "linux.uidMappings[0].size", "4294867296" } },
	  "linux.uidMappings[0].size: 4294867296 ids from 100000 end beyond the last id, expected "
	  "at most 4294867295" },
	{ { { "linux.namespaces[7]", NULL } },
	  "linux.timeOffsets: there is no clock to set, expected a namespace of type \"time\"" },
	{ { { "linux.namespaces[7].path", "\"/x\"" } },
	  "linux.timeOffsets: the clocks of a namespace that is joined" },
	{ { { "linux.timeOffsets.realtime", "{}" } },
	  "linux.timeOffsets.realtime: the key is unknown, expected one of \"monotonic\", "
	  "\"boottime\"" },
	{ { { "linux.netDevices[\"a/b\"]", "{}" } },
	  "linux.netDevices: \"a/b\" is no name of a device" },
	{ { { "linux.netDevices.eth0.name", "\"..\"" } },
	  "linux.netDevices: \"..\" is no name of a device" },
	{ { { "linux.netDevices.eth0.name", "\"x%s\"" } },
	  "linux.netDevices: \"x%s\" is no name of a device" },
	{ { { "linux.netDevices.eth0.name", "\"a123456789012345\"" } },
	  "linux.netDevices: \"a123456789012345\" is no name" },
	{ { { "linux.netDevices.eth0.name", "\"eth1\"" } },
	  "linux.netDevices: \"eth1\" is the name of two devices" },
	{ { { "linux.namespaces[1]", NULL }, { "linux.sysctl", "{}" } },
	  "linux.netDevices: there is nowhere to move to" },

	/* sysctl */
	{ { { "linux.sysctl[\"kernel.panic\"]", "\"1\"" } },
	  "linux.sysctl: \"kernel.panic\" belongs to no namespace" },
	{ { { "linux.sysctl[\"kernel.shmmaxx\"]", "\"1\"" } },
	  "linux.sysctl: \"kernel.shmmaxx\" belongs to no namespace" },
	{ { { "linux.sysctl[\"kernel.hostname\"]", "\"x\"" } },
	  "linux.sysctl: \"kernel.hostname\" has a key of its own, expected hostname" },
	{ { { "linux.sysctl[\"kernel.domainname\"]", "\"x\"" } },
	  "linux.sysctl: \"kernel.domainname\" is given beside domainname" },
	{ { { "linux.sysctl[\"net/../kernel/panic\"]", "\"1\"" } },
	  "linux.sysctl: \"net/../kernel/panic\" is no name of a sysctl" },
	{ { { "linux.sysctl[\"net.//.kernel.panic\"]", "\"1\"" } },
	  "linux.sysctl: \"net.//.kernel.panic\" is no name of a sysctl" },
	{ { { "linux.sysctl[\"net..x\"]", "\"1\"" } },
	  "linux.sysctl: \"net..x\" is no name of a sysctl" },
	{ { { "linux.sysctl[\"net.\"]", "\"1\"" } },
	  "linux.sysctl: \"net.\" is no name of a sysctl" },
	{ { { "linux.namespaces[3]", NULL } },
	  "linux.sysctl: \"kernel.shmmax\" would be set for the host, expected a namespace of type "
	  "\"ipc\"" },
	{ { { "linux.namespaces[1]", NULL }, { "linux.netDevices", "{}" } },
	  "linux.sysctl: \"net.ipv4.ip_forward\" would be set for the host, expected a namespace "
	  "of type \"network\"" },

	/* paths */
	{ { { "linux.maskedPaths[0]", "\"proc/kcore\"" } },
	  "linux.maskedPaths[0]: \"proc/kcore\" is not absolute" },
	{ { { "linux.readonlyPaths[1]", "\"\"" } },
	  "linux.readonlyPaths[1]: \"\" is not absolute" },
	{ { { "linux.namespaces[2]", NULL } },
	  "linux.maskedPaths: would hide the paths of the host" },
	{ { { "linux.namespaces[2]", NULL }, { "linux.maskedPaths", NULL } },
	  "linux.readonlyPaths: would hide the paths" },
	{ { { "linux.cgroupsPath", "\"/a/../../b\"" } },
	  "linux.cgroupsPath: \"/a/../../b\" has \"..\"" },
	{ { { "linux.cgroupsPath", "\"..\"" } }, "linux.cgroupsPath: \"..\" has \"..\"" },
	{ { { "linux.cgroupsPath", "\"a\\nb\"" } }, "linux.cgroupsPath: \"a\\u000ab\" has" },
	{ { { "linux.devices[0].path", "\"dev/fuse\"" } },
	  "linux.devices[0].path: \"dev/fuse\" is no path of a device" },
	{ { { "linux.devices[1].path", "\"/dev/../x\"" } },
	  "linux.devices[1].path: \"/dev/../x\" is no path of a device" },
	{ { { "linux.devices[1].path", "\"/\"" } },
	  "linux.devices[1].path: \"/\" is no path of a device" },
	{ { { "linux.devices[0].minor", NULL } },
	  "linux.devices[0]: a device of type c needs major and minor" },
	{ { { "linux.mountLabel", "\"a\\\",b\"" } }, "linux.mountLabel: \"a\\\",b\" has a quote" },

	/* intelRdt, memoryPolicy, personality */
	{ { { "linux.intelRdt.closID", "\"a/b\"" } },
	  "linux.intelRdt.closID: \"a/b\" is no name of a directory" },
	{ { { "linux.intelRdt.closID", "\"..\"" } },
	  "linux.intelRdt.closID: \"..\" is no name of a directory" },
	{ { { "linux.intelRdt.schemata[1]", "\"a\\nb\"" } },
	  "linux.intelRdt.schemata[1]: \"a\\u000ab\" has a control character" },
	{ { { "linux.memoryPolicy.nodes", NULL } },
	  "linux.memoryPolicy.nodes: is missing, expected a list of nodes with MPOL_INTERLEAVE" },
	{ { { "linux.memoryPolicy.nodes", "\"x\"" } },
	  "linux.memoryPolicy.nodes: \"x\" is no list of nodes" },
	{ { { "linux.memoryPolicy.mode", "\"MPOL_LOCAL\"" } },
	  "linux.memoryPolicy.nodes: \"0-1\" has no meaning with MPOL_LOCAL" },
	{ { { "linux.memoryPolicy.flags[1]", "\"MPOL_F_RELATIVE_NODES\"" } },
	  "linux.memoryPolicy.flags: MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each "
	  "other" },
	{ { { "linux.personality.flags", "[\"ADDR_NO_RANDOMIZE\"]" } },
	  "linux.personality.flags: [...] is an array, expected an empty array" },

	/* resources */
	{ { { "linux.resources.devices[1].access", "\"rx\"" } },
	  "linux.resources.devices[1].access: \"rx\" has other letters" },
	{ { { "linux.resources.devices[1].access", NULL } },
	  "linux.resources.devices[1]: allows nothing: access is missing" },
	{ { { "linux.resources.memory.swap", "1024" } },
	  "linux.resources.memory.swap: 1024 is below memory.limit of 536870912" },
	{ { { "linux.resources.unified[\"../memory.high\"]", "\"1\"" } },
	  "linux.resources.unified: \"../memory.high\" is no file" },
	{ { { "linux.resources.unified.memory", "\"1\"" } },
	  "linux.resources.unified: \"memory\" is no file of a cgroup" },
	{ { { "linux.resources.hugepageLimits[0].pageSize", "\"2/B\"" } },
	  "linux.resources.hugepageLimits[0].pageSize: \"2/B\" is no size" },
	{ { { "linux.resources.network.priorities[0].name", "\"eth0 1\"" } },
	  "linux.resources.network.priorities[0].name: \"eth0 1\" is no name" },
	{ { { "linux.resources.rdma[\"a b\"]", "{}" } },
	  "linux.resources.rdma: \"a b\" is no name of a device" },
	{ { { "linux.resources.rdma[\"\"]", "{}" } },
	  "linux.resources.rdma[\"\"]: the key is empty" },
	{ { { "annotations[\"\"]", "\"x\"" } }, "annotations[\"\"]: the key is empty" },

	/* seccomp */
	{ { { "linux.seccomp.defaultAction", "\"SCMP_ACT_NOTIFY\"" } },
	  "linux.seccomp.defaultAction: \"SCMP_ACT_NOTIFY\" cannot be the default" },
	{ { { "linux.seccomp.defaultAction", "\"SCMP_ACT_ALLOW\"" } },
	  "linux.seccomp.defaultErrnoRet: 38 has no meaning with SCMP_ACT_ALLOW" },
	{ { { "linux.seccomp.defaultErrnoRet", "4096" } },
	  "linux.seccomp.defaultErrnoRet: 4096 is no errno, expected 0 to 4095" },
	{ { { "linux.seccomp.listenerPath", NULL } },
	  "linux.seccomp.listenerPath: is missing, expected the socket of the agent" },
	{ { { "linux.seccomp.listenerPath", NULL }, { "linux.seccomp.syscalls[1]", NULL } },
	  "linux.seccomp.listenerMetadata: has nobody to go to" },
	{ { { "linux.seccomp.listenerPath", "\"a.sock\"" } },
	  "linux.seccomp.listenerPath: \"a.sock\" is not absolute" },
	{ { { "linux.seccomp.syscalls[1]", NULL } },
	  "linux.seccomp.flags: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV needs" },
	{ { { "linux.seccomp.syscalls[1].names[1]", "\"write\"" } },
	  "linux.seccomp.syscalls[1].names[1]: \"write\" cannot wait" },
	{ { { "linux.seccomp.syscalls[0].names[1]", "\"\"" } },
	  "linux.seccomp.syscalls[0].names[1]: \"\" is empty" },
	{ { { "linux.seccomp.syscalls[0].names", "[]" } },
	  "linux.seccomp.syscalls[0]: names is missing or empty" },
	{ { { "linux.seccomp.syscalls[2].names", "[\"a\"]" } },
	  "linux.seccomp.syscalls[2].name: name is given beside names" },
	{ { { "linux.seccomp.syscalls[2].errnoRet", "1" } },
	  "linux.seccomp.syscalls[2].errnoRet: 1 has no meaning with SCMP_ACT_ALLOW" },
	{ { { "linux.seccomp.syscalls[0].errnoRet", "65535" } },
	  "linux.seccomp.syscalls[0].errnoRet: 65535 is no errno" },
	{ { { "linux.seccomp.syscalls[0].errno", "\"ENOSYS\"" } },
	  "linux.seccomp.syscalls[0].errnoRet: 1 is not ENOSYS" },
	{ { { "linux.seccomp.syscalls[0].errno", "\"EFOO\"" } },
	  "linux.seccomp.syscalls[0].errno: \"EFOO\" is unknown" },
	{ { { "linux.seccomp.archMap", "[{}]" } },
	  "linux.seccomp.archMap: belongs to a profile of Docker's form" },
	{ { { "linux.seccomp.syscalls[0].excludes", "{\"caps\":[]}" } },
	  "linux.seccomp.syscalls[0].excludes: belongs to a profile of Docker's form" },
};

static const struct change accepted[][3] = {
	{ { "ociVersion", "\"1.0.2-dev\"" } },
	{ { "ociVersion", "\"1.99.0+build\"" } },
	{ { "unknown", "{\"x\":null}" } },
	{ { "windows", "null" } },
	{ { "process.terminal", "false" } }, /* consoleSize is to be ignored then */
	{ { "process.user", NULL } },
	{ { "process.env", NULL } },
	{ { "process.capabilities.bounding[0]", "\"CAP_FROM_2031\"" } },
	{ { "process.capabilities.inheritable", "[]" } },
	{ { "process.scheduler", "{\"policy\":\"SCHED_RR\",\"priority\":99}" } },
	{ { "process.scheduler", "{\"policy\":\"SCHED_DEADLINE\",\"runtime\":3,\"deadline\":4}" } },
	{ { "mounts[0].source", NULL } },
	{ { "linux.namespaces[5].path", "\"/proc/1/ns/user\"" } },
	{ { "linux.namespaces[5].path", "\"/x\"" },
	  { "linux.uidMappings", NULL },
	  { "linux.gidMappings", NULL } },
	{ { "linux.uidMappings[0]", "{\"containerID\":0,\"hostID\":0,\"size\":4294967295}" } },
	{ { "linux.sysctl[\"kernel.domainname\"]", "\"x\"" }, { "domainname", NULL } },
	{ { "linux.sysctl[\"fs.mqueue.msg_max\"]", "\"9\"" } },
	{ { "linux.cgroupsPath", "\"system.slice:box:a..b\"" } },
	{ { "linux.memoryPolicy", "{\"mode\":\"MPOL_PREFERRED\"}" } },
	{ { "linux.resources.memory.swap", "-1" } },
	{ { "linux.resources.blockIO.weight", "0" } },
	{ { "linux.rootfsPropagation", "\"\"" } },
	{ { "linux.seccomp.archMap", "[]" } },
	{ { "linux.seccomp.syscalls[0].includes", "{}" } },
	{ { "linux.seccomp.syscalls[0].action", "\"SCMP_ACT_TRACE\"" },
	  { "linux.seccomp.syscalls[0].errnoRet", "65535" } },
};

static json_t *load_changed(const struct change *changes)
{
	size_t len;
	char *text = data_read("full.json", &len), *big;
	json_t *root;

	while ((big = strstr(text, "18446744073709551615"))) /* more than jansson can hold */
		memcpy(big, "1000000000000000000 ", 20);
	root = json_loadb(text, len, 0, NULL);
	free(text);
	assert_non_null(root);
	for (size_t i = 0; i < 3 && changes[i].path; i++)
		mutate_set(root, changes[i].path, changes[i].value);
	return root;
}

static void rules_between_keys_are_kept(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		json_t *root = load_changed(refused[i].changes);

		mutate_expect(root, refused[i].says);
		json_decref(root);
	}
	print_message("%zu broken files\n", sizeof(refused) / sizeof(refused[0]));
}

static void what_works_elsewhere_works_here(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
		json_t *root = load_changed(accepted[i]);
		char *text = json_dumps(root, 0);
		struct arena arena = { 0 };
		struct err err = { 0 };
		struct spec spec;

		if (data_read_spec(text, strlen(text), &arena, &spec, &err) < 0)
			fail_msg("%s", err.msg);
		arena_done(&arena);
		free(text);
		json_decref(root);
	}
}

/* The place is that of the value, in a file as people write it. */
static void places_are_exact(void **state)
{
	static const char text[] =
	    "{\n  \"ociVersion\": \"1.0.0\",\n  \"root\": {\"path\": \"r\"},\n"
	    "  \"process\": {\"cwd\": \"/\", \"args\": [\"x\"],\n"
	    "\t\t\"env\": [\"A=\xc3\xa9\", \"B\"]}\n}\n";
	struct arena arena = { 0 };
	struct err err = { 0 };
	struct spec spec;

	(void)state;
	assert_true(data_read_spec(text, sizeof(text) - 1, &arena, &spec, &err) < 0);
	assert_string_equal(err.msg, "config.json:5:18: process.env[1]: \"B\" is not NAME=VALUE");
	arena_done(&arena);
}

/* What was not read from a file is checked, too. */
static void specs_made_elsewhere_are_checked(void **state)
{
	struct spec spec = { .oci_version = "1.3.0", .root = { true, "/", false } };
	struct err err = { 0 };

	(void)state;
	assert_true(spec_check(&spec, &err) < 0);
	assert_string_equal(err.msg,
			    "process: is missing, expected an object with args and cwd: there is "
			    "nothing to run");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_between_keys_are_kept),
		cmocka_unit_test(what_works_elsewhere_works_here),
		cmocka_unit_test(places_are_exact),
		cmocka_unit_test(specs_made_elsewhere_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
