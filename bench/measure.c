#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

_Noreturn void measure_die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("bench: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

uint64_t measure_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t measure_number(void)
{
	static uint64_t number;

	return ++number;
}

/* vfork: a fork would copy page tables and charge each subject for the size of this program. */
int measure_start(char *const *argv, int mntns)
{
	static int null = -1;

	if (null < 0)
		null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	int pid = vfork();
	if (pid == 0) {
		if (mntns >= 0 && setns(mntns, CLONE_NEWNS) < 0)
			_exit(125);
		(void)dup2(null, STDOUT_FILENO);
		execve(argv[0], argv, environ);
		_exit(127);
	}
	if (pid < 0)
		measure_die("vfork: %s", strerror(errno));
	return pid;
}

static int wait_for(int pid)
{
	int status;

	/* Everybody's children end here (PR_SET_CHILD_SUBREAPER): `delete` waits for theirs to go.
	 */
	for (;;) {
		int ended = waitpid(-1, &status, 0);
		if (ended == pid)
			return status;
		if (ended < 0 && errno != EINTR)
			measure_die("waitpid: %s", strerror(errno));
	}
}

uint64_t measure_command(char *const *argv, int mntns, int *ret_status)
{
	uint64_t begin = measure_now();
	int status = wait_for(measure_start(argv, mntns));
	uint64_t end = measure_now();

	*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return end - begin;
}

enum { WORDS_MAX = 128, TEXT_MAX = 16384 };

/* Copies the words, with each "@" replaced. */
static void number_words(char *const *argv, uint64_t number, char **words, char *text)
{
	char *end = text + TEXT_MAX;
	size_t n = 0;

	for (; argv[n]; n++) {
		if (n + 1 >= WORDS_MAX)
			measure_die("too many words: %s", argv[0]);
		words[n] = text;
		for (const char *from = argv[n]; *from; from++) {
			if (end - text < 32)
				measure_die("too long: %s", argv[0]);
			if (*from == '@')
				text +=
				    sprintf(text, "b%d-%llu", getpid(), (unsigned long long)number);
			else
				*text++ = *from;
		}
		*text++ = 0;
	}
	words[n] = NULL;
}

uint64_t measure_numbered(char *const *argv, int mntns, uint64_t number)
{
	static char *words[WORDS_MAX];
	static char text[TEXT_MAX];
	int status;

	number_words(argv, number, words, text);
	uint64_t time = measure_command(words, mntns, &status);
	if (status != 0) {
		for (size_t i = 0; words[i]; i++)
			fprintf(stderr, "%s ", words[i]);
		measure_die("status %d", status);
	}
	return time;
}

static void shuffle(size_t *order, size_t n)
{
	for (size_t i = n - 1; i > 0; i--) {
		size_t j = (size_t)rand() % (i + 1), other = order[i];

		order[i] = order[j];
		order[j] = other;
	}
}

void measure_series(struct series *s)
{
	struct timespec gap = { .tv_nsec = (long)s->gap_ms * 1000000L };
	size_t order[SUBJECTS_MAX];

	for (size_t i = 0; i < s->n; i++)
		order[i] = i;
	for (unsigned int round = 0; round < s->rounds; round++) {
		shuffle(order, s->n);
		for (size_t i = 0; i < s->n; i++) {
			struct subject *subject = s->subjects[order[i]];
			uint64_t number = measure_number();
			if (subject->prepare)
				subject->prepare(subject, number);
			if (s->gap_ms)
				nanosleep(&gap, NULL);
			subject->ns[round] =
			    measure_numbered(subject->argv, subject->mntns, number);
		}
	}
}

uint64_t measure_crowd(char *const *argv, unsigned int total, unsigned int width)
{
	static char *words[WORDS_MAX];
	static char text[TEXT_MAX];
	unsigned int started = 0, running = 0, ended = 0;
	uint64_t begin = measure_now();

	while (ended < total) {
		while (running < width && started < total) {
			number_words(argv, measure_number(), words, text);
			measure_start(words, -1);
			started++;
			running++;
		}
		int status;
		if (waitpid(-1, &status, 0) < 0)
			measure_die("waitpid: %s", strerror(errno));
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			measure_die("%s: one of %u at a time: status %#x", argv[0], width,
				    (unsigned int)status);
		running--;
		ended++;
	}
	return measure_now() - begin;
}

static int compare_times(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

uint64_t measure_median(const uint64_t *ns, size_t n)
{
	static uint64_t sorted[ROUNDS_MAX];

	memcpy(sorted, ns, n * sizeof(*ns));
	qsort(sorted, n, sizeof(*sorted), compare_times);
	return sorted[n / 2];
}

static int compare_ratios(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double measure_difference(const uint64_t *a, const uint64_t *b, size_t n)
{
	static double sorted[ROUNDS_MAX];

	for (size_t i = 0; i < n; i++)
		sorted[i] = ((double)a[i] - (double)b[i]) / 1e6;
	qsort(sorted, n, sizeof(*sorted), compare_ratios);
	return sorted[n / 2];
}

double measure_ratio(const uint64_t *a, const uint64_t *b, size_t n)
{
	static double sorted[ROUNDS_MAX];

	for (size_t i = 0; i < n; i++)
		sorted[i] = (double)a[i] / (double)b[i];
	qsort(sorted, n, sizeof(*sorted), compare_ratios);
	return sorted[n / 2];
}
