#!/bin/bash
# systemd.sh - cgroups that systemd makes: vm-run.sh -m systemd [-u tester] -d DIRECTORY -- bash ./systemd.sh
# As root by the system's manager, as an ordinary user by the one of his session.
. ./lib.sh
. ./systemd_lib.sh

STATE=/run/oci
ME='.'
INSIDE=
if [ "$(id -u)" != 0 ]; then
	STATE=/tmp/oci
	CTL="systemctl --user"
	# Whose only id is 0: terminals cannot belong to group 5.
	ME='.linux.namespaces += [{type: "user"}] |
		.linux.uidMappings = [{containerID: 0, hostID: 1000, size: 1}] |
		.linux.gidMappings = [{containerID: 0, hostID: 1000, size: 1}] |
		(.mounts[] | select(.options) | .options) |= map(select(startswith("gid=") | not))'
	INSIDE="systemd-run --user --scope --quiet --collect -p Delegate=yes --"
fi
BY_HAND="$WORK/containr-oci --root $STATE"
OCI="$BY_HAND --systemd-cgroup"
PEOPLE="$WORK/containr --root $STATE"

# hog BEFORE: the bundle of a shell that does that, and then takes more memory than it may.
hog() {
	CMD="$1
		x=x; while :; do x=\$x\$x\$x\$x; done" bundle hog "$ME | .linux.resources += {memory: {limit: 16777216, swap: 16777216}}"
}

# up NAME RESOURCES [JQ]: runs in the background, in containr-NAME.scope; its cgroup is $CG.
up() {
	CMD=${CMD:-sleep 1000} bundle "$1" "$ME | .linux.resources += $2 | ${3:-.}"
	$OCI run --detach --bundle "/tmp/$1" "$1" </dev/null >$OUTPUT 2>&1 || fail "$(cat $OUTPUT)"
	PID=$($OCI state "$1" | jq .pid)
	CG=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$PID/cgroup")
}

file_is() { is "$(cat "$CG/$1")" "$2"; }

test_init_is_in_a_delegated_scope() {
	up scope '{}'
	shows containr-scope.scope ActiveState active
	shows containr-scope.scope Delegate yes
	shows containr-scope.scope CollectMode inactive-or-failed
	is "$CG" "/sys/fs/cgroup$($CTL show containr-scope.scope -p ControlGroup --value)"
	is "$(cat "$CG/cgroup.procs")" "$PID"
	down scope
}

test_limits_reach_the_kernel_and_systemd() {
	local more='{memory: {limit: 67108864, swap: 100663296, reservation: 8388608}, cpu: {shares: 512, quota: 12345,
		period: 100000}, pids: {limit: 20}, unified: {"memory.high": "50331648", "cgroup.max.depth": "3"}}'
	[ "$(id -u)" = 0 ] || more=$(echo "$more" | sed 's|cpu: {[^}]*}, ||')
	up limits "$more"
	file_is memory.max $((64 * MIB))
	file_is memory.low $((8 * MIB))
	file_is memory.high $((48 * MIB))
	file_is pids.max 20
	file_is cgroup.max.depth 3
	[ ! -e "$CG/memory.swap.max" ] || file_is memory.swap.max $((32 * MIB))
	shows containr-limits.scope MemoryMax $((64 * MIB))
	shows containr-limits.scope MemoryHigh $((48 * MIB))
	shows containr-limits.scope MemoryLow $((8 * MIB))
	shows containr-limits.scope TasksMax 20
	if [ "$(id -u)" = 0 ]; then
		file_is cpu.weight 59
		file_is cpu.max "12345 100000"
		shows containr-limits.scope CPUWeight 59
		shows containr-limits.scope CPUQuotaPerSecUSec 130ms
	fi
	$CTL daemon-reload
	file_is memory.max $((64 * MIB))
	file_is pids.max 20
	down limits
}

