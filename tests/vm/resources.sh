#!/bin/bash
# resources.sh - limits on cgroup v2 with all its controllers: vm-run.sh -m apparmor -d DIRECTORY -- bash ./resources.sh
# What tests/e2e/test_resources.py does on v1 and in a view with v2 that has no controllers.
. ./lib.sh

CG=/sys/fs/cgroup
MIB=$((1 << 20))
HOG='x=x; while :; do x=$x$x$x$x; done'
BUSY='while :; do :; done'

mountpoint -q $CG || mount -t cgroup2 cgroup2 $CG

# limited NAME COMMAND RESOURCES: a bundle in the cgroup /NAME.
limited() { CMD=$2 bundle "$1" ".linux.cgroupsPath = \"/$1\" | .linux.resources += $3"; }

# up NAME COMMAND RESOURCES: it runs in the background.
up() {
	limited "$1" "$2" "$3"
	$OCI run --detach --bundle "/tmp/$1" "$1" </dev/null >$OUTPUT 2>&1
}

down() {
	local name
	for name in "$@"; do
		$OCI delete --force "$name"
		[ ! -e "$CG/$name" ] || fail "$CG/$name is still there"
	done
}

file_is() { is "$(cat "$CG/$1")" "$2"; }
usage() { sed -n 's/^usage_usec //p' "$CG/$1/cpu.stat"; }

# within LEAST MOST NUMBER
within() { [ "$3" -ge "$1" ] && [ "$3" -le "$2" ] || fail "expected $1 to $2, got $3"; }

