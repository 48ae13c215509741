/*
 * run_detach.c - what becomes of the output of a detached container, and how it is to be stopped.
 */
#include <errno.h>
#include <string.h>

#include "cli/people.h"
#include "cli/signals.h"

/* The state is on a tmpfs: what is kept there is memory of the host. */
#define MAX_SIZE  (8U << 20)
#define MAX_FILE  2
#define MOST_FILE 100

static int set_driver(struct people *p, bool *ret_keep)
{
	const char *driver = p->flags->log_driver;
	const bool none = given(driver) && strcmp(driver, "none") == 0;

	if (given(driver) && !none && strcmp(driver, "k8s-file") != 0)
		return err_say(p->err, -EINVAL, "--log-driver %.100s: expected k8s-file or none",
			       driver);
	if (given(driver) && !none && !p->flags->detach)
		return err_say(p->err, -EINVAL,
			       "--log-driver %s: without --detach the output is yours, and is not "
			       "kept",
			       driver);
	*ret_keep = !none;
	return 0;
}

static int set_option(struct people *p, const char *text, struct output_options *ret)
{
	const char *value, *key = value_part(p->arena, text, '=', &value);
	int64_t files = MAX_FILE;
	int r;

	if (strcmp(key, "max-size") == 0 && given(value)) {
		r = value_size(p->err, "log-opt max-size", value, &ret->max_size);
		if (r == 0 && ret->max_size < OUTPUT_MIN_SIZE)
			r = err_say(p->err, -EINVAL, "--log-opt %.100s: expected 64k or more",
				    text);
		return r;
	}
	if (strcmp(key, "max-file") == 0 && given(value)) {
		r = value_number(p->err, "log-opt max-file", value, 1, MOST_FILE, &files);
		ret->max_files = (unsigned int)files;
		return r;
	}
	return err_say(p->err, -EINVAL, "--log-opt %.200s: expected max-size=SIZE or max-file=N",
		       text);
}

static int check_stop(struct people *p)
{
	const struct run_flags *f = p->flags;
	int64_t seconds;

	if (given(f->stop_signal) && signals_number(f->stop_signal) <= 0)
		return err_say(p->err, -EINVAL,
			       "--stop-signal %.100s: expected a number from 1 to %d or a name "
			       "such as TERM",
			       f->stop_signal, SIGNALS_MAX);
	return given(f->stop_timeout) ? value_number(p->err, "stop-timeout", f->stop_timeout, -1,
						     INT32_MAX / 1000, &seconds)
				      : 0;
}

int people_monitor(struct people *p, struct monitor_options *ret)
{
	struct monitor_options o = { .output = { .max_size = MAX_SIZE, .max_files = MAX_FILE },
				     .interactive = p->flags->interactive };
	int r = set_driver(p, &o.output.keep);

	for (size_t i = 0; i < p->flags->log_opts.n && r == 0; i++)
		r = set_option(p, p->flags->log_opts.v[i], &o.output);
	if (r == 0)
		r = check_stop(p);
	if (r == 0)
		*ret = o;
	return r;
}
