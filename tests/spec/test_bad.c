/*
 * Broken files: each value of full.json in turn becomes null and of each wrong type, and each
 * required key is removed. Every message must begin with file, line and column and have the key's
 * path and the value in it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data.h"
#include "mutate.h"

#define PATH_SIZE 256

/* jansson cannot hold numbers above INT64_MAX; they are not what these tests are about. */
static json_t *load_full(void)
{
	size_t len;
	char *text = data_read("full.json", &len), *big;
	json_t *root;

	while ((big = strstr(text, "18446744073709551615")))
		memcpy(big, "1000000000000000000 ", 20);
	root = json_loadb(text, len, 0, NULL);
	free(text);
	assert_non_null(root);
	return root;
}

/* ---- wrong types -------------------------------------------------------------------------- */

static bool is_ignored(const char *path)
{
	static const char *const ignored[] = {
		"process.user.username",
		"process.commandLine",
		"solaris",
		"windows",
		"vm",
		"zos",
		"freebsd",
		"linux.intelRdt.enableCMT",
		"linux.intelRdt.enableMBM",
	};

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		if (strcmp(path, ignored[i]) == 0)
			return true;
	return false;
}

struct run {
	json_t *root; /* changed in one place at a time */
	size_t n;     /* how many broken files so far */
};

static void try_value(struct run *run, const char *path, const json_t *old, const char *value)
{
	char expected[PATH_SIZE + 64], *was = json_dumps(old, JSON_ENCODE_ANY);

	(void)snprintf(expected, sizeof(expected), ": %s: %s ", path, value);
	mutate_set(run->root, path, value);
	mutate_expect(run->root, expected);
	mutate_set(run->root, path, was);
	run->n++;
	free(was);
}

/* A copy, because the value itself is replaced on the way. */
static void try_wrong_types(struct run *run, const char *path, const json_t *old)
{
	json_t *copy = json_deep_copy(old);

	try_value(run, path, copy, "null");
	if (json_is_string(copy)) {
		try_value(run, path, copy, "7");
		try_value(run, path, copy, "[]");
		try_value(run, path, copy, "false");
	} else if (json_is_number(copy)) {
		try_value(run, path, copy, "\"5\"");
		try_value(run, path, copy, "true");
		try_value(run, path, copy, "1.5");
	} else if (json_is_boolean(copy)) {
		try_value(run, path, copy, "\"true\"");
		try_value(run, path, copy, "0");
	} else if (json_is_array(copy)) {
		try_value(run, path, copy, "{}");
		try_value(run, path, copy, "\"x\"");
	} else {
		try_value(run, path, copy, "[]");
		try_value(run, path, copy, "\"x\"");
	}
	json_decref(copy);
}

