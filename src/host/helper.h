/*
 * helper.h - running a program of the host to its end.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/*
 * Runs argv[0], an absolute path, with `in` as its standard input (or -1: nothing to read), no
 * environment but a PATH; our descriptors are closed at exec. What it writes is added to `out`;
 * what it complains about, in one line and cut, to `messages`. Either may be NULL. Returns its exit
 * status, or a negative errno with a message: it could not be started, or was killed.
 */
int helper_run(const char *const *argv, int in, struct buf *out, struct buf *messages,
	       struct err *err);
