/*
 * ops.h - how each kind of step is done and, on the host, undone.
 *
 * Only host steps have an undo: what init did goes with its namespaces when it is killed.
 */
#pragma once

#include "ops/step.h"

/* What a step was busy with when it failed: the texts are in describe.c. */
enum phase {
	PHASE_NONE,
	PHASE_SOURCE,      /* opening the source */
	PHASE_MOUNT_POINT, /* making or opening the mount point */
	PHASE_FILE_SYSTEM, /* creating the file system */
	PHASE_OPTION,      /* setting a mount option */
	PHASE_ATTRIBUTES,  /* setting mount attributes */
	PHASE_ATTACH,      /* attaching the mount */
	PHASE_PROPAGATION,
	PHASE_COPY,
	PHASE_OPEN,
	PHASE_WRITE,
	PHASE_VERIFY,     /* what was opened is not what it should be */
	PHASE_NOT_EMPTY,  /* note: the cgroup that was there before us */
	PHASE_CONTROLLER, /* note: the cgroup controller and the directory that lacks it */
	PHASE_TERMINAL,
	PHASE_JOIN,
	PHASE_SEND,
	PHASE_LOAD,    /* note: what AppArmor said */
	PHASE_SYSTEMD, /* note: what systemd said */
	PHASE_HOOK_START,
	PHASE_HOOK_STATUS, /* note: the hook and its exit status */
	PHASE_HOOK_TIMEOUT,
	PHASE_INTERPRETER, /* note: the interpreter that is missing */
	PHASE_WRONG_MACHINE,
	PHASE_SERVER, /* note: what fuse-overlayfs said */
	PHASE_CRLF,   /* the interpreter's name ends in a carriage return */
	PHASES
};

#define NOTE_SIZE 116

/* What one lane carries through its steps. Init starts with a copy of the host's. */
struct op_ctx {
	int *
	    fd; /* by slot; -1: not open. One lane writes a slot, once, before the other reads it */
	pid_t pid;             /* the container's init as the host sees it, once spawned */
	int pidfd;             /* of that, host lane */
	struct net_maker *net; /* of the network namespace (init_netns.h), or NULL */
	int exec_fd;           /* the program that was found, init lane, O_PATH */
	const char *exec_path;
	enum phase phase;     /* where the step that failed was */
	char note[NOTE_SIZE]; /* and with what */
};

struct op {
	int (*apply)(const struct step *s, struct op_ctx *ctx);
	void (*undo)(const struct step *s, struct op_ctx *ctx);
};

extern const struct op host_ops[STEP_KINDS];
extern const struct op init_ops[STEP_KINDS];

/* Puts a text into ctx->note, cut to fit; safe after clone. Returns `code`. */
int op_note(struct op_ctx *ctx, enum phase phase, int code, const char *text);
