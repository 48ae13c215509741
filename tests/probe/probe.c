/*
 * probe.c - tells from inside a container what its process really got.
 *
 *   probe                prints one JSON object and exits 0
 *   probe FILE           writes it to FILE instead
 *   probe --wait         sleeps; SIGTERM ends it with status 0, all others as the kernel has it
 *   probe --exit N       exits with N
 *   probe --raise N      kills itself with signal N (without effect where it is pid 1)
 *   probe --notify TEXT  sends TEXT to $NOTIFY_SOCKET
 *
 * Static and without allocation of its own, so that it runs in an empty root file system, under any
 * filter, and tells nothing that the C library made up.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static FILE *out;
static const char *sep = "";

static void put_string(const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static void key(const char *name)
{
	fprintf(out, "%s", sep);
	put_string(name);
	fputc(':', out);
	sep = ",\n";
}

static void put_number(const char *name, long long value)
{
	key(name);
	fprintf(out, "%lld", value);
}

static void put_text(const char *name, const char *value)
{
	key(name);
	put_string(value);
}

static void open_list(const char *name, char bracket)
{
	key(name);
	fputc(bracket, out);
	sep = "";
}

static void close_list(char bracket)
{
	fputc(bracket, out);
	sep = ",\n";
}

static void item(const char *value)
{
	fprintf(out, "%s", sep);
	put_string(value);
	sep = ",\n";
}

/* The lines of a file; an empty list where it cannot be read. */
static void put_lines(const char *name, const char *path)
{
	static char line[16384];
	FILE *file = fopen(path, "re");
	open_list(name, '[');
	while (file && fgets(line, sizeof line, file)) {
		line[strcspn(line, "\n")] = 0;
		item(line);
	}
	close_list(']');
	if (file)
		fclose(file);
}

static void put_file_number(const char *name, const char *path)
{
	long long value;
	FILE *file = fopen(path, "re");
	if (file && fscanf(file, "%lld", &value) == 1)
		put_number(name, value);
	if (file)
		fclose(file);
}

static void put_ids(void)
{
	uid_t r, e, s;
	gid_t groups[1024];
	int n;

	put_number("pid", getpid());
	put_number("ppid", getppid());
	put_number("sid", getsid(0));
	put_number("pgrp", getpgrp());
	getresuid(&r, &e, &s);
	open_list("uid", '[');
	fprintf(out, "%u,%u,%u", r, e, s);
	close_list(']');
	getresgid(&r, &e, &s);
	open_list("gid", '[');
	fprintf(out, "%u,%u,%u", r, e, s);
	close_list(']');
	n = getgroups(1024, groups);
	open_list("groups", '[');
	for (int i = 0; i < n; i++)
		fprintf(out, "%s%u", i ? "," : "", groups[i]);
	close_list(']');
	mode_t mask = umask(0);
	umask(mask);
	put_number("umask", mask);
}

static void put_caps(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { 0 };
	unsigned long long bounding = 0, ambient = 0;

	syscall(SYS_capget, &head, data);
	for (int cap = 0; cap < 64; cap++) {
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1)
			bounding |= 1ull << cap;
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) == 1)
			ambient |= 1ull << cap;
	}
	open_list("caps", '{');
	put_number("effective", (long long)(data[0].effective | (uint64_t)data[1].effective << 32));
	put_number("permitted", (long long)(data[0].permitted | (uint64_t)data[1].permitted << 32));
	put_number("inheritable",
		   (long long)(data[0].inheritable | (uint64_t)data[1].inheritable << 32));
	put_number("bounding", (long long)bounding);
	put_number("ambient", (long long)ambient);
	close_list('}');
	put_number("securebits", prctl(PR_GET_SECUREBITS));
	put_number("noNewPrivileges", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	put_number("seccomp", prctl(PR_GET_SECCOMP));
	put_number("dumpable", prctl(PR_GET_DUMPABLE));
	int sig = 0;
	prctl(PR_GET_PDEATHSIG, &sig);
	put_number("deathSignal", sig);
}

