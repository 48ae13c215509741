/*
 * bench.h - what the series of the benchmark are written with.
 */
#pragma once

#include <stdio.h>

#include "measure.h"

struct setup {
	const char *work;                                 /* what tools/bench has prepared */
	const char *runtime, *crun, *runc, *bwrap, *only; /* programs; NULL: not here */
	const char *crun_suffix;                          /* of the bundles that crun gets */
	unsigned int rounds, gap_ms;
	FILE *times; /* the medians behind the rows */
};

/* ---- words: strings and subjects live as long as the program ------------------------------- */

/* A formatted string. */
char *bench_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Splits at blanks. */
char **bench_words(char *line);

struct subject *bench_subject(const char *name, char *line);

/* Adds a subject to a series; NULL is nobody. */
void bench_add(struct series *s, struct subject *subject);

/* The kernel's work and no more: the plain way, and the practical limit. */
struct subject *bench_floor_a(const struct setup *u);
struct subject *bench_floor_b(const struct setup *u, const char *name, const char *cgroup);

/* `run` of a bundle with a runtime; NULL where that is not installed. */
struct subject *bench_runner(const struct setup *u, const char *name, const char *runtime,
			     const char *bundle);
struct subject *bench_bubblewrap(const struct setup *u);

/* The directory of a runtime's states, and the name of the bundle that it gets. */
char *bench_state(const struct setup *u, const char *runtime);
char *bench_bundle(const struct setup *u, const char *runtime, const char *bundle);

/* ---- rows of the table: "what | target | measured | verdict" ------------------------------- */

void bench_row(const char *what, const char *target, bool reached, const char *fmt, double value);

/* The quotient of two subjects of a series against its limit. */
void bench_ratio(const char *what, const struct subject *a, const struct subject *b, size_t n,
		 double limit);

/* Keeps the medians of a series for the second table. */
void bench_note(const struct setup *u, const struct series *s);

/* ---- the series ------------------------------------------------------------------------------ */

void bench_run(const struct setup *u);
void bench_idle(const struct setup *u);
void bench_profile(const struct setup *u);
void bench_mounts(const struct setup *u);
void bench_cgroup(const struct setup *u);
void bench_crowd(const struct setup *u);
void bench_exec(const struct setup *u);
void bench_life(const struct setup *u);
