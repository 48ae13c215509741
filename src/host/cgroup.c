/*
 * cgroup.c - see cgroup.h.
 *
 * Where hierarchies are mounted follows from convention (systemd's and everybody's since), checked
 * by the file systems' magic numbers: /proc/self/mountinfo grows with the containers of the host,
 * and at 3000 mounts it takes longer to read than a container takes to start.
 */
#include "host/cgroup.h"

#include <linux/magic.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sys/sys.h"

#define ROOT    "/sys/fs/cgroup"
#define UNIFIED ROOT "/unified"

/* A dozen hierarchies with paths of a kilobyte; small enough for the stack of a thread. */
#define TEXT_SIZE (16 * 1024)

static bool is_mounted(const char *path, unsigned long magic)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && (unsigned long)fs.f_type == magic;
}

static int read_text(const char *path, char *text, size_t size, struct err *err)
{
	_cleanup_close_ int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	ssize_t n;

	if (fd < 0)
		return err_set(err, fd, "open %s", path);
	n = sys_read(fd, text, size - 1);
	if (n < 0)
		return err_set(err, (int)n, "read %s", path);
	if ((size_t)n == size - 1)
		return err_set(err, -EFBIG, "read %s", path);
	text[n] = '\0';
	return 0;
}

/*
 * Where a v1 hierarchy is mounted: a directory named after all its controllers, or after one of
 * them (/proc/self/cgroup may say "cpuacct,cpu" of what is mounted at "cpu,cpuacct"). NULL: nowhere
 * that we know.
 */
static const char *find_mount(struct arena *arena, const char *controllers)
{
	const char *name = strncmp(controllers, "name=", 5) == 0 ? controllers + 5 : controllers;
	const char *path = arena_printf(arena, ROOT "/%s", name);
	size_t len = strcspn(name, ",");

	if (strchr(name, '/') || *name == '\0')
		return NULL;
	if (is_mounted(path, CGROUP_SUPER_MAGIC))
		return path;
	if (name[len] == '\0')
		return NULL;
	path = arena_printf(arena, ROOT "/%.*s", (int)len, name);
	return is_mounted(path, CGROUP_SUPER_MAGIC) ? path : NULL;
}

/*
 * Without a cgroup namespace a container is told its cgroup's path on the host, and finds that
 * cgroup mounted alone (docker and podman on v1). And "/../x" is seen by a process outside of its
 * cgroup namespace: there is no way there.
 */
static const char *path_below(struct arena *arena, const char *mount, const char *own)
{
	if (strcmp(own, "/") == 0 || strstr(own, "/..") ||
	    access(arena_printf(arena, "%s%s", mount, own), F_OK) < 0)
		return "/";
	return arena_strndup(arena, own, strlen(own));
}

/* One line of /proc/self/cgroup, "4:memory:/path", is one hierarchy; 0 is v2. */
static void read_line(struct arena *arena, struct cgroup_facts *facts, char *line)
{
	char *controllers = strchr(line, ':');
	char *own = controllers ? strchr(controllers + 1, ':') : NULL;
	struct cgroup_hierarchy *h = &facts->v[facts->n];

	if (!own)
		return;
	*own++ = '\0';
	controllers++;
	if (*controllers != '\0')
		h->mount = facts->mode == CGROUP_V2 ? NULL : find_mount(arena, controllers);
	else
		h->mount = facts->mode == CGROUP_V2       ? ROOT
			   : facts->mode == CGROUP_HYBRID ? UNIFIED
							  : NULL;
	if (!h->mount)
		return;
	h->controllers = arena_strndup(arena, controllers, strlen(controllers));
	h->own = path_below(arena, h->mount, own);
	facts->n++;
}

static void read_hierarchies(struct arena *arena, struct cgroup_facts *facts, char *text)
{
	size_t lines = 1;
	char *save = NULL;

	/* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Branch): a system call wrote it */
	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	facts->v = arena_array(arena, lines, sizeof(*facts->v));
	if (!facts->v)
		return;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		read_line(arena, facts, line);
}

const char *cgroup_mode_name(enum cgroup_mode mode)
{
	static const char *const names[] = {
		[CGROUP_NONE] = "none",
		[CGROUP_V1] = "v1",
		[CGROUP_V2] = "v2",
		[CGROUP_HYBRID] = "hybrid",
	};

	return names[mode];
}

enum cgroup_mode cgroup_mode_read(void)
{
	if (is_mounted(ROOT, CGROUP2_SUPER_MAGIC))
		return CGROUP_V2;
	return is_mounted(UNIFIED, CGROUP2_SUPER_MAGIC) ? CGROUP_HYBRID : CGROUP_V1;
}

static int read_v2_controllers(struct arena *arena, struct cgroup_facts *facts, struct err *err)
{
	const char *path =
	    facts->mode == CGROUP_V2 ? ROOT "/cgroup.controllers" : UNIFIED "/cgroup.controllers";
	char text[512];
	int r = read_text(path, text, sizeof(text), err);

	if (r < 0)
		return r;
	facts->v2_controllers = arena_strndup(arena, text, strcspn(text, "\n"));
	return 0;
}

int cgroup_facts_read(bool controllers, struct arena *arena, struct cgroup_facts *ret,
		      struct err *err)
{
	struct cgroup_facts facts = { .mode = cgroup_mode_read(), .v2_controllers = "" };
	char text[TEXT_SIZE];
	int r = read_text("/proc/self/cgroup", text, sizeof(text), err);

	if (r != 0)
		return r;
	read_hierarchies(arena, &facts, text);
	if (controllers && facts.mode != CGROUP_V1)
		r = read_v2_controllers(arena, &facts, err);
	if (r < 0)
		return r;
	if (arena_failed(arena))
		return err_set(err, -ENOMEM, "read the cgroups of this process");
	if (facts.n == 0)
		facts.mode = CGROUP_NONE;
	*ret = facts;
	return 0;
}
