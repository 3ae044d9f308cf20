# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Run lanes of scripts/test at the same time, as a guest leaves CPUs idle much of the
# time. Uses count() and say(), and $passed, $failed, $skipped, $results of scripts/test.

tracks=()

# beside COMMAND...: run a command that counts tests at the same time as what follows,
# in a process group of its own. What it says is for gather to show.
beside() {
	local track=$results/track-${#tracks[@]}
	rm -f "$track.sums"
	: >"$track.log"
	trap end_tracks EXIT
	set -m
	run_track "$track" "$@" >>"$track.log" 2>&1 </dev/null &
	set +m
	tracks+=($!)
}

run_track() {
	local track=$1
	shift
	passed=0 failed=0 skipped=0
	"$@"
	echo "$passed $failed $skipped" >"$track.sums"
}

# Wait for all of them, and show each as it goes, one after another.
gather() {
	local i track sums
	for i in "${!tracks[@]}"; do
		track=$results/track-$i
		tail -n +1 -f --pid="${tracks[i]}" "$track.log" &
		wait $!
		sums=(0 1 0)
		if [ -e "$track.sums" ]; then
			read -r -a sums <"$track.sums"
		else
			say "a lane has ended before it had counted its tests"
		fi
		count "${sums[@]}"
	done
	tracks=()
}

# Who interrupts this script ends them, with all that they have started.
end_tracks() {
	local track
	for track in "${tracks[@]}"; do
		kill -- "-$track" 2>/dev/null || :
	done
	wait || :
}
