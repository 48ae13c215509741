/*
 * cmd_checkpoint.c - checkpoint and restore, with the flags of runc.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "cli/commands.h"
#include "cli/rows.h"
#include "run/run.h"

/* Of both; see also criu_options. */
const struct option_row criu_options[] = {
	{ "image-path", 0, OPTION_TEXT, AT(image_path), "dir",
	  "directory of the images (./checkpoint)" },
	{ "work-path", 0, OPTION_TEXT, AT(work_path), "dir",
	  "directory of criu's log (that of the images)" },
	{ "tcp-established", 0, OPTION_FLAG, AT(tcp_established), NULL,
	  "keep TCP connections that are open" },
	{ "ext-unix-sk", 0, OPTION_FLAG, AT(ext_unix_sk), NULL,
	  "allow Unix sockets that lead outside" },
	{ "shell-job", 0, OPTION_FLAG, AT(shell_job), NULL,
	  "allow a terminal and session of the caller's" },
	{ "lazy-pages", 0, OPTION_FLAG, AT(lazy_pages), NULL, "fetch memory when it is needed" },
	{ "file-locks", 0, OPTION_FLAG, AT(file_locks), NULL, "keep file locks" },
	{ "manage-cgroups-mode", 0, OPTION_TEXT, AT(manage_cgroups), "mode",
	  "of cgroups made inside: soft, full, strict, ignore" },
	{ "empty-ns", 0, OPTION_TEXT, AT(empty_ns), "namespace",
	  "do not keep what is in that namespace: network" },
	{ "auto-dedup", 0, OPTION_FLAG, AT(auto_dedup), NULL,
	  "remove from earlier images what newer ones have" },
	{ 0 },
};

const struct option_row checkpoint_options[] = {
	{ "leave-running", 0, OPTION_FLAG, AT(leave_running), NULL, "let the container run on" },
	{ "parent-path", 0, OPTION_TEXT, AT(parent_path), "dir",
	  "earlier images, relative to --image-path" },
	{ "pre-dump", 0, OPTION_FLAG, AT(pre_dump), NULL,
	  "write memory alone, ahead of a checkpoint" },
	{ "page-server", 0, OPTION_TEXT, AT(page_server), "address:port",
	  "send memory there, or with --lazy-pages offer it there" },
	{ "status-fd", 0, OPTION_TEXT, AT(status_fd), "fd",
	  "descriptor that gets a zero byte when lazy pages are offered" },
	{ 0 },
};

const struct option_row restore_options[] = {
	ROW_BUNDLE,
	ROW_CONSOLE_SOCKET,
	ROW_PID_FILE,
	{ "detach", 'd', OPTION_FLAG, AT(detach), NULL, "return once the container runs" },
	ROW_NO_SUBREAPER,
	{ "no-pivot", 0, OPTION_FLAG, AT(no_pivot), NULL,
	  "accepted: criu changes the root in its own way" },
	{ "lsm-profile", 0, OPTION_TEXT, AT(lsm_profile), "type:label",
	  "AppArmor profile or SELinux label in place of the one of the checkpoint" },
	{ "lsm-mount-context", 0, OPTION_TEXT, AT(lsm_mount_context), "context",
	  "SELinux context of mounts that had one" },
	{ 0 },
};

/* ---- values ------------------------------------------------------------------------------ */

static int read_mode(struct cli *cli, enum criu_cgroup_mode *ret)
{
	static const struct {
		const char *name;
		enum criu_cgroup_mode mode;
	} modes[] = {
		{ "soft", CRIU_CGROUP_SOFT },
		{ "full", CRIU_CGROUP_FULL },
		{ "strict", CRIU_CGROUP_STRICT },
		{ "ignore", CRIU_CGROUP_IGNORE },
	};
	const char *name = cli->o.manage_cgroups ? cli->o.manage_cgroups : "soft";

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(modes[i].name, name) == 0) {
			*ret = modes[i].mode;
			return 0;
		}
	}
	return err_say(&cli->err, -EINVAL,
		       "--manage-cgroups-mode \"%s\": expected soft, full, strict or ignore", name);
}

/* "10.0.0.1:1234", "[::1]:1234" */
static int read_page_server(struct cli *cli, struct criu_options *ret)
{
	const char *text = cli->o.page_server;
	const char *colon = text ? strrchr(text, ':') : NULL;
	const char *end = colon;
	uint64_t port = 0;

	if (!text)
		return 0;
	if (!colon || colon == text || num_u64(colon + 1, UINT16_MAX, &port) < 0 || port == 0)
		return err_say(
		    &cli->err, -EINVAL,
		    "--page-server \"%s\": expected ADDRESS:PORT, the port a number from "
		    "1 to 65535",
		    text);
	if (text[0] == '[' && end[-1] == ']') {
		text++;
		end--;
	}
	ret->page_server = arena_printf(&cli->arena, "%.*s", (int)(end - text), text);
	ret->page_server_port = (uint16_t)port;
	return 0;
}

