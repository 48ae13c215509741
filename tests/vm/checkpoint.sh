#!/bin/bash
# checkpoint.sh - checkpoint and restore through criu, where criu works: Debian's kernel 6.1.
# shellcheck source=tests/vm/checkpoint_lib.sh
. ./checkpoint_lib.sh

test_goes_on_counting() {
	local at
	counter one
	mkdir -p /tmp/one.work
	checkpoint one --work-path /tmp/one.work || fail "$(tail -20 /tmp/one.work/dump.log)"
	nothing_left one
	at=$(count_of one)
	sleep 1
	is "$(count_of one)" "$at"
	restore one --pid-file /tmp/one.pid
	is "$(status one)" running
	is "$($OCI state one | jq .pid)" "$(cat /tmp/one.pid)"
	await_count one $((at + 3))
	$OCI exec one /bin/sh -c 'echo inside: $(cat /proc/1/comm)' >$OUTPUT 2>&1 || fail "exec: $(cat $OUTPUT)"
	says "inside: sh"
	$OCI ps one | grep -q sh
	$OCI kill one KILL
	sleep 1
	is "$(status one)" stopped
	$OCI delete one
	nothing_left one
}


test_leave_running() {
	counter stays
	checkpoint stays --leave-running
	is "$(status stays)" running
	await_count stays $(($(count_of stays) + 3))
	# The images are those of a moment ago: back there it goes, once this one is gone.
	$OCI delete --force stays
	at=$(count_of stays)
	restore stays
	await_count stays $((at + 3))
	$OCI delete --force stays
	nothing_left stays
}

test_pre_dump_and_parent() {
	counter steps
	mkdir /tmp/steps.img
	$OCI checkpoint --image-path /tmp/steps.img/one --pre-dump steps >$OUTPUT 2>&1 || fail "pre-dump: $(cat $OUTPUT)"
	is "$(status steps)" running
	$OCI checkpoint --image-path /tmp/steps.img/two --pre-dump --parent-path ../one steps >$OUTPUT 2>&1 ||
		fail "second: $(cat $OUTPUT)"
	$OCI checkpoint --image-path /tmp/steps.img/three --parent-path ../two steps >$OUTPUT 2>&1 || fail "last: $(cat $OUTPUT)"
	is "$(readlink /tmp/steps.img/three/parent)" ../two
	at=$(count_of steps)
	mkdir -p /tmp/steps.work
	$OCI restore --detach --bundle /tmp/steps --image-path /tmp/steps.img/three --work-path /tmp/steps.work steps \
		</dev/null >$OUTPUT 2>&1 || fail "$(cat $OUTPUT)"
	await_count steps $((at + 3))
	$OCI delete --force steps
	nothing_left steps
}

test_limits_and_devices() {
	counter limits '.linux.resources = {memory: {limit: 67108864}, pids: {limit: 33}, devices: [{allow: false, access: "rwm"}]} |
		.linux.cgroupsPath = "/deep/limits"'
	is "$(cat /sys/fs/cgroup/deep/limits/pids.max)" 33
	checkpoint limits
	[ ! -e /sys/fs/cgroup/deep ] || fail "the cgroup is still there"
	restore limits
	is "$(cat /sys/fs/cgroup/deep/limits/pids.max)" 33
	is "$(cat /sys/fs/cgroup/deep/limits/memory.max)" 67108864
	is "$(cat /proc/"$($OCI state limits | jq .pid)"/cgroup)" 0::/deep/limits
	await_count limits $(($(count_of limits) + 3))
	# The filter for devices is there again, and exec is in it too.
	$OCI exec limits /bin/sh -c 'mknod /tmp/d b 8 0; cat /tmp/d; cat /proc/self/cgroup' >$OUTPUT 2>&1 || true
	says "0::/"
	$OCI pause limits
	is "$(status limits)" paused
	$OCI resume limits
	$OCI delete --force limits
	[ ! -e /sys/fs/cgroup/deep ] || fail "the cgroup is left"
	nothing_left limits
}

