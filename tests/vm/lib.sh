# shellcheck shell=bash disable=SC2034
# lib.sh - for the scripts that run inside the machine: bundles, checks, and one line a test.
#
# A script defines functions test_NAME and ends with run_tests. Each runs in a shell of its own with
# `set -e`; "ok NAME" or "not ok NAME" goes to the output, what it said follows the latter.
set -uo pipefail

WORK=$PWD                       # holds the programs: containr-oci, lsm-tool, busybox
OCI="$WORK/containr-oci --root ${XDG_RUNTIME_DIR:-/run}/oci"
RUN="$WORK/containr --root /run/people run"
TOOL=$WORK/lsm-tool
OUTPUT=/tmp/output              # of the last run

# new_root DIRECTORY: a root file system with a shell.
new_root() {
	local name
	rm -rf "$1"
	mkdir -p "$1"/{bin,dev,etc,proc,sys,tmp,run,volume}
	cp "$WORK/busybox" "$TOOL" "$1/bin/"
	for name in sh cat echo id kill ls mkdir mount umount rm sed sleep touch true unshare test grep head nc tail; do
		ln -s busybox "$1/bin/$name"
	done
	echo root:x:0:0:root:/:/bin/sh >"$1/etc/passwd"
}

# bundle NAME [JQ-FILTER]: a bundle in /tmp/NAME whose program is a shell command in $CMD (default: true).
bundle() {
	local dir=/tmp/$1
	rm -rf "$dir"
	new_root "$dir/rootfs"
	(cd "$dir" && $OCI spec)
	jq --arg cmd "${CMD:-true}" '.process.terminal = false | .process.args = ["/bin/sh", "-c", $cmd] |
		.root.readonly = false' "$dir/config.json" >"$dir/new"
	jq "${2:-.}" "$dir/new" >"$dir/config.json"
}

# cg CONTROLLER: the directory of process $PID in that hierarchy of v1.
cg() {
	awk -F: -v name="$1" '{ n = split($2, names, ","); for (i = 1; i <= n; i++)
		if (names[i] == name) print "/sys/fs/cgroup/" name $3 }' "/proc/$PID/cgroup"
}

# All capabilities: what then fails is not for the lack of one.
ALL_CAPS='([range(41)] | map(["CHOWN","DAC_OVERRIDE","DAC_READ_SEARCH","FOWNER","FSETID","KILL","SETGID",
	"SETUID","SETPCAP","LINUX_IMMUTABLE","NET_BIND_SERVICE","NET_BROADCAST","NET_ADMIN","NET_RAW",
	"IPC_LOCK","IPC_OWNER","SYS_MODULE","SYS_RAWIO","SYS_CHROOT","SYS_PTRACE","SYS_PACCT","SYS_ADMIN",
	"SYS_BOOT","SYS_NICE","SYS_RESOURCE","SYS_TIME","SYS_TTY_CONFIG","MKNOD","LEASE","AUDIT_WRITE",
	"AUDIT_CONTROL","SETFCAP","MAC_OVERRIDE","MAC_ADMIN","SYSLOG","WAKE_ALARM","BLOCK_SUSPEND",
	"AUDIT_READ","PERFMON","BPF","CHECKPOINT_RESTORE"][.]) | map("CAP_" + .)) as $all |
	.process.capabilities = {bounding: $all, effective: $all, permitted: $all} |
	.process.noNewPrivileges = false | .linux.maskedPaths = [] | .linux.readonlyPaths = [] |
	(.mounts[] | select(.destination == "/sys") | .options) = ["nosuid", "noexec", "nodev", "rw"]'

# run_in BUNDLE: runs it to its end; its exit status, and what it wrote in $OUTPUT.
run_in() { $OCI run --bundle "/tmp/$1" "$1" >$OUTPUT 2>&1; }

# says TEXT: the last run wrote it. silent_about TEXT: it did not.
says() { grep -qF -- "$1" $OUTPUT || fail "expected \"$1\" in: $(cat $OUTPUT)"; }
silent_about() { ! grep -qF -- "$1" $OUTPUT || fail "did not expect \"$1\" in: $(cat $OUTPUT)"; }

fail() { echo "$*"; exit 1; }
# `set -e` does not see "! command".
not() { if "$@"; then fail "did not expect success: $*"; fi; }
is() { [ "$1" = "$2" ] || fail "expected \"$2\", got \"$1\""; }

# `set -e` counts for nothing below a condition, so that the status is looked at afterwards. What was said goes to a file:
# a pipe would be waited for as long as a container that is left has it open.
run_tests() {
	local name status failed=0 said
	said=$(mktemp)
	for name in $(sed -n 's/^test_\([a-z_0-9]*\)() .*/\1/p' "$0"); do
		(set -eE; trap 'echo "line $LINENO: status $? of: $BASH_COMMAND" >&2' ERR; "test_$name") >"$said" 2>&1
		status=$?
		if [ $status = 0 ]; then
			echo "ok $name"
		else
			echo "not ok $name"
			sed 's/^/# /' "$said"
			failed=1
		fi
	done
	exit $failed
}
