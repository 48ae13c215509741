/*
 * In a network namespace of our own (the test becomes root of a user namespace first), with a
 * veth device in the part of the host. Where that is not allowed the tests are skipped.
 */
#include "ops/host_net.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys/netlink.h"

struct scene {
	pid_t pid; /* lives in the container's namespace */
	int slots[SLOT_FIRST_FREE + 2];
	struct op_ctx ctx;
	struct step step;
};

static bool write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");
	bool ok = f && fputs(text, f) >= 0;

	return f && fclose(f) == 0 && ok;
}

static bool become_host(void)
{
	char map[32];

	if (unshare(CLONE_NEWNET) == 0)
		return true;
	(void)snprintf(map, sizeof(map), "0 %u 1", geteuid());
	return unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 &&
	       write_file("/proc/self/setgroups", "deny") && write_file("/proc/self/uid_map", map);
}

static void run(const char *command)
{
	assert_int_equal(system(command), 0);
}

/* In the container's namespace. */
static void run_inside(const struct scene *scene, const char *command)
{
	char line[512];

	(void)snprintf(line, sizeof(line), "nsenter --net=/proc/%d/ns/net %s", scene->pid, command);
	run(line);
}

static void open_scene(struct scene *scene, const char *host, const char *name)
{
	int ready[2];
	char byte;

	*scene = (struct scene){ 0 };
	for (size_t i = 0; i < sizeof(scene->slots) / sizeof(scene->slots[0]); i++)
		scene->slots[i] = -1;
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	scene->pid = fork();
	if (scene->pid == 0) {
		if (unshare(CLONE_NEWNET) == 0)
			(void)!write(ready[1], "x", 1);
		(void)pause();
		_exit(0);
	}
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	scene->ctx = (struct op_ctx){ .fd = scene->slots, .pid = scene->pid };
	scene->step = (struct step){ .kind = STEP_NET_DEVICE,
				     .net_device = { host, name, SLOT_NONE, SLOT_FIRST_FREE } };
}

static void kill_init(struct scene *scene)
{
	if (scene->pid > 0) {
		(void)kill(scene->pid, SIGKILL);
		(void)waitpid(scene->pid, NULL, 0);
	}
	scene->pid = 0;
}

static void close_scene(struct scene *scene)
{
	kill_init(scene);
	for (size_t i = 0; i < sizeof(scene->slots) / sizeof(scene->slots[0]); i++)
		if (scene->slots[i] >= 0)
			(void)close(scene->slots[i]);
}

static int set_up(void **state)
{
	(void)state;
	run("ip link add veth0 type veth peer name peer0 && ip link set peer0 up");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return system("ip link del peer0 2>/dev/null; true");
}

static void moves_a_device_with_its_addresses(void **state)
{
	struct scene scene;

	(void)state;
	open_scene(&scene, "veth0", "eth0");
	run("ip addr add 192.0.2.7/24 dev veth0 && ip -6 addr add 2001:db8::7/64 dev veth0 nodad "
	    "&& "
	    "ip link set veth0 up mtu 1400 address 02:00:00:00:00:07 && "
	    "ip addr add 169.254.1.1/16 scope link dev veth0 && "
	    "ip addr add 192.0.2.8/24 valid_lft 1000 preferred_lft 1000 dev veth0");
	assert_int_equal(host_net_device(&scene.step, &scene.ctx), 0);
	run("! ip link show veth0 2>/dev/null");
	run_inside(&scene, "ip link show dev eth0 | grep -q 'UP.*mtu 1400'");
	run_inside(&scene, "ip link show dev eth0 | grep -q 02:00:00:00:00:07");
	run_inside(&scene, "ip addr show dev eth0 | grep -q 'inet 192.0.2.7/24'");
	run_inside(&scene, "ip addr show dev eth0 | grep -q 'inet6 2001:db8::7/64'");
	run_inside(&scene, "ip route get 192.0.2.99 | grep -q 'dev eth0'");
	run_inside(&scene, "ip -6 route get 2001:db8::99 | grep -q 'dev eth0'");
	/* Neither those of the link nor leases: the specification names permanent global ones. */
	run_inside(&scene, "sh -c '! ip addr show dev eth0 | grep -q \"169.254\\|192.0.2.8\"'");
	close_scene(&scene);
}

