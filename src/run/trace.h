/*
 * trace.h - how long each step took, for --trace.
 */
#pragma once

#include "run/walk.h"

/* From here on both lanes note when each step was through. */
void trace_begin(struct walk *w);

void trace_end(struct walk *w);

/* The steps that were done, in the order of their time, to standard error. */
void trace_print(const struct walk *w, int fd);
