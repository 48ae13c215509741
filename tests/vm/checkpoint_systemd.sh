#!/bin/bash
# checkpoint_systemd.sh - restore into a scope that systemd makes, where criu works: Debian's kernel 6.1; with cgroups of
# v2, v1 and both.
# shellcheck source=tests/vm/checkpoint_lib.sh
. ./checkpoint_lib.sh

OCI="$OCI --systemd-cgroup"

shows() { is "$(systemctl show "$1" -p "$2" --value)" "$3"; }
# gone NAME: no unit, and nothing else of it.
gone() {
	shows "containr-$1.scope" LoadState not-found
	is "$(systemctl list-units --all --no-legend "containr-$1.scope")" ""
	nothing_left "$1"
}

has_v2() { [ -e /sys/fs/cgroup/cgroup.controllers ]; }

# is_in_scope UNIT SLICE: container $PID, in all hierarchies.
is_in_scope() {
	local at=/$2/$1
	has_v2 || at+=/container
	is "$(cut -d: -f3 "/proc/$PID/cgroup" | sort -u | grep -vx /)" "$at"
}

# What systemd knows, and what the kernel has.
limits_are_in_force() {
	local cg=/sys/fs/cgroup/system.slice/containr-limits.scope
	shows containr-limits.scope TasksMax 33
	if has_v2; then
		shows containr-limits.scope MemoryMax 67108864
		is "$(cat $cg/memory.max)" 67108864
		is "$(cat $cg/memory.high)" 50331648
		is "$(cat $cg/pids.max)" 33
	else
		is "$(cat "$(cg memory)/memory.limit_in_bytes")" 67108864
		is "$(cat "$(cg pids)/pids.max")" 33
	fi
}

test_goes_on_in_a_scope_with_its_limits() {
	local at high='{}'
	if has_v2; then high='{"memory.high": "50331648"}'; fi
	counter limits '.linux.resources = {memory: {limit: 67108864}, pids: {limit: 33}, unified: '"$high"',
		devices: [{allow: false, access: "rwm"}]} | .process.capabilities |= map_values(. + ["CAP_MKNOD"])'
	checkpoint limits
	gone limits
	at=$(count_of limits)
	restore limits
	await_count limits $((at + 3))
	PID=$($OCI state limits | jq .pid)
	is_in_scope containr-limits.scope system.slice
	if pgrep -x criu; then fail "criu is left"; fi
	shows containr-limits.scope ActiveState active
	shows containr-limits.scope Delegate yes
	limits_are_in_force
	systemctl daemon-reload
	limits_are_in_force
	$OCI exec limits /bin/busybox mknod /tmp/vda b 254 0
	not $OCI exec limits /bin/busybox head -c 1 /tmp/vda
	$OCI update --pids-limit 44 limits
	shows containr-limits.scope TasksMax 44
	# Once more, of what was restored.
	rm -r /tmp/limits.img
	checkpoint limits
	gone limits
	at=$(count_of limits)
	restore limits
	await_count limits $((at + 3))
	$OCI kill limits KILL
	sleep 1
	is "$(status limits)" stopped
	$OCI delete limits
	gone limits
}

test_slice_and_name_of_the_config() {
	counter named '.linux.cgroupsPath = "machine.slice:box:named"'
	checkpoint named
	shows box-named.scope LoadState not-found
	restore named
	shows box-named.scope Slice machine.slice
	PID=$($OCI state named | jq .pid)
	is_in_scope box-named.scope machine.slice
	$OCI delete --force named
	shows box-named.scope LoadState not-found
	nothing_left named
}

test_failure_leaves_nothing() {
	counter bad
	$OCI delete --force bad
	mkdir -p /tmp/bad.img
	echo '["/dev/null", "/dev/null", "/dev/null"]' >/tmp/bad.img/descriptors.json
	not $OCI restore --detach --bundle /tmp/bad --image-path /tmp/bad.img bad >$OUTPUT 2>&1
	says "could not restore container bad"
	gone bad
}

test_unit_of_somebody_else_is_left_alone() {
	counter other
	checkpoint other
	systemd-run --quiet --scope --unit containr-other.scope sleep 1000 </dev/null >/dev/null 2>&1 &
	until systemctl --quiet is-active containr-other.scope; do sleep 0.1; done
	not $OCI restore --detach --bundle /tmp/other --image-path /tmp/other.img other >$OUTPUT 2>&1
	says containr-other.scope
	shows containr-other.scope ActiveState active
	systemctl stop containr-other.scope
	restore other
	$OCI delete --force other
	gone other
}

test_kill_in_the_middle() { killed_restores gone 0.02 0.05 0.1 0.15 0.2 0.3 0.5 0.8 1.5 2.5; }

run_tests
