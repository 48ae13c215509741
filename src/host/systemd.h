/*
 * systemd.h - the service manager: where it is, and what we ask of it. Root's containers are made
 * by the manager of the system, those of an ordinary user by the one of his session.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "host/dbus.h"

/* What a plan has to know. The connection is of whoever read the facts. */
struct systemd_facts {
	bool user;           /* the manager of a user */
	bool bus;            /* reached over a bus, else at its private socket */
	const char *cgroup;  /* its own, below which slices are; "" for the root */
	struct dbus manager; /* only where these facts were asked for */
};

/* Which manager is ours. In a user namespace root is an ordinary user, if there is a session. */
bool systemd_is_users(uid_t euid, bool in_userns);

/* Connects, and asks for the cgroup. All errors have a message and what to do. */
int systemd_facts_read(bool user, struct arena *arena, struct systemd_facts *ret, struct err *err);

/* Connects; *ret_bus as above. */
int systemd_connect(bool user, struct dbus *ret, bool *ret_bus, struct err *err);

/*
 * A method of the manager: sent, without waiting. -EACCES and the like without a message.
 * `signature` is that of the body.
 */
int systemd_send(struct dbus *manager, const char *method, const char *signature,
		 const struct buf *body);

/* On a bus signals have to be wished for: that of a job's end, before it begins. */
int systemd_watch_jobs(struct dbus *manager);

/*
 * Waits for the answer to call number `serial`, the path of a job, and for the job's end. 0, or a
 * negative errno with `why` in the words of systemd: -EEXIST, the unit is there; -EPROTO, the job
 * failed.
 */
int systemd_await_job(struct dbus *manager, uint32_t serial, const char *unit, char *why,
		      size_t size);

/* Waits for the answer to a call that has none but errors; as above. */
int systemd_await_done(struct dbus *manager, uint32_t serial, char *why, size_t size);

/*
 * Stops a unit, and waits until it is gone, if its description is `description`: else it is not
 * ours, and left alone. No unit, or no manager any more, is no error: its units went with it.
 */
int systemd_stop(bool user, const char *unit, const char *description, struct err *err);

/* What to do about an error of the functions above; NULL: nothing that we know. */
const char *systemd_hint(int code, bool user);
