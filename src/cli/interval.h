/*
 * interval.h - how often something is shown.
 */
#pragma once

#include "cli/cli.h"

/* --interval, or `otherwise`, as in "1m30s": Go's durations. In milliseconds. */
int interval_take(struct cli *cli, const char *otherwise, int *ret);
