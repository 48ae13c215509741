/*
 * bench.c - how fast the runtime is, against the floor and its peers; see README.md here.
 *
 *   bench [options] WORK      times what tools/bench has prepared in WORK; prints rows of a table
 *   bench --rss COMMAND...    runs it and prints the highest memory of it and its children, in KiB
 *
 * A row is "what | target | measured | verdict"; the times behind it go to WORK/times.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
	const char *name;
	void (*bench)(const struct setup *u);
} benches[] = {
	{ "run", bench_run },     { "idle", bench_idle },       { "exec", bench_exec },
	{ "life", bench_life },   { "profile", bench_profile }, { "mounts", bench_mounts },
	{ "crowd", bench_crowd }, { "cgroup", bench_cgroup },
};

/* ---- small helpers for tools/bench ----------------------------------------------------------- */

static int print_rss(char **argv)
{
	struct rusage usage;
	int status, pid = measure_start(argv, -1);

	if (wait4(pid, &status, 0, &usage) < 0 || status != 0)
		measure_die("%s: status %#x", argv[0], (unsigned int)status);
	printf("%ld\n", usage.ru_maxrss);
	return 0;
}

/* ---------------------------------------------------------------------------------------------- */

static const struct option options[] = {
	{ "runtime", required_argument, NULL, 'r' },
	{ "crun", required_argument, NULL, 'c' },
	{ "runc", required_argument, NULL, 'u' },
	{ "bwrap", required_argument, NULL, 'b' },
	{ "rounds", required_argument, NULL, 'n' },
	{ "gap", required_argument, NULL, 'g' },
	{ "only", required_argument, NULL, 'o' },
	{ "crun-suffix", required_argument, NULL, 's' },
	{ NULL, 0, NULL, 0 },
};

static void read_options(struct setup *u, int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (c) {
		case 'r':
			u->runtime = optarg;
			break;
		case 'c':
			u->crun = optarg;
			break;
		case 'u':
			u->runc = optarg;
			break;
		case 'b':
			u->bwrap = optarg;
			break;
		case 'n':
			u->rounds = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		case 'g':
			u->gap_ms = (unsigned int)strtoul(optarg, NULL, 10);
			break;
		case 'o':
			u->only = optarg;
			break;
		case 's':
			u->crun_suffix = optarg;
			break;
		default:
			exit(2);
		}
	}
	if (!argv[optind] || !u->runtime || !u->rounds || u->rounds > ROUNDS_MAX)
		measure_die(
		    "usage: bench --runtime PATH [--rounds N] [--gap MS] [--only SERIES] WORK");
	u->work = argv[optind];
}

int main(int argc, char **argv)
{
	struct setup u = { .rounds = 200, .gap_ms = 50, .crun_suffix = "" };

	if (argc > 2 && strcmp(argv[1], "--rss") == 0)
		return print_rss(argv + 2);
	read_options(&u, argc, argv);
	u.times = fopen(bench_text("%s/times", u.work), "ae");
	int filter = open(bench_text("%s/docker-linear.bpf", u.work), O_RDONLY);
	if (!u.times || filter < 0 || dup2(filter, 9) < 0)
		measure_die("%s: %s", u.work, strerror(errno));
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (size_t i = 0; i < sizeof(benches) / sizeof(*benches); i++)
		if (!u.only || strcmp(u.only, benches[i].name) == 0)
			benches[i].bench(&u);
	return 0;
}
