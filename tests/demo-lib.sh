# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the steps of demo.sh are made of.

# title TEXT: say what comes next.
title() { printf '\n\n== %s\n' "$*"; }

# show COMMAND...: run it as a reader would type it; its output is kept in $out.
show() {
	printf '\n# %s\n' "$*"
	out=$(eval "$*" 2>&1) || { printf '%s\n' "$out"; fail "the command failed"; }
	[ -z "$out" ] || printf '%s\n' "$out"
}

# start COMMAND...: the same in the background; its pid is kept in $started.
start() {
	printf '\n# %s &\n' "$*"
	eval "exec $*" >/dev/null 2>&1 &
	started=$!
	disown # Or bash would announce its end.
}

# want PATTERN: what was shown last must match; refuse PATTERN: it must not.
want() { [[ $out =~ $1 ]] || fail "expected to see: $1"; }
refuse() { [[ ! $out =~ $1 ]] || fail "expected not to see: $1"; }

# eventually CONDITION: it must come true.
eventually() {
	for _ in {1..600}; do eval "$*" >/dev/null 2>&1 && return; sleep 0.1; done
	fail "did not come true: $*"
}

fail() {
	echo "demo: FAILED: $*"
	exit 1
}