/* A virtual device would end with the namespace, and the namespace with init. */
static void a_start_that_fails_gives_the_device_back(void **state)
{
	struct scene scene;

	(void)state;
	open_scene(&scene, "veth0", "eth0");
	run("ip addr add 192.0.2.7/24 dev veth0 && ip link set veth0 up");
	assert_int_equal(host_net_device(&scene.step, &scene.ctx), 0);
	kill_init(&scene);
	host_net_device_undo(&scene.step, &scene.ctx);
	run("ip link show dev veth0 | grep -q UP && ip addr show dev veth0 | grep -q 192.0.2.7/24");
	host_net_device_undo(&scene.step, &scene.ctx); /* tolerates that it was done */
	close_scene(&scene);
}

static void a_device_that_was_down_comes_back_down(void **state)
{
	struct scene scene;

	(void)state;
	open_scene(&scene, "veth0", "veth0");
	assert_int_equal(host_net_device(&scene.step, &scene.ctx), 0);
	run_inside(&scene, "ip link show dev veth0 | grep -q UP");
	host_net_device_undo(&scene.step, &scene.ctx);
	run("ip link show dev veth0 | grep -vq 'UP'");
	run("! ip link show dev veth0 | grep -q '[<,]UP'");
	close_scene(&scene);
}

/* runtime-spec 1.3: "unless the user has provided a template by appending %d". */
static void a_template_gets_a_free_number(void **state)
{
	struct scene scene;

	(void)state;
	open_scene(&scene, "veth0", "net%d");
	run_inside(&scene, "ip link add net0 type bridge");
	assert_int_equal(host_net_device(&scene.step, &scene.ctx), 0);
	run_inside(&scene, "ip link show dev net1 | grep -q UP");
	kill_init(&scene);
	host_net_device_undo(&scene.step, &scene.ctx);
	run("ip link show dev veth0 >/dev/null");
	close_scene(&scene);
}

/* Numbers of devices belong to a namespace: eth0 of the host is often 2, and so may be another. */
static void a_number_that_is_taken_does_no_harm(void **state)
{
	struct scene scene;

	(void)state;
	open_scene(&scene, "veth0", "eth0");
	run_inside(&scene,
		   "sh -c 'i=2; while [ $i -lt 40 ]; do ip link add x$i index $i type bridge "
		   "2>/dev/null; i=$((i + 1)); done; true'");
	assert_int_equal(host_net_device(&scene.step, &scene.ctx), 0);
	run_inside(&scene, "ip link show dev eth0 | grep -q UP");
	host_net_device_undo(&scene.step, &scene.ctx);
	run("ip link show dev veth0 >/dev/null");
	close_scene(&scene);
}

static void says_what_is_wrong(void **state)
{
	struct scene scene;

	(void)state;
	open_scene(&scene, "nothere", "eth0");
	assert_int_equal(host_net_device(&scene.step, &scene.ctx), -ENODEV);
	assert_string_equal(scene.ctx.note, "nothere");
	close_scene(&scene);

	open_scene(&scene, "veth0", "lo");
	assert_int_equal(host_net_device(&scene.step, &scene.ctx), -EEXIST);
	assert_non_null(strstr(scene.ctx.note, "has a device of this name"));
	run("ip link show dev veth0 >/dev/null"); /* and it was not touched */
	close_scene(&scene);

	open_scene(&scene, "lo", "lo1");
	assert_int_equal(host_net_device(&scene.step, &scene.ctx), -EINVAL);
	assert_non_null(strstr(scene.ctx.note, "this kind of device"));
	close_scene(&scene);

	/* A container that shares the host's network: renaming the host's device is not moving it.
	 */
	open_scene(&scene, "veth0", "eth0");
	scene.ctx.pid = getpid();
	assert_int_equal(host_net_device(&scene.step, &scene.ctx), -EXDEV);
	run("ip link show dev veth0 >/dev/null");
	close_scene(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(moves_a_device_with_its_addresses, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_start_that_fails_gives_the_device_back, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_device_that_was_down_comes_back_down, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_template_gets_a_free_number, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_number_that_is_taken_does_no_harm, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(says_what_is_wrong, set_up, tear_down),
	};

	if (!become_host())
		return 77; /* meson: skipped */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