static int read_status_fd(struct cli *cli, int *ret)
{
	uint64_t fd;

	*ret = -1;
	if (!cli->o.status_fd)
		return 0;
	if (num_u64(cli->o.status_fd, INT32_MAX, &fd) < 0 || fcntl((int)fd, F_GETFD) < 0)
		return err_say(&cli->err, -EBADF,
			       "--status-fd \"%s\": expected the number of an open descriptor",
			       cli->o.status_fd);
	*ret = (int)fd;
	return 0;
}

static int read_empty_ns(struct cli *cli, uint64_t *ret)
{
	if (!cli->o.empty_ns)
		return 0;
	if (strcmp(cli->o.empty_ns, "network") != 0)
		return err_say(&cli->err, -EINVAL,
			       "--empty-ns \"%s\": only network can be left empty",
			       cli->o.empty_ns);
	*ret = CLONE_NEWNET;
	return 0;
}

/* As criu keeps it: a link from the new images to the earlier ones. */
static int check_parent(struct cli *cli, const char *images)
{
	const char *parent = cli->o.parent_path;
	char *path, *slash;

	if (!parent)
		return 0;
	if (parent[0] == '/' || !*parent) {
		(void)err_say(&cli->err, -EINVAL,
			      "--parent-path \"%s\": expected a path relative to --image-path",
			      parent);
		return err_hint(&cli->err, "for images that lie beside each other: ../NAME");
	}
	path = arena_strndup(&cli->arena, images, strlen(images));
	/* The directory of the images may be missing yet. */
	while (path && strncmp(parent, "../", 3) == 0 && (slash = strrchr(path, '/'))) {
		*slash = '\0';
		parent += 3;
	}
	if (path &&
	    faccessat(AT_FDCWD, arena_printf(&cli->arena, "%s/%s", path, parent), F_OK, 0) < 0)
		return err_set(&cli->err, -errno, "--parent-path %s", cli->o.parent_path);
	return 0;
}

static int make_request(struct cli *cli, struct criu_request *ret)
{
	const struct options *o = &cli->o;
	struct criu_request request = {
		.options = { .leave_running = o->leave_running,
			     .tcp_established = o->tcp_established,
			     .ext_unix_sk = o->ext_unix_sk,
			     .shell_job = o->shell_job,
			     .file_locks = o->file_locks,
			     .auto_dedup = o->auto_dedup,
			     .lazy_pages = o->lazy_pages,
			     .parent_path = o->parent_path,
			     .lsm_profile = o->lsm_profile,
			     .lsm_mount_context = o->lsm_mount_context },
		.program = cli_absolute(cli, o->criu),
		.images = cli_absolute(cli, o->image_path ? o->image_path : "checkpoint"),
		.work = cli_absolute(cli, o->work_path),
	};
	int r;

	if (!request.images)
		return err_say(&cli->err, -EINVAL, "--image-path is empty");
	r = read_mode(cli, &request.options.cgroup_mode);
	if (r == 0)
		r = read_page_server(cli, &request.options);
	if (r == 0)
		r = read_status_fd(cli, &request.options.status_fd);
	if (r == 0)
		r = read_empty_ns(cli, &request.options.empty_namespaces);
	if (r == 0)
		r = check_parent(cli, request.images);
	if (r == 0)
		*ret = request;
	return r;
}

/* ---- commands ---------------------------------------------------------------------------- */

int cmd_checkpoint(struct cli *cli)
{
	struct criu_request request;
	int r = make_request(cli, &request);

	if (r < 0)
		return r;
	return run_checkpoint(cli_root(cli), cli->args.v[0], &request, cli->o.pre_dump, &cli->err);
}

int cmd_restore(struct cli *cli)
{
	const struct options *o = &cli->o;
	struct criu_request criu;
	struct run_request request = {
		.plan = { .id = cli->args.v[0],
			  .root = cli_root(cli),
			  .bundle = cli_absolute(cli, o->bundle ? o->bundle : "."),
			  .run = true,
			  .detach = o->detach,
			  .pid_file = cli_absolute(cli, o->pid_file),
			  .console_socket = cli_absolute(cli, o->console_socket),
			  .no_pivot = o->no_pivot,
			  .systemd_cgroup = o->systemd_cgroup },
		.no_subreaper = o->no_subreaper,
	};
	struct err warning = { 0 };
	int r = make_request(cli, &criu);

	if (r == 0 && !request.plan.bundle)
		r = err_say(&cli->err, -EINVAL, "--bundle is empty");
	if (r == 0)
		r = state_check_id(request.plan.id, &cli->err);
	request.warning = &warning;
	if (r == 0)
		r = run_restore(&request, &criu, &cli->err);
	if (warning.code < 0)
		cli_warn(cli, warning.msg);
	return r;
}