test_volume_masks_and_links() {
	mkdir -p /tmp/data
	echo precious >/tmp/data/file
	counter mounts '.mounts += [{destination: "/volume", type: "bind", source: "/tmp/data", options: ["rbind", "ro"]},
		{destination: "/etc/note", type: "bind", source: "/tmp/data/file", options: ["bind"]},
		{destination: "/link/below", type: "bind", source: "/tmp/data", options: ["bind"]}]' || return 1
	checkpoint mounts
	rm -f /tmp/mounts/rootfs/etc/note
	restore mounts
	$OCI exec mounts /bin/sh -c 'cat /volume/file /etc/note /link/below/file; touch /volume/x; cat /proc/kcore | head -c 1' \
		>$OUTPUT 2>&1 || true
	is "$(grep -c precious $OUTPUT)" 3
	says "Read-only file system"
	$OCI delete --force mounts
	nothing_left mounts
}

# One end of a terminal: prints what comes, until it is killed.
keep_terminal() {
	rm -f "$1"
	python3 - "$1" "$2" >/dev/null 2>&1 <<-'END' &
		import array, os, socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.bind(sys.argv[1])
		s.listen(1)
		c = s.accept()[0]
		data, control, _flags, _address = c.recvmsg(4096, socket.CMSG_SPACE(4))
		fd = array.array("i", control[0][2])[0]
		out = open(sys.argv[2], "wb", buffering=0)
		while True:
		    try:
		        out.write(os.read(fd, 4096))
		    except OSError:
		        break
	END
	while [ ! -S "$1" ]; do sleep 0.1; done
}

test_terminal() {
	CMD='i=0; while true; do i=$((i + 1)); echo tick $i; echo $i >/tmp/count; sleep 0.2; done' bundle tty '.process.terminal = true'
	keep_terminal /tmp/tty.sock /tmp/tty.one
	$OCI run --detach --console-socket /tmp/tty.sock --bundle /tmp/tty tty >$OUTPUT 2>&1 </dev/null || fail "$(cat $OUTPUT)"
	await_count tty 3
	grep -q "tick 2" /tmp/tty.one
	checkpoint tty
	at=$(count_of tty)
	not $OCI restore --detach --bundle /tmp/tty --image-path /tmp/tty.img tty >$OUTPUT 2>&1
	says "console-socket"
	keep_terminal /tmp/tty.sock /tmp/tty.two
	restore tty --console-socket /tmp/tty.sock
	await_count tty $((at + 3))
	grep -q "tick $((at + 2))" /tmp/tty.two
	$OCI delete --force tty
	nothing_left tty
}

test_attached_with_pipes() {
	CMD='i=0; while [ $i -lt 40 ]; do i=$((i + 1)); echo tick $i; echo $i >/tmp/count; sleep 0.2; done; exit 7' bundle pipes
	$OCI run --bundle /tmp/pipes pipes </dev/null 2>&1 | cat >/tmp/pipes.one &
	await_count pipes 3
	checkpoint pipes
	at=$(count_of pipes)
	set +e
	{ $OCI restore --bundle /tmp/pipes --image-path /tmp/pipes.img pipes </dev/null 2>&1; echo status $?; } | cat >/tmp/pipes.two
	set -e
	grep -q "tick $((at + 1))" /tmp/pipes.two || fail "$(cat /tmp/pipes.two)"
	grep -q "status 7" /tmp/pipes.two || fail "$(cat /tmp/pipes.two)"
	nothing_left pipes
}

test_joined_network() {
	ip netns add outside 2>/dev/null || true
	counter net '(.linux.namespaces[] | select(.type == "network")).path = "/run/netns/outside"'
	checkpoint net
	restore net
	is "$(readlink /proc/"$($OCI state net | jq .pid)"/ns/net)" "net:[$(stat -Lc %i /run/netns/outside)]"
	$OCI delete --force net
	nothing_left net
}

test_file_locks() {
	COUNT="lsm-tool lock /tmp/lock & $COUNT" counter locks
	not $OCI checkpoint --image-path /tmp/locks.img --leave-running locks
	rm -rf /tmp/locks.img
	checkpoint locks --file-locks
	restore locks --file-locks
	not $OCI exec locks lsm-tool lock /tmp/lock
	$OCI delete --force locks
	nothing_left locks
}

