# shellcheck shell=bash
# systemd_lib.sh - for the scripts that look at systemd's units: after lib.sh.

MIB=$((1 << 20))
CTL=systemctl
[ "$(id -u)" = 0 ] || CTL="systemctl --user"

shows() { is "$($CTL show "$1" -p "$2" --value)" "$3"; }

# gone UNIT: no unit, and no cgroup in any hierarchy.
gone() {
	shows "$1" LoadState not-found
	is "$($CTL list-units --all --no-legend "$1")" ""
	is "$(find /sys/fs/cgroup -name "$1")" ""
}

down() {
	$OCI delete --force "$1"
	gone "containr-$1.scope"
	[ -z "$($OCI list -q)" ] || fail "$($OCI list)"
}

# killed_creates TIMES: of the bundle "cut", SIGKILL of create at moments of its first second. What it had begun is found
# in the state, or not there yet.
killed_creates() {
	local i pid
	for i in $(seq 0 $(($1 - 1))); do
		$OCI create --bundle /tmp/cut cut </dev/null >$OUTPUT 2>&1 &
		pid=$!
		sleep "$(printf '0.%03d' $((i * 900 / $1)))"
		kill -KILL $pid 2>/dev/null || true
		wait $pid 2>/dev/null || true
		$OCI delete --force cut
		gone containr-cut.scope
	done
	[ -z "$($OCI list -q)" ]
}
