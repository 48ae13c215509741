/*
 * criu_message.h - what is said to criu and what it answers, in protocol buffers: the messages
 * criu_req and criu_resp of its rpc.proto.
 */
#pragma once

#include "base/buf.h"
#include "ops/step_criu.h"

/* criu_req_type */
enum criu_type {
	CRIU_TYPE_EMPTY = 0,
	CRIU_TYPE_DUMP = 1,
	CRIU_TYPE_RESTORE = 2,
	CRIU_TYPE_PRE_DUMP = 4,
	CRIU_TYPE_NOTIFY = 6,
	CRIU_TYPE_VERSION = 10,
};

/* Longer ones are not read. */
#define CRIU_REPLY_CAP 65536

struct criu_reply {
	uint32_t type;
	bool success;
	pid_t pid;             /* of RESTORE, and of NOTIFY where it names one; else 0 */
	char script[32];       /* of NOTIFY: what it tells of; else "" */
	int32_t error;         /* a positive errno, or 0 */
	char message[256];     /* its first error, or "" */
	uint32_t major, minor; /* of VERSION */
};

/*
 * 0 or -EBADMSG: it is none, lacks what each reply has, says something twice, or has a number that
 * none can be. Fields that are not known here are skipped, as the format wants it.
 */
int criu_reply_parse(const void *data, size_t len, struct criu_reply *ret);

/* What is only known when the request is sent. */
struct criu_runtime {
	const int *fd;                   /* by slot */
	const struct criu_pair *cgroups; /* controllers ("" on v2) and the cgroup that criu is in */
	size_t n_cgroups;
};

/* The request of a step. */
void criu_request(const struct step_criu *s, const struct criu_runtime *now, struct buf *out);

/* A request without more: the version, or the answer to a notification. */
void criu_request_version(struct buf *out);
void criu_request_notified(bool success, struct buf *out);
