/*
 * monitor.h - the process that watches a detached container, for those that come after it.
 */
#pragma once

#include "run/life.h"

/*
 * Once the processes of the container have ended: waits until whoever watched has written down how,
 * and ends him if that was all he was for, so that nobody makes files in a directory that is about
 * to go.
 */
void monitor_end(const struct life *l);
