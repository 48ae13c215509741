#!/bin/bash
# selinux.sh - SELinux for real, enforcing: vm-run.sh -m selinux -d DIRECTORY -- bash ./selinux.sh
. ./lib.sh

# Debian 12's policy has no containers and gets our module. No module at all can be added to it as it
# is: two rules of its module for spamassassin contradict each other once the whole is built anew.
if ! semodule -l | grep -q '^container\b'; then
	semodule -d spamassassin 2>/dev/null
	$TOOL selinux-install || exit 1
fi

# Pipes and files of an administrator's shell are none that a container may write to; this one is.
touch $OUTPUT
chcon -u system_u -r object_r -t container_file_t -l s0 $OUTPUT

# labels ID [OPTION...]: sets $PROCESS and $MOUNT.
labels() {
	local both
	both=$($TOOL selinux-make /run/oci "$@")
	PROCESS=$(sed -n 1p <<<"$both") MOUNT=$(sed -n 2p <<<"$both")
}

# labelled NAME [JQ-FILTER] [OPTION...]: a bundle with labels of its own.
labelled() {
	local name=$1 filter=${2:-.}
	shift $(($# > 1 ? 2 : 1))
	labels "$name" "$@"
	bundle "$name" "$filter | .process.selinuxLabel = \"$PROCESS\" | .linux.mountLabel = \"$MOUNT\""
	$TOOL relabel "/tmp/$name/rootfs" "$MOUNT"
}

VOLUME='.mounts += [{destination: "/volume", type: "bind", source: "/tmp/volume", options: ["bind"]}]'

test_process_has_the_label() {
	CMD='cat /proc/self/attr/current' labelled label
	run_in label
	is "$(tr -d '\0' <$OUTPUT)" "$PROCESS"
	case $PROCESS in
	system_u:system_r:container_t:s0:c*,c*) ;;
	*) fail "$PROCESS" ;;
	esac
}

test_categories_are_unique() {
	local n
	for n in $(seq 200); do $TOOL selinux-make /run/unique "c$n" | head -n 1; done >/tmp/pairs
	is "$(sort -u /tmp/pairs | wc -l)" 200
}

test_custom_context() {
	CMD='cat /proc/self/attr/current' labelled custom . level:s0:c5,c6
	run_in custom
	is "$(tr -d '\0' <$OUTPUT)" "system_u:system_r:container_t:s0:c5,c6"
	is "$MOUNT" "system_u:object_r:container_file_t:s0:c5,c6"
	is "$($TOOL selinux-make /run/oci x type:unconfined_t level:s0 | head -n 1)" \
		"system_u:system_r:unconfined_t:s0"
	is "$($TOOL selinux-make /run/oci x disable)" "none
none"
}

# Two containers of a program that says nothing of labels: each has its own.
test_library_chooses_labels() {
	local name label other=
	for name in lib1 lib2; do
		new_root /tmp/$name/rootfs
		$TOOL relabel /tmp/$name/rootfs system_u:object_r:container_file_t:s0 shared
		$TOOL library /run/lib /tmp/$name $name 'cat /proc/self/attr/current' >$OUTPUT 2>&1
		label=$(tr -d '\0' <$OUTPUT)
		case $label in
		system_u:system_r:container_t:s0:c*,c*) ;;
		*) fail "$label" ;;
		esac
		[ "$label" != "$other" ] || fail "both are $label"
		other=$label
	done
	$TOOL library /run/lib /tmp/lib1 lib3 'cat /proc/self/attr/current' none >$OUTPUT 2>&1
	silent_about container_t
}

test_unknown_context_is_an_error() {
	not $TOOL selinux-make /run/oci x type:not_there_t >$OUTPUT 2>&1
	says "does not know it"
	CMD=true bundle unknown '.process.selinuxLabel = "system_u:system_r:not_there_t:s0"'
	not run_in unknown
	says "not_there_t"
}

test_file_systems_have_the_label() {
	CMD='cat /proc/mounts; lsm-tool file-label /dev/shm; lsm-tool file-label /dev' labelled mounts
	run_in mounts
	is "$(grep -c "context=\"*$MOUNT" $OUTPUT)" "$(grep -cE ' (tmpfs|devpts) rw,context| tmpfs ro,context' $OUTPUT)"
	is "$(tail -n 2 $OUTPUT)" "$MOUNT
$MOUNT"
}

test_keyring_has_the_label() {
	CMD='lsm-tool key-label' labelled key
	run_in key
	is "$(cat $OUTPUT)" "$PROCESS"
}

