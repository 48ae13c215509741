/*
 * rundir.c - see rundir.h.
 *
 * The state is written before the first side effect and tells what all those will be. So its step
 * is added first, and its text is made last.
 */
#include "plan/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

#include "ops/describe.h"
#include "ops/host_notify.h"
#include "plan/cgroup.h"
#include "plan/hooks.h"
#include "plan/identity.h"
#include "plan/lsm.h"
#include "plan/rdt.h"
#include "plan/scope.h"
#include "seccomp/compile.h"
#include "state/state.h"
#include "sys/abi.h"

static void add_host(struct planner *p, struct step step)
{
	plan_add(p, LANE_HOST, step);
}

/* ---- the filter
 * ------------------------------------------------------------------------------------ */

/* Compiled here, since exec will need it as well and finds it in the run directory. */
static void compile_filter(struct planner *p)
{
	const struct spec_seccomp *seccomp = &p->spec->linux.seccomp;
	const struct seccomp_env env = { .caps = p->spec->process.capabilities.bounding,
					 .kernel_major = p->facts->kernel_major,
					 .kernel_minor = p->facts->kernel_minor };
	struct seccomp_program program;

	if (!seccomp->has)
		return;
	if (seccomp_compile(seccomp, &env, plan_arena(p), &program, p->err) < 0) {
		(void)err_prefix(p->err, "linux.seccomp");
		return;
	}
	p->filter = (struct sock_fprog){ (unsigned short)program.n, program.insns };
	p->filter_flags = program.flags & ~(uint32_t)SECCOMP_FILTER_FLAG_NEW_LISTENER;
	p->filter_listens = program.needs_listener;
}

/* ---- the run directory
 * -------------------------------------------------------------------------------- */

void add_rundir(struct planner *p)
{
	const struct plan_options *o = p->options;

	compile_filter(p);
	add_host(p, (struct step){ .kind = STEP_RUN_DIR, .run_dir = { o->root, o->id } });
	p->state_step = p->plan->n_steps;
	add_host(p, (struct step){ .kind = STEP_FILE, .file.name = STATE_FILE });
}

void add_copies(struct planner *p)
{
	const struct plan_options *o = p->options;

	add_host(p, (struct step){ .kind = STEP_FILE,
				   .file = { STATE_CONFIG, o->config, o->config_len } });
	if (p->filter.len > 0)
		add_host(p,
			 (struct step){ .kind = STEP_FILE,
					.file = { STATE_FILTER, p->filter.filter,
						  p->filter.len * sizeof(struct sock_filter) } });
}

static uint64_t own_namespaces(const struct planner *p)
{
	const struct spec_linux *linux = &p->spec->linux;
	uint64_t flags = 0;

	for (size_t i = 0; i < linux->n_namespaces; i++)
		flags |= (uint64_t)(unsigned int)linux->namespaces[i].flag;
	return flags;
}

/* The sentences of what `start` will hear of, which has no plan. */
static struct spec_strings sentences_after_start(struct planner *p)
{
	const struct plan *plan = p->plan;
	struct spec_strings list = { 0 };

	list.v = arena_array(plan_arena(p), plan->n_steps - plan->after_start + 1, sizeof(char *));
	for (size_t i = plan->after_start; i < plan->n_steps && list.v; i++) {
		_cleanup_buf_ struct buf text = { 0 };

		step_describe(&plan->steps[i], &text);
		list.v[list.n++] = arena_strndup(plan_arena(p), buf_text(&text), text.len);
	}
	return list;
}

static const char *absolute(struct planner *p, const char *path)
{
	if (*path == '/')
		return path;
	return arena_printf(plan_arena(p), "%s/%s", p->options->bundle, path);
}

void finish_rundir(struct planner *p)
{
	const struct spec *spec = p->spec;
	_cleanup_buf_ struct buf text = { 0 };
	struct state state = {
		.id = p->options->id,
		.oci_version = spec->oci_version,
		.bundle = p->options->bundle,
		.rootfs = absolute(p, spec->root.path),
		.annotations = spec->annotations,
		.systemd_cgroup = p->options->systemd_cgroup,
		.systemd_user = p->facts->systemd.user,
		.systemd_root = p->facts->systemd.cgroup,
		.namespaces = own_namespaces(p),
		.capabilities = spec->process.capabilities,
		.apparmor_profile = spec->process.apparmor_profile,
		.selinux_label = spec->process.selinux_label,
		.process = spec->process_text,
		.no_new_privileges = spec->process.no_new_privileges,
		.has_filter = p->filter.len > 0,
		.filter_flags = p->filter_flags,
		.poststart = spec->hooks.poststart.n > 0,
		.poststop = spec->hooks.poststop.n > 0,
		.intel_rdt = plan_intel_rdt_path(p),
	};
	struct plan_scope scope;
	struct step_file *file;

	if (arena_failed(plan_arena(p)))
		return;
	plan_cgroup_paths(p, &p->plan->cgroups);
	state.cgroups = p->plan->cgroups;
	if (p->options->systemd_cgroup && p->err->code == 0 && plan_scope_read(p, &scope)) {
		state.systemd_unit = scope.unit;
		state.systemd_description = scope.description;
	}
	if (!p->options->run) {
		state.after_start = sentences_after_start(p);
		state.after_start_first = p->plan->after_start;
	}
	state_render(&state, &text);
	file = &p->plan->steps[p->state_step].file;
	file->data = arena_copy(plan_arena(p), buf_text(&text), text.len);
	file->len = text.len;
	if (text.failed)
		(void)err_set(p->err, -ENOMEM, "write down the state of %s", p->options->id);
}

