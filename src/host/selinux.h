/*
 * selinux.h - SELinux labels for containers: which ones, and putting them on files.
 *
 * A process runs as SELINUX_DEFAULT_TYPE with two categories that no other container of this state
 * root has, and may touch only files with the file type and the same categories: what keeps
 * containers from each other when all else has failed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

#define SELINUX_DEFAULT_TYPE  "container_t"
#define SELINUX_DEFAULT_LABEL "system_u:system_r:" SELINUX_DEFAULT_TYPE ":s0"
#define SELINUX_FILE_TYPE     "container_file_t"

/* Is a policy loaded, enforcing or not? */
bool selinux_is_enabled(void);
bool selinux_is_enforcing(void);

/* Does the loaded policy know this label? */
bool selinux_has_context(const char *label);

/* Does the loaded policy let a process with this label begin with the host's shell? */
bool selinux_may_run_programs(const char *label);

/*
 * Compiles the policy modules that bring SELINUX_DEFAULT_TYPE and let it run the host's programs,
 * and loads them for good. Does nothing where the loaded policy has that. Needs root, and takes
 * seconds.
 */
int selinux_install_policy(struct err *err);

struct selinux_labels {
	const char *process; /* for process.selinuxLabel; NULL: none */
	const char *mount;   /* for linux.mountLabel; NULL: none */
};

/*
 * The labels of container `id`. Each option of the NULL-terminated list is what follows "label=" on
 * the command line: "type:T", "level:L", "user:U", "role:R", "filetype:T", or "disable" alone.
 * Without a level a pair of categories is chosen and noted below `root`, the directory of the
 * state, where it stays the container's as long as the container is there. Where SELinux is not
 * active, both labels are NULL, and an option other than "disable" is an error.
 */
int selinux_label_make(const char *root, const char *id, const char *const *options,
		       struct arena *arena, struct selinux_labels *ret, struct err *err);

/*
 * Puts the label on a file, or on a directory and all that is below it in the same mount, following
 * no symbolic link. `shared` leaves the categories out, so that all containers may use it
 * (:z); else the label is taken as it is (:Z). Refuses directories of the host that must keep their
 * labels, whatever path leads to them.
 */
int selinux_relabel(const char *path, const char *label, bool shared, struct err *err);
