/*
 * doctor_session.c - what a login through systemd brings, and containers then use.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/doctor.h"
#include "cli/people.h"

static void remedy_session(struct doctor *d, struct finding *f)
{
	finding_remedy(f,
		       "log in by ssh or a terminal instead of su or sudo, or as root: loginctl "
		       "enable-linger %s; then export XDG_RUNTIME_DIR=/run/user/%u",
		       d->user_name ? d->user_name : "NAME", geteuid());
}

static void check_systemd(struct doctor *d, const struct check *c, struct finding *f)
{
	const bool there = access("/run/systemd/system", F_OK) == 0;

	(void)d;
	(void)c;
	finding_set(f, there ? VERDICT_OK : VERDICT_ABSENT,
		    there ? "systemd runs here" : "systemd does not run here");
}

static void check_runtime_dir(struct doctor *d, const struct check *c, struct finding *f)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");
	struct stat st;

	(void)c;
	if (!given(dir)) {
		finding_set(f, d->ordinary ? VERDICT_WARNING : VERDICT_ABSENT,
			    "XDG_RUNTIME_DIR is not set%s",
			    d->ordinary ? ": there is no session" : "; root needs none");
		if (d->ordinary)
			remedy_session(d, f);
		return;
	}
	if (stat(dir, &st) < 0)
		finding_set(f, d->ordinary ? VERDICT_PROBLEM : VERDICT_WARNING,
			    "XDG_RUNTIME_DIR is %s: %s", dir, err_text(-errno));
	else if (st.st_uid != geteuid())
		finding_set(f, d->ordinary ? VERDICT_PROBLEM : VERDICT_WARNING,
			    "XDG_RUNTIME_DIR is %s, which belongs to uid %u", dir, st.st_uid);
	else if (st.st_mode & 077)
		finding_set(f, VERDICT_WARNING, "XDG_RUNTIME_DIR is %s, which others can enter",
			    dir);
	else
		finding_set(f, VERDICT_OK, "XDG_RUNTIME_DIR is %s", dir);
	if (f->verdict != VERDICT_OK)
		remedy_session(d, f);
}

static int try_socket(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
}

/* Of the user's own systemd, which gives an ordinary user cgroups; root's is the system's. */
static void check_bus(struct doctor *d, const struct check *c, struct finding *f)
{
	const char *dir = getenv("XDG_RUNTIME_DIR"), *path = "/run/dbus/system_bus_socket";
	int r;

	(void)c;
	if (geteuid() != 0)
		path = given(dir) ? arena_printf(d->arena, "%s/bus", dir)
				  : arena_printf(d->arena, "/run/user/%u/bus", geteuid());
	r = try_socket(path);
	if (r == 0) {
		finding_set(f, VERDICT_OK, "%s answers", path);
		return;
	}
	finding_set(f, VERDICT_ABSENT, "%s: %s (only cgroups by systemd need it)", path,
		    err_text(r));
	if (geteuid() != 0)
		remedy_session(d, f);
}

const struct check doctor_session[] = {
	{ .name = "systemd", .run = check_systemd },
	{ .name = "runtime-dir", .run = check_runtime_dir },
	{ .name = "d-bus", .run = check_bus },
	{ 0 },
};
