/*
 * lsm.h - which security modules the kernel has, and what each of them would do for a container.
 */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct lsm_facts {
	bool apparmor;          /* enabled */
	bool apparmor_confined; /* we are under a profile that restricts us: it can only be added to
				 */
	const char *apparmor_profiles; /* "NAME (MODE)\n" each; NULL: the list cannot be read */
	bool apparmor_default;         /* APPARMOR_DEFAULT is loaded */
	bool selinux;                  /* enabled, enforcing or not */
	unsigned int landlock_abi;     /* 0: none */
};

/* AppArmor and SELinux. */
int lsm_facts_read(struct arena *arena, struct lsm_facts *ret, struct err *err);

/* The version of Landlock's interface, or 0: not in the kernel, or not switched on at boot. */
unsigned int lsm_landlock_abi(void);

/* May ordinary users make user namespaces only under an AppArmor profile that allows it (Ubuntu)?
 */
bool lsm_restricts_userns(void);

/* Is the profile in the kernel's list? */
bool lsm_has_profile(const char *profiles, const char *name);

/* The active modules as "lockdown,capability,landlock"; "" if the kernel does not tell. */
void lsm_modules(struct buf *out);

/* What is there, for people: a line a module. */
void lsm_report(struct buf *out);