test_every_key_reaches_its_file() {
	up keys 'sleep 1000' "{memory: {limit: $((64 * MIB)), swap: $((96 * MIB)), reservation: $((8 * MIB))},
		cpu: {shares: 512, quota: 50000, period: 100000, burst: 10000, cpus: \"0\", mems: \"0\"},
		pids: {limit: 20}, unified: {\"memory.high\": \"$((48 * MIB))\", \"cgroup.max.depth\": \"3\"}}"
	file_is keys/memory.max $((64 * MIB))
	file_is keys/memory.low $((8 * MIB))
	file_is keys/memory.high $((48 * MIB))
	[ ! -e $CG/keys/memory.swap.max ] || file_is keys/memory.swap.max $((32 * MIB))
	file_is keys/cpu.weight 59
	file_is keys/cpu.max "50000 100000"
	file_is keys/cpu.max.burst 10000
	file_is keys/cpuset.cpus 0
	file_is keys/cpuset.mems 0
	file_is keys/pids.max 20
	file_is keys/cgroup.max.depth 3
	down keys
}

test_idle_is_set() {
	up idle 'sleep 1000' '{cpu: {idle: 1}}'
	file_is idle/cpu.idle 1
	down idle
}

test_a_memory_hog_is_killed_and_reported() {
	limited hog "$HOG" "{memory: {limit: $((16 * MIB)), swap: $((16 * MIB))}}"
	not run_in hog
	says "out of memory: the kernel killed 1 process (limit 16 MiB, peak 16 MiB)"
	[ ! -e $CG/hog ]
}

test_too_little_memory_for_the_start_is_told() {
	limited little true "{memory: {limit: $((128 * 1024)), swap: $((128 * 1024))}}"
	not run_in little
	says "out of memory: the kernel killed"
	limited less true '{memory: {limit: 4096}}'
	not run_in less
	says "expected at least 98304"
}

test_a_fork_bomb_is_stopped_and_reported() {
	limited bomb '(for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 3 & done) 2>/dev/null; exit 3' '{pids: {limit: 8}}'
	not run_in bomb
	says "the limit of 8 processes was reached"
}

test_weights_divide_a_cpu() {
	local large small
	up large "$BUSY" '{cpu: {shares: 4096, cpus: "0"}}'
	up small "$BUSY" '{cpu: {shares: 512, cpus: "0"}}'
	large=$(usage large) small=$(usage small)
	sleep 4
	large=$(($(usage large) - large)) small=$(($(usage small) - small))
	# weights of 310 and 59: five to one
	within 350 750 $((large * 100 / small))
	down large small
}

test_a_quota_throttles() {
	local before
	up quota "$BUSY" '{cpu: {quota: 10000, period: 100000}}'
	before=$(usage quota)
	sleep 3
	within 100000 600000 $(($(usage quota) - before))
	$OCI events --stats quota | jq -e '.data.cpu.throttling | .throttledPeriods > 3 and .throttledTime > 0'
	down quota
}

test_a_quota_that_throttles_is_reported() {
	limited slow 'i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done' '{cpu: {quota: 2000, period: 10000}}'
	run_in slow
	says "the CPU limit slowed it down in"
}

test_memory_high_is_reported() {
	# Little beyond it, for the kernel has it wait up to two seconds for each further 128 KiB.
	limited high 'busybox head -c 8000000 /dev/zero >/dev/shm/f; busybox wc -c </dev/shm/f' \
		"{memory: {limit: $((64 * MIB))}, unified: {\"memory.high\": \"$((6 * MIB))\"}}"
	run_in high
	says 8000000
	says "memory.high was exceeded"
}

test_a_device_is_throttled() {
	local device start
	mkdir -p /var/disk
	device=$(stat -c '%Hd:%Ld' /var/disk)
	CMD='sleep 1000' bundle disk ".linux.cgroupsPath = \"/disk\" | .linux.resources += {blockIO: {throttleWriteBpsDevice:
		[{major: ${device%:*}, minor: ${device#*:}, rate: $MIB}]}} |
		.mounts += [{destination: \"/volume\", type: \"bind\", source: \"/var/disk\", options: [\"bind\"]}]"
	$OCI run --detach --bundle /tmp/disk disk </dev/null >$OUTPUT 2>&1
	grep -q "^$device .*wbps=$MIB" $CG/disk/io.max
	start=$(date +%s)
	$OCI exec disk /bin/busybox dd if=/dev/zero of=/volume/big bs=64k count=64 conv=fsync
	within 3 60 $(($(date +%s) - start))
	$OCI events --stats disk | jq -e '.data.blkio.ioServiceBytesRecursive | map(select(.op == "Write")) | .[0].value > 0'
	down disk
}

# Those of the scheduler BFQ where it is there, else those of the cost model, which count from 1 to 10000.
test_weights_of_disks() {
	local disk=/sys/block/vda device
	device=$(cat $disk/dev)
	up weight 'sleep 1000' '{blockIO: {weight: 100}}'
	file_is weight/io.weight "default 910"
	down weight
	modprobe bfq
	echo bfq >$disk/queue/scheduler
	up weight 'sleep 1000' "{blockIO: {weight: 300, weightDevice: [{major: ${device%:*}, minor: ${device#*:}, weight: 700}]}}"
	is "$(cat $CG/weight/io.bfq.weight)" "default 300
$device 700"
	down weight
}

test_rdma_without_a_device() {
	limited rdma true '{rdma: {mlx5_1: {hcaHandles: 3, hcaObjects: 10000}}}'
	not run_in rdma
	says "rdma.max"
	says "mlx5_1 hca_handle=3 hca_object=10000"
}

test_huge_pages_are_limited() {
	echo 8 >/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages
	CMD="busybox fallocate -l 4M /volume/a && echo first; busybox fallocate -l 8M /volume/b || echo refused" \
		bundle huge ".linux.cgroupsPath = \"/huge\" |
		.linux.resources += {hugepageLimits: [{pageSize: \"2MB\", limit: $((4 * MIB))}]} |
		.mounts += [{destination: \"/volume\", type: \"hugetlbfs\", source: \"hugetlbfs\"}]"
	run_in huge
	says first
	says refused
}

test_devices_are_refused() {
	CMD='mknod /tmp/k c 1 11 && busybox dd if=/tmp/k of=/dev/null bs=1 count=0 || echo refused; echo x >/dev/null && echo null' \
		bundle devices ".linux.resources.devices = [{allow: false, access: \"rwm\"}] | $ALL_CAPS"
	ln -s busybox /tmp/devices/rootfs/bin/mknod
	run_in devices
	says refused
	says null
}

test_update_completes_what_is_one_file() {
	up update 'sleep 1000' '{cpu: {quota: 50000, period: 100000}}'
	$OCI update --cpu-period 50000 update
	file_is update/cpu.max "50000 50000"
	$OCI update --cpu-quota 20000 update
	file_is update/cpu.max "20000 50000"
	$OCI update --cpu-quota -1 update
	file_is update/cpu.max "max 50000"
	# The start needed neither of these controllers.
	$OCI update --memory 64m --memory-swap 96m --pids-limit 30 update
	file_is update/memory.max $((64 * MIB))
	file_is update/pids.max 30
	[ ! -e $CG/update/memory.swap.max ] || file_is update/memory.swap.max $((32 * MIB))
	$OCI update --memory -1 update
	file_is update/memory.max max
	down update
}

test_update_is_all_or_nothing() {
	local before
	up whole 'sleep 1000' "{memory: {limit: $((64 * MIB))}, pids: {limit: 30}, cpu: {shares: 512, cpus: \"0\"}}"
	before=$(cat $CG/whole/{memory.max,pids.max,cpu.weight,cpu.max,cpuset.cpus})
	not $OCI update --memory 32m --pids-limit 5 --cpu-share 1024 --cpu-quota 5000 --cpuset-cpus 4000 whole 2>$OUTPUT
	says "nothing was changed: set cpuset.cpus to \"4000\""
	is "$(cat $CG/whole/{memory.max,pids.max,cpu.weight,cpu.max,cpuset.cpus})" "$before"
	echo '{"memory": {"limit": 98304, "checkBeforeUpdate": true}}' >/tmp/check.json
	not $OCI update -r /tmp/check.json whole 2>$OUTPUT
	says "is below what the container uses now"
	down whole
}

test_events_tell_of_a_shortage() {
	up short "while [ ! -e /go ]; do sleep 0.2; done; $HOG" "{memory: {limit: $((16 * MIB)), swap: $((16 * MIB))}}"
	$OCI events --interval 1h short >/tmp/events &
	sleep 1
	touch /tmp/short/rootfs/go
	wait $!
	is "$(head -n 1 /tmp/events)" '{"type":"oom","id":"short"}'
	down short
}

test_events_have_the_kernels_numbers() {
	up numbers 'sleep 1000' "{memory: {limit: $((64 * MIB))}, pids: {limit: 9}}"
	$OCI events --stats numbers | jq -e ".data | .memory.usage.limit == $((64 * MIB)) and .memory.usage.usage > 0 and
		.memory.raw.anon >= 0 and .pids.limit == 9 and .pids.current == 1 and .cpu.usage.total > 0 and
		.cpu.psi.some.total >= 0 and .memory.psi.full.total >= 0 and .network_interfaces == null"
	down numbers
}

# The container gave controllers on, so its own cgroup takes no process any more. Paths are seen from inside.
test_exec_goes_where_init_is() {
	up inner 'sleep 1000' '{pids: {limit: 20}}'
	mkdir $CG/inner/leaf
	cat $CG/inner/cgroup.procs >$CG/inner/leaf/cgroup.procs
	echo +pids +memory >$CG/inner/cgroup.subtree_control
	is "$($OCI exec inner cat /proc/self/cgroup)" "0::/leaf"
	mkdir $CG/inner/jobs
	is "$($OCI exec --cgroup jobs inner cat /proc/self/cgroup)" "0::/jobs"
	not $OCI exec --cgroup ../other inner true 2>$OUTPUT
	says '".." is not allowed'
	down inner
}

# Ends the list: what any of them left would be here.
test_nothing_is_left() {
	not grep -qE '^(keys|idle|hog|little|bomb|large|small|quota|slow|high|disk|huge|update|whole|short|numbers|inner|weight|rdma)$' <(ls $CG)
}

run_tests
