#!/bin/bash
# apparmor.sh - AppArmor for real: vm-run.sh -m apparmor -d DIRECTORY -- bash ./apparmor.sh
. ./lib.sh

PROFILES=/sys/kernel/security/apparmor/profiles
CACHE=/var/cache/containr/apparmor
DEFAULT='.process.apparmorProfile = "containr-default"'

is_loaded() { grep -q "^$1 (" $PROFILES; }
load_text() { apparmor_parser -qKr <<<"$1"; }

# A first start, with nothing there but the source in our program.
test_cold_start_loads_our_profile() {
	not is_loaded containr-default
	CMD='cat /proc/self/attr/current' bundle cold "$DEFAULT"
	run_in cold
	is "$(cat $OUTPUT)" "containr-default (enforce)"
	is_loaded containr-default
	ls $CACHE/containr-default.*
	is "$(stat -c %a $CACHE)" 700
}

# The profile is in the kernel: nothing is loaded, and nobody compiles.
test_further_start_loads_nothing() {
	CMD='cat /proc/self/attr/current' bundle further "$DEFAULT"
	strace -f -o /tmp/calls -e trace=execve,open,openat $OCI run --bundle /tmp/further further >$OUTPUT
	is "$(cat $OUTPUT)" "containr-default (enforce)"
	not grep -q -e apparmor_parser -e apparmor/.replace /tmp/calls
}

# After a boot: the kernel has lost it, the cache has not.
test_warm_start_takes_the_cache() {
	apparmor_parser -qR "$WORK/containr-default"
	not is_loaded containr-default
	CMD='cat /proc/self/attr/current' bundle warm "$DEFAULT"
	strace -f -o /tmp/calls -e trace=execve,open,openat $OCI run --bundle /tmp/warm warm >$OUTPUT
	is "$(cat $OUTPUT)" "containr-default (enforce)"
	grep -q apparmor/.replace /tmp/calls
	not grep -q '"/[a-z/]*apparmor_parser"' /tmp/calls
}

test_broken_cache_is_made_anew() {
	local file
	apparmor_parser -qR "$WORK/containr-default"
	file=$(ls $CACHE/containr-default.*)
	head -c 100 "$file" >/tmp/cut
	cat /tmp/cut >"$file"
	CMD='cat /proc/self/attr/current' bundle broken "$DEFAULT"
	run_in broken
	is "$(cat $OUTPUT)" "containr-default (enforce)"
	[ "$(stat -c %s "$CACHE"/containr-default.*)" -gt 1000 ]
}

# Somebody else could have written what is in it.
test_cache_of_others_is_not_used() {
	apparmor_parser -qR "$WORK/containr-default"
	chmod 777 $CACHE
	CMD=true bundle others "$DEFAULT"
	strace -f -o /tmp/calls -e trace=execve,open,openat $OCI run --bundle /tmp/others others
	chmod 700 $CACHE
	grep -q 'execve("/[a-z/]*apparmor_parser"' /tmp/calls
	is_loaded containr-default
}

# Root with all capabilities and nothing masked: what is denied is denied by the profile.
DENIED='mount -t tmpfs x /tmp && echo mounted
	umount /proc && echo unmounted
	unshare -m true && mount --bind /etc /tmp && echo bound
	echo b >/proc/sysrq-trigger && echo sysrq
	cat /proc/kcore >/dev/null && echo kcore
	head -n 1 /proc/keys >/dev/null && echo keys
	echo 1 >/proc/sys/vm/drop_caches && echo vm
	echo x >/proc/sys/kernel/core_pattern && echo core
	echo x >/proc/sys/kernel/hostname && echo hostname
	echo 1 >/proc/sys/net/ipv4/ip_forward && echo forward
	echo 1 >/sys/kernel/mm/ksm/run && echo ksm
	ls /sys/kernel/security/apparmor && echo policy
	ls /sys/firmware/acpi && echo firmware
	echo end'

test_profile_denies_what_capabilities_allow() {
	CMD=$DENIED bundle denied "$DEFAULT | $ALL_CAPS"
	run_in denied
	says end
	for word in mounted unmounted bound sysrq kcore keys vm core hostname forward ksm policy firmware; do
		if grep -qx "$word" $OUTPUT; then fail "$word: $(cat $OUTPUT)"; fi
	done
	says "denied"
}

# The twin: the same, but for the profile.
test_unconfined_may_do_it() {
	CMD='cat /proc/self/attr/current; mount -t tmpfs x /tmp && echo mounted; head -n 1 /proc/keys && echo keys
		echo 1 >/proc/sys/net/ipv4/ip_forward && echo forward' \
		bundle unconfined ".process.apparmorProfile = \"unconfined\" | $ALL_CAPS"
	run_in unconfined
	says unconfined
	says mounted
	says keys
	says forward
}

# What programs in containers do all day.
test_profile_lets_ordinary_things_pass() {
	CMD='set -e; echo x >/tmp/f; cat /tmp/f; rm /tmp/f; mkdir /run/d; sleep 100 & kill $!; ls /proc/1/fd
		cat /proc/self/status /proc/mounts /proc/meminfo >/dev/null; echo 0 >/proc/self/oom_score_adj
		ls -l /sys/class/net; echo 4096 >/proc/sys/kernel/shmmni; echo passed' \
		bundle ordinary "$DEFAULT | .linux.readonlyPaths = []"
	run_in ordinary
	says passed
}

