/*
 * selinux.c - which labels a container gets; see selinux.h.
 */
#include "host/selinux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/selinux_mcs.h"

#define SELINUXFS "/sys/fs/selinux"

bool selinux_is_enabled(void)
{
	_cleanup_close_ int fd = open(SELINUXFS "/policyvers", O_RDONLY | O_CLOEXEC);
	char current[8] = "";
	ssize_t n;

	if (fd < 0)
		return false;
	(void)close(take_fd(&fd));
	/* Before a policy is loaded all processes are "kernel". */
	fd = open("/proc/self/attr/current", O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, current, sizeof(current) - 1);
	return n > 0 && strcmp(current, "kernel") != 0;
}

bool selinux_is_enforcing(void)
{
	_cleanup_close_ int fd = open(SELINUXFS "/enforce", O_RDONLY | O_CLOEXEC);
	char c = '0';

	return fd >= 0 && read(fd, &c, 1) == 1 && c == '1';
}

bool selinux_has_context(const char *label)
{
	_cleanup_close_ int fd = open(SELINUXFS "/context", O_RDWR | O_CLOEXEC);
	size_t len = strlen(label) + 1;

	return fd >= 0 && write(fd, label, len) == (ssize_t)len;
}

static bool read_number(const char *path, unsigned int *ret)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[16] = "";

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return false;
	return sscanf(text, "%u", ret) == 1;
}

bool selinux_may_run_programs(const char *label)
{
	_cleanup_close_ int fd = open(SELINUXFS "/access", O_RDWR | O_CLOEXEC);
	unsigned int class = 0, bit = 0, allowed = 0;
	char text[512];
	ssize_t n;

	if (fd < 0 || !read_number(SELINUXFS "/class/file/index", &class) ||
	    !read_number(SELINUXFS "/class/file/perms/entrypoint", &bit) || bit == 0)
		return false;
	/* One write is the question, what can be read then the answer: a mask in hexadecimal. */
	n = snprintf(text, sizeof(text), "%s system_u:object_r:shell_exec_t:s0 %u", label, class);
	if (n < 0 || (size_t)n >= sizeof(text) || write(fd, text, (size_t)n) != n)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	return sscanf(text, "%x", &allowed) == 1 && (allowed >> (bit - 1) & 1);
}

/* ---- options -----------------------------------------------------------------------------------
 */

struct parts {
	const char *user, *role, *type, *level, *file_type;
	bool is_disabled;
};

/* The letters of a label's parts; the level has colons and commas, too. */
static bool is_part(const char *text, bool level)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_.-";
	const char *p = text;

	for (; *p; p++)
		if (!strchr(letters, *p) && !(level && (*p == ':' || *p == ',')))
			return false;
	return p > text;
}

static int read_option(const char *option, struct parts *parts, struct err *err)
{
	const struct {
		const char *key;
		const char **to;
	} keys[] = {
		{ "user:", &parts->user },          { "role:", &parts->role },
		{ "type:", &parts->type },          { "level:", &parts->level },
		{ "filetype:", &parts->file_type },
	};

	if (strcmp(option, "disable") == 0) {
		parts->is_disabled = true;
		return 0;
	}
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		size_t len = strlen(keys[i].key);

		if (strncmp(option, keys[i].key, len) != 0)
			continue;
		if (!is_part(option + len, keys[i].to == &parts->level))
			return err_say(err, -EINVAL,
				       "label=%s: what follows the first colon is no %.*s", option,
				       (int)len - 1, option);
		*keys[i].to = option + len;
		return 0;
	}
	return err_say(
	    err, -EINVAL,
	    "label=%s: expected disable, or user:, role:, type:, level: or filetype: and a "
	    "value",
	    option);
}

/* A typo would end in EINVAL when the program is executed, much later. */
static int check(const char *label, struct err *err)
{
	if (selinux_has_context(label))
		return 0;
	(void)err_say(err, -EINVAL, "SELinux label %s: the loaded policy does not know it", label);
	return err_hint(err,
			"`containr selinux install` brings " SELINUX_DEFAULT_TYPE
			" to hosts whose policy has no containers; `seinfo -t` lists the types");
}

static int compose(const struct parts *parts, const char *level, struct arena *arena,
		   struct selinux_labels *ret, struct err *err)
{
	struct selinux_labels labels = {
		.process = arena_printf(arena, "%s:%s:%s:%s", parts->user, parts->role, parts->type,
					level),
		.mount =
		    arena_printf(arena, "%s:object_r:%s:%s", parts->user, parts->file_type, level),
	};
	int r;

	if (arena_failed(arena))
		return err_set(err, -ENOMEM, "make SELinux labels");
	r = check(labels.process, err);
	if (r == 0)
		r = check(labels.mount, err);
	if (r == 0)
		*ret = labels;
	return r;
}

int selinux_label_make(const char *root, const char *id, const char *const *options,
		       struct arena *arena, struct selinux_labels *ret, struct err *err)
{
	struct parts parts = { "system_u", "system_r",        SELINUX_DEFAULT_TYPE,
			       NULL,       SELINUX_FILE_TYPE, false };
	char level[SELINUX_LEVEL_SIZE];
	int r = 0;

	for (size_t i = 0; options[i] && r == 0; i++)
		r = read_option(options[i], &parts, err);
	if (r < 0)
		return r;
	if (parts.is_disabled || (!options[0] && !selinux_is_enabled())) {
		*ret = (struct selinux_labels){ NULL, NULL };
		return 0;
	}
	if (!selinux_is_enabled())
		return err_say(err, -EOPNOTSUPP, "label=%s: SELinux is not active on this host",
			       options[0]);
	if (parts.level)
		return compose(&parts, parts.level, arena, ret, err);
	r = selinux_level_claim(root, id, level, err);
	return r < 0 ? r : compose(&parts, level, arena, ret, err);
}
