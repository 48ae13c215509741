/*
 * containers.h - a container that is there, as `ps` and `inspect` show it.
 */
#pragma once

#include "cli/cli.h"
#include "run/run.h"

struct container {
	struct state state;
	enum state_status status;
	struct spec_strings command;
	bool has_end; /* how it ended is known */
	struct state_exit end;
};

int containers_read(struct cli *cli, const char *id, struct container *ret);

/* "3 minutes", as docker says it. */
void containers_duration(int64_t seconds, struct buf *out);

/* The value of an annotation, or NULL. */
const char *containers_annotation(const struct state *state, const char *key);

/* RFC 3339 with as many digits as are needed, in UTC. */
void containers_time(int64_t sec, uint32_t nsec, struct buf *out);
