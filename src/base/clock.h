/*
 * clock.h - time that only goes forward, for waits.
 */
#pragma once

#include <stdint.h>
#include <time.h>

/* Milliseconds since some moment of the past. */
static inline int64_t clock_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