static bool is_word(const char *key)
{
	return key[strspn(key,
			  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")] ==
	       '\0';
}

static void walk(struct run *run, const char *path, const json_t *value);

static void walk_object(struct run *run, const char *path, const json_t *object)
{
	json_t *copy = json_deep_copy(object), *member;
	const char *key;
	char below[PATH_SIZE];

	json_object_foreach(copy, key, member)
	{
		if (is_word(key))
			(void)snprintf(below, sizeof(below), "%s%s%s", path, *path ? "." : "", key);
		else
			(void)snprintf(below, sizeof(below), "%s[\"%s\"]", path, key);
		walk(run, below, member);
	}
	json_decref(copy);
}

static void walk(struct run *run, const char *path, const json_t *value)
{
	char below[PATH_SIZE];

	if (is_ignored(path))
		return;
	if (*path)
		try_wrong_types(run, path, value);
	if (json_is_object(value))
		walk_object(run, path, value);
	for (size_t i = 0; json_is_array(value) && i < json_array_size(value); i++) {
		(void)snprintf(below, sizeof(below), "%s[%zu]", path, i);
		walk(run, below, json_array_get(value, i));
	}
}

static void wrong_types_are_refused_at_every_key(void **state)
{
	struct run run = { .root = load_full() };
	json_t *copy = json_deep_copy(run.root);

	(void)state;
	walk(&run, "", copy);
	print_message("%zu broken files\n", run.n);
	assert_true(run.n > 800);
	json_decref(copy);
	json_decref(run.root);
}

/* ---- missing keys ------------------------------------------------------------------------- */

static void missing_keys_are_named(void **state)
{
	static const char *const required[] = {
		"ociVersion",
		"root.path",
		"process.cwd",
		"process.user.uid",
		"process.user.gid",
		"process.consoleSize.height",
		"process.consoleSize.width",
		"process.rlimits[0].type",
		"process.rlimits[0].hard",
		"process.rlimits[1].soft",
		"process.scheduler.policy",
		"process.ioPriority.class",
		"mounts[1].destination",
		"hooks.prestart[0].path",
		"hooks.poststop[1].path",
		"linux.namespaces[0].type",
		"linux.uidMappings[0].containerID",
		"linux.uidMappings[0].hostID",
		"linux.gidMappings[0].size",
		"mounts[1].uidMappings[0].hostID",
		"linux.devices[0].path",
		"linux.devices[1].type",
		"linux.resources.devices[0].allow",
		"linux.resources.blockIO.weightDevice[0].major",
		"linux.resources.blockIO.weightDevice[0].minor",
		"linux.resources.blockIO.throttleReadBpsDevice[0].rate",
		"linux.resources.hugepageLimits[0].pageSize",
		"linux.resources.hugepageLimits[0].limit",
		"linux.resources.network.priorities[0].name",
		"linux.resources.network.priorities[0].priority",
		"linux.seccomp.defaultAction",
		"linux.seccomp.syscalls[0].action",
		"linux.seccomp.syscalls[0].args[0].index",
		"linux.seccomp.syscalls[0].args[0].value",
		"linux.seccomp.syscalls[0].args[0].op",
		"linux.memoryPolicy.mode",
		"linux.personality.domain",
	};
	char expected[PATH_SIZE + 64];

	(void)state;
	for (size_t i = 0; i < sizeof(required) / sizeof(required[0]); i++) {
		json_t *root = load_full();

		mutate_set(root, required[i], NULL);
		(void)snprintf(expected, sizeof(expected), ": %s: is missing, expected ",
			       required[i]);
		mutate_expect(root, expected);
		json_decref(root);
	}
}

/* ---- values ------------------------------------------------------------------------------- */

static const struct {
	const char *path, *value; /* what is set */
	const char *says;         /* after the path and the value as a message shows it */
} values[] = {
	{ "process.user.uid", "4294967295",
	  "is out of range, expected a whole number from 0 to 4294967294" },
	{ "process.user.uid", "-1", "is out of range" },
	{ "process.user.uid", "4294967296", "is out of range" },
	{ "process.user.gid", "4294967295", "is out of range" },
	{ "process.user.umask", "512", "is out of range, expected a whole number from 0 to 511" },
	{ "process.user.additionalGids[1]", "4294967295", "is out of range" },
	{ "process.consoleSize.width", "65536", "is out of range" },
	{ "process.oomScoreAdj", "1001",
	  "is out of range, expected a whole number from -1000 to 1000" },
	{ "process.oomScoreAdj", "-1001", "is out of range" },
	{ "process.rlimits[0].type", "\"RLIMIT_FOO\"",
	  "is unknown, expected one of \"RLIMIT_AS\"" },
	{ "process.rlimits[0].soft", "-1", "is out of range" },
	{ "process.scheduler.policy", "\"SCHED_NONE\"",
	  "is unknown, expected one of \"SCHED_OTHER\"" },
	{ "process.scheduler.nice", "20",
	  "is out of range, expected a whole number from -20 to 19" },
	{ "process.scheduler.priority", "100", "is out of range" },
	{ "process.scheduler.flags[0]", "\"X\"",
	  "is unknown, expected one of \"SCHED_FLAG_RESET_ON_FORK\"" },
	{ "process.ioPriority.class", "\"RT\"", "is unknown, expected one of \"IOPRIO_CLASS_RT\"" },
	{ "process.ioPriority.priority", "8",
	  "is out of range, expected a whole number from 0 to 7" },
	{ "hooks.prestart[0].timeout", "0", "is out of range, expected a whole number from 1" },
	{ "linux.namespaces[0].type", "\"net\"",
	  "is unknown, expected one of \"pid\", \"network\"" },
	{ "linux.uidMappings[0].hostID", "4294967295", "is out of range" },
	{ "linux.uidMappings[0].size", "0", "is out of range, expected a whole number from 1" },
	{ "linux.devices[0].type", "\"a\"", "is unknown, expected one of \"c\"" },
	{ "linux.devices[0].major", "4096",
	  "is out of range, expected a whole number from 0 to 4095" },
	{ "linux.devices[0].minor", "1048576", "is out of range" },
	{ "linux.devices[0].uid", "4294967295", "is out of range" },
	{ "linux.rootfsPropagation", "\"rec\"", "is unknown, expected one of \"shared\"" },
	{ "linux.resources.devices[1].type", "\"x\"", "is unknown, expected one of \"a\"" },
	{ "linux.resources.devices[1].major", "-2", "is out of range" },
	{ "linux.resources.memory.limit", "-2",
	  "is out of range, expected a whole number from -1" },
	{ "linux.resources.memory.swappiness", "101", "is out of range" },
	{ "linux.resources.cpu.shares", "-1", "is out of range" },
	{ "linux.resources.cpu.idle", "2", "is out of range, expected a whole number from 0 to 1" },
	{ "linux.resources.blockIO.weight", "1001", "is out of range" },
	{ "linux.resources.network.classID", "4294967296", "is out of range" },
	{ "linux.seccomp.defaultAction", "\"ALLOW\"",
	  "is unknown, expected one of \"SCMP_ACT_ALLOW\"" },
	{ "linux.seccomp.defaultErrnoRet", "65536", "is out of range" },
	{ "linux.seccomp.architectures[0]", "\"x86_64\"",
	  "is unknown, expected one of \"SCMP_ARCH_X86_64\"" },
	{ "linux.seccomp.flags[0]", "\"LOG\"",
	  "is unknown, expected one of \"SECCOMP_FILTER_FLAG_TSYNC\"" },
	{ "linux.seccomp.syscalls[0].args[0].index", "6",
	  "is out of range, expected a whole number from 0 to 5" },
	{ "linux.seccomp.syscalls[0].args[0].op", "\"==\"",
	  "is unknown, expected one of \"SCMP_CMP_NE\"" },
	{ "linux.memoryPolicy.mode", "\"BIND\"", "is unknown, expected one of \"MPOL_DEFAULT\"" },
	{ "linux.memoryPolicy.flags[0]", "\"X\"",
	  "is unknown, expected one of \"MPOL_F_STATIC_NODES\"" },
	{ "linux.personality.domain", "\"BSD\"",
	  "is unknown, expected one of \"LINUX\", \"LINUX32\"" },
	{ "linux.timeOffsets.monotonic.nanosecs", "1000000000", "is out of range" },
	{ "process.cwd", "\"\"", "is empty, expected a text" },
	{ "root.path", "\"\"", "is empty" },
	{ "mounts[0].destination", "\"\"", "is empty" },
	{ "linux.resources.hugepageLimits[0].pageSize", "\"\"", "is empty" },
	{ "process.rlimits[0].type", "\"\\u001b[2J\"", "is unknown" },
};

static void values_out_of_range_are_refused(void **state)
{
	char expected[2 * PATH_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		json_t *root = load_full();

		mutate_set(root, values[i].path, values[i].value);
		(void)snprintf(expected, sizeof(expected), ": %s: %s %s", values[i].path,
			       values[i].value, values[i].says);
		mutate_expect(root, expected);
		json_decref(root);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_types_are_refused_at_every_key),
		cmocka_unit_test(missing_keys_are_named),
		cmocka_unit_test(values_out_of_range_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
