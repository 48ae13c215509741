#!/bin/bash
# podman.sh - limits that podman asks for, by both managers of cgroups:
# vm-run.sh -m systemd [-u tester] -d DIRECTORY -- bash ./podman.sh
. ./lib.sh

unset INVOCATION_ID # of the machine's own service: podman would leave conmon in its cgroup
CTL=systemctl
DELEGATED=/sys/fs/cgroup
if [ "$(id -u)" != 0 ]; then
	CTL="systemctl --user"
	DELEGATED=/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service
fi
LIMITS="--memory 64m --pids-limit 30"
! grep -qw cpu $DELEGATED/cgroup.controllers || LIMITS="$LIMITS --cpus 0.5"
# Ends at SIGTERM, with a status of its own.
LOOP='trap "exit 5" TERM; while :; do sleep 0.1; done'

# engine ARGUMENTS...: podman with our program as its runtime and $MANAGER for cgroups.
engine() {
	podman --runtime "$WORK/containr-oci" --storage-driver vfs --cgroup-manager "$MANAGER" "$@" </dev/null >$OUTPUT 2>&1 ||
		fail "podman $*: $(cat $OUTPUT)"
}

# box_image: it is there, and no container is of an earlier test.
box_image() {
	engine rm --force --ignore --time 0 life
	podman --storage-driver vfs image exists localhost/box 2>/dev/null && return
	bundle image
	tar -C /tmp/image/rootfs -cf /tmp/image.tar .
	engine import /tmp/image.tar localhost/box
}

# inspected FORMAT: of the container "life".
inspected() {
	engine inspect --format "{{$1}}" life
	cat $OUTPUT
}

# find_life: what the container is now, in $ID, $PID and $CG.
find_life() {
	ID=$(inspected .Id)
	PID=$(inspected .State.Pid)
	CG=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$PID/cgroup")
}

file_is() { is "$(cat "$CG/$1")" "$2"; }

limits_are() {
	file_is memory.max $(($1 << 20))
	file_is pids.max 30
	case $LIMITS in
	*--cpus*) file_is cpu.max "50000 100000" ;;
	*) echo "no limit of processor time: cpu is not delegated to this user" ;;
	esac
}

# gone: no unit and no cgroup of $ID, of which conmon's own may take a moment, with or without a prefix.
gone() {
	local left
	for _ in $(seq 50); do
		left=$($CTL list-units --all --no-legend "libpod*$ID*"; find /sys/fs/cgroup -name "*$ID*")
		[ -n "$left" ] || break
		sleep 0.2
	done
	[ -z "$left" ] || fail "left: $left"
	is "$("$WORK/containr-oci" list -q)" ""
}

# life: run, exec, update, stop, start and rm, with limits.
life() {
	box_image
	engine run --detach --network none $LIMITS --name life localhost/box sh -c "$LOOP"
	find_life
	limits_are 64
	engine exec life sh -c 'cat /proc/self/cgroup; exit 0'
	says 0::/
	engine update --memory 96m life
	limits_are 96
	engine stop --time 30 life
	is "$(inspected .State.ExitCode)" 5
	engine start life
	find_life
	limits_are 96
}

test_life_with_systemd() {
	local scope
	MANAGER=systemd
	life
	scope=libpod-$ID.scope
	is "$CG" "/sys/fs/cgroup$($CTL show "$scope" -p ControlGroup --value)"
	is "$($CTL show "$scope" -p MemoryMax --value)" $((96 << 20))
	is "$($CTL show "$scope" -p TasksMax --value)" 30
	is "$($CTL is-active "libpod-conmon-$ID.scope")" active
	engine rm --force --time 0 life
	gone
}

test_life_with_cgroupfs() {
	MANAGER=cgroupfs
	life
	if [ "$(id -u)" = 0 ]; then
		is "$CG" "/sys/fs/cgroup/libpod_parent/libpod-$ID"
	else # for users podman names no cgroup: it is beside the scope that podman made for itself
		is "$CG" "$DELEGATED/user.slice/$ID"
	fi
	is "$($CTL list-units --all --no-legend "libpod*$ID*")" ""
	engine rm --force --time 0 life
	gone
}

test_run_and_remove() {
	for MANAGER in systemd cgroupfs; do
		box_image
		podman --runtime "$WORK/containr-oci" --storage-driver vfs --cgroup-manager $MANAGER run --rm --network none \
			$LIMITS localhost/box sh -c 'cat /etc/hostname; exit 7' </dev/null >$OUTPUT 2>&1 && fail "no status"
		is $? 7
		ID=$(cat $OUTPUT)
		is ${#ID} 12
		gone
	done
}

# bite: a container that ends by its limit of memory; whether podman knows why.
bite() {
	box_image
	engine run --detach --network none --memory 16m --memory-swap 16m --name life localhost/box \
		sh -c 'x=x; while :; do x=$x$x$x$x; done'
	engine wait life
	says 137
	ID=$(inspected .Id)
	KNOWN=$(inspected .State.OOMKilled)
	engine rm life
	gone
}

test_memory_limit_is_seen_to_bite() {
	MANAGER=cgroupfs
	bite
	is "$KNOWN" true
	# It is conmon that looks, and it may come after systemd has removed the cgroup: once of several times is proof.
	MANAGER=systemd
	for _ in 1 2 3 4; do
		bite
		[ "$KNOWN" != true ] || return 0
	done
	fail "podman never knew"
}

# refused TEXT ARGUMENTS...: `podman run` with them (after the words in $BEFORE) says that, and leaves nothing.
BEFORE=
refused() {
	local text=$1
	shift
	box_image
	not $BEFORE podman --runtime "$WORK/containr-oci" --storage-driver vfs --cgroup-manager "$MANAGER" run --network none \
		--name life "$@" localhost/box true </dev/null >$OUTPUT 2>&1
	says "$text"
	ID=$(inspected .Id)
	engine rm life
	gone
}

test_what_is_not_delegated_is_refused() {
	[ "$(id -u)" != 0 ] || return 0 # who has all controllers
	for MANAGER in systemd cgroupfs; do
		refused "enable the controller cpuset in /sys/fs/cgroup/" --cpuset-cpus 0
		refused "enable the controller io in /sys/fs/cgroup/" --device-read-bps /dev/vda:1mb
	done
	# Without a session podman stays in the cgroup of the login, which is root's.
	MANAGER=cgroupfs
	mkdir -m 700 /tmp/xdg
	BEFORE="env -u DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR=/tmp/xdg"
	refused "make cgroup $(dirname "$DELEGATED")/" --memory 64m
}

run_tests
