/*
 * host_systemd.c - see host_systemd.h.
 *
 * The scope is made with init in it, which waits meanwhile: a scope without a process does not
 * exist. Init is our child and not waited for, so its pid is nobody else's. While systemd works we
 * go on with other steps; the answer is taken in a step of its own.
 */
#include "ops/host_systemd.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "host/systemd.h"
#include "sys/sys.h"

/* Calls on this connection before: those that read the facts had numbers below. */
enum { SERIAL_BEFORE = 15, SERIAL_START_PRIVATE = 16, SERIAL_START_BUS = 17 };

static struct dbus manager_of(const struct op_ctx *ctx, uint32_t serial)
{
	return (struct dbus){ .fd = ctx->fd[SLOT_SYSTEMD], .serial = serial };
}

/* ---- StartTransientUnit -----------------------------------------------------------------------
 */

static void put_string(struct buf *body, const char *name, const char *text)
{
	const union dbus_basic value = { .text = text };

	dbus_put_property(body, name, &(struct dbus_value){ "s", 1, &value });
}

static void put_number(struct buf *body, const char *name, const char *type, uint64_t number)
{
	const union dbus_basic value = { .number = number };

	dbus_put_property(body, name, &(struct dbus_value){ type, 1, &value });
}

/* What is usual comes first, so that a property of the configuration can replace it. */
static void put_properties(struct buf *body, const struct step_scope *scope, pid_t pid)
{
	size_t start, at = dbus_open_array(body, 8, &start);

	put_string(body, "Description", scope->description);
	put_string(body, "Slice", scope->slice);
	put_number(body, "Delegate", "b", true);
	/* It is stopped with its slice, and not before what it needs: it is no part of the boot. */
	put_number(body, "DefaultDependencies", "b", false);
	/* Nothing is left of one that failed, for that a process was killed. */
	put_string(body, "CollectMode", "inactive-or-failed");
	for (size_t i = 0; i < scope->n_properties; i++)
		dbus_put_property(body, scope->properties[i].name, &scope->properties[i].value);
	put_number(body, "PIDs", "au", (uint64_t)pid);
	dbus_close_array(body, at, start);
}

static int send_start(struct dbus *manager, const struct step_scope *scope, pid_t pid)
{
	_cleanup_buf_ struct buf body = { 0 };
	size_t start, at;

	dbus_put_text(&body, scope->unit);
	dbus_put_text(&body, "fail");
	put_properties(&body, scope, pid);
	at = dbus_open_array(&body, 8, &start); /* no further units */
	dbus_close_array(&body, at, start);
	return systemd_send(manager, "StartTransientUnit", "ssa(sv)a(sa(sv))", &body);
}

int host_scope(const struct step *s, struct op_ctx *ctx)
{
	struct dbus manager = manager_of(ctx, SERIAL_BEFORE);
	int r = s->scope.bus ? systemd_watch_jobs(&manager) : 0;

	if (r == 0)
		r = send_start(&manager, &s->scope, ctx->pid);
	return r < 0 ? op_note(ctx, PHASE_SYSTEMD, r, "") : 0;
}

/* A unit of the name that has failed before stays until somebody looks, if it was made so. */
static int start_again(struct dbus *manager, const struct step_scope *scope, struct op_ctx *ctx,
		       char *why, size_t size)
{
	_cleanup_buf_ struct buf body = { 0 };
	int r;

	dbus_put_text(&body, scope->unit);
	r = systemd_send(manager, "ResetFailedUnit", "s", &body);
	if (r == 0)
		(void)systemd_await_done(manager, manager->serial, why, size);
	if (r == 0)
		r = send_start(manager, scope, ctx->pid);
	return r < 0 ? r : systemd_await_job(manager, manager->serial, scope->unit, why, size);
}

int host_scope_await(const struct step *s, struct op_ctx *ctx)
{
	const uint32_t serial = s->scope.bus ? SERIAL_START_BUS : SERIAL_START_PRIVATE;
	struct dbus manager = manager_of(ctx, serial);
	char why[256];
	int r = systemd_await_job(&manager, serial, s->scope.unit, why, sizeof(why));

	if (r == -EEXIST)
		r = start_again(&manager, &s->scope, ctx, why, sizeof(why));
	/* Not kept: systemd would send us its signals as long as the container runs. */
	(void)close(ctx->fd[SLOT_SYSTEMD]);
	ctx->fd[SLOT_SYSTEMD] = -1;
	return r < 0 ? op_note(ctx, PHASE_SYSTEMD, r, why) : 0;
}

/* By now init is gone, and nobody else can be inside. */
void host_scope_undo(const struct step *s, struct op_ctx *ctx)
{
	struct err ignored;

	(void)ctx;
	(void)systemd_stop(s->scope.user, s->scope.unit, s->scope.description, &ignored);
}

/* ---- units that are there ---------------------------------------------------------------------
 */

int host_scope_attach(const struct step *s, struct op_ctx *ctx)
{
	_cleanup_dbus_ struct dbus manager = DBUS_NONE;
	_cleanup_buf_ struct buf body = { 0 };
	char why[256] = "";
	size_t start, at;
	bool bus = false;
	struct err err;
	int r = systemd_connect(s->scope.user, &manager, &bus, &err);

	if (r < 0)
		return op_note(ctx, PHASE_SYSTEMD, r, err.msg);
	dbus_put_text(&body, s->scope.unit);
	dbus_put_text(&body, ""); /* the unit's own cgroup */
	at = dbus_open_array(&body, 4, &start);
	dbus_put_u32(&body, (uint32_t)ctx->pid);
	dbus_close_array(&body, at, start);
	r = systemd_send(&manager, "AttachProcessesToUnit", "ssau", &body);
	if (r == 0)
		r = systemd_await_done(&manager, manager.serial, why, sizeof(why));
	return r < 0 ? op_note(ctx, PHASE_SYSTEMD, r, why) : 0;
}

int scope_update(const struct step_scope *scope, struct err *err)
{
	_cleanup_dbus_ struct dbus manager = DBUS_NONE;
	_cleanup_buf_ struct buf body = { 0 };
	char why[256] = "";
	size_t start, at;
	bool bus = false;
	int r = systemd_connect(scope->user, &manager, &bus, err);

	if (r < 0)
		return r;
	dbus_put_text(&body, scope->unit);
	dbus_put_bool(&body, true); /* until it ends: there is no file to keep it in */
	at = dbus_open_array(&body, 8, &start);
	for (size_t i = 0; i < scope->n_properties; i++)
		dbus_put_property(&body, scope->properties[i].name, &scope->properties[i].value);
	dbus_close_array(&body, at, start);
	r = systemd_send(&manager, "SetUnitProperties", "sba(sv)", &body);
	if (r == 0)
		r = systemd_await_done(&manager, manager.serial, why, sizeof(why));
	if (r == 0)
		return 0;
	(void)err_set(err, r, "tell systemd of new limits of %s%s%s", scope->unit, *why ? ": " : "",
		      why);
	return systemd_hint(r, scope->user) ? err_hint(err, "%s", systemd_hint(r, scope->user)) : r;
}
