/*
 * cgroup_life.h - a container's cgroups while it lives and when it goes: for commands, not for
 * steps.
 *
 * `dirs` are the directories that its state recorded: absolute, one in each hierarchy. One that is
 * not there any more is no error. All functions return 0 or a negative errno with its message.
 */
#pragma once

#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "spec/spec.h"

/*
 * Ends every process in them, and waits until they are gone. Only for directories whose container
 * had an init: before that nothing tells that they are ours, and cgroup_remove() is enough. `init`
 * is a pidfd of it, or -1.
 */
int cgroup_kill(const struct spec_strings *dirs, int init, struct err *err);

/* Sends a signal to every process in them. */
int cgroup_signal_all(const struct spec_strings *dirs, int sig, struct err *err);

/* Returns once no process in them runs any more. -ENOENT: there is no freezer. */
int cgroup_freeze(const struct spec_strings *dirs, struct err *err);
int cgroup_thaw(const struct spec_strings *dirs, struct err *err);

/* 1: frozen, or on the way there; 0: not; no error where nothing can be frozen. */
int cgroup_frozen(const struct spec_strings *dirs);

/* The pids in them, as the host sees them, those of cgroups made inside too, in ascending order. */
int cgroup_pids(const struct spec_strings *dirs, struct arena *arena, size_t *ret_n,
		pid_t **ret_pids, struct err *err);

/*
 * Removes the directories, cgroups that were made inside them, and the parents that we made and
 * that nobody needs any more. Waits a while for processes on their way out; ends none.
 */
int cgroup_remove(const struct spec_strings *dirs, struct err *err);

/*
 * The same for a container whose start was cut off before it had an init: what the state records
 * may never have been made, and be somebody else's. That is left alone, with all that is in it.
 */
int cgroup_remove_unborn(const struct spec_strings *dirs, struct err *err);
