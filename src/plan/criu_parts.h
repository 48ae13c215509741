/*
 * criu_parts.h - what the plans of checkpoint and restore share.
 */
#pragma once

#include "plan/checkpoint.h"

/* 0, or an error: neither criu nor this works for everybody, and not with everything. */
int criu_check(struct planner *p, const char *what);

/* H: directories and sockets. `make`: a directory of images that is missing is made. */
void criu_add_directories(struct planner *p, const struct plan_criu *criu, bool make);
void criu_add_sockets(struct planner *p);

/* H: the process that becomes criu; it waits for the host's next steps. */
void criu_add_spawn(struct planner *p);

/* I: its own descriptors alone, and the exec. `slots` lie in the plan; the first is its socket. */
void criu_add_exec(struct planner *p, const struct plan_criu *criu, const int *slots, size_t n);

/* A list that grows, of at most `max`. */
struct criu_pairs {
	size_t n, max;
	struct criu_pair *v;
};

void criu_add_pair(struct criu_pairs *list, const char *key, const char *value);

/* As many as there can be: mounts, masked paths and devices. */
struct criu_pairs criu_pairs_for(struct planner *p);

/* Devices that may be bound, each external by its own path. */
void criu_add_device_pairs(struct planner *p, struct criu_pairs *list);

/* The options of mount i, or NULL: not a bind mount. */
bool criu_is_bind(struct planner *p, size_t i);

#define CRIU_NET_KEY "extRootNetNS"
#define CRIU_PID_KEY "extRootPidNS"
