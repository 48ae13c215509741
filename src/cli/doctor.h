/*
 * doctor.h - what `containr doctor` looks at: a table for each part of the host (doctor_*.c), a row
 * and one small function for each line of the report. What can be tried is tried, in a child.
 */
#pragma once

#include "cli/cli.h"
#include "host/attempt.h"
#include "host/facts.h"

enum verdict {
	VERDICT_OK,
	VERDICT_WARNING, /* containers start, but not all that one may want */
	VERDICT_PROBLEM, /* no container starts */
	VERDICT_ABSENT,  /* not here, and not needed */
};

struct finding {
	enum verdict verdict;
	struct buf fact, remedy;
};

struct doctor {
	struct cli *cli;
	struct arena *arena;
	bool has_facts; /* else facts_err tells why not */
	struct facts facts;
	struct err facts_err;
	bool ordinary;         /* whatever we do is below a user namespace of our own */
	const char *user_name; /* or NULL */
	struct buf lsm;        /* lsm_report() */
};

struct check {
	const char *name;
	void (*run)(struct doctor *d, const struct check *c, struct finding *f);
	int flag;        /* for run, as what follows */
	const char *arg; /* likewise */
};

/* Each ends with a row without a name. */
extern const struct check doctor_kernel[], doctor_namespaces[], doctor_users[], doctor_cgroups[],
    doctor_security[], doctor_files[], doctor_session[];

struct doctor_group {
	const char *name;
	const struct check *checks;
};

/* cmd_doctor.c: ends with a group without a name. */
extern const struct doctor_group doctor_groups[];

int doctor_begin(struct cli *cli, struct doctor *d);
void doctor_end(struct doctor *d);

/* The rows of one group as text, as an array of JSON; *counts grows by verdict. */
void doctor_text(struct doctor *d, const struct check *checks, size_t counts[4], struct buf *out);
void doctor_json(struct doctor *d, const struct doctor_group *group, size_t counts[4],
		 struct buf *out);

/* ---- for the checks ---------------------------------------------------------------------------
 */

void finding_set(struct finding *f, enum verdict verdict, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void finding_add(struct finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void finding_remedy(struct finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The number in a file of /proc/sys, or `otherwise`. */
int64_t doctor_sysctl(const char *name, int64_t otherwise);

/* The path of a program of the host, or NULL. */
const char *doctor_program(struct doctor *d, const char *name);