test_cpus_and_block_limits_of_root() {
	[ "$(id -u)" = 0 ] || return 0 # not delegated to users
	up cpus '{cpu: {cpus: "0", mems: "0", burst: 1000, quota: 50000}, blockIO: {throttleReadBpsDevice:
		[{major: 254, minor: 0, rate: 1048576}]}, hugepageLimits: [{pageSize: "2MB", limit: 4194304}]}'
	file_is cpuset.cpus 0
	file_is cpuset.mems 0
	file_is cpu.max.burst 1000
	file_is hugetlb.2MB.max 4194304
	is "$(cat "$CG/io.max")" "254:0 rbps=1048576 wbps=max riops=max wiops=max"
	shows containr-cpus.scope AllowedCPUs 0
	shows containr-cpus.scope AllowedMemoryNodes 0
	down cpus
}

test_devices_are_limited_before_and_after_a_reload() {
	[ "$(id -u)" = 0 ] || return 0 # of whom has no rights over the host, the kernel refuses all
	local cap='.process.capabilities |= map_values(. + ["CAP_MKNOD"])'
	CMD='mknod /tmp/vda b 254 0; until test -e /tmp/go; do sleep 0.1; done; head -c 1 /tmp/vda >/tmp/read 2>/tmp/why;
		echo $? >/tmp/status; sleep 1000' up devices '{}' "$cap"
	ln -sf busybox /tmp/devices/rootfs/bin/mknod
	systemctl daemon-reload
	$OCI exec devices /bin/busybox mknod /tmp/sda b 254 0
	not $OCI exec devices /bin/busybox head -c 1 /tmp/sda
	$OCI exec devices /bin/busybox head -c 1 /dev/zero >/dev/null
	down devices
}

test_other_commands_work() {
	up life '{pids: {limit: 20}}'
	$OCI exec life /bin/sh -c 'cat /proc/self/cgroup' >$OUTPUT
	says 0::/
	$OCI exec --detach life /bin/sleep 1000
	is "$(wc -l <"$CG/cgroup.procs")" 2
	is "$($OCI ps --format json life | jq length)" 2
	$OCI pause life
	is "$($OCI state life | jq -r .status)" paused
	file_is cgroup.freeze 1
	$OCI resume life
	is "$($OCI events --stats life | jq .data.pids.limit)" 20
	$OCI update --pids-limit 30 --memory $((96 * MIB)) life
	file_is pids.max 30
	file_is memory.max $((96 * MIB))
	shows containr-life.scope TasksMax 30
	shows containr-life.scope MemoryMax $((96 * MIB))
	not $OCI update --memory 1 --pids-limit 31 life
	file_is memory.max $((96 * MIB))
	$OCI kill --all life KILL
	for _ in $(seq 100); do [ "$($OCI state life | jq -r .status)" != stopped ] || break; sleep 0.1; done
	$OCI delete life
	gone containr-life.scope
}

test_run_leaves_nothing() {
	CMD='cat /proc/self/cgroup; exit 7' bundle run "$ME"
	$OCI run --bundle /tmp/run run >$OUTPUT 2>&1 && fail "no status"
	is $? 7
	says 0::/
	gone containr-run.scope
}

test_out_of_memory_leaves_no_failed_unit() {
	hog :
	not $OCI run --bundle /tmp/hog hog >$OUTPUT 2>&1
	says "out of memory"
	gone containr-hog.scope
}

# systemd removes the cgroup, which knows the reason, as soon as it is empty.
test_out_of_memory_is_told_each_time() {
	hog :
	for _ in $(seq 20); do
		not $OCI run --bundle /tmp/hog hog >$OUTPUT 2>&1
		says "out of memory: the kernel killed 1 process (limit 16 MiB"
		[ "$(id -u)" != 0 ] || says "): sh (pid " # the kernel's log is not for everybody
	done
}

