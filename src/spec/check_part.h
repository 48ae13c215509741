/*
 * check_part.h - what the files of checks share. Only this folder includes it.
 */
#pragma once

#include <stdbool.h>

#include "base/json.h"
#include "spec/check.h"

struct check {
	struct err *err;
	const char *prefix; /* of all paths: "process." in config.json, "" in a file of its own */
};

/* Fills err with the prefix and the message, which begins with a path; returns -EINVAL. */
int check_refuse(const struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* A path that begins with / and has no ".." in it, which could lead out of where it was meant for.
 */
bool check_is_clean_path(const char *path);
bool check_has_dotdot(const char *path);

/* Control characters would end a line of the kernel's text interfaces and start another. */
bool check_has_control(const char *text);

int check_process(const struct check *c, const struct spec_process *process);
int check_resources(const struct check *c, const struct spec_resources *resources);
int check_seccomp(const struct check *c, const struct spec_seccomp *seccomp);
int check_id_mappings(const struct check *c, const char *path, const struct spec_id_mappings *maps);

/* The tables of rules that need the whole. */
typedef int (*check_fn)(const struct check *c, const struct spec *spec);
int check_linux(const struct check *c, const struct spec *spec);
int check_namespaces(const struct check *c, const struct spec *spec);
