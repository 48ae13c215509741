#!/bin/bash
# systemd_v1.sh - cgroups of v1 that systemd makes, alone or with an empty v2 beside (hybrid):
#   vm-run.sh -m systemd -s bookworm -k systemd.unified_cgroup_hierarchy=0 -d DIRECTORY -- bash ./systemd_v1.sh
# Later releases of systemd have given v1 up.
. ./lib.sh
. ./systemd_lib.sh

OCI="$OCI --systemd-cgroup"

# up NAME RESOURCES [JQ]: runs in the background, in containr-NAME.scope.
up() {
	CMD=${CMD:-sleep 1000} bundle "$1" ".linux.resources += $2 | ${3:-.}"
	$OCI run --detach --bundle "/tmp/$1" "$1" </dev/null >$OUTPUT 2>&1 || fail "$(cat $OUTPUT)"
	PID=$($OCI state "$1" | jq .pid)
}

file_is() { is "$(cat "$(cg "${1%%.*}")/$1")" "$2"; }

LIMITS='{memory: {limit: 67108864, reservation: 8388608}, cpu: {shares: 512, quota: 12345, period: 100000, cpus: "0",
	mems: "0"}, pids: {limit: 20}}'

limits_are_in_force() {
	file_is memory.limit_in_bytes $((64 * MIB))
	file_is memory.soft_limit_in_bytes $((8 * MIB))
	file_is cpu.shares 512
	file_is cpu.cfs_quota_us 12345
	file_is cpu.cfs_period_us 100000
	file_is cpuset.cpus 0
	file_is cpuset.mems 0
	file_is pids.max 20
}

test_the_host_has_v1() {
	local mode=hybrid
	[ -e /sys/fs/cgroup/unified ] || mode=v1
	is "$(stat -f -c %T /sys/fs/cgroup)" tmpfs
	"$WORK/containr" doctor --json | jq -r '.checks[] | select(.group == "cgroups") | "\(.name) \(.status) \(.fact)"' >$OUTPUT
	says "version ok $mode"
	for name in memory cpu pids io cpuset; do says "$name ok limits can be set (v1, "; done
}

test_init_is_in_the_scope_in_all_hierarchies() {
	up scope '{}'
	shows containr-scope.scope ActiveState active
	shows containr-scope.scope Delegate yes
	cut -d: -f3 "/proc/$PID/cgroup" | sort -u >$OUTPUT
	is "$(grep -vx / $OUTPUT)" /system.slice/containr-scope.scope/container
	grep -q '^0::' "/proc/$PID/cgroup" || [ ! -e /sys/fs/cgroup/unified ]
	for name in memory cpu pids blkio devices freezer cpuset; do is "$(cat "$(cg $name)/cgroup.procs")" "$PID"; done
	down scope
}

test_limits_are_in_force_also_after_a_reload() {
	up limits "$LIMITS"
	limits_are_in_force
	shows containr-limits.scope TasksMax 20
	systemctl daemon-reload
	limits_are_in_force
	is "$(cat "$(cg pids)/cgroup.procs")" "$PID"
	down limits
}

test_memory_bites_and_leaves_no_failed_unit() {
	CMD='x=x; while :; do x=$x$x$x$x; done' bundle hog '.linux.resources += {memory: {limit: 16777216}}'
	not $OCI run --bundle /tmp/hog hog >$OUTPUT 2>&1
	says "out of memory"
	gone containr-hog.scope
}

test_processes_bite() {
	CMD='sleep 1 & sleep 1 & sleep 1 & sleep 1 & sleep 1 & wait; echo all' bundle many '.linux.resources += {pids: {limit: 4}}'
	not $OCI run --bundle /tmp/many many >$OUTPUT 2>&1
	says "can't fork"
	gone containr-many.scope
}

# A tenth of a processor is half a second in five; the machine is slow, so three times that is taken.
test_cpu_bites() {
	local used
	CMD='while :; do :; done' up busy '{cpu: {quota: 10000, period: 100000}}'
	sleep 5
	used=$(cat "$(cg cpuacct)/cpuacct.usage")
	[ "$used" -lt 1500000000 ] || fail "used $used ns of 5 s at a tenth"
	grep -qE '^nr_throttled [1-9]' "$(cg cpu)/cpu.stat"
	down busy
}

test_devices_are_limited_before_and_after_a_reload() {
	up devices '{}' '.process.capabilities |= map_values(. + ["CAP_MKNOD"])'
	ln -sf busybox /tmp/devices/rootfs/bin/mknod
	$OCI exec devices /bin/busybox mknod /tmp/vda b 254 0
	for _ in before after; do
		not $OCI exec devices /bin/busybox head -c 1 /tmp/vda
		$OCI exec devices /bin/busybox head -c 1 /dev/zero >/dev/null
		systemctl daemon-reload
	done
	down devices
}

test_the_container_sees_its_own_limits() {
	local seen='for f in memory/memory.limit_in_bytes pids/pids.max; do cat /sys/fs/cgroup/$f; done; cat /proc/self/cgroup'
	CMD=$seen bundle see ".linux.resources += $LIMITS"
	$OCI run --bundle /tmp/see see >$OUTPUT 2>&1 || fail "$(cat $OUTPUT)"
	says $((64 * MIB))
	is "$(sed -n 2p $OUTPUT)" 20
	silent_about system.slice
	gone containr-see.scope
}

test_other_commands_work() {
	up life "$LIMITS"
	$OCI exec --detach life /bin/sleep 1000
	is "$(wc -l <"$(cg pids)/cgroup.procs")" 2
	is "$($OCI ps --format json life | jq length)" 2
	$OCI pause life
	is "$($OCI state life | jq -r .status)" paused
	if [ -e /sys/fs/cgroup/unified ]; then # which has a freezer of its own
		grep -qx "frozen 1" /sys/fs/cgroup/unified/system.slice/containr-life.scope/container/cgroup.events
	else
		file_is freezer.state FROZEN
	fi
	$OCI resume life
	is "$($OCI events --stats life | jq .data.pids.limit)" 20
	"$WORK/containr" --root /run/oci stats --no-stream --json life >$OUTPUT
	is "$(jq '.[0].mem_limit_bytes, .[0].pids_limit' $OUTPUT | tr '\n' ' ')" "$((64 * MIB)) 20 "
	is "$(jq -r '.[0].pids' $OUTPUT)" 2
	$OCI update --pids-limit 30 --memory $((96 * MIB)) life
	file_is pids.max 30
	file_is memory.limit_in_bytes $((96 * MIB))
	shows containr-life.scope TasksMax 30
	systemctl daemon-reload
	file_is pids.max 30
	$OCI kill --all life KILL
	for _ in $(seq 100); do [ "$($OCI state life | jq -r .status)" != stopped ] || break; sleep 0.1; done
	$OCI delete life
	gone containr-life.scope
}

test_delete_leaves_nothing_of_a_create_that_was_killed() {
	bundle cut ".linux.resources += $LIMITS"
	killed_creates 10
}

run_tests