# A connection to itself: what is written after the restore goes through it still.
# talker NAME: a container that counts, and says its count over TCP to itself.
talker() {
	local end=$((SECONDS + 30))
	COUNT='sleep 1000 | nc -l -p 5000 >/tmp/heard & (while true; do cat /tmp/count; sleep 0.3; done) 2>/dev/null | (sleep 1; nc 127.0.0.1 5000) & '$COUNT counter "$1"
	until [ -s "/tmp/$1/rootfs/tmp/heard" ]; do
		[ $SECONDS -lt $end ] || fail "nothing came through"
		sleep 0.2
	done
}
# hears NAME N: more than N comes through. After a pause TCP takes its time.
hears() {
	local end=$((SECONDS + 40))
	until [ "$(tail -n 1 "/tmp/$1/rootfs/tmp/heard")" -gt $(($2 + 1)) ]; do
		[ $SECONDS -lt $end ] || fail "last: $(tail -n 1 "/tmp/$1/rootfs/tmp/heard"), not $2"
		sleep 0.2
	done
}

test_open_connections() {
	local at
	talker tcp
	not $OCI checkpoint --image-path /tmp/tcp.img --leave-running tcp
	rm -rf /tmp/tcp.img
	checkpoint tcp --tcp-established
	at=$(count_of tcp)
	restore tcp --tcp-established
	hears tcp "$at"
	$OCI delete --force tcp
	nothing_left tcp
}

test_bad_images() {
	counter bad
	mkdir -p /tmp/empty
	not $OCI checkpoint --image-path /tmp/no/such/place bad >$OUTPUT 2>&1
	says "/tmp/no/such/place"
	is "$(status bad)" running
	$OCI delete --force bad
	not $OCI restore --detach --bundle /tmp/bad --image-path /tmp/nowhere bad >$OUTPUT 2>&1
	says "/tmp/nowhere"
	echo '["/dev/null", "/dev/null", "/dev/null"]' >/tmp/empty/descriptors.json
	not $OCI restore --detach --bundle /tmp/bad --image-path /tmp/empty bad >$OUTPUT 2>&1
	says "could not restore container bad"
	nothing_left bad
}

test_restore_as_another() {
	counter first
	checkpoint first --leave-running
	rm -rf /tmp/second
	cp -a /tmp/first /tmp/second
	mv /tmp/first.img /tmp/second.img
	restore second
	await_count second $(($(count_of second) + 3))
	is "$(status first) $(status second)" "running running"
	$OCI delete --force first
	is "$(status second)" running
	$OCI delete --force second
	nothing_left first
	nothing_left second
}