# late COMMAND...: which is asleep when it happens, and wakes up when the cgroup is gone.
late() {
	local pid
	hog 'until test -e /tmp/go; do sleep 0.1; done'
	"$@" --bundle /tmp/hog hog </dev/null >$OUTPUT 2>&1 &
	for _ in $(seq 100); do [ "$($OCI state hog 2>/dev/null | jq -r .status)" != running ] || break; sleep 0.1; done
	pid=$!
	kill -STOP $pid
	touch /tmp/hog/rootfs/tmp/go
	for _ in $(seq 300); do [ -n "$(find /sys/fs/cgroup -name containr-hog.scope)" ] || break; sleep 0.1; done
	is "$(find /sys/fs/cgroup -name containr-hog.scope)" ""
	kill -CONT $pid
	wait $pid
}

test_out_of_memory_is_told_by_who_was_asleep() {
	not late $OCI run
	says "out of memory: the kernel killed 1 process (limit 16 MiB)"
	gone containr-hog.scope
}

test_slices_and_properties_are_as_asked_for() {
	up props '{}' '.linux.cgroupsPath = "test-a.slice:pre:name" | .annotations = {
		"org.systemd.property.TimeoutStopSec": "7", "org.systemd.property.MemoryHigh": "uint64 50331648",
		"org.systemd.property.Documentation": "['"'man:a(1)', 'man:b(1)'"']"}'
	case $CG in */test.slice/test-a.slice/pre-name.scope) ;; *) fail "$CG" ;; esac
	shows pre-name.scope TimeoutStopUSec 7s
	shows pre-name.scope MemoryHigh $((48 * MIB))
	shows pre-name.scope Documentation '"man:a(1)" "man:b(1)"'
	file_is memory.high $((48 * MIB))
	$OCI delete --force props
	gone pre-name.scope
}

test_what_systemd_refuses_is_told() {
	bundle bad "$ME"' | .annotations = {"org.systemd.property.NoSuchThing": "5"}'
	not $OCI run --bundle /tmp/bad bad >$OUTPUT 2>&1
	says "NoSuchThing"
	gone containr-bad.scope
}

test_a_unit_of_somebody_else_is_not_taken() {
	${CTL/ctl/d-run} --scope --unit=containr-other --quiet sleep 1000 &
	for _ in $(seq 50); do [ "$($CTL is-active containr-other.scope)" != active ] || break; sleep 0.1; done
	bundle other "$ME"
	not $OCI run --bundle /tmp/other other >$OUTPUT 2>&1
	says "containr-other.scope"
	says "delete it, or name another one"
	shows containr-other.scope ActiveState active
	is "$(find /sys/fs/cgroup -name containr-other.scope -exec cat {}/cgroup.procs \; | wc -l)" 1
	$CTL stop containr-other.scope
}

test_delete_leaves_nothing_of_a_create_that_was_killed() {
	bundle cut "$ME"
	killed_creates 21
}

test_who_has_no_session_is_told() {
	bundle lost "$ME"
	if [ "$(id -u)" = 0 ]; then
		CMD=true bundle lost '.linux.namespaces += [{type: "user"}] |
			.linux.uidMappings = [{containerID: 0, hostID: 65534, size: 1}] |
			.linux.gidMappings = [{containerID: 0, hostID: 65534, size: 1}]'
		chmod 755 /tmp/lost
		not setpriv --reuid 65534 --regid 65534 --clear-groups env -u XDG_RUNTIME_DIR \
			"$WORK/containr-oci" --root /tmp/lost-state --systemd-cgroup run --bundle /tmp/lost lost >$OUTPUT 2>&1
		says "there is no session: XDG_RUNTIME_DIR and DBUS_SESSION_BUS_ADDRESS are not set"
		says "loginctl enable-linger"
		mkdir -p /tmp/other/systemd
		chmod 700 /tmp/other
		not setpriv --reuid 65534 --regid 65534 --clear-groups env XDG_RUNTIME_DIR=/tmp/other \
			"$WORK/containr-oci" --root /tmp/lost-state --systemd-cgroup run --bundle /tmp/lost lost >$OUTPUT 2>&1
		says "are left from before su or sudo"
	else
		not env -u DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR=/nonexistent $OCI run --bundle /tmp/lost lost >$OUTPUT 2>&1
		says "connect to /nonexistent/systemd/private"
		# Over the bus alone, which needs a greeting and a wish for signals.
		mkdir -p /tmp/only
		ln -sf "$XDG_RUNTIME_DIR/bus" /tmp/only/bus
		XDG_RUNTIME_DIR=/tmp/only $OCI --root /tmp/oci run --bundle /tmp/lost lost >$OUTPUT 2>&1 || fail "$(cat $OUTPUT)"
		gone containr-lost.scope
	fi
}