static const char *const limit_names[] = {
	"RLIMIT_CPU",      "RLIMIT_FSIZE", "RLIMIT_DATA",   "RLIMIT_STACK",
	"RLIMIT_CORE",     "RLIMIT_RSS",   "RLIMIT_NPROC",  "RLIMIT_NOFILE",
	"RLIMIT_MEMLOCK",  "RLIMIT_AS",    "RLIMIT_LOCKS",  "RLIMIT_SIGPENDING",
	"RLIMIT_MSGQUEUE", "RLIMIT_NICE",  "RLIMIT_RTPRIO", "RLIMIT_RTTIME",
};

static void put_limits(void)
{
	open_list("rlimits", '{');
	for (int i = 0; i < 16; i++) {
		struct rlimit limit;
		if (getrlimit(i, &limit) < 0)
			continue;
		key(limit_names[i]);
		fprintf(out, "[%lld,%lld]", (long long)limit.rlim_cur, (long long)limit.rlim_max);
	}
	close_list('}');
}

static void put_links(const char *name, const char *path)
{
	char link[4096];
	DIR *dir = opendir(path);
	struct dirent *entry;

	open_list(name, '{');
	while (dir && (entry = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, link, sizeof link - 1);
		if (n < 0 || (int)strtol(entry->d_name, NULL, 10) == dirfd(dir))
			continue;
		link[n] = 0;
		put_text(entry->d_name, link);
	}
	close_list('}');
	if (dir)
		closedir(dir);
}

/* Those that are open, also where there is no /proc. */
static void put_open_fds(void)
{
	bool first = true;
	open_list("openFds", '[');
	for (int fd = 0; fd < 1024; fd++) {
		if (fcntl(fd, F_GETFD) < 0 || (fd > 2 && fd == fileno(out)))
			continue;
		fprintf(out, "%s%d", first ? "" : ",", fd);
		first = false;
	}
	close_list(']');
}

static void put_devices(void)
{
	struct dirent *entry;
	DIR *dir = opendir("/dev");

	open_list("devices", '{');
	while (dir && (entry = readdir(dir))) {
		struct stat st;
		if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		key(entry->d_name);
		fprintf(out, "{\"mode\":%u,\"uid\":%u,\"gid\":%u,\"major\":%u,\"minor\":%u}",
			st.st_mode, st.st_uid, st.st_gid, major(st.st_rdev), minor(st.st_rdev));
	}
	close_list('}');
	if (dir)
		closedir(dir);
}

struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t util_min, util_max;
};

static void put_scheduling(void)
{
	struct attributes a = { .size = sizeof a };
	cpu_set_t cpus;
	bool first = true;

	if (syscall(SYS_sched_getattr, 0, &a, sizeof a, 0) == 0) {
		open_list("scheduler", '{');
		put_number("policy", a.policy);
		put_number("flags", (long long)a.flags);
		put_number("nice", a.nice);
		put_number("priority", a.priority);
		put_number("runtime", (long long)a.runtime);
		put_number("deadline", (long long)a.deadline);
		put_number("period", (long long)a.period);
		close_list('}');
	}
	sched_getaffinity(0, sizeof cpus, &cpus);
	open_list("cpus", '[');
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, &cpus))
			continue;
		fprintf(out, "%s%d", first ? "" : ",", i);
		first = false;
	}
	close_list(']');
	put_number("ioprio", syscall(SYS_ioprio_get, 1, 0));
	put_number("personality", personality(0xffffffff));
	put_file_number("oomScoreAdj", "/proc/self/oom_score_adj");
	int mode = -1;
	unsigned long nodes[16] = { 0 };
	if (syscall(SYS_get_mempolicy, &mode, nodes, sizeof nodes * 8, 0, 0) == 0)
		put_number("memoryPolicy", mode);
}

