/*
 * selfexe.h - our own executable, out of the container's reach (CVE-2019-5736).
 *
 * Until it executes the container's program, init runs our file, and an image can make the kernel
 * run it once more ("#!/proc/self/exe"). Somebody inside can then open it by way of /proc, wait
 * until nobody runs it, and write to it.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* Could whoever calls us, and so a container's root, write to the file? */
bool selfexe_exposed(void);

/* Would selfexe_protect() execute us from a read-only view? Makes one, and lets go of it. */
bool selfexe_has_view(void);

/*
 * Returns 0 at once if whoever calls us could not write the file either (that is what a container's
 * root may be): a read-only mount, an immutable file, somebody else's. Otherwise executes us again
 * from a read-only view of the file that is attached nowhere, or, without the rights for a mount,
 * from a sealed copy in memory; there the same question has the other answer. To be called first
 * thing in a command that makes a process inside a container.
 *
 * As long as a descriptor of the view is open, who has CAP_SYS_ADMIN could make it writable, and
 * its close waits for the kernel's readers of mounts. Where ret_view is not NULL, the second
 * execution gets that descriptor, and closes it before anything of an image can see it (STEP_VIEW):
 * where a container begins, the wait is beside init's work then. It is set to 0 where there is
 * none.
 */
int selfexe_protect(char *const *argv, char *const *envp, int *ret_view, struct err *err);
