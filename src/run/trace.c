/*
 * trace.c - see trace.h.
 */
#include "run/trace.h"

#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "ops/describe.h"

static size_t trace_size(const struct plan *plan)
{
	return (plan->n_steps + 1) * sizeof(uint64_t);
}

/* times[n_steps]: when it began. Shared, since init may have a copy of all else. */
void trace_begin(struct walk *w)
{
	struct timespec now;

	w->times = mmap(NULL, trace_size(w->plan), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (w->times == MAP_FAILED) {
		w->times = NULL;
		return;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	w->times[w->plan->n_steps] = (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

/* Each step's time is that since the step of the same lane before it; waiting is part of it. */
void trace_print(const struct walk *w, int fd)
{
	const struct plan *plan = w->plan;
	_cleanup_buf_ struct buf out = { 0 };
	uint64_t last[2], begin;

	if (!w->times)
		return;
	begin = last[LANE_HOST] = last[LANE_INIT] = w->times[plan->n_steps];
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct step *s = &plan->steps[i];

		if (w->times[i] == 0)
			continue;
		buf_printf(&out, "%9.1f us  %+8.1f  %s %3zu  ",
			   (double)(w->times[i] - begin) / 1000,
			   (double)(w->times[i] - last[s->lane]) / 1000,
			   s->lane == LANE_HOST ? "host" : "init", i);
		step_describe(s, &out);
		buf_str(&out, "\n");
		last[s->lane] = w->times[i];
		if (i == plan->spawn)
			last[LANE_INIT] = w->times[i];
	}
	(void)!write(fd, buf_text(&out), out.len);
}

void trace_end(struct walk *w)
{
	if (w->times)
		(void)munmap(w->times, trace_size(w->plan));
	w->times = NULL;
}
