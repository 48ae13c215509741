/*
 * cmd_features.c - features: what this program can do, in the words of runtime-spec's features.md.
 *
 * It is true of the program, not of the host. Lists come from the tables that the code itself uses.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "plan/mount_options.h"
#include "seccomp/arch.h"
#include "spec/names.h"
#include "version.h"

#define MAX_NAMES 256

struct list {
	size_t n;
	const char *v[MAX_NAMES];
};

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add(struct list *list, const char *name)
{
	if (list->n < MAX_NAMES)
		list->v[list->n++] = name;
}

static void print_list(const char *indent, const char *key, struct list *list, struct buf *out)
{
	qsort(list->v, list->n, sizeof(list->v[0]), by_name);
	buf_printf(out, "%s\"%s\": [", indent, key);
	for (size_t i = 0; i < list->n; i++)
		buf_printf(out, "%s\"%s\"", i > 0 ? ", " : "", list->v[i]);
	buf_str(out, "]");
}

static void print_names(const char *indent, const char *key, const struct spec_name *names,
			struct buf *out)
{
	struct list list = { 0 };

	for (; names->name; names++)
		add(&list, names->name);
	print_list(indent, key, &list, out);
}

static void print_mount_options(struct cli *cli, struct buf *out)
{
	struct list list = { 0 };
	const char *name;
	bool recursive;

	for (size_t i = 0; (name = mount_options_name(i, &recursive)); i++) {
		add(&list, name);
		if (recursive)
			add(&list, arena_printf(&cli->arena, "r%s", name));
	}
	print_list("  ", "mountOptions", &list, out);
}

static void print_archs(struct buf *out)
{
	struct list list = { 0 };

	for (unsigned int i = 0; arch_at(i); i++)
		add(&list, arch_at(i)->name);
	print_list("      ", "archs", &list, out);
}

static void print_seccomp(struct buf *out)
{
	buf_str(out, "    \"seccomp\": {\n      \"enabled\": true,\n");
	print_names("      ", "actions", spec_seccomp_action_names, out);
	buf_str(out, ",\n");
	print_names("      ", "operators", spec_seccomp_operator_names, out);
	buf_str(out, ",\n");
	print_archs(out);
	buf_str(out, ",\n");
	print_names("      ", "knownFlags", spec_seccomp_flag_names, out);
	buf_str(out, ",\n");
	print_names("      ", "supportedFlags", spec_seccomp_flag_names, out);
	buf_str(out, "\n    },\n");
}

static void print_linux(struct buf *out)
{
	buf_str(out, "  \"linux\": {\n");
	print_names("    ", "namespaces", spec_namespace_names, out);
	buf_str(out, ",\n");
	print_names("    ", "capabilities", spec_capability_names, out);
	buf_str(out, ",\n"
		     "    \"cgroup\": {\"v1\": true, \"v2\": true, \"systemd\": true, "
		     "\"systemdUser\": true, \"rdma\": true},\n");
	print_seccomp(out);
	buf_str(out, "    \"apparmor\": {\"enabled\": true},\n"
		     "    \"selinux\": {\"enabled\": true},\n"
		     "    \"intelRdt\": {\"enabled\": true, \"schemata\": true, "
		     "\"monitoring\": true},\n"
		     "    \"memoryPolicy\": {\n");
	print_names("      ", "modes", spec_memory_policy_names, out);
	buf_str(out, ",\n");
	print_names("      ", "flags", spec_memory_policy_flag_names, out);
	buf_str(out, "\n    },\n"
		     "    \"mountExtensions\": {\"idmap\": {\"enabled\": true}},\n"
		     "    \"netDevices\": {\"enabled\": true}\n"
		     "  },\n");
}

int cmd_features(struct cli *cli)
{
	_cleanup_buf_ struct buf out = { 0 };

	buf_str(&out, "{\n  \"ociVersionMin\": \"1.0.0\",\n"
		      "  \"ociVersionMax\": \"" CLI_SPEC_VERSION "\",\n"
		      "  \"hooks\": [\"prestart\", \"createRuntime\", \"createContainer\", "
		      "\"startContainer\", \"poststart\", \"poststop\"],\n");
	print_mount_options(cli, &out);
	buf_str(&out, ",\n");
	print_linux(&out);
	buf_str(&out, "  \"annotations\": {\n"
		      "    \"org.opencontainers.runc.checkpoint.enabled\": \"true\",\n"
		      "    \"org.containr.version\": \"" CONTAINR_VERSION "\",\n"
		      "    \"org.containr.commit\": \"" VERSION_COMMIT "\"\n  },\n"
		      "  \"potentiallyUnsafeConfigAnnotations\": []\n}\n");
	if (arena_failed(&cli->arena))
		return err_set(&cli->err, -ENOMEM, "list the features");
	return cli_print(cli, &out);
}
