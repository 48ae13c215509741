/*
 * signals.h - signals by name and number.
 */
#pragma once

#include <stdint.h>

#define SIGNALS_MAX 64

/* Of "9", "KILL", "SIGKILL", "sigkill", "RTMIN+3": a number, or -EINVAL. */
int signals_number(const char *text);

/* "KILL"; NULL: it has no name. */
const char *signals_name(uint64_t number);
