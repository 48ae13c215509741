# shellcheck shell=bash
# checkpoint_lib.sh - containers that are checkpointed and restored inside the machine.
#
# Their program counts from a number that is only there at its start: after a restore it must go on from
# where it was, which a new start would not.
# shellcheck source=tests/vm/lib.sh
. ./lib.sh

export PATH=$PATH:/usr/sbin:/sbin
COUNT='i=$(cat /tmp/start); while true; do i=$((i + 1)); echo $i >/tmp/count; sleep 0.2; done'

# counter NAME [JQ-FILTER]: a container that counts, detached.
counter() {
	CMD=$COUNT bundle "$1" "${2:-.}"
	echo 1000 >"/tmp/$1/rootfs/tmp/start"
	# What it writes to must be its own, a pipe or /dev/null: a file of the host's cannot be found again.
	$OCI --log /tmp/log run --detach --bundle "/tmp/$1" "$1" </dev/null >/dev/null 2>&1 || fail "start: $(cat /tmp/log)"
	await_count "$1" 1003
	echo 0 >"/tmp/$1/rootfs/tmp/start"
}
count_of() { cat "/tmp/$1/rootfs/tmp/count" 2>/dev/null || echo 0; }
# await_count NAME N: until it has counted to N.
await_count() {
	local now end=$((SECONDS + 40))
	while [ $SECONDS -lt $end ]; do
		now=$(count_of "$1")
		[ "${now:-0}" -ge "$2" ] && return
		sleep 0.2
	done
	fail "$1 counted to $(count_of "$1"), not to $2"
}
# checkpoint NAME [FLAGS...], restore NAME [FLAGS...]
checkpoint() { $OCI checkpoint --image-path "/tmp/$1.img" "${@:2}" "$1" >$OUTPUT 2>&1 || fail "checkpoint: $(cat $OUTPUT)"; }
restore() {
	mkdir -p "/tmp/$1.work"
	$OCI restore --detach --bundle "/tmp/$1" --image-path "/tmp/$1.img" --work-path "/tmp/$1.work" "${@:2}" "$1" \
		</dev/null >$OUTPUT 2>&1 || fail "restore: $(cat $OUTPUT; grep -a Error /tmp/$1.work/restore.log; grep -ac . /tmp/$1.work/restore.log)"
}
status() { $OCI state "$1" | jq -r .status; }
# nothing_left NAME: no state, no cgroup, no process, no mount of it on the host.
nothing_left() {
	[ ! -e "/run/oci/$1" ] || fail "state is left"
	[ -z "$(find /sys/fs/cgroup -name "$1" -o -name "containr-$1.scope")" ] || fail "a cgroup is left"
	if grep -q "/$1/" /proc/self/mountinfo; then fail "mounts are left: $(grep "/$1/" /proc/self/mountinfo)"; fi
	if pgrep -x criu; then fail "criu is left"; fi
}

# killed_restore NAME SECONDS [FLAGS...]: SIGKILL so long after its begin.
killed_restore() {
	$OCI restore --detach --bundle "/tmp/$1" --image-path "/tmp/$1.img" --work-path "/tmp/$1.work" "${@:3}" "$1" \
		</dev/null >/dev/null 2>&1 &
	sleep "$2"
	kill -KILL $! 2>/dev/null || true
	wait $! 2>/dev/null || true
}
# killed_restores GONE SECONDS...: killed so long after its begin, what a restore has made is found and removed, so that
# GONE NAME holds; and the images are as good as before.
killed_restores() {
	local delay gone=$1
	shift
	counter cut
	checkpoint cut
	mkdir /tmp/cut.work
	for delay; do
		killed_restore cut "$delay"
		$OCI delete --force cut
		sleep 0.3
		"$gone" cut
	done
	restore cut
	$OCI delete --force cut
	"$gone" cut
}

# remembers NAME: a container with 8 MiB of random memory, which counts as long as that does not change.
remembers() {
	CMD='exec lsm-tool remember 8 /tmp/count /tmp/sum' bundle "$1"
	$OCI --log /tmp/log run --detach --bundle "/tmp/$1" "$1" </dev/null >/dev/null 2>&1 || fail "start: $(cat /tmp/log)"
	await_count "$1" 3
}
sum_of() { cat "/tmp/$1/rootfs/tmp/sum"; }
