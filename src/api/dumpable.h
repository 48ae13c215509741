/*
 * dumpable.h - gives the calling program its dumpable attribute back (PR_SET_DUMPABLE, prctl(2)).
 *
 * While init shares the program's memory it must not be dumpable, or somebody in the container
 * could read it (CVE-2016-9962); and the kernel takes the attribute away when init changes its ids.
 */
#pragma once

/* Around whatever makes a process in a container; from several threads, too. */
void dumpable_begin(void);
void dumpable_end(const int *unused);

#define _cleanup_dumpable_ __attribute__((cleanup(dumpable_end)))