# AppArmor 4 on the host: the rule is there, as the ABI is.
test_user_namespaces_are_denied_inside() {
	[ -e /etc/apparmor.d/abi/4.0 ] || return 0
	CMD='unshare -U true && echo made; echo end' bundle userns "$DEFAULT | $ALL_CAPS"
	run_in userns
	says end
	silent_about made
}

# One container cannot look into the host, nor send it signals.
test_no_signals_and_no_ptrace_to_the_host() {
	sleep 1000 >/dev/null 2>&1 &
	CMD="kill -9 $! && echo killed; cat /proc/$!/environ && echo peeked; echo end" bundle peers \
		"$DEFAULT | $ALL_CAPS | .linux.namespaces |= map(select(.type != \"pid\"))"
	run_in peers
	says end
	silent_about killed
	silent_about peeked
	kill $!
}

test_runtime_can_kill_it() {
	CMD='sleep 1000' bundle kill "$DEFAULT"
	$OCI create --bundle /tmp/kill kill </dev/null >/dev/null 2>&1
	$OCI start kill
	$OCI kill kill KILL
	for _ in $(seq 100); do
		[ "$($OCI state kill | jq -r .status)" != stopped ] || break
		sleep 0.1
	done
	$OCI delete kill
}

test_exec_is_confined_too() {
	CMD='sleep 1000' bundle exec "$DEFAULT"
	$OCI create --bundle /tmp/exec exec </dev/null >/dev/null 2>&1
	$OCI start exec
	is "$($OCI exec exec cat /proc/self/attr/current)" "containr-default (enforce)"
	$OCI delete --force exec
}

test_named_profile() {
	load_text 'profile mine flags=(attach_disconnected) { file, capability, signal, deny /etc/passwd r, }'
	CMD='cat /proc/self/attr/current; cat /etc/passwd && echo read; echo end' \
		bundle named '.process.apparmorProfile = "mine"'
	run_in named
	says "mine (enforce)"
	says end
	silent_about "root:x"
}

test_profile_of_a_file() {
	printf 'abi <abi/3.0>,\nprofile from-file flags=(attach_disconnected) {\n  file,\n  deny /etc/passwd r,\n}\n' >/tmp/profile
	is "$($TOOL apparmor-name /tmp/profile)" from-file
	not is_loaded from-file
	$TOOL apparmor-load /tmp/profile
	is_loaded from-file
	CMD='cat /proc/self/attr/current; cat /etc/passwd' bundle file '.process.apparmorProfile = "from-file"'
	not run_in file
	says "from-file (enforce)"
	silent_about "root:x"
}

test_broken_file_names_the_line() {
	printf 'profile broken {\n  file,\n  nonsense here,\n}\n' >/tmp/profile
	not $TOOL apparmor-load /tmp/profile >$OUTPUT 2>&1
	says /tmp/profile
	says "line 3"
}

test_missing_profile_is_an_error() {
	CMD=true bundle missing '.process.apparmorProfile = "not-there"'
	not run_in missing
	says '"not-there" is not loaded'
	says apparmor_parser
	not $OCI state missing 2>/dev/null
}

test_hint_where_the_parent_does_not_allow_it() {
	load_text 'profile narrow flags=(attach_disconnected,mediate_deleted) {
		file, capability, network, mount, umount, remount, pivot_root, signal, ptrace, }'
	CMD=true bundle narrow "$DEFAULT"
	not aa-exec -p narrow -- $OCI run --bundle /tmp/narrow narrow >$OUTPUT 2>&1
	says 'change_profile -> &containr-default,'
}

# Under a profile of its own the runtime cannot let containers out of it.
test_stacks_where_the_parent_is_confined() {
	load_text 'profile parent flags=(attach_disconnected,mediate_deleted) {
		file, capability, network, mount, umount, remount, pivot_root, signal, ptrace, deny /etc/passwd r,
		change_profile -> &containr-default, }'
	CMD='cat /proc/self/attr/current; cat /etc/passwd && echo read; mount -t tmpfs x /tmp && echo mounted; echo end' \
		bundle stacked "$DEFAULT | $ALL_CAPS"
	aa-exec -p parent -- $OCI run --bundle /tmp/stacked stacked >$OUTPUT 2>&1
	says parent
	says containr-default
	says "//&"
	says end
	silent_about "root:x"
	silent_about mounted
}

rootless() {
	bundle rootless "$DEFAULT | .linux.namespaces += [{type: \"user\"}] |
		.linux.uidMappings = [{containerID: 0, hostID: 1000, size: 1}] | .linux.gidMappings = .linux.uidMappings |
		(.mounts[].options // []) |= map(select(startswith(\"gid=\") | not)) | del(.linux.resources)"
	chown -R tester /tmp/rootless
	mkdir -p /tmp/rootless-state
	chown tester /tmp/rootless-state
	runuser -u tester -- "$WORK/containr-oci" --root /tmp/rootless-state run --bundle /tmp/rootless rootless \
		>$OUTPUT 2>&1
}

test_rootless_gets_the_profile_that_is_loaded() {
	is_loaded containr-default || apparmor_parser -qKr "$WORK/containr-default"
	CMD='cat /proc/self/attr/current; unshare -m mount -t tmpfs x /tmp && echo mounted; echo end' rootless
	says "containr-default (enforce)"
	says end
	silent_about mounted
}

test_rootless_says_who_loads_it() {
	apparmor_parser -qR "$WORK/containr-default"
	CMD=true not rootless
	says "profile is not loaded"
	says "host's root"
}

test_report() {
	$TOOL report >$OUTPUT
	says "apparmor: active"
	says "landlock: active, ABI"
	says "selinux: not active"
}

run_tests