/* ---- sockets
 * -------------------------------------------------------------------------------------------- */

/* Whose terminal it is: a caller's that listens, or our own while we stay. */
static void add_console(struct planner *p)
{
	const struct plan_options *o = p->options;
	bool terminal = p->spec->process.terminal;

	if (o->console_socket && !terminal)
		(void)err_say(
		    p->err, -EINVAL,
		    "--console-socket: the container has no terminal (process.terminal is "
		    "false)");
	else if (o->console_socket)
		add_host(p, (struct step){ .kind = STEP_CONNECT,
					   .connect = { SLOT_CONSOLE, o->console_socket } });
	else if (terminal && (!o->run || o->detach))
		(void)err_say(
		    p->err, -EINVAL,
		    "process.terminal: nobody would have the terminal: cannot allocate tty "
		    "without --console-socket when detached");
	else if (terminal)
		add_host(p,
			 (struct step){ .kind = STEP_SOCKET_PAIR,
					.pair = { SLOT_CONSOLE, SLOT_CONSOLE_PEER, SOCK_STREAM } });
}

static void add_listener(struct planner *p)
{
	const struct spec_seccomp *seccomp = &p->spec->linux.seccomp;
	_cleanup_buf_ struct buf text = { 0 };

	if (!p->filter_listens)
		return;
	add_host(p, (struct step){ .kind = STEP_CONNECT,
				   .connect = { SLOT_LISTENER, seccomp->listener_path } });
	/* runtime-spec, config-linux.md, "The Container Process State". */
	buf_str(&text, "{\"ociVersion\":");
	buf_json_str(&text, p->spec->oci_version);
	buf_str(&text, ",\"fds\":[\"seccompFd\"],\"metadata\":");
	buf_json_str(&text, seccomp->listener_metadata ? seccomp->listener_metadata : "");
	buf_str(&text, ",\"state\":");
	plan_hook_state_head(p, "creating", &text);
	p->listener_head = arena_strndup(plan_arena(p), buf_text(&text), text.len);
}

void add_sockets(struct planner *p)
{
	const struct plan_options *o = p->options;

	add_console(p);
	add_listener(p);
	if (o->pidfd_socket)
		add_host(p, (struct step){ .kind = STEP_CONNECT,
					   .connect = { SLOT_PIDFD_SOCKET, o->pidfd_socket } });
	if (o->notify_socket) {
		add_creation_labels(p);
		add_host(p, (struct step){ .kind = STEP_NOTIFY });
		add_no_creation_labels(p);
	}
	if (!o->run)
		add_host(p, (struct step){ .kind = STEP_GATE });
}

/* ---- what init and its caller tell each other
 * ------------------------------------------------------------ */

void add_record_init(struct planner *p)
{
	add_host(p, (struct step){ .kind = STEP_RECORD_INIT });
}

static bool is_alone(const struct planner *p)
{
	return !p->exec && spec_has_new_namespace(p->spec, CLONE_NEWPID);
}

void add_view(struct planner *p)
{
	if (p->options->view > 0 && !is_alone(p))
		add_host(p, (struct step){ .kind = STEP_VIEW });
}

/* Init waits for all that the host does beside it, so this is over before the image's program. */
void add_late_view(struct planner *p)
{
	if (p->options->view > 0 && is_alone(p))
		add_host(p, (struct step){ .kind = STEP_VIEW });
}

void add_terminal(struct planner *p)
{
	const struct spec_process *process = &p->spec->process;

	/* Its own session in any case: no terminal of the caller's may be reached (TIOCSTI). */
	plan_add(p, LANE_INIT, (struct step){ .kind = STEP_SESSION });
	if (process->terminal)
		plan_add(p, LANE_INIT,
			 (struct step){ .kind = STEP_TERMINAL,
					.terminal = { process->console_size.height,
						      process->console_size.width,
						      process->user.uid, !p->exec } });
}

void add_created(struct planner *p)
{
	const struct plan_options *o = p->options;

	plan_add(p, LANE_INIT, (struct step){ .kind = STEP_OUTLIVE_PARENT });
	plan_add(p, LANE_INIT, (struct step){ .kind = STEP_AWAIT_HOST });
	if (o->pidfd_socket)
		add_host(p, (struct step){ .kind = STEP_SEND_PIDFD });
	if (o->pid_file)
		add_host(p, (struct step){ .kind = STEP_PID_FILE, .text.file = o->pid_file });
	if (!o->run)
		add_host(p, (struct step){ .kind = STEP_CREATED });
}

void add_wait_start(struct planner *p)
{
	if (!p->options->run)
		plan_add(p, LANE_INIT, (struct step){ .kind = STEP_WAIT_START });
	p->plan->after_start = p->plan->n_steps;
}
