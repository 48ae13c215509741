#!/bin/bash
# rootless.sh - an ordinary user with a systemd session: vm-run.sh -m systemd -u tester -d DIRECTORY -- bash ./rootless.sh
# Ids come from the distribution's own /etc/subuid, and cgroups are those that the user's systemd delegates. With podman as
# an engine of that user.
. ./lib.sh

RUN="$WORK/containr run --rm"

# box ARGUMENTS...: `containr run` to its end, what it printed in $OUTPUT.
box() { $RUN "$@" </dev/null >$OUTPUT 2>&1; }

# delegated COMMAND...: in a cgroup of its own that the user may divide.
delegated() { systemd-run --user --scope --quiet --collect -p Delegate=yes -- "$@" </dev/null >$OUTPUT 2>&1; }

test_it_runs_with_ranges_of_ids() {
	box -- cat /proc/self/uid_map
	grep -qE '^ +0 +1000 +1$' $OUTPUT || fail "$(cat $OUTPUT)"
	grep -qE '^ +1 +[0-9]+ +65536$' $OUTPUT || fail "$(cat $OUTPUT)"
}

test_keep_id() {
	box --userns keep-id -- id -u
	says 1000
	box --userns keep-id:uid=5,gid=6 -- sh -c 'id -u; id -g'
	is "$(tail -n 2 $OUTPUT | tr '\n' ' ')" "5 6 "
}

test_other_modes() {
	box --userns nomap -- cat /proc/self/uid_map
	not grep -qE ' 1000 +1$' $OUTPUT
	box --userns auto:size=2000 -- cat /proc/self/uid_map
	grep -qE ' 2000$' $OUTPUT || fail "$(cat $OUTPUT)"
}

test_exec() {
	CMD='sleep 1000' bundle enter '.linux.namespaces += [{type: "user"}] |
		.linux.uidMappings = [{containerID: 0, hostID: 1000, size: 1}] |
		.linux.gidMappings = [{containerID: 0, hostID: 1000, size: 1}] |
		(.mounts[].options) |= map(select(startswith("gid=") | not))'
	local oci="$WORK/containr-oci"
	$oci run --detach --bundle /tmp/enter enter </dev/null >$OUTPUT 2>&1
	is "$($oci exec enter id -u)" 0
	$oci delete --force enter
}

test_terminal() {
	box -t -- tty
	says /dev/pts/0
}

test_overlay() {
	rm -rf ~/data
	mkdir -p ~/data/dir
	echo before >~/data/file
	box -v ~/data:/data:O -- sh -c 'echo after >/data/file; rm -r /data/dir; cat /data/file; ls /data'
	says after
	silent_about dir
	is "$(cat ~/data/file)" before
	[ -d ~/data/dir ]
}

test_limits_in_a_delegated_cgroup() {
	delegated $RUN --memory 64m --pids-limit 50 -- sh -c 'g=/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)
		cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max'
	says $((64 << 20))
	says 50
	silent_about "no limit"
}

test_a_limit_bites() {
	delegated $RUN --memory 32m --memory-swap 32m -- sh -c 'x=x; while :; do x=$x$x$x$x; done' && fail "it was not killed"
	says "out of memory"
}

test_nothing_is_left() {
	box -- true
	is "$(ls -A "$XDG_RUNTIME_DIR/containr" 2>/dev/null)" ""
	is "$(find /sys/fs/cgroup -name '*containr*' 2>/dev/null)" ""
}

# engine MANAGER ARGUMENTS...: podman with our program as its runtime.
engine() {
	local manager=$1
	shift
	podman --runtime "$WORK/containr-oci" --storage-driver vfs --cgroup-manager "$manager" "$@" </dev/null >$OUTPUT 2>&1 ||
		fail "podman $*: $(cat $OUTPUT)"
}

box_image() {
	podman --storage-driver vfs image exists localhost/box 2>/dev/null && return
	bundle image
	tar -C /tmp/image/rootfs -cf /tmp/image.tar .
	engine cgroupfs import /tmp/image.tar localhost/box
}

test_podman_with_cgroupfs() {
	box_image
	engine cgroupfs run --rm --network none localhost/box cat /proc/self/uid_map
	says 1000
	engine cgroupfs run --rm --network none --userns keep-id localhost/box id
	says uid=1000
	engine cgroupfs run --detach --network none --name life localhost/box sleep 1000
	engine cgroupfs exec life id
	says uid=0
	engine cgroupfs rm --force --time 0 life
}

test_podman_overlay_volume() {
	box_image
	rm -rf ~/volume
	mkdir ~/volume
	echo before >~/volume/file
	engine cgroupfs run --rm --network none -v ~/volume:/volume:O localhost/box \
		sh -c 'echo after >/volume/file; cat /volume/file'
	says after
	is "$(cat ~/volume/file)" before
}

run_tests