# The memory goes to a server, and is found in its directory; the rest in ours.
test_page_server() {
	local at sum
	ip link set lo up
	remembers served
	sum=$(sum_of served)
	mkdir /tmp/served.pages
	criu page-server --images-dir /tmp/served.pages --address 127.0.0.1 --port 27001 >/tmp/served.log 2>&1 &
	await_port 27001
	checkpoint served --page-server 127.0.0.1:27001
	ends $! || fail "page server: $(cat /tmp/served.log)"
	nothing_left served
	[ "$(find /tmp/served.img -name 'pages-*' -size +0)" = "" ] || fail "memory is in the images: $(ls -l /tmp/served.img)"
	[ "$(find /tmp/served.pages -name 'pages-*' -size +8M)" ] || fail "no memory came: $(ls -l /tmp/served.pages)"
	at=$(count_of served)
	cp /tmp/served.pages/* /tmp/served.img/
	restore served
	await_count served $((at + 3))
	is "$(sum_of served)" "$sum"
	$OCI delete --force served
	nothing_left served
}
# ends PID: its status; one that hangs does not have the rest wait.
ends() {
	local end=$((SECONDS + 60))
	while kill -0 "$1" 2>/dev/null && [ $SECONDS -lt $end ]; do sleep 0.2; done
	if kill -0 "$1" 2>/dev/null; then
		kill -KILL "$1"
		fail "process $1 did not end"
	fi
	wait "$1"
}
await_port() {
	local end=$((SECONDS + 30))
	until ss -tln | grep -q ":$1 "; do
		[ $SECONDS -lt $end ] || fail "nobody listens at port $1"
		sleep 0.1
	done
}

# offer NAME PORT [FLAGS...]: in the background, pages are offered there.
offer() {
	local ready
	ip link set lo up
	rm -f "/tmp/$1.ready"
	mkfifo "/tmp/$1.ready"
	$OCI checkpoint --lazy-pages --page-server "127.0.0.1:$2" --status-fd 9 --image-path "/tmp/$1.img" "${@:3}" "$1" \
		9<>"/tmp/$1.ready" >"/tmp/$1.log" 2>&1 </dev/null &
	ready=$(timeout 60 head -c 1 "/tmp/$1.ready" | od -An -tx1) || fail "checkpoint: $(cat "/tmp/$1.log")"
	is "$ready" " 00"
}

# As runc has it: the pages are fetched from the checkpoint while the container, of another name, runs already.
test_lazy_pages() {
	local at sum checkpoint daemon
	remembers lazy
	sum=$(sum_of lazy)
	offer lazy 27002
	checkpoint=$!
	at=$(count_of lazy)
	cp -a /tmp/lazy /tmp/busy
	ln -s lazy.img /tmp/busy.img
	criu lazy-pages --page-server --address 127.0.0.1 --port 27002 -D /tmp/lazy.img >/tmp/lazy.daemon 2>&1 &
	daemon=$!
	restore busy --work-path /tmp/lazy.img --lazy-pages
	await_count busy $((at + 3))
	is "$(sum_of busy)" "$sum"
	ends $daemon || fail "lazy-pages: $(cat /tmp/lazy.daemon)"
	ends $checkpoint || fail "checkpoint: $(cat /tmp/lazy.log)"
	is "$(count_of lazy)" "$at"
	nothing_left lazy
	is "$(status busy)" running
	$OCI delete --force busy
	nothing_left busy
}

# Nobody fetches them: who ends the checkpoint has the container as it was.
test_lazy_pages_given_up() {
	local at
	remembers back
	offer back 27003
	at=$(count_of back)
	sleep 1
	is "$(count_of back)" "$at"
	kill -TERM $!
	not ends $!
	grep -q "the container runs on" /tmp/back.log || fail "$(cat /tmp/back.log)"
	await_count back $((at + 3))
	[ ! -e /tmp/back.img ] || fail "images are left"
	if pgrep -x criu; then fail "criu is left"; fi
	# And if it is killed, criu waits on, but not longer than the container is there.
	offer back 27004
	kill -KILL $!
	not wait $!
	pgrep -x criu
	$OCI delete --force back
	nothing_left back
}

# What is said over a connection goes on, too.
test_lazy_pages_given_up_with_open_connections() {
	local at
	talker said
	offer said 27005 --tcp-established
	at=$(count_of said)
	kill -TERM $!
	not ends $!
	hears said "$at"
	$OCI delete --force said
	nothing_left said
}

USERNS='.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] |
	.linux.gidMappings = [{containerID: 0, hostID: 100000, size: 65536}]'

# descriptors NAME: what the container's first process has open.
descriptors() { find "/proc/$($OCI state "$1" | jq .pid)/fd" -mindepth 1 -printf '%f %l\n' | sort; }
# Of the images nobody but root may read a byte, also meanwhile.
test_user_namespace() {
	local sum at pids before delay met=0 images=/var/tmp/users/images
	CMD='sleep 1000 & exec 5>>/tmp/heard; exec lsm-tool remember 8 /tmp/count /tmp/sum' bundle users "$USERNS"' | .mounts += [
		{destination: "/volume", type: "bind", source: "/tmp/users.private/data", options: ["rbind", "ro"]},
		{destination: "/etc/note", type: "bind", source: "/tmp/users.private/data/file", options: ["bind"]}]'
	# No way there for anybody but root.
	mkdir -p /tmp/users.private/data
	chmod 700 /tmp/users.private
	echo precious >/tmp/users.private/data/file
	chown -R 100000:100000 /tmp/users/rootfs
	$OCI --log /tmp/log run --detach --bundle /tmp/users users </dev/null >/dev/null 2>&1 || fail "start: $(cat /tmp/log)"
	await_count users 3
	sum=$(sum_of users)
	before=$(descriptors users)
	pids=$($OCI exec users /bin/busybox ps -o pid,comm | grep -e sleep -e lsm-tool)
	mkdir -m 700 /var/tmp/users
	checkpoint users --pre-dump --image-path $images.1
	checkpoint users --image-path $images.2 --parent-path ../images.1
	[ -z "$(find /var/tmp/users -not -type l -perm /077)" ] || fail "others may read $(find /var/tmp/users -perm /077)"
	find /var/tmp/users -printf '%p %u %g %m %s\n' | sort >/tmp/users.disk
	at=$(count_of users)
	restore users --image-path $images.2
	find /var/tmp/users -printf '%p %u %g %m %s\n' | sort | diff /tmp/users.disk - || fail "the images have changed"
	await_count users $((at + 3))
	is "$(sum_of users)" "$sum"
	is "$(descriptors users)" "$before"
	is "$($OCI exec users /bin/busybox ps -o pid,comm | grep -e sleep -e lsm-tool)" "$pids"
	is "$(tr -s ' ' ' ' <"/proc/$($OCI state users | jq .pid)/uid_map")" " 0 100000 65536"
	$OCI exec users /bin/sh -c 'cat /volume/file /etc/note; touch /volume/x' >$OUTPUT 2>&1 || true
	is "$(grep -c precious $OUTPUT)" 2
	says "Read-only file system"
	if grep -q users/images "/proc/$($OCI state users | jq .pid)/mountinfo"; then fail "images are mounted inside"; fi
	$OCI delete --force users
	nothing_left users
	find /var/tmp/users -printf '%p %u %g %m %s\n' | sort | diff /tmp/users.disk - || fail "the images have changed"
	# Killed at any moment, in some of which others may search the directory.
	for delay in 0.02 0.05 0.1 0.2 0.3 0.4 0.5 0.6 0.8; do
		killed_restore users $delay --image-path $images.2
		[ -z "$(find /var/tmp/users -perm /077 -not -type l)" ] || met=$((met + 1))
		$OCI delete --force users
		sleep 0.3
		nothing_left users
		find /var/tmp/users -printf '%p %u %g %m %s\n' | sort | diff /tmp/users.disk - || fail "the images have changed"
	done
	[ $met -gt 0 ] || fail "never killed while others were let in"
	# And with the log beside the images, which lose what was read.
	$OCI restore --detach --bundle /tmp/users --image-path $images.2 --auto-dedup users </dev/null >$OUTPUT 2>&1 || fail "restore: $(cat $OUTPUT)"
	await_count users $((at + 3))
	is "$(sum_of users)" "$sum"
	$OCI delete --force users
	nothing_left users
	# A file system that has no other owners in this kernel.
	cp -a /var/tmp/users /tmp/users.img
	not $OCI restore --detach --bundle /tmp/users --image-path /tmp/users.img/images.2 users >$OUTPUT 2>&1
	says "cannot be shown to criu"
	nothing_left users
}

test_kill_in_the_middle() { killed_restores nothing_left 0.02 0.05 0.1 0.2 0.3 0.5 0.8; }

# podman_goes_on [FLAGS OF RUN...]: from /tmp/pod.
podman_goes_on() {
	local at podman="podman --cgroup-manager=cgroupfs --events-backend=file --runtime $WORK/containr-oci"
	echo 1000 >/tmp/pod/rootfs/tmp/start
	$podman run -d --name pod "$@" --network none --rootfs /tmp/pod/rootfs /bin/sh -c "$COUNT" >$OUTPUT 2>&1 || fail "run: $(cat $OUTPUT)"
	await_count pod 1003
	timeout 100 $podman container checkpoint --keep pod >$OUTPUT 2>&1 || fail "checkpoint: $(cat $OUTPUT; find /var/lib/containers -name dump.log -exec grep -a Error {} +)"
	echo 0 >/tmp/pod/rootfs/tmp/start
	at=$(count_of pod)
	timeout 100 $podman container restore --keep pod >$OUTPUT 2>&1 || fail "restore: $(cat $OUTPUT; find /var/lib/containers /run/containers -name restore.log -exec grep -a Error {} +)"
	await_count pod $((at + 3))
	$podman exec pod /bin/echo inside >$OUTPUT 2>&1 || fail "exec: $(cat $OUTPUT)"
	says inside
	is "$($podman inspect -f '{{.State.Status}}' pod)" running
	$podman rm -f -t 0 pod >$OUTPUT 2>&1 || fail "rm: $(cat $OUTPUT)"
}

test_podman() {
	CMD=$COUNT bundle pod
	podman_goes_on
}

test_podman_with_a_user_namespace() {
	CMD=$COUNT bundle pod
	chown -R 100000:100000 /tmp/pod/rootfs
	podman_goes_on --uidmap 0:100000:65536 --gidmap 0:100000:65536
}

run_tests
