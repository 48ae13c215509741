#!/bin/bash
# speed.sh - what starting by systemd costs, beside crun: vm-run.sh -m systemd -d DIRECTORY -- bash ./speed.sh
# Both programs run the same bundle in turn; the ratio is taken within each round, since the machine is not quiet.
. ./lib.sh

ROUNDS=${ROUNDS:-30}

median() { sort -g | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'; }

# timed COMMAND...: microseconds that it took, in $TOOK.
timed() {
	local begin=${EPOCHREALTIME/./}
	"$@" </dev/null >$OUTPUT 2>&1 || fail "$*: $(cat $OUTPUT)"
	TOOK=$((${EPOCHREALTIME/./} - begin))
}

CRUN="crun --root /run/crun-speed --systemd-cgroup"
OURS="$OCI --systemd-cgroup"

# scope_of PROGRAM: the unit that it has a container in, as the kernel sees it.
scope_of() {
	local pid unit
	$1 run --detach --bundle /tmp/where where </dev/null >$OUTPUT 2>&1 || fail "$(cat $OUTPUT)"
	pid=$($1 state where | jq .pid)
	unit=$(grep -oE '[^/]+\.scope' "/proc/$pid/cgroup")
	is "$(systemctl is-active "$unit")" active
	echo "$unit"
	$1 delete --force where
}

# What is compared is the same work only if both have a scope made.
test_both_are_in_a_scope() {
	local ours theirs
	CMD='sleep 1000' bundle where
	ours=$(scope_of "$OURS") || fail "ours: $ours"
	theirs=$(scope_of "$CRUN") || fail "crun: $theirs"
	is "$ours" containr-where.scope
	is "$theirs" crun-where.scope
}

test_run_by_systemd_costs_at_most_1_2_of_crun() {
	local round ours theirs
	bundle speed '.process.args = ["/bin/true"]'
	: >/tmp/ours
	: >/tmp/theirs
	: >/tmp/ratios
	for round in $(seq 0 "$ROUNDS"); do
		if [ $((round % 2)) = 0 ]; then
			timed $OURS run --bundle /tmp/speed "ours$round"
			ours=$TOOK
		fi
		timed $CRUN run --bundle /tmp/speed "theirs$round"
		theirs=$TOOK
		if [ $((round % 2)) = 1 ]; then
			timed $OURS run --bundle /tmp/speed "ours$round"
			ours=$TOOK
		fi
		[ "$round" != 0 ] || continue # the first has everything to read from the disk
		echo "$ours" >>/tmp/ours
		echo "$theirs" >>/tmp/theirs
		awk "BEGIN { print $ours / $theirs }" >>/tmp/ratios
	done
	echo "containr-oci $(median </tmp/ours) us, crun $(median </tmp/theirs) us," \
		"median of $ROUNDS ratios $(median </tmp/ratios)" | tee /tmp/figures
	awk "BEGIN { exit !($(median </tmp/ratios) <= 1.2) }" || fail "more than 1.2"
}

(run_tests)
status=$?
[ ! -e /tmp/figures ] || sed 's/^/# /' /tmp/figures
exit $status
