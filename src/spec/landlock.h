/*
 * landlock.h - the annotation "run.containr.landlock".
 *
 * The runtime specification has no key for Landlock yet. The annotation's value is the JSON object
 * that pull request 1241 of runtime-spec has as process.landlock, with the parts that Landlock has
 * gained since then added in the same manner:
 *
 *	{ "ruleset": { "handledAccessFS":  ["execute", "write_file", …],
 *	               "handledAccessNet": ["bind_tcp", "connect_tcp"],
 *	               "scoped":           ["abstract_unix_socket", "signal"] },
 *	  "rules":   { "pathBeneath": [{ "allowedAccess": ["read"], "paths": ["/usr"] }],
 *	               "netPort":     [{ "allowedAccess": ["connect_tcp"], "ports": [443] }] },
 *	  "disableBestEffort": false }
 *
 * What is handled is denied but for the rules. Without handledAccessFS all rights to files are
 * handled if there is a rule for paths, and without handledAccessNet all to TCP if there is one for
 * ports. The words "read", "write" and "all" stand for several rights. With disableBestEffort a
 * right that the kernel does not know and a path that is not there are errors; else the container
 * starts with what there is. Unlike in config.json, an unknown key is an error: it would be a
 * restriction that is not there.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "spec/names.h"
#include "spec/spec.h"

#define SPEC_LANDLOCK_KEY "run.containr.landlock"

struct spec_landlock_paths {
	uint64_t access; /* LANDLOCK_FS_* */
	struct spec_strings paths;
};

struct spec_landlock_ports {
	uint64_t access; /* LANDLOCK_NET_* */
	size_t n_ports;
	uint32_t *ports;
};

struct spec_landlock {
	uint64_t fs, net, scoped; /* handled */
	size_t n_paths;
	struct spec_landlock_paths *paths;
	size_t n_ports;
	struct spec_landlock_ports *ports;
	bool required;
};

extern const struct spec_name spec_landlock_fs_names[];
extern const struct spec_name spec_landlock_net_names[];
extern const struct spec_name spec_landlock_scope_names[];

/* The value of the annotation, or NULL. */
const char *spec_landlock_text(const struct spec *spec);

/* Reads that value. 0, or -EINVAL and a message with line, column and path in it. */
int spec_read_landlock(const char *text, struct arena *arena, struct spec_landlock *ret,
		       struct err *err);
