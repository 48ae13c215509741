/*
 * measure.h - times commands in turn, and says how they relate.
 *
 * A series runs every subject once per round, in an order of its own, so that what the machine does
 * meanwhile, and what the one before has left it to do, hits all alike. Ratios are taken within a
 * round and their median is the result: it moves far less than a quotient of two medians on a busy
 * machine.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SUBJECTS_MAX = 10, ROUNDS_MAX = 2000 };

struct subject {
	const char *name;
	char **argv;                 /* "@" in a word stands for an id that was not used before */
	const char *bundle, *suffix; /* of a runtime's `run` */
	int mntns;                   /* namespace to start it in, or -1 */
	void (*prepare)(struct subject *s,
			uint64_t number); /* before the clock starts; may be NULL */
	uint64_t ns[ROUNDS_MAX];          /* one time per round */
};

struct series {
	const char *name;
	struct subject *subjects[SUBJECTS_MAX];
	size_t n;
	unsigned int rounds;
	unsigned int gap_ms; /* idle time before each start */
};

/* Runs one command and returns its time in nanoseconds; reaps all other children meanwhile. */
uint64_t measure_command(char *const *argv, int mntns, int *ret_status);

/* The same with "@" replaced by `number` in each word; ends the program when the command fails. */
uint64_t measure_numbered(char *const *argv, int mntns, uint64_t number);

/* Starts a command without waiting: its pid. */
int measure_start(char *const *argv, int mntns);

void measure_series(struct series *s);

/* Starts `total` of the command, `width` at a time: the time until the last has ended. */
uint64_t measure_crowd(char *const *argv, unsigned int total, unsigned int width);

/* Median of the first `n` times, in nanoseconds. */
uint64_t measure_median(const uint64_t *ns, size_t n);

/* Median of the quotients a/b of each round. */
double measure_ratio(const uint64_t *a, const uint64_t *b, size_t n);

/* Median of the differences a-b of each round, in ms. */
double measure_difference(const uint64_t *a, const uint64_t *b, size_t n);

/* A number that no call before has returned: for ids. */
uint64_t measure_number(void);

uint64_t measure_now(void);

_Noreturn void measure_die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
