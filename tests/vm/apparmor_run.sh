#!/bin/bash
# apparmor_run.sh - AppArmor through the command for people:
#   vm-run.sh -m apparmor -d DIRECTORY -- bash ./apparmor_run.sh
. ./lib.sh

PROFILES=/sys/kernel/security/apparmor/profiles
CACHE=/var/cache/containr/apparmor
CURRENT='cat /proc/self/attr/current'

new_root /tmp/root

is_loaded() { grep -q "^$1 (" $PROFILES; }
load_text() { apparmor_parser -qKr <<<"$1"; }

# run [FLAG...] -- COMMAND: a shell command in a container; what it said is in $OUTPUT.
run() { $RUN --rootfs /tmp/root "${@:1:$#-2}" -- sh -c "${*: -1}" >$OUTPUT 2>&1; }

test_cold_start_loads_our_profile() {
	not is_loaded containr-default
	run -- "$CURRENT"
	is "$(cat $OUTPUT)" "containr-default (enforce)"
	is_loaded containr-default
	ls $CACHE/containr-default.*
}

test_further_start_loads_nothing() {
	strace -f -o /tmp/calls -e trace=execve,open,openat $RUN --rootfs /tmp/root sh -c "$CURRENT" >$OUTPUT
	is "$(cat $OUTPUT)" "containr-default (enforce)"
	not grep -q -e apparmor_parser -e apparmor/.replace /tmp/calls
}

test_warm_start_takes_the_cache() {
	apparmor_parser -qR "$WORK/containr-default"
	strace -f -o /tmp/calls -e trace=execve,open,openat $RUN --rootfs /tmp/root sh -c "$CURRENT" >$OUTPUT
	is "$(cat $OUTPUT)" "containr-default (enforce)"
	grep -q apparmor/.replace /tmp/calls
	not grep -q '"/[a-z/]*apparmor_parser"' /tmp/calls
}

test_programs_of_the_host_are_confined_too() {
	$RUN sh -c "$CURRENT" >$OUTPUT 2>&1
	is "$(cat $OUTPUT)" "containr-default (enforce)"
}

test_every_preset_is_confined() {
	for preset in strict default; do
		run --secure $preset -- "$CURRENT"
		says "containr-default (enforce)"
	done
	(cd /tmp/root && $RUN --secure dev sh -c "$CURRENT" >$OUTPUT 2>&1)
	says "containr-default (enforce)"
}

test_auto_is_the_default() {
	run --security-opt apparmor=auto -- "$CURRENT"
	is "$(cat $OUTPUT)" "containr-default (enforce)"
	run --security-opt apparmor=unconfined --security-opt apparmor=auto -- "$CURRENT"
	is "$(cat $OUTPUT)" "containr-default (enforce)"
}

# A capability and no filter: what then denies is the profile, and its twin shows it.
MOUNTER='--cap-add SYS_ADMIN --security-opt seccomp=unconfined --landlock none --security-opt unmask=ALL'
ATTACK='mount -t tmpfs x /tmp && echo mounted; head -n 1 /proc/keys >/dev/null && echo laid bare; echo end'

test_profile_denies() {
	# shellcheck disable=SC2086 # flags are words
	run $MOUNTER -- "$ATTACK"
	says end
	silent_about mounted
	silent_about 'laid bare'
}

test_unconfined_may() {
	# shellcheck disable=SC2086
	run $MOUNTER --security-opt apparmor=unconfined -- "$CURRENT; $ATTACK"
	says unconfined
	says mounted
	says 'laid bare'
}

# AF_ALG, which no filter can see behind socketcall(2), and the twin: a UNIX socket.
test_profile_denies_sockets_of_the_kernels_crypto() {
	not run --security-opt seccomp=unconfined -- 'lsm-tool socket 38'
	says "permission denied"
	run --security-opt seccomp=unconfined -- 'lsm-tool socket 1'
	run --security-opt seccomp=unconfined --security-opt apparmor=unconfined -- 'lsm-tool socket 38; true'
	silent_about "permission denied"
}

test_privileged_is_unconfined_and_says_so() {
	run --privileged -- "$CURRENT"
	says "warning: --privileged opens"
	is "$(tail -n 1 $OUTPUT)" unconfined
	run --privileged --security-opt apparmor=containr-default -- "$CURRENT"
	is "$(tail -n 1 $OUTPUT)" "containr-default (enforce)"
}

test_named_profile() {
	load_text 'profile mine flags=(attach_disconnected) { file, capability, signal, deny /etc/passwd r, }'
	run --security-opt apparmor=mine -- "$CURRENT; cat /etc/passwd && echo read; echo end"
	says "mine (enforce)"
	says end
	silent_about "root:x"
}

test_profile_of_a_file_is_loaded() {
	printf 'profile from-file flags=(attach_disconnected) {\n  file,\n  deny /etc/passwd r,\n}\n' >/tmp/profile
	not is_loaded from-file
	run --security-opt apparmor=/tmp/profile -- "$CURRENT; cat /etc/passwd; echo end"
	says "from-file (enforce)"
	says end
	silent_about "root:x"
}

test_broken_file_names_the_line() {
	printf 'profile broken {\n  file,\n  nonsense here,\n}\n' >/tmp/profile
	not run --security-opt apparmor=/tmp/profile -- true
	says /tmp/profile
	says "line 3"
	not is_loaded broken
}

test_missing_profile_is_an_error() {
	not run --name missing --security-opt apparmor=not-there -- true
	says "--security-opt apparmor"
	says '"not-there" is not loaded'
	not ls /run/people/missing
}

test_exec_is_confined_too() {
	$RUN -d --name exec --rootfs /tmp/root sleep 1000 >$OUTPUT
	"$WORK/containr-oci" --root /run/people exec exec cat /proc/self/attr/current >$OUTPUT
	"$WORK/containr-oci" --root /run/people delete --force exec
	is "$(cat $OUTPUT)" "containr-default (enforce)"
}

test_stacks_where_the_parent_is_confined() {
	load_text 'profile parent flags=(attach_disconnected,mediate_deleted) {
		file, capability, network, mount, umount, remount, pivot_root, signal, ptrace, deny /etc/passwd r,
		change_profile -> &containr-default, }'
	# shellcheck disable=SC2086
	aa-exec -p parent -- $RUN --rootfs /tmp/root $MOUNTER -- sh -c "$CURRENT; cat /etc/passwd; $ATTACK" >$OUTPUT 2>&1
	says parent
	says "//&"
	says containr-default
	says end
	silent_about "root:x"
	silent_about mounted
}

as_tester() { runuser -u tester -- "$WORK/containr" --root /tmp/state-of-tester run "$@" >$OUTPUT 2>&1; }

test_rootless_gets_the_profile_that_is_loaded() {
	mkdir -p /tmp/state-of-tester
	chown tester /tmp/state-of-tester
	is_loaded containr-default
	as_tester sh -c "$CURRENT"
	says "containr-default (enforce)"
}

test_rootless_is_told_when_it_is_not() {
	apparmor_parser -qR "$WORK/containr-default"
	not as_tester --security-opt apparmor=containr-default true
	says "the profile is not loaded"
	says "host's root"
	as_tester --summary sh -c "$CURRENT"
	says unconfined
	silent_about "AppArmor containr-default"
	says "Landlock"
}

run_tests