test_a_controller_that_is_not_delegated_is_told() {
	[ "$(id -u)" != 0 ] || return 0 # who has all
	local oci
	for oci in "$OCI" "$INSIDE $BY_HAND"; do
		bundle lacks "$ME"' | .linux.resources.cpu.cpus = "0"'
		not $oci run --bundle /tmp/lacks lacks </dev/null >$OUTPUT 2>&1
		says "enable the controller cpuset in /sys/fs/cgroup"
		says "\`systemctl edit user@.service\` with Delegate=cpu cpuset io memory pids"
		gone containr-lacks.scope
	done
}

test_controllers_are_enabled_in_what_is_delegated() {
	[ "$(id -u)" != 0 ] || return 0 # who may above, too
	cat >/tmp/divide <<-'EOF'
		own=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)
		mkdir "$own/me"
		echo $$ >"$own/me/cgroup.procs"
		echo +memory >"$own/cgroup.subtree_control"
		exec "$@"
	EOF
	CMD='cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max' \
		bundle divided "$ME | .linux.resources += {memory: {limit: 67108864}, pids: {limit: 20}}"
	$INSIDE bash /tmp/divide $BY_HAND run --bundle /tmp/divided divided </dev/null >$OUTPUT 2>&1 || fail "$(cat $OUTPUT)"
	is "$(tr '\n' ' ' <$OUTPUT)" "$((64 * MIB)) 20 "
}

# ---- doctor, stats, top: against the files of the kernel -------------------------------------------

# Each line: controller, the file of a limit, the limit, and what the file then says.
CONTROLLERS='memory memory.max {memory:{limit:67108864}} 67108864
cpu cpu.weight {cpu:{shares:512}} 59
pids pids.max {pids:{limit:20}} 20
cpuset cpuset.cpus {cpu:{cpus:"0"}} 0
hugetlb hugetlb.2MB.max {hugepageLimits:[{pageSize:"2MB",limit:4194304}]} 4194304
io io.max {blockIO:{throttleReadBpsDevice:[{major:254,minor:0,rate:1048576}]}} 254:0'

# doctor_and_limits COMMAND...: the verdict on each controller is tried with a container that has such a limit.
doctor_and_limits() {
	local name file limit value
	"$@" "$WORK/containr" doctor --json >/tmp/doctor || fail "$(cat /tmp/doctor)"
	while read -r name file limit value; do
		CMD="cat /sys/fs/cgroup/$file" bundle limit "$ME | .linux.resources += $limit"
		"$@" $BY_HAND run --bundle /tmp/limit limit </dev/null >$OUTPUT 2>&1 || true
		$BY_HAND delete --force limit
		case $(jq -r ".checks[] | select(.group == \"cgroups\" and .name == \"$name\") | .status" /tmp/doctor) in
		ok) grep -q "^$value" $OUTPUT || fail "doctor: $name is ok, but: $(cat $OUTPUT)" ;;
		*) not grep -q "^$value" $OUTPUT ;;
		esac
	done <<<"$CONTROLLERS"
}

verdict() { jq -r ".checks[] | select(.group == \"$1\" and .name == \"$2\") | .status" /tmp/doctor; }

test_doctor_is_right_about_limits() {
	doctor_and_limits $INSIDE
	for name in memory pids; do is "$(verdict cgroups $name)" ok; done
	if [ "$(id -u)" = 0 ]; then
		for name in cpu cpuset io hugetlb; do is "$(verdict cgroups $name)" ok; done
		return
	fi
	# Outside of what is his in the session.
	doctor_and_limits env
	for name in memory cpu pids cpuset; do is "$(verdict cgroups $name)" warning; done
	$WORK/containr doctor --strict >$OUTPUT && fail "no warning"
	is $? 2
	says "systemd-run --user --scope -p Delegate=yes"
}

