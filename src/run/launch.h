/*
 * launch.h - what create, run and exec share: a plan at work, and its errors.
 */
#pragma once

#include "run/run.h"
#include "run/spawn.h"
#include "run/walk.h"

/* A container's start from its bundle on. */
struct launch {
	struct arena arena; /* of the spec */
	struct buf config;
	struct spec spec;
	struct plan_options options;
	struct facts facts;
	struct plan plan;
};

void launch_done(struct launch *l);

/* Are the descriptors that shall reach the program there? */
int check_passed_fds(const struct plan_options *o, struct err *err);

/* Makes a walk ready to begin. */
int walk_begin(struct walk *w, const struct plan *plan, struct err *err);

/* Walks it from its first step; when that fails, undoes it all and says which step failed and why.
 */
int walk_start(struct walk *w, struct err *err);

/* The message for a walk that stopped. */
int walk_error(const struct walk *w, int code, struct err *err);

/* Closes what the steps opened, but for these slots; then all that is left. */
void walk_release(struct walk *w, const int *keep, size_t n_keep);
void walk_done(struct walk *w);