static void put_terminal(void)
{
	struct winsize size;
	char name[256];

	put_number("isatty", isatty(0));
	if (ttyname_r(0, name, sizeof name) == 0)
		put_text("ttyname", name);
	if (ioctl(0, TIOCGWINSZ, &size) == 0) {
		open_list("winsize", '[');
		fprintf(out, "%d,%d", size.ws_row, size.ws_col);
		close_list(']');
	}
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	put_number("controllingTerminal", fd >= 0);
	if (fd >= 0)
		close(fd);
}

static void put_times(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	put_number("monotonic", now.tv_sec);
	clock_gettime(CLOCK_BOOTTIME, &now);
	put_number("boottime", now.tv_sec);
}

static void put_process(char **argv)
{
	char text[4096];
	struct utsname names;

	open_list("args", '[');
	for (; *argv; argv++)
		item(*argv);
	close_list(']');
	open_list("env", '[');
	for (char **e = environ; *e; e++)
		item(*e);
	close_list(']');
	/* The system call: the library hides a directory that is not reachable. */
	long n = syscall(SYS_getcwd, text, sizeof text);
	put_text("cwd", n > 0 ? text : "");
	uname(&names);
	put_text("hostname", names.nodename);
	put_text("domainname", names.domainname);
	put_text("machine", names.machine);
	/* keyctl(KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, do not create) */
	put_number("sessionKeyring", syscall(SYS_keyctl, 0, -3, 0));
}

static void put_root(void)
{
	struct dirent *entry;
	DIR *dir = opendir("/");

	open_list("root", '[');
	while (dir && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			item(entry->d_name);
	close_list(']');
	if (dir)
		closedir(dir);
}

static void tell(char **argv)
{
	fputc('{', out);
	put_ids();
	put_caps();
	put_limits();
	put_process(argv);
	put_links("namespaces", "/proc/self/ns");
	put_links("fds", "/proc/self/fd");
	put_open_fds();
	put_devices();
	put_scheduling();
	put_terminal();
	put_times();
	put_root();
	put_lines("mounts", "/proc/self/mountinfo");
	put_lines("cgroup", "/proc/self/cgroup");
	put_lines("status", "/proc/self/status");
	put_lines("uidMap", "/proc/self/uid_map");
	put_lines("gidMap", "/proc/self/gid_map");
	put_lines("netDevices", "/proc/self/net/dev");
	fputs("}\n", out);
}

static void end(int sig)
{
	(void)sig;
	_exit(0);
}

_Noreturn static void wait_for_end(void)
{
	struct sigaction action = { .sa_handler = end };
	struct sigaction reap = { .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT };

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGCHLD, &reap, NULL);
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}

/* Pid 1 is immune against its own signals, so this ends with 99 there. */
static int die_from(int sig)
{
	signal(sig, SIG_DFL);
	raise(sig);
	return 99;
}

static int notify(const char *text)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (!path || strlen(path) >= sizeof to.sun_path)
		return 3;
	strcpy(to.sun_path, path);
	socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	if (to.sun_path[0] == '@')
		to.sun_path[0] = 0;
	if (sendto(fd, text, strlen(text), 0, (struct sockaddr *)&to, len) < 0) {
		perror("sendto");
		return 4;
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--wait") == 0)
		wait_for_end();
	if (argc > 2 && strcmp(argv[1], "--exit") == 0)
		return (int)strtol(argv[2], NULL, 10);
	if (argc > 2 && strcmp(argv[1], "--raise") == 0)
		return die_from((int)strtol(argv[2], NULL, 10));
	if (argc > 2 && strcmp(argv[1], "--notify") == 0)
		return notify(argv[2]);
	out = argc > 1 && argv[1][0] == '/' ? fopen(argv[1], "we") : stdout;
	if (!out) {
		perror(argv[1]);
		return 2;
	}
	tell(argv);
	return fclose(out) ? 1 : 0;
}
