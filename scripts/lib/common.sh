# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Messages, steps that tell how long they take, and locks. Sourced by the
# scripts; the paths every one of them needs are set here.

# chroot is not on every user's PATH.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
cache=${PIDSPACE_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/pidspace}
logs=$cache/logs

say() {
	printf 'pidspace: %s\n' "$*" >&2
}

die() {
	say "$*"
	exit 1
}

# step TEXT COMMAND...: run a long command with its output in a log file, and
# keep the reader informed. A failure shows the end of the log.
step() {
	local text=$1 log start child beat='' state=0
	shift
	mkdir -p "$logs"
	log=$(mktemp "$logs/$(date +%Y%m%dT%H%M%S)-XXXX.log")
	printf '%s\n' "$text" >"$log"
	start=$SECONDS
	say "$text ..."
	# In a process group of its own it can be ended with all its children.
	set -m
	"$@" >>"$log" 2>&1 </dev/null &
	child=$!
	set +m
	trap step_abort INT TERM HUP
	step_wait "$child" "$text" "$start" || state=$?
	trap - INT TERM HUP
	if [ "$state" -ne 0 ]; then
		step_failed "$text" "$log" "$((SECONDS - start))"
		return "$state"
	fi
	say "$text: done in $((SECONDS - start)) s"
	rm -f "$log"
}

# A signal ends the step, with all that it has started.
step_abort() {
	kill -- "-$child" 2>/dev/null || :
	[ -z "$beat" ] || kill "$beat" 2>/dev/null || :
	wait || :
	say "interrupted; the next run starts this step again"
	exit 130
}

# The reason, when the step itself named one, else the end of its log.
step_failed() {
	local text=$1 log=$2 seconds=$3
	if grep -q '^pidspace: ' "$log"; then
		grep '^pidspace: ' "$log" | tail -n 1 >&2
	else
		tail -n 15 "$log" | sed 's/^/    /' >&2
	fi
	say "$text: failed after $seconds s; the log is $log"
}

# Wait for a child of step, with a sign of life every 30 seconds.
step_wait() {
	local child=$1 text=$2 start=$3
	(
		trap 'kill "$nap" 2>/dev/null; exit' TERM
		while :; do
			sleep 30 &
			nap=$!
			wait "$nap"
			say "$text: $((SECONDS - start)) s so far"
		done
	) </dev/null >/dev/null &
	beat=$!
	local state=0
	wait "$child" || state=$?
	kill "$beat" 2>/dev/null || :
	wait "$beat" 2>/dev/null || :
	return "$state"
}

# with_lock NAME COMMAND...: one at a time on this machine. The lock goes with
# the last process that inherited it, so a killed script leaves none behind.
with_lock() {
	local name=$1 lock
	shift
	mkdir -p "$cache"
	exec {lock}>>"$cache/$name.lock"
	if ! flock -n "$lock"; then
		say "waiting for another run that is setting up $name"
		flock "$lock"
	fi
	local state=0
	"$@" || state=$?
	exec {lock}>&-
	return "$state"
}

# The kernel's and the compilers' names of an architecture.
kernel_arch() {
	case $1 in
	amd64) echo x86_64 ;;
	arm64) echo arm64 ;;
	*) die "unknown architecture '$1': amd64 and arm64 are supported" ;;
	esac
}

# Whether a kernel is one of those that are built here, to look for errors.
own_kernel() {
	[ "$1" = debug ] || [ "$1" = kcsan ]
}

# guest_build ARCH KERNEL: the directory of what is built for a guest of ARCH with
# one of the kernels.
guest_build() {
	kernel_arch "$1" >/dev/null
	case $2-$1 in
	stock-*) echo "$project/build/$1" ;;
	debug-amd64 | kcsan-amd64) echo "$project/build/amd64-$2" ;;
	debug-* | kcsan-*) die "the $2 kernel is for amd64 only" ;;
	*) die "unknown kernel '$2': stock, debug and kcsan are known" ;;
	esac
}

gnu_triplet() {
	case $1 in
	amd64) echo x86_64-linux-gnu ;;
	arm64) echo aarch64-linux-gnu ;;
	*) die "unknown architecture '$1': amd64 and arm64 are supported" ;;
	esac
}
