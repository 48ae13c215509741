/*
 * host.c - the operations of the runtime outside the container, by kind of step, each with its undo
 * where it leaves a trace.
 */
#include "ops/host_cgroup.h"
#include "ops/host_criu.h"
#include "ops/host_hooks.h"
#include "ops/host_lsm.h"
#include "ops/host_mount.h"
#include "ops/host_net.h"
#include "ops/host_notify.h"
#include "ops/host_process.h"
#include "ops/host_rdt.h"
#include "ops/host_systemd.h"

const struct op host_ops[STEP_KINDS] = {
	[STEP_APPARMOR] = { host_apparmor, NULL },
	[STEP_HOST_LABEL] = { host_label, host_label_undo },
	[STEP_RUN_DIR] = { host_run_dir, host_run_dir_undo },
	[STEP_FILE] = { host_file, NULL },
	[STEP_OPEN] = { host_open, NULL },
	[STEP_TREE] = { host_tree, NULL },
	[STEP_ID_MAPPED] = { host_id_mapped, NULL },
	[STEP_OVERLAY] = { host_overlay, NULL },
	[STEP_CGROUP_MAKE] = { host_cgroup_make, host_cgroup_make_undo },
	[STEP_CGROUP_WRITE] = { host_cgroup_write, NULL },
	[STEP_CGROUP_DEVICES] = { host_cgroup_devices, NULL },
	[STEP_CGROUP_OPEN] = { host_cgroup_open, NULL },
	[STEP_SYSTEMD_SCOPE] = { host_scope, host_scope_undo },
	[STEP_SYSTEMD_AWAIT] = { host_scope_await, NULL },
	[STEP_SYSTEMD_ATTACH] = { host_scope_attach, NULL },
	[STEP_NETNS] = { host_netns, host_netns_undo },
	[STEP_NETNS_UP] = { host_netns_up, NULL },
	[STEP_CONNECT] = { host_connect, NULL },
	[STEP_SOCKET_PAIR] = { host_socket_pair, NULL },
	[STEP_GATE] = { host_gate, NULL },
	[STEP_NOTIFY] = { host_notify, NULL },
	[STEP_ID_MAP] = { host_id_map, NULL },
	[STEP_ID_MAP_HELPER] = { host_id_map_helper, NULL },
	[STEP_PROC_FILE] = { host_proc_file, NULL },
	[STEP_CLOCKS_OPEN] = { host_clocks_open, NULL },
	[STEP_CLOCKS] = { host_clocks, NULL },
	[STEP_UNDUMPABLE] = { host_undumpable, NULL },
	[STEP_RECORD_INIT] = { host_record_init, NULL },
	[STEP_VIEW] = { host_view, NULL },
	[STEP_NET_DEVICE] = { host_net_device, host_net_device_undo },
	[STEP_INTEL_RDT] = { host_intel_rdt, host_intel_rdt_undo },
	[STEP_PID_FILE] = { host_pid_file, host_pid_file_undo },
	[STEP_SEND_PIDFD] = { host_send_pidfd, NULL },
	[STEP_CREATED] = { host_created, NULL },
	[STEP_IMAGES] = { host_images, host_images_undo },
	[STEP_IMAGES_END] = { host_images_end, NULL },
	[STEP_DIRECTORY] = { host_directory, host_directory_undo },
	[STEP_RECORD_RESTORER] = { host_record_restorer, NULL },
	[STEP_RECORD_SERVER] = { host_record_server, NULL },
	[STEP_CRIU] = { host_criu, NULL },
	[STEP_HOOKS] = { host_hooks, NULL },
	[STEP_RLIMIT] = { host_rlimit, NULL },
	[STEP_STREAMS] = { host_streams, NULL },
};
