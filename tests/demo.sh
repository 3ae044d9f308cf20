#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The main job, in a guest, on real programs. Every step shows its command and
# what that printed, and must hold; the last line says that all of them did.
set -euo pipefail

# show COMMAND...: run it as a reader would type it; its output is kept in $out.
show() {
	printf '\n# %s\n' "$*"
	out=$(eval "$*" 2>&1) || { printf '%s\n' "$out"; fail "the command failed"; }
	[ -z "$out" ] || printf '%s\n' "$out"
}

fail() {
	echo "demo: FAILED: $*"
	exit 1
}

# want PATTERN: what was shown last must match; and eventually: a condition must come true.
want() { [[ $out =~ $1 ]] || fail "expected to see: $1"; }
eventually() {
	for _ in {1..100}; do eval "$*" >/dev/null 2>&1 && return; sleep 0.1; done
	fail "did not come true: $*"
}

cat >/tmp/web.sh <<'EOF'
python3 -m http.server 8000 >/dev/null 2>&1 &
for n in 1 2; do (while :; do sleep 1000; done) & done
(setsid bash -c 'echo $$ >/run/daemon.pid; exec sleep 2000' &)
wait
EOF

show uname -sr
show "lsmod | grep pidspace"
show "pidspace run --detach --name web -- bash /tmp/web.sh"; want 'web:1'
eventually 'exec 3<>/dev/tcp/127.0.0.1/8000 && [ -s /run/daemon.pid ]'
eventually '[ $(pidspace ps web -n -o local-nr | wc -l) -ge 7 ]'
show "pidspace ls"; want "web .*track"
show "pidspace ps web"; want 'http.server'; want 'sleep 2000'

# The daemon has left its parent, its session and its process group: not its space.
daemon=$(cat /run/daemon.pid)
show "pidspace pid $daemon"; [[ $out =~ web:([0-9]+) ]] || fail "no local number"; local_nr=${BASH_REMATCH[1]}
show "pidspace pid web:$local_nr"; want "global = $daemon|global $daemon|$daemon"
worker=$(pidspace ps web -n -o local-nr,command | awk '$2 == "bash" && $1 > 1 { print $1; exit }')
show "pidspace kill web:$worker"
eventually "! pidspace pid web:$worker"
show "pidspace ps web -o local-nr,global-nr,command"; [[ ! $out =~ (^|$'\n')\ *$worker\  ]] || fail "the worker lives"
show "pidspace kill web"
eventually '[ $(pidspace ps web -n -o local-nr | wc -l) = 0 ]'
[ ! -e "/proc/$daemon" ] || fail "the daemon lives"
show "pidspace ps web"
show "pidspace rm web"
show "rmmod pidspace"
[ ! -e /dev/pidspace ] || fail "the device is still there"
printf '\nAll steps held: a process tree was numbered, found, signalled and ended as one.\n'