new_volume() {
	rm -rf /tmp/volume
	mkdir -p /tmp/volume/deep
	echo content >/tmp/volume/deep/file
}

READ_VOLUME='cat /volume/deep/file && echo x >/volume/new && echo written; echo end'

# A file of the host, with the label that it has there: root, all capabilities, and still not.
test_files_of_the_host_are_denied() {
	new_volume
	CMD=$READ_VOLUME labelled host "$VOLUME | $ALL_CAPS"
	run_in host
	says end
	says denied
	silent_about content
	silent_about written
	dmesg | grep -q "avc:  denied.*$PROCESS" || fail "no denial in the log"
}

# The twin: without labels nothing is in the way.
test_files_of_the_host_without_labels() {
	new_volume
	CMD=$READ_VOLUME bundle nolabel "$VOLUME | $ALL_CAPS"
	run_in nolabel
	says content
	says written
}

test_private_volume() {
	new_volume
	CMD=$READ_VOLUME labelled first "$VOLUME"
	$TOOL relabel /tmp/volume "$MOUNT"
	run_in first
	says content
	says written
	is "$($TOOL file-label /tmp/volume/deep/file)" "$MOUNT"
	CMD=$READ_VOLUME labelled second "$VOLUME"
	run_in second
	says end
	silent_about content
}

test_shared_volume() {
	new_volume
	for name in one two; do
		CMD=$READ_VOLUME labelled $name "$VOLUME"
		$TOOL relabel /tmp/volume "$MOUNT" shared
		run_in $name
		says content
	done
	is "$($TOOL file-label /tmp/volume/deep/file)" "system_u:object_r:container_file_t:s0"
}

test_relabelling_follows_nothing() {
	local before after
	new_volume
	ln -s /etc/shadow /tmp/volume/link
	ln -s /etc /tmp/volume/dir
	mkdir /tmp/volume/mounted /tmp/elsewhere
	echo x >/tmp/elsewhere/file
	mount --bind /tmp/elsewhere /tmp/volume/mounted
	mkfifo /tmp/volume/fifo
	before=$($TOOL file-label /etc/shadow) after=$($TOOL file-label /tmp/elsewhere/file)
	labels follow
	timeout 20 $TOOL relabel /tmp/volume "$MOUNT"
	umount /tmp/volume/mounted
	is "$($TOOL file-label /etc/shadow)" "$before"
	is "$($TOOL file-label /tmp/elsewhere/file)" "$after"
	is "$($TOOL file-label /tmp/volume/link)" "$MOUNT"
	is "$($TOOL file-label /tmp/volume/fifo)" "$MOUNT"
}

test_relabelling_of_the_host_is_refused() {
	local path
	ln -sfn /etc /tmp/etc-link
	mkdir -p /tmp/usr-bind
	mount --bind /usr /tmp/usr-bind
	for path in / /usr /etc /home /root /var /tmp/etc-link /tmp/usr-bind /etc/../etc /etc/shadow; do
		not $TOOL relabel $path system_u:object_r:container_file_t:s0 >$OUTPUT 2>&1
		says "not allowed"
	done
	umount /tmp/usr-bind
	is "$($TOOL file-label /etc | cut -d: -f3)" etc_t
}

test_file_systems_without_labels_are_named() {
	mkdir -p /tmp/nolabels
	mount -t tmpfs -o context=system_u:object_r:tmp_t:s0 x /tmp/nolabels
	labels nolabels
	not $TOOL relabel /tmp/nolabels "$MOUNT" >$OUTPUT 2>&1
	umount /tmp/nolabels
	says "keeps no labels"
}

test_exec_has_the_label() {
	CMD='sleep 1000' labelled exec
	$OCI create --bundle /tmp/exec exec </dev/null >/dev/null 2>&1
	$OCI start exec
	$OCI exec exec cat /proc/self/attr/current >$OUTPUT
	$OCI delete --force exec
	is "$(tr -d '\0' <$OUTPUT)" "$PROCESS"
}

test_notify_socket() {
	CMD='lsm-tool file-label /run/notify/notify.sock; lsm-tool notify && echo sent; sleep 1' labelled notify
	$TOOL notify-listen /tmp/notify.sock >/tmp/heard 2>&1 &
	sleep 1
	NOTIFY_SOCKET=/tmp/notify.sock run_in notify
	says "$MOUNT"
	says sent
	wait $!
	grep -q READY=1 /tmp/heard || fail "heard: $(cat /tmp/heard)"
}

test_report() {
	$TOOL report >$OUTPUT
	says "selinux: enforcing"
}

run_tests
