#!/bin/bash
# resources_v1.sh - keys of linux.resources for cgroup v1 that tests/e2e/test_resources.py finds no controller for:
#   vm-run.sh -m apparmor -s bookworm -d DIRECTORY -- bash ./resources_v1.sh
. ./lib.sh

CG=/sys/fs/cgroup
MIB=$((1 << 20))

# The controllers leave v2, each for a hierarchy of its own.
to_v1() {
	local name
	for name in $(cat $CG/cgroup.subtree_control); do echo "-$name" >$CG/cgroup.subtree_control; done
	umount $CG
	mount -t tmpfs -o mode=755 none $CG
	for name in cpuset cpu,cpuacct blkio memory devices freezer net_cls,net_prio perf_event hugetlb pids rdma; do
		mkdir "$CG/$name"
		mount -t cgroup -o "$name" none "$CG/$name"
	done
}

# up NAME RESOURCES: it runs in the background, in the cgroup /NAME.
up() {
	CMD='sleep 1000' bundle "$1" ".linux.cgroupsPath = \"/$1\" | .linux.resources += $2"
	$OCI run --detach --bundle "/tmp/$1" "$1" </dev/null >$OUTPUT 2>&1 || fail "$(cat $OUTPUT)"
}

down() {
	$OCI delete --force "$1"
	is "$(find $CG -name "$1")" ""
}

# file_is NAME FILE VALUE: that of its controller.
file_is() { is "$(cat $CG/*"${2%%.*}"*/"$1/$2")" "$3"; }

test_the_host_has_v1() {
	to_v1
	is "$(stat -f -c %T $CG/memory)" cgroupfs
	"$WORK/containr" doctor --json | jq -r '.checks[] | select(.group == "cgroups") | "\(.name) \(.status) \(.fact)"' >$OUTPUT
	says "version ok v1"
}

test_memory_and_processors() {
	up keys "{memory: {limit: $((64 * MIB)), swap: $((96 * MIB)), reservation: $((8 * MIB)), kernelTCP: $MIB,
		swappiness: 10, disableOOMKiller: true}, cpu: {shares: 512, quota: 50000, period: 100000, burst: 10000,
		cpus: \"0\", mems: \"0\"}, pids: {limit: 20}}"
	file_is keys memory.limit_in_bytes $((64 * MIB))
	file_is keys memory.memsw.limit_in_bytes $((96 * MIB))
	file_is keys memory.soft_limit_in_bytes $((8 * MIB))
	file_is keys memory.kmem.tcp.limit_in_bytes $MIB
	file_is keys memory.swappiness 10
	grep -qx "oom_kill_disable 1" $CG/memory/keys/memory.oom_control
	file_is keys cpu.shares 512
	file_is keys cpu.cfs_quota_us 50000
	file_is keys cpu.cfs_burst_us 10000
	file_is keys cpuset.cpus 0
	file_is keys pids.max 20
	down keys
}

test_huge_pages() {
	up huge "{hugepageLimits: [{pageSize: \"2MB\", limit: $((4 * MIB))}]}"
	file_is huge hugetlb.2MB.limit_in_bytes $((4 * MIB))
	file_is huge hugetlb.2MB.rsvd.limit_in_bytes $((4 * MIB))
	down huge
}

test_network() {
	up net '{network: {classID: 1048577, priorities: [{name: "lo", priority: 7}]}}'
	file_is net net_cls.classid 1048577
	grep -qx "lo 7" $CG/net_cls,net_prio/net/net_prio.ifpriomap
	down net
}

# The weights are those of the scheduler BFQ.
test_weights_of_disks() {
	local disk=/sys/block/vda
	modprobe bfq
	echo bfq >$disk/queue/scheduler
	up disk "{blockIO: {weight: 300, weightDevice: [{major: $(sed 's/:.*//' $disk/dev), minor: $(sed 's/.*://' $disk/dev), weight: 700}]}}"
	grep -qE '(^|default )300$' $CG/blkio/disk/blkio.bfq.weight
	grep -qx "$(cat $disk/dev) 700" $CG/blkio/disk/blkio.bfq.weight_device
	down disk
}

# There is no such device here: the error names the key, and nothing is left.
test_rdma_without_a_device() {
	bundle rdma '.linux.cgroupsPath = "/rdma-test" | .linux.resources += {rdma: {mlx5_1: {hcaHandles: 3, hcaObjects: 10000}}}'
	not run_in rdma
	says "rdma.max"
	says "mlx5_1 hca_handle=3 hca_object=10000"
	is "$(find $CG -name rdma-test)" ""
}

run_tests
