#!/bin/bash
# selinux_run.sh - SELinux, enforcing, through the command for people, on a host whose policy has no
# containers: vm-run.sh -m selinux -d DIRECTORY -- bash ./selinux_run.sh
. ./lib.sh

CONTAINER_LABEL='system_u:system_r:container_t:s0:c[0-9]*,c[0-9]*'

# Debian 13 has containers in its policy, Debian 12 gets ours. No module at all can be added to that as
# it is: two rules for spamassassin contradict each other once the whole is built anew.
HAS_CONTAINERS=''
if semodule -l | grep -q '^container\b'; then
	HAS_CONTAINERS=1
else
	semodule -d spamassassin 2>/dev/null
fi

touch $OUTPUT /tmp/first

new_root /tmp/root

run() { $RUN --rootfs /tmp/root "${@:1:$#-2}" -- sh -c "${*: -1}" >$OUTPUT 2>&1; }
label_of() { $TOOL file-label "$1"; }

# What happens before there are containers in the policy.
test_without_the_type_it_is_an_error() {
	[ -z "$HAS_CONTAINERS" ] || return 0
	not run -- true
	says container_t
	says "containr selinux install"
	run --security-opt label=disable -- 'echo ran'
	says ran
}

test_install_brings_the_type() {
	if [ -n "$HAS_CONTAINERS" ]; then
		not $RUN true >$OUTPUT 2>&1
		says "does not let"
		says "containr selinux install"
	fi
	"$WORK/containr" selinux install
	semodule -l | grep -q '^containr-programs\b'
	[ -n "$HAS_CONTAINERS" ] || semodule -l | grep -q '^containr\b'
	"$WORK/containr" selinux install
	# The root file system is the containers' own from here on, and so is this shell's output.
	chcon -R -u system_u -r object_r -t container_file_t -l s0 /tmp/root
	chcon -u system_u -r object_r -t container_file_t -l s0 $OUTPUT /tmp/first
}

test_process_has_the_label() {
	run -- 'cat /proc/self/attr/current'
	tr -d '\0' <$OUTPUT | grep -qx "$CONTAINER_LABEL" || fail "$(cat $OUTPUT)"
	run --security-opt label=auto -- 'cat /proc/self/attr/current'
	tr -d '\0' <$OUTPUT | grep -qx "$CONTAINER_LABEL" || fail "$(cat $OUTPUT)"
}

test_programs_of_the_host_run() {
	$RUN sh -c 'cat /proc/self/attr/current; ls /usr/bin >/dev/null && echo listed; cat /etc/shadow; echo end' \
		>$OUTPUT 2>&1
	says listed
	says container_t
	says end
	silent_about 'root:'
}

test_custom_context() {
	run --security-opt label=level:s0:c5,c6 -- 'cat /proc/self/attr/current'
	is "$(tr -d '\0' <$OUTPUT)" system_u:system_r:container_t:s0:c5,c6
	run --security-opt label=user:unconfined_u --security-opt label=role:unconfined_r \
		--security-opt label=type:unconfined_t --security-opt label=level:s0-s0:c0.c1023 \
		-- 'cat /proc/self/attr/current'
	is "$(tr -d '\0' <$OUTPUT)" unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023
	run --security-opt label=filetype:tmp_t --security-opt label=level:s0:c7,c8 --tmpfs /volume -- \
		'grep " /volume " /proc/mounts'
	says system_u:object_r:tmp_t:s0:c7,c8
}

test_disabled() {
	run --security-opt label=disable -- 'cat /proc/self/attr/current'
	silent_about container_t
	says unconfined_t
	run --privileged -- 'cat /proc/self/attr/current'
	silent_about container_t
}

test_unknown_type_is_an_error() {
	not run --name unknown --security-opt label=type:not_there_t -- true
	says "--security-opt label"
	says not_there_t
	not ls /run/people/unknown
}

test_file_systems_have_the_label() {
	run --security-opt label=level:s0:c5,c6 --tmpfs /volume -- \
		'for f in /dev /dev/shm /volume; do lsm-tool file-label $f; done'
	is "$(sort -u $OUTPUT)" system_u:object_r:container_file_t:s0:c5,c6
}

test_keys_have_the_label() {
	run --security-opt label=level:s0:c5,c6 --security-opt seccomp=default,+keyctl -- 'lsm-tool key-label'
	is "$(cat $OUTPUT)" system_u:system_r:container_t:s0:c5,c6
}

new_volume() {
	rm -rf /tmp/volume
	mkdir -p /tmp/volume/deep
	echo content >/tmp/volume/deep/file
}

READ_VOLUME='cat /volume/deep/file && echo x >/volume/new && echo written; echo end'

test_volume_with_the_label_of_the_host_is_denied() {
	new_volume
	run -v /tmp/volume:/volume -- "$READ_VOLUME"
	says end
	silent_about content
	silent_about written
	run --security-opt label=disable -v /tmp/volume:/volume -- "$READ_VOLUME"
	says content
	says written
}

# Two that run at the same time have categories of their own: what is one's is not the other's.
test_private_volumes_of_two_containers() {
	new_volume
	$RUN -d --name first --rootfs /tmp/root -v /tmp/volume:/volume:Z \
		-- sh -c 'cat /volume/deep/file >/volume/seen; sleep 1000' >/dev/null
	for _ in $(seq 50); do [ ! -s /tmp/volume/seen ] || break; sleep 0.1; done
	is "$(cat /tmp/volume/seen)" content
	run --name second -v /tmp/volume:/volume -- "cat /proc/self/attr/current; $READ_VOLUME"
	says end
	silent_about content
	silent_about written
	"$WORK/containr-oci" --root /run/people exec first cat /volume/deep/file /proc/self/attr/current >/tmp/first
	"$WORK/containr-oci" --root /run/people delete --force first
	grep -q content /tmp/first
	is "$(label_of /tmp/volume/deep/file | cut -d: -f4,5)" "$(tail -n 1 /tmp/first | tr -d '\0' | cut -d: -f4,5)"
	not grep -qF "$(tail -n 1 /tmp/first | tr -d '\0')" $OUTPUT
}

test_shared_volume() {
	new_volume
	for name in one two; do
		run --name $name -v /tmp/volume:/volume:z -- "$READ_VOLUME"
		says content
		says written
	done
	is "$(label_of /tmp/volume/deep/file)" system_u:object_r:container_file_t:s0
}

test_directories_of_the_system_are_not_relabelled() {
	local path before
	before=$(label_of /etc/passwd)
	ln -sfn /etc /tmp/etc-link
	for path in / /usr /etc /home /root /var /boot /dev /proc /tmp /tmp/etc-link /etc/passwd; do
		for option in z Z; do
			not run -v $path:/volume:$option -- 'echo ran'
			says "not allowed"
			silent_about ran
		done
	done
	is "$(label_of /etc/passwd)" "$before"
}

test_rootless_has_the_label() {
	mkdir -p /tmp/state-of-tester
	chown tester /tmp/state-of-tester
	runuser -u tester -- "$WORK/containr" --root /tmp/state-of-tester run --rootfs /tmp/root \
		-- sh -c 'cat /proc/self/attr/current' >$OUTPUT 2>&1
	tr -d '\0' <$OUTPUT | grep -qx "$CONTAINER_LABEL" || fail "$(cat $OUTPUT)"
}

test_info_tells() {
	"$WORK/containr" info >$OUTPUT
	says "selinux: enforcing"
}

run_tests
