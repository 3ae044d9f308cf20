#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The main jobs, in a guest, on real programs. Every step shows its command and
# what that printed, and must hold; the last line says that all of them did.
set -euo pipefail
. "$(dirname "$0")/demo-lib.sh"

# A server with two workers. On USR1 it starts a daemon, which leaves its parent,
# its session and its process group.
cat >/tmp/web.sh <<'EOS'
trap '(setsid sleep 2000 &)' USR1
python3 -m http.server 8000 >/dev/null 2>&1 &
for n in 1 2; do (while :; do sleep 1000; done) & done
while :; do wait; done
EOS

# A fork bomb whose processes lead sessions of their own.
cat >/tmp/bomb.py <<'EOS'
import os
while True:
    try:
        if os.fork() == 0:
            os.setsid()
    except OSError:
        pass
EOS

show uname -sr

title "Adopt: the server runs already, and the module is not even loaded"
start setsid bash /tmp/web.sh
web=$started
eventually '(exec 3<>/dev/tcp/127.0.0.1/8000)'
eventually "[ \$(pgrep --count --session $web) -eq 6 ]"
show "ps --forest -o pid,ppid,args --sid $web"
show "insmod $PIDSPACE_KO"
chmod 0666 /dev/pidspace # The part of the installed udev rule; no udev runs here.
show "pidspace adopt web --create --tree $web"; want '6 processes adopted'
show "pidspace ls"; want 'web .*track'
show "pidspace ps web"; want "$web +$web +- "; want 'http.server'

# Nothing was restarted or renumbered; what the tree forks from now on has numbers of the space.
show "pidspace kill web:$web -s USR1"
eventually '[[ $(pidspace ps web) == *"sleep 2000"* ]]'
show "pidspace ps web"
daemon=$(pidspace ps web -n -o local-nr,command | awk '/sleep 2000/ { print $1 }')
show "pidspace pid web:$daemon"; [[ $out =~ =\ ([0-9]+) ]] || fail "no global number"
daemon_global=${BASH_REMATCH[1]}
show "pidspace pid $daemon_global"; want "web:$daemon@"
show "pidspace kill web"; want 'signalled, 0 refused'
show "pidspace wait web --timeout 60"
for pid in "$web" "$daemon_global"; do [ ! -e "/proc/$pid" ] || fail "the server or its daemon lives"; done
show "pidspace rm web"

title "Run: the same server, numbered from 1"
show "pidspace run --detach --name web -- bash /tmp/web.sh"; want 'web:1'
eventually '(exec 3<>/dev/tcp/127.0.0.1/8000)'
show "pidspace ps web"; want 'http.server'
worker=$(pidspace ps web -n -o local-nr,command | awk '$2 == "bash" && $1 > 1 { print $1; exit }')
show "pidspace kill web:$worker"
eventually "! pidspace pid web:$worker"
show "pidspace ps web -o local-nr,global-nr,command"; refuse "(^|"$'\n'") *$worker "
show "pidspace rm web --kill"

title "Kill: one signal ends a fork bomb"
show "pidspace run --detach --name bomb --max-members 200 -- python3 /tmp/bomb.py"
eventually '[ $(pidspace ls -n -o numbers) -ge 190 ]'
show "pidspace ls -o name,numbers,max-members"
show "pidspace kill bomb"
show "pidspace wait bomb --timeout 60"
show "pidspace ls -o name,numbers,max-members"; want 'bomb +0 '
show "pidspace rm bomb"

title "Kill on exit: what a tool has started dies with it, even when it is killed itself"
start "pidspace run --kill-on-exit --name job -- bash /tmp/web.sh"
tool=$started
eventually '(exec 3<>/dev/tcp/127.0.0.1/8000)'
show "pidspace exec job -- setsid --fork sleep 2000 &>/dev/null"
show "pidspace ps job"; want 'http.server'; want 'sleep 2000'
show "kill -KILL $tool"
show "pidspace wait job --timeout 60"
show "pidspace ps job"; refuse 'bash|sleep|python3'
show "pidspace rm job"

title "Scope: a root shell that finds nobody outside"
start sleep 3000
outsider=$started
start "pidspace run --scope --name jail -- sleep 4000"
eventually 'pidspace pid jail:1'
show "pidspace exec jail -- ps -e -o user,pid,args"; want 'sleep 4000'; refuse 'sleep 3000'
show "pidspace exec jail -- bash -c 'kill -KILL $outsider' || true"; want 'No such process'
show "pidspace exec jail -- ls /proc/$outsider || true"; want 'No such file'
show "pidspace exec jail -- bash -c 'kill -CONT -1' && ps -o pid,stat,args $outsider"; want 'sleep 3000'
# From outside nothing has changed: the host sees, traces and ends what is inside.
show "pidspace ps jail"; want 'sleep 4000'; [[ $out =~ \ 1\ +([0-9]+) ]] || fail "no number 1"
show "strace -p ${BASH_REMATCH[1]} -e none & sleep 1; kill %1; kill ${BASH_REMATCH[1]}"; want 'attached'
show "pidspace wait jail --timeout 60"
show "pidspace rm jail"
kill "$outsider"

# The tool that ran it gives its handle back when it has said so.
eventually '[ "$(cat /sys/module/pidspace/refcnt)" = 0 ]'
show "rmmod pidspace"
[ ! -e /dev/pidspace ] || fail "the device is still there"
printf '\nAll steps held: trees were adopted, numbered, found, signalled, confined and ended as one.\n'
