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

test_run_by_systemd_costs_at_most_1_2_of_crun() {
	local round ours theirs crun="crun --root /run/crun-speed --systemd-cgroup" oci="$OCI --systemd-cgroup"
	bundle speed '.process.args = ["/bin/true"]'
	: >/tmp/ours
	: >/tmp/theirs
	: >/tmp/ratios
	for round in $(seq 0 "$ROUNDS"); do
		if [ $((round % 2)) = 0 ]; then
			timed $oci run --bundle /tmp/speed "ours$round"
			ours=$TOOK
		fi
		timed $crun run --bundle /tmp/speed "theirs$round"
		theirs=$TOOK
		if [ $((round % 2)) = 1 ]; then
			timed $oci run --bundle /tmp/speed "ours$round"
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
