#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- series ---------------------------------------------------------------------------------- */

void bench_run(const struct setup *u)
{
	struct series s = { .name = "run, docker-like", .rounds = u->rounds };
	struct subject *a = bench_floor_a(u), *b = bench_floor_b(u, "floorB", "-c into -b");
	struct subject *us = bench_runner(u, "containr-oci", u->runtime, "docker");
	struct subject *minimal =
	    bench_runner(u, "containr-oci, minimal config", u->runtime, "minimal");

	bench_add(&s, a);
	bench_add(&s, b);
	bench_add(&s, us);
	bench_add(&s, minimal);
	bench_add(&s, bench_runner(u, "crun", u->crun, "docker"));
	bench_add(&s, bench_runner(u, "runc", u->runc, "docker"));
	bench_add(&s, bench_bubblewrap(u));
	measure_series(&s);
	bench_ratio("`run` of a docker-like config", us, b, s.rounds, 1.15);
	bench_ratio("`run` of a docker-like config", us, a, s.rounds, 0.60);
	bench_ratio("`run` of a minimal config", minimal, a, s.rounds, 0.75);
	bench_note(u, &s);
}

/* A loop without pauses hides what waits for an idle processor: RCU, migration, cold caches. */
void bench_idle(const struct setup *u)
{
	struct series s = { .name = bench_text("run, %u ms idle before each", u->gap_ms),
			    .rounds = u->rounds / 4 + 1,
			    .gap_ms = u->gap_ms };
	struct subject *a = bench_floor_a(u), *b = bench_floor_b(u, "floorB", "-c into -b");
	struct subject *us = bench_runner(u, "containr-oci", u->runtime, "docker");

	bench_add(&s, a);
	bench_add(&s, b);
	bench_add(&s, us);
	bench_add(&s, bench_runner(u, "crun", u->crun, "docker"));
	measure_series(&s);
	bench_ratio("`run` after idle time", us, b, s.rounds, 1.15);
	bench_ratio("`run` after idle time", us, a, s.rounds, 0.60);
	bench_note(u, &s);
}

/* ---- a profile that was never seen before ---- */

/* Writes the profile with a value that decides a rule's argument. */
static void write_profile(const struct subject *s, unsigned int argument)
{
	static char config[65536];
	FILE *in = fopen(bench_text("%s/../profile%s/config.json", s->bundle, s->suffix), "re");

	if (!in)
		measure_die("profile: %s", strerror(errno));
	size_t n = fread(config, 1, sizeof(config) - 1, in);
	fclose(in);
	config[n] = 0;
	char *value = strstr(config, "135246");
	FILE *out = fopen(bench_text("%s/config.json", s->bundle), "we");
	if (!value || !out)
		measure_die("the profile has no value to change, or cannot be written");
	(void)memcpy(value, bench_text("%06u", argument), 6);
	fwrite(config, 1, n, out);
	fclose(out);
}

/* Anything that is cached misses. */
static void new_profile(struct subject *s, uint64_t number)
{
	write_profile(s, 200000 + (unsigned int)(number % 700000));
}

/* The same text, but the file is as new as that of the others. */
static void same_profile(struct subject *s, uint64_t number)
{
	(void)number;
	write_profile(s, 135246);
}

void bench_profile(const struct setup *u)
{
	struct series s = { .name = "run, profile", .rounds = u->rounds / 2 + 1 };
	struct subject *same = bench_runner(u, "one seen before", u->runtime, "profile");
	struct subject *fresh =
	    bench_runner(u, "containr-oci, never seen", u->runtime, "profile-new");
	struct subject *crun = bench_runner(u, "crun, never seen", u->crun, "profile-new");

	same->prepare = same_profile;
	fresh->prepare = new_profile;
	bench_add(&s, same);
	bench_add(&s, fresh);
	if (crun) {
		crun->prepare = new_profile;
		bench_add(&s, bench_runner(u, "crun, seen before", u->crun, "profile"));
		bench_add(&s, crun);
	}
	measure_series(&s);
	bench_ratio("`run` with a profile never seen before", fresh, same, s.rounds, 1.05);
	bench_note(u, &s);
}

/* ---- many mounts on the host ---- */

