/*
 * lsm.h - AppArmor, SELinux and Landlock: what the process is put under.
 *
 * A layer that was asked for and is not there is an error, never a silent step less.
 */
#pragma once

#include "plan/plan.h"

/* H: the profile is loaded, if it is our own and the kernel does not have it. */
void add_profile(struct planner *p);

/* I: the key that is made next is the container's. */
void add_key_label(struct planner *p);

/* I: the program will run under the profile, with the label. */
void add_labels(struct planner *p);

/* H: sockets and files that are made between the two are the container's. */
void add_creation_labels(struct planner *p);
void add_no_creation_labels(struct planner *p);

/* ---- landlock.c ------------------------------------------------------------------------------ */

/* I: while the paths can be opened, which the program's user may not be able to. */
void add_landlock_rules(struct planner *p);

/* I: after it nothing is mounted, nor opened that is not allowed. */
void add_landlock(struct planner *p);
