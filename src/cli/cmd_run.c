/*
 * cmd_run.c - `containr run` and `containr plan`: a command in a container, from flags alone.
 *
 * Exit status as docker and podman have it: that of the command, 128 + n for signal n, 125 for a
 * failure of ours, 126 if the command cannot be executed, 127 if it is not there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/num.h"
#include "base/utf8.h"
#include "cli/commands.h"
#include "cli/parts.h"
#include "cli/people.h"
#include "host/selinux.h"
#include "run/run.h"

enum { STATUS_OURS = 125, STATUS_NOT_EXECUTABLE = 126, STATUS_NOT_FOUND = 127 };

/* ---- what was asked for -------------------------------------------------------------------------
 */

/* JSON is UTF-8; a byte that is not would become another one on the way. */
static int check_words(struct cli *cli)
{
	for (char *const *word = cli->argv; *word; word++) {
		const unsigned char *s = (const unsigned char *)*word;
		size_t left = strlen(*word), len;

		for (; left > 0; s += len, left -= len) {
			len = utf8_len(s, left);
			if (len == 0)
				return err_say(&cli->err, -EILSEQ,
					       "word %td of the command line is not UTF-8",
					       word - cli->argv);
		}
	}
	return 0;
}

static bool is_name(const char *name)
{
	static const char first[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	static const char other[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

	return *name && strchr(first, *name) && name[1] && name[strspn(name, other)] == '\0';
}

/* A plan says the same each time that it is asked for. */
static int choose_id(struct cli *cli, bool for_plan, const char **ret)
{
	const char *name = cli->o.run.name;
	unsigned char random[6];

	if (given(name)) {
		if (!is_name(name))
			return err_say(
			    &cli->err, -EINVAL,
			    "--name %.100s: expected two or more letters, digits and _ . "
			    "-, the first a letter or digit",
			    name);
		*ret = name;
		return 0;
	}
	if (for_plan) {
		*ret = "ID";
		return 0;
	}
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return err_set(&cli->err, -errno, "find a name for the container");
	*ret = arena_printf(&cli->arena, "%02x%02x%02x%02x%02x%02x", random[0], random[1],
			    random[2], random[3], random[4], random[5]);
	return 0;
}

static int check_flags(struct cli *cli)
{
	const struct run_flags *f = &cli->o.run;

	if (given(f->cgroup_manager) && strcmp(f->cgroup_manager, "cgroupfs") != 0 &&
	    strcmp(f->cgroup_manager, "systemd") != 0 && strcmp(f->cgroup_manager, "disabled") != 0)
		return err_say(&cli->err, -EINVAL,
			       "--cgroup-manager %.50s: expected cgroupfs, systemd or disabled",
			       f->cgroup_manager);
	if (f->keep && f->remove)
		return err_say(&cli->err, -EINVAL, "--keep and --rm: expected one of them");
	return 0;
}

bool people_manager_is(const struct people *p, const char *manager)
{
	const char *wanted = p->flags->cgroup_manager;

	return strcmp(given(wanted) ? wanted : "cgroupfs", manager) == 0;
}

static int prepare(struct cli *cli, struct people *p, bool for_plan)
{
	const bool shell = cli->args.n == 0 && !given(cli->o.run.entrypoint);
	int r = check_words(cli);

	*p = (struct people){ .arena = &cli->arena,
			      .err = &cli->err,
			      .cli = cli,
			      .flags = &cli->o.run,
			      .state_root = cli_root(cli),
			      .root_fd = -1,
			      .ids_lock = -1,
			      .for_plan = for_plan,
			      .tty = cli->o.run.tty };
	p->facts.seed_fd = -1;
	if (r == 0)
		r = check_flags(cli);
	if (r == 0)
		r = choose_id(cli, for_plan, &p->id);
	if (r == 0)
		r = facts_read(FACTS_CGROUP | FACTS_CONTROLLERS | FACTS_LSM, p->arena, &p->facts,
			       p->err);
	/* A shell is for somebody who sits there. */
	if (shell && !for_plan && !p->flags->detach && isatty(STDIN_FILENO))
		p->tty = true;
	p->wants_summary = p->flags->summary || (shell && isatty(STDERR_FILENO));
	return r;
}

static int make_request(struct people *p, const struct buf *config, struct run_request *ret)
{
	const struct run_flags *f = p->flags;
	const char *notify = getenv("NOTIFY_SOCKET");
	uint64_t preserve = 0;

	if (given(f->preserve_fds) && num_u64(f->preserve_fds, 1024, &preserve) < 0)
		return err_say(p->err, -EINVAL, "--preserve-fds %.50s: expected a number",
			       f->preserve_fds);
	*ret = (struct run_request){
		.plan = { .id = p->id,
			  .root = p->state_root,
			  .bundle = arena_printf(p->arena, "%s/%s", p->state_root, p->id),
			  .run = true,
			  .pid_file = cli_absolute(p->cli, f->pid_file),
			  .notify_socket = given(notify) ? notify : NULL,
			  .view = p->cli->view,
			  .preserve_fds = (unsigned int)preserve,
			  .no_pivot = f->no_pivot,
			  .apparmor_file = p->apparmor_file,
			  .no_new_keyring = f->no_new_keyring,
			  .root_in_memory = p->root_in_memory,
			  .systemd_cgroup = people_manager_is(p, "systemd"),
			  .no_cgroup = people_manager_is(p, "disabled"),
			  .new_root = p->rootfs ? NULL : &p->new_root },
		.config = buf_text(config),
		.keep = f->detach ? !f->remove : f->keep,
		.record = true,
		.lock = &p->ids_lock,
		.trace = f->trace,
	};
	return state_check_id(p->id, p->err);
}

/* ---- run ----------------------------------------------------------------------------------------
 */

static void put_on_stderr(const struct buf *text)
{
	size_t done = 0;

	while (done < text->len) {
		ssize_t n = write(STDERR_FILENO, text->data + done, text->len - done);

		if (n < 0 && errno != EINTR)
			return; /* there is nobody to read it */
		done += n > 0 ? (size_t)n : 0;
	}
}

static void warn_of(struct people *p)
{
	_cleanup_buf_ struct buf summary = { 0 };

	if (p->flags->limits_left_out && !people_manager_is(p, "disabled"))
		cli_warn(p->cli, p->flags->limits_left_out);
	if (p->flags->privileged)
		cli_warn(p->cli,
			 p->userns
			     ? "--privileged opens: all capabilities in the user namespace, all "
			       "devices that this user may open, all system calls, new privileges, "
			       "writable /sys, all of /proc"
			     : "--privileged opens: all capabilities, all devices of the host, all "
			       "system calls, new privileges, writable /sys and cgroups, all of "
			       "/proc: root inside can become root of the host");
	if (!p->wants_summary)
		return;
	run_summary(p, &summary);
	put_on_stderr(&summary);
}

/* Standard input is passed on when asked for. */
static int redirect(const struct people *p)
{
	const bool shell = p->cli->args.n == 0 && !given(p->flags->entrypoint);
	_cleanup_close_ int null = -1;

	if (p->flags->interactive || shell)
		return 0;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return err_set(p->err, -errno, "open /dev/null");
	(void)dup2(null, STDIN_FILENO);
	return 0;
}

static int write_cidfile(const struct people *p)
{
	const char *path = p->flags->cidfile;
	_cleanup_close_ int fd = -1;

	if (!given(path))
		return 0;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || dprintf(fd, "%s", p->id) < 0)
		return err_set(p->err, -errno, "--cidfile %s", path);
	return 0;
}

/* The words are those of ops/describe.c, which engines read in the same way. */
int people_status(const struct err *err)
{
	if (strncmp(err->msg, "exec: ", 6) != 0)
		return STATUS_OURS;
	return err->code == -ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
}

static int relabel(struct people *p)
{
	int r = 0;

	for (size_t i = 0; i < p->n_relabels && r == 0 && p->selinux_mount; i++)
		r = selinux_relabel(p->relabels[i].path, p->selinux_mount, p->relabels[i].shared,
				    p->err);
	return r;
}

/* A poststop hook of the other container that failed is its own affair. */
static int replace(struct people *p)
{
	int r = run_delete(p->state_root, p->id, true, p->err);

	return r < 0 ? r : 0;
}

/* The file with the name is there before the container, and goes if that cannot be started. */
static int run_with_cidfile(struct people *p, const struct run_request *request)
{
	int r = write_cidfile(p);

	if (r < 0)
		return r;
	r = relabel(p);
	if (r == 0 && p->flags->replace)
		r = replace(p);
	if (r == 0 && !p->flags->detach)
		r = redirect(p);
	if (r == 0)
		r = p->flags->detach ? run_monitored(request, p->err) : run_run(request, p->err);
	if (r < 0 && given(p->flags->cidfile))
		(void)unlink(p->flags->cidfile);
	return r;
}

static int start(struct people *p, const struct run_request *request)
{
	_cleanup_buf_ struct buf line = { 0 };
	int r = run_with_cidfile(p, request);

	if (r < 0) {
		people_reword(p->err);
		log_error(p->cli);
		return people_status(p->err);
	}
	if (!p->flags->detach)
		return r;
	buf_printf(&line, "%s\n", p->id);
	return cli_print(p->cli, &line);
}

int people_run(struct cli *cli)
{
	_cleanup_(people_done) struct people p = { .root_fd = -1, .ids_lock = -1 };
	_cleanup_buf_ struct buf config = { 0 };
	_cleanup_buf_ struct buf reasons = { 0 };
	struct run_request request = { .keep = false };
	struct monitor_options monitor;
	int r = prepare(cli, &p, false);

	if (r == 0)
		r = people_monitor(&p, &monitor);
	if (r == 0)
		r = people_config(&p, &config);
	if (r == 0)
		r = make_request(&p, &config, &request);
	if (r < 0)
		return r;
	warn_of(&p);
	request.reasons = &reasons;
	request.monitor = &monitor;
	r = start(&p, &request);
	cli_warn_lines(cli, &reasons);
	return r;
}

/* ---- plan ---------------------------------------------------------------------------------------
 */

static int show_plan(struct people *p, const struct buf *config, struct buf *out)
{
	struct run_request request = { .keep = false };
	bool json = false;
	const char *format = p->flags->format;
	int r = make_request(p, config, &request);

	if (given(format) && strcmp(format, "json") != 0 && strcmp(format, "text") != 0)
		return err_say(p->err, -EINVAL, "--format %.50s: expected text or json", format);
	json = given(format) && strcmp(format, "json") == 0;
	if (r == 0)
		r = run_plan(&request, json, out, p->err);
	if (r < 0)
		people_reword(p->err);
	return r;
}

int people_plan(struct cli *cli)
{
	_cleanup_(people_done) struct people p = { .root_fd = -1, .ids_lock = -1 };
	_cleanup_buf_ struct buf config = { 0 }, out = { 0 };
	int r = 0;

	if (cli->o.run.show_flags) {
		run_preset_print(cli, &out);
		return cli_print(cli, &out);
	}
	r = prepare(cli, &p, true);
	if (r == 0)
		r = people_config(&p, &config);
	if (r < 0)
		return r;
	if (p.flags->show_config)
		buf_str(&out, buf_text(&config));
	else
		r = show_plan(&p, &config, &out);
	return r < 0 ? r : cli_print(cli, &out);
}
