/*
 * facts.c - see facts.h.
 */
#include "host/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "host/program.h"
#include "host/seed.h"
#include "sys/sys.h"

/* Reads a small file of procfs or sysfs; "" if there is none. */
static void read_small(const char *path, char *text, size_t size)
{
	_cleanup_close_ int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	ssize_t n = fd < 0 ? 0 : read(fd, text, size - 1);

	text[n > 0 ? n : 0] = '\0';
	if (n > 0 && text[n - 1] == '\n')
		text[n - 1] = '\0';
}

static int read_kernel(struct facts *facts, struct err *err)
{
	struct utsname name;

	if (uname(&name) < 0)
		return err_set(err, -errno, "ask for the kernel's version");
	if (sscanf(name.release, "%u.%u", &facts->kernel_major, &facts->kernel_minor) != 2)
		return err_say(err, -EINVAL, "the kernel's version \"%s\" is not a number",
			       name.release);
	/* mount_setattr(2): without it attributes would be set by path, which can be bent. */
	if (facts->kernel_major < 5 || (facts->kernel_major == 5 && facts->kernel_minor < 12))
		return err_say(
		    err, -ENOSYS,
		    "Linux %s is too old: 5.12 is the first version in which mounts can be "
		    "made by file descriptor alone",
		    name.release);
	return 0;
}

static int read_capabilities(struct facts *facts, struct err *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	int r = (int)sys_call_2(SYS_capget, &header, data), last = 40;

	if (r < 0)
		return err_set(err, r, "ask for our own capabilities");
	facts->caps = (uint64_t)data[1].effective << 32 | data[0].effective;
	/* Linux 5.9 to 6.18 know 41 of them; a later kernel's are found by asking. */
	while (sys_prctl(PR_CAPBSET_READ, (unsigned long)last + 1, 0, 0, 0) >= 0)
		last++;
	facts->known_caps = (1ULL << (last + 1)) - 1;
	return 0;
}

/* The first one has a number that never changes (PROC_USER_INIT_INO, include/linux/proc_ns.h). */
static bool read_in_userns(void)
{
	char text[64] = "";
	ssize_t n = readlink("/proc/self/ns/user", text, sizeof(text) - 1);

	return n > 0 && strcmp(text, "user:[4026531837]") != 0;
}

static void read_oom_score(struct facts *facts)
{
	char text[16];
	int64_t score = 0;

	read_small("/proc/self/oom_score_adj", text, sizeof(text));
	(void)num_i64(text, -1000, 1000, &score);
	facts->oom_score_adj = (int)score;
}

/*
 * Not by the caller's PATH: it gets rights over all ids of the container. In a user namespace
 * nothing looks like the host's root's, and our root is an ordinary user as well.
 */
static void find_fuse(struct arena *arena, struct facts *facts)
{
	const uid_t uid = facts->in_userns ? (uid_t)-1 : facts->euid;

	(void)program_find("fuse-overlayfs", NULL, uid, arena, &facts->fuse_overlayfs);
}

int facts_read(unsigned int wanted, struct arena *arena, struct facts *ret, struct err *err)
{
	struct facts facts = {
		.euid = geteuid(), .egid = getegid(), .seed_fd = -1, .systemd.manager = DBUS_NONE
	};
	int r;

	facts.in_userns = read_in_userns(); /* what follows asks for it */
	r = read_kernel(&facts, err);
	if (r == 0)
		r = read_capabilities(&facts, err);
	if (r == 0 && (wanted & FACTS_CGROUP))
		r = cgroup_facts_read(wanted & FACTS_CONTROLLERS, arena, &facts.cgroup, err);
	if (r == 0 && (wanted & FACTS_LSM))
		r = lsm_facts_read(arena, &facts.lsm, err);
	if (r == 0 && (wanted & FACTS_SYSTEMD))
		r = systemd_facts_read(systemd_is_users(facts.euid, facts.in_userns), arena,
				       &facts.systemd, err);
	if (r < 0)
		return r;
	if (wanted & FACTS_LANDLOCK)
		facts.lsm.landlock_abi = lsm_landlock_abi();
	if (wanted & FACTS_OOM_SCORE)
		read_oom_score(&facts);
	if (wanted & FACTS_FUSE)
		find_fuse(arena, &facts);
	if ((wanted & FACTS_SEED) && facts.euid == 0)
		facts.seed_fd = seed_open();
	facts.has_seed = facts.seed_fd >= 0;
	*ret = facts;
	return 0;
}