test_doctor_knows_this_host() {
	$WORK/containr doctor --json >/tmp/doctor
	is "$(jq .ok,.problems /tmp/doctor | tr '\n' ' ')" "true 0 "
	for name in systemd d-bus; do is "$(verdict session $name)" ok; done
	if [ "$(id -u)" = 0 ]; then
		is "$(verdict security apparmor)" ok
	else
		is "$(verdict session runtime-dir)" ok
		# The profile that nobody has loaded yet, and he cannot.
		is "$(verdict security apparmor)" warning
		is "$(jq -r '.checks[] | select(.name == "apparmor") | .remedy' /tmp/doctor)" \
			"as root: apparmor_parser -r /etc/apparmor.d/containr-default"
	fi
	is "$(jq -r '.checks[] | select(.name == "modules") | .fact' /tmp/doctor)" "$(cat /sys/kernel/security/lsm)"
	$WORK/containr doctor >$OUTPUT
	jq -r '.checks[].fact' /tmp/doctor | while read -r line; do says "$line"; done
	$WORK/containr info --security >$OUTPUT
	jq -r '.checks[] | select(.group == "security") | .fact' /tmp/doctor | while read -r line; do says "$line"; done
}

# The switch that Debian's kernels have.
test_doctor_sees_user_namespaces_switched_off() {
	[ "$(id -u)" = 0 ] || return 0 # who cannot switch them
	local status=0
	sysctl -q kernel.unprivileged_userns_clone=0
	runuser -u tester -- "$WORK/containr" doctor --quiet >$OUTPUT 2>&1 || status=$?
	runuser -u tester -- "$WORK/containr" doctor --json >/tmp/doctor || true
	sysctl -q kernel.unprivileged_userns_clone=1
	is $status 1
	says kernel.unprivileged_userns_clone
	is "$(verdict namespaces debian-switch)" problem
	runuser -u tester -- "$WORK/containr" doctor >$OUTPUT
}

usage() { awk '$1 == "usage_usec" { print $2 * 1000 }' "$CG/cpu.stat"; }

test_stats_and_top_are_the_kernels() {
	local before after memory told
	CMD='sleep 1001 & sleep 1002 & wait' up use '{memory: {limit: 67108864}, pids: {limit: 20}}'
	for _ in $(seq 100); do [ "$(cat "$CG/pids.current")" != 3 ] || break; sleep 0.1; done
	before=$(usage)
	$PEOPLE stats --no-stream --json use >/tmp/stats
	after=$(usage)
	is "$(jq -r '.[0] | .pids, .pids_limit, .mem_limit_bytes, .pid' /tmp/stats | tr '\n' ' ')" "3 20 $((64 * MIB)) $PID "
	memory=$(($(cat "$CG/memory.current") - $(awk '$1 == "inactive_file" { print $2 }' "$CG/memory.stat")))
	told=$(jq '.[0].mem_bytes' /tmp/stats)
	[ $((told - memory)) -lt $MIB ] && [ $((memory - told)) -lt $MIB ] || fail "memory: $told, not $memory"
	told=$(jq '.[0].cpu_nanos' /tmp/stats)
	[ "$told" -gt 0 ] && [ "$told" -ge "$before" ] && [ "$told" -le "$after" ] || fail "CPU: $told, not $before to $after"
	$PEOPLE stats --no-stream >$OUTPUT
	grep -qE '^use .*/ 64MiB .* 3$' $OUTPUT || fail "$(cat $OUTPUT)"
	$PEOPLE top --no-stream >$OUTPUT
	grep -qE "^use +running +$PID .* 3 " $OUTPUT || fail "$(cat $OUTPUT)"
	$PEOPLE top use -o pid,args >$OUTPUT
	is "$(awk 'NR > 1 { print $1 }' $OUTPUT | sort -n)" "$(sort -n "$CG/cgroup.procs")"
	says "sleep 1002"
	down use
}

run_tests
