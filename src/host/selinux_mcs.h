/*
 * selinux_mcs.h - a level of SELinux for each container: a pair of categories that nobody else has.
 */
#pragma once

#include "base/err.h"

#define SELINUX_LEVEL_SIZE sizeof("s0:c1022,c1023")

/*
 * Chooses "s0:cA,cB" and notes below ROOT that container `id` has it; a second call for the same
 * container gives another one. What a container had that is gone may be given away again.
 */
int selinux_level_claim(const char *root, const char *id, char level[SELINUX_LEVEL_SIZE],
			struct err *err);
