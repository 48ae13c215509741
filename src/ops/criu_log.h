/*
 * criu_log.h - the reason that criu's log gives.
 */
#pragma once

#include <stddef.h>

/*
 * The last errors of a log, in one line of at most `size` bytes: without times, and without what a
 * terminal could take for a command. "" if it has none.
 */
void criu_log_errors(const char *log, size_t len, char *ret, size_t size);

/* The same of the file `name` in a directory. */
void criu_log_read(int dir, const char *name, char *ret, size_t size);
