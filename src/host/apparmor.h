/*
 * apparmor.h - gets AppArmor profiles into the kernel.
 *
 * apparmor_parser(8) compiles them. What it made of our own profile is kept in a cache, under a
 * name that changes with the profile, the kernel's features and the parser, so that the first start
 * after a boot costs a few milliseconds, and every further one nothing: the kernel has the profile
 * then.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#define APPARMOR_DEFAULT "containr-default"

/* Loads our own profile. Needs CAP_MAC_ADMIN in the first user namespace. */
int apparmor_load_default(struct err *err);

/* Loads the profiles of a file in place of those that have the same names. */
int apparmor_load_file(const char *path, struct err *err);

/* The name of the first profile in a file: what a process is to be put under. */
int apparmor_file_profile(const char *path, struct arena *arena, const char **ret, struct err *err);
