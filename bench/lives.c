#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- a life in single commands ---- */

enum { LIFE_CREATE, LIFE_START, LIFE_STATE, LIFE_KILL, LIFE_DELETE, LIFE_FORCE, LIFE_COMMANDS };
static const char *const life_names[] = { "create", "start",  "state",
					  "kill",   "delete", "delete --force" };

struct life {
	struct subject *commands[LIFE_COMMANDS];
};

static struct life *new_life(const struct setup *u, const char *name, const char *runtime)
{
	struct life *ret = calloc(1, sizeof(*ret));
	char *create = bench_text("create --bundle %s @", bench_bundle(u, runtime, "wait"));
	const char *const lines[] = { create,        "start @",  "state @",
				      "kill @ KILL", "delete @", "delete --force @" };

	if (!ret)
		measure_die("no memory");
	for (int i = 0; i < LIFE_COMMANDS; i++)
		ret->commands[i] =
		    bench_subject(name, bench_text("%s --root %s %s", runtime,
						   bench_state(u, runtime), lines[i]));
	return ret;
}

static void wait_until_none(void)
{
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static void life_round(struct life *l, unsigned int round)
{
	uint64_t number = measure_number();

	for (int i = LIFE_CREATE; i <= LIFE_DELETE; i++) {
		/* Its process is ours by now: `delete` shall find it gone, as it does after an
		 * engine's wait. */
		if (i == LIFE_DELETE)
			wait_until_none();
		l->commands[i]->ns[round] = measure_numbered(l->commands[i]->argv, -1, number);
	}
	number = measure_number();
	(void)measure_numbered(l->commands[LIFE_CREATE]->argv, -1, number);
	(void)measure_numbered(l->commands[LIFE_START]->argv, -1, number);
	l->commands[LIFE_FORCE]->ns[round] =
	    measure_numbered(l->commands[LIFE_FORCE]->argv, -1, number);
	wait_until_none();
}

void bench_life(const struct setup *u)
{
	unsigned int rounds = u->rounds / 2 + 1;
	struct life *us = new_life(u, "containr-oci", u->runtime);
	struct life *crun = u->crun ? new_life(u, "crun", u->crun) : NULL;

	for (unsigned int round = 0; round < rounds; round++) {
		if (crun && round % 2)
			life_round(crun, round);
		life_round(us, round);
		if (crun && round % 2 == 0)
			life_round(crun, round);
	}
	for (int i = 0; i < LIFE_COMMANDS; i++) {
		struct series s = { .name = life_names[i], .rounds = rounds };
		const char *what = bench_text("`%s`", life_names[i]);
		if (crun)
			bench_add(&s, crun->commands[i]);
		bench_add(&s, us->commands[i]);
		if (i == LIFE_FORCE) {
			double ms = (double)measure_median(us->commands[i]->ns, rounds) / 1e6;
			bench_row(bench_text("%s of a running container", what), "&le; 3 ms",
				  ms <= 3, "%.2f ms", ms);
		} else if (crun) {
			bench_ratio(what, us->commands[i], crun->commands[i], rounds, 1.0 / 3);
		}
		bench_note(u, &s);
	}
}

/* ---- exec ---- */

static long read_number(const char *path)
{
	long ret = 0;
	FILE *file = fopen(path, "re");

	if (!file || fscanf(file, "%ld", &ret) != 1)
		measure_die("%s: no number", path);
	fclose(file);
	return ret;
}

/* The v2 cgroup of a process. */
static char *cgroup_of(long pid)
{
	static char line[4096];
	FILE *file = fopen(bench_text("/proc/%ld/cgroup", pid), "re");

	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		if (strncmp(line, "0::", 3) == 0) {
			fclose(file);
			return bench_text("/sys/fs/cgroup%s", line + 3);
		}
	}
	measure_die("process %ld: no cgroup", pid);
}

/* A container that waits: its pid. */
static long start_waiting(const struct setup *u, const char *runtime, uint64_t number)
{
	char *base = bench_text("%s --root %s", runtime, bench_state(u, runtime));

	(void)measure_numbered(
	    bench_words(bench_text("%s create --pid-file %s/pid --bundle %s @", base, u->work,
				   bench_bundle(u, runtime, "wait"))),
	    -1, number);
	(void)measure_numbered(bench_words(bench_text("%s start @", base)), -1, number);
	return read_number(bench_text("%s/pid", u->work));
}

static struct subject *execer(const struct setup *u, const char *name, const char *runtime,
			      uint64_t number)
{
	char *line = bench_text("%s --root %s exec b%d-%llu /bin/true", runtime,
				bench_state(u, runtime), getpid(), (unsigned long long)number);

	return bench_subject(name, line);
}

void bench_exec(const struct setup *u)
{
	struct series s = { .name = "exec", .rounds = u->rounds };
	const char *const runtimes[] = { u->runtime, u->crun, u->runc };
	const char *const names[] = { "containr-oci", "crun", "runc" };
	uint64_t numbers[3] = { 0 };

	for (int i = 0; i < 3; i++) {
		if (!runtimes[i])
			continue;
		numbers[i] = measure_number();
		long pid = start_waiting(u, runtimes[i], numbers[i]);
		if (i == 0)
			bench_add(&s, bench_subject(
					  "floor of exec",
					  bench_text("%s/floor-musl -m docker -v -c into -g %s -s "
						     "%s/docker-tree.bpf -E %ld / /bin/true",
						     u->work, cgroup_of(pid), u->work, pid)));
		bench_add(&s, execer(u, names[i], runtimes[i], numbers[i]));
	}
	measure_series(&s);
	for (int i = 0; i < 3; i++)
		if (runtimes[i])
			(void)measure_numbered(
			    bench_words(bench_text("%s --root %s delete --force @", runtimes[i],
						   bench_state(u, runtimes[i]))),
			    -1, numbers[i]);
	wait_until_none();
	bench_ratio("`exec`", s.subjects[1], s.subjects[0], s.rounds, 1.3);
	bench_note(u, &s);
}
