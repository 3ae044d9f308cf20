# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Judge a guest's run. Only a guest that ran the command, looked through its
# kernel's log afterwards and said so with the right nonce can pass.

status_early=254
kernel_trouble='Kernel panic|Oops|BUG: ([^K]|K[^C])|WARNING:|INFO: task .* blocked|INFO: rcu|rcu:.*(stall|starved)|soft lockup|hard LOCKUP|Unable to handle kernel|general protection fault|refcount_t:|UBSAN:|KASAN:|list_(add|del) corruption|Unknown symbol|scheduling while atomic|suspicious RCU'
# What a debug kernel adds.
kernel_trouble+='|possible (recursive|circular|irq lock)|inconsistent lock state|INFO: (lockdep|trying to register)|sleeping function called|ODEBUG:|unreferenced object|kmemleak: (.* suspected|Cannot allocate|.* disabled)'

# KCSAN knows of races in the kernel itself. Those with a module have its name there.
kernel_trouble+='|BUG: KCSAN: .*\[[a-z]'

# Show the first report, and what the kernel says after it, on stderr.
quote_trouble() {
	tr -d '\r' <"$console" | sed 's/^\[[ 0-9.]*\] *//' | grep -aE -m 1 -A 79 "$kernel_trouble" | sed 's/^/    /' >&2 || :
}

# Sets reason. The status is the command's, 124 for a time-out, 125 for a guest
# that failed, or status_early for one that died, or hung, before the module was
# loaded.
verdict() {
	local status trouble
	reason=''
	status=$(sed -n "s/^$nonce exit \([0-9]*\)\$/\1/p" "$work/result")
	trouble=$(tr -d '\r' <"$console" | grep -aE "$kernel_trouble" | head -n 1 | sed 's/^\[[ 0-9.]*\] *//') || :
	if grep -q "^$nonce fail " "$work/result"; then
		reason=$(sed -n "s/^$nonce fail //p" "$work/result" | head -n 1)
		return 125
	elif [ -n "$trouble" ]; then
		reason="the kernel reported: $trouble"
	elif [ -e "$work/late" ]; then
		reason="it was not up within $boot_limit s"
	elif [ -n "$timed_out" ]; then
		reason="no end within $VM_TIMEOUT s"
		return 124
	elif [ -z "$status" ]; then
		reason="the guest ended without a result ($(grep -m 1 "^qemu-system" "$work/qemu" || echo "QEMU said nothing, status $qemu_state"))"
	else
		return "$status"
	fi
	grep -q "^$nonce ready" "$work/result" || return "$status_early"
	return 125
}