/* A mount namespace with `more` mounts: its descriptor. */
static int namespace_with_mounts(const struct setup *u, unsigned int more)
{
	char ready;
	int pair[2];

	if (pipe2(pair, O_CLOEXEC) < 0)
		measure_die("pipe: %s", strerror(errno));
	int pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) < 0)
			_exit(1);
		for (unsigned int i = 0; i < more; i++) {
			const char *path = bench_text("%s/mounts/%u", u->work, i);
			(void)mkdir(path, 0755);
			if (mount(u->work, path, NULL, MS_BIND, NULL) < 0)
				_exit(1);
		}
		if (write(pair[1], "", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(pair[1]);
	if (read(pair[0], &ready, 1) != 1)
		measure_die("%u mounts cannot be made", more);
	close(pair[0]);
	int fd = open(bench_text("/proc/%d/ns/mnt", pid), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		measure_die("namespace: %s", strerror(errno));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return fd;
}

void bench_mounts(const struct setup *u)
{
	enum { MOUNTS = 3000 };
	struct series s = { .name = "run, mounts on the host", .rounds = u->rounds / 4 + 1 };
	struct subject *few = bench_runner(u, "few mounts", u->runtime, "docker");
	struct subject *many = bench_runner(u, "containr-oci, 3000 mounts", u->runtime, "docker");

	few->mntns = namespace_with_mounts(u, 0);
	many->mntns = namespace_with_mounts(u, MOUNTS);
	bench_add(&s, few);
	bench_add(&s, many);
	if (u->crun) {
		struct subject *crun_few = bench_runner(u, "crun, few mounts", u->crun, "docker");
		struct subject *crun_many = bench_runner(u, "crun, 3000 mounts", u->crun, "docker");
		crun_few->mntns = few->mntns;
		crun_many->mntns = many->mntns;
		bench_add(&s, crun_few);
		bench_add(&s, crun_many);
	}
	measure_series(&s);
	bench_ratio("`run` with 3000 mounts on the host", many, few, s.rounds, 1.10);
	bench_note(u, &s);
	close(few->mntns);
	close(many->mntns);
}

/* ---- what a cgroup adds ---- */

static struct subject *people_run(const struct setup *u, const char *name, const char *manager)
{
	const char *slash = strrchr(u->runtime, '/');

	return bench_subject(
	    name, bench_text("%.*s/containr --root %s run --rootfs %s/docker/rootfs "
			     "--cgroupns host --pids-limit 0 --cap-drop mknod "
			     "--cgroup-manager %s /bin/true",
			     slash ? (int)(slash - u->runtime) : 1, slash ? u->runtime : ".",
			     bench_state(u, "containr"), u->work, manager));
}

/* Made, device rules set, born into and removed; a bare one beside, to show what the rules are. */
void bench_cgroup(const struct setup *u)
{
	struct series s = { .name = "run, its cgroup", .rounds = u->rounds };
	struct subject *bare = bench_floor_b(u, "floorB without a cgroup", "-c none");
	struct subject *empty = bench_floor_b(u, "floorB in a cgroup without rules", "-c into");
	struct subject *into = bench_floor_b(u, "floorB in a cgroup", "-c into -b");
	struct subject *without = people_run(u, "containr without a cgroup", "disabled");
	struct subject *with = people_run(u, "containr in a cgroup", "cgroupfs");

	bench_add(&s, bare);
	bench_add(&s, empty);
	bench_add(&s, into);
	bench_add(&s, without);
	bench_add(&s, with);
	measure_series(&s);
	double floor = measure_difference(into->ns, bare->ns, s.rounds);
	double ours = measure_difference(with->ns, without->ns, s.rounds);
	bench_row("a cgroup with device rules for `run`",
		  bench_text("&le; the floor's %.2f ms", floor), ours <= floor, "%.2f ms", ours);
	bench_note(u, &s);
}

/* ---- many at once ---- */

void bench_crowd(const struct setup *u)
{
	struct series s = { .name = "100 starts, 16 at a time", .rounds = u->rounds / 20 + 3 };
	struct subject *a = bench_floor_a(u);
	struct subject *us = bench_runner(u, "containr-oci", u->runtime, "docker");

	bench_add(&s, a);
	bench_add(&s, us);
	bench_add(&s, bench_runner(u, "crun", u->crun, "docker"));
	for (unsigned int round = 0; round < s.rounds; round++)
		for (size_t i = 0; i < s.n; i++) {
			struct subject *subject = s.subjects[(i + round) % s.n];
			subject->ns[round] = measure_crowd(subject->argv, 100, 16);
		}
	bench_ratio("100 starts, 16 at a time", us, a, s.rounds, 0.65);
	bench_note(u, &s);
}
