# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Start QEMU. Uses the VM_* variables, and $work, $console, $nonce of vm-run.

kernel_image() {
	local kernel
	if own_kernel "$VM_KERNEL"; then
		echo "$(stage_dir "kernel-$VM_KERNEL")/build/arch/x86/boot/bzImage"
		return
	fi
	kernel=$(stage_dir kernel)
	echo "$kernel/files/usr/lib/modules/$(cat "$kernel/release")-$VM_ARCH/vmlinuz"
}

# machine_args ACCELERATOR: the machine of each architecture, in the array args.
machine_args() {
	local console=ttyS0 more=''
	case $VM_ARCH in
	amd64)
		args=(qemu-system-x86_64 -cpu max)
		[ "$1" = tcg ] || args=(qemu-system-x86_64 -cpu host)
		;;
	arm64)
		console=ttyAMA0
		args=(qemu-system-aarch64 -M virt -cpu max,pauth-impdef=on)
		[ "$1" = tcg ] || args=(qemu-system-aarch64 -M virt -cpu host)
		;;
	esac
	case $VM_KERNEL in
	# Leaks are reported in the log, once two scans agree on them. With 5 levels of
	# page tables, an interrupt early in the boot makes KASAN report what is none.
	debug) more=' no5lvl kmemleak=on kmemleak.verbose=1 kmemleak.min_unref_scans=2' ;;
	# One access in so many is watched, for that many microseconds.
	kcsan) more=' kcsan.skip_watch=500 kcsan.udelay_task=100' ;;
	esac
	args+=(-accel "$1" -smp "$VM_SMP" -m "$VM_MEM" -nodefaults -no-user-config -display none -no-reboot
		-kernel "$(kernel_image)" -initrd "$work/initrd"
		-append "console=$console rdinit=/init panic=-1 oops=panic softlockup_panic=1 loglevel=6 random.trust_cpu=on$more")
	[ -z "$VM_ICOUNT" ] || args+=(-icount shift=0,sleep=off)
	[ -z "$VM_PLUGIN" ] || args+=(-plugin "$VM_PLUGIN")
}

# One virtio port each for stdin, stdout, stderr and the verdict: they carry
# any byte, and a slow reader slows the guest down instead of losing some.
channel_args() {
	local port
	args+=(-chardev "file,id=console,path=$console" -serial chardev:console -device virtio-serial-pci)
	for port in stdout stderr result; do
		args+=(-chardev "file,id=$port,path=$work/$port" -device "virtserialport,chardev=$port,name=$port")
	done
	if [ -n "$VM_INTERACTIVE" ]; then
		args+=(-chardev stdio,id=tty,signal=off -device virtconsole,chardev=tty,name=tty)
	elif [ -n "$VM_STDIN" ]; then
		args+=(-chardev stdio,id=stdin,signal=off -device virtserialport,chardev=stdin,name=stdin)
	fi
}

# How many seconds a guest has to come up, which takes ten as a rule. An emulated one can
# hang before its kernel watches over itself.
boot_limit=300

# end_if_late QEMU: end a guest that does not come up.
end_if_late() {
	local second
	for ((second = 0; second < boot_limit; second++)); do
		sleep 1
		! grep -q "^$nonce " "$work/result" || return 0
	done
	: >"$work/late"
	kill "$1"
}

# Boot the guest once and wait for its end. Sets timed_out; a guest that is late leaves
# a file of that name.
run_guest() {
	local -a args
	local qemu watcher
	timed_out='' qemu_state=0
	rm -f "$work"/{stdout,stderr,result,late}
	mkfifo "$work/stdout" "$work/stderr"
	: >"$work/result"
	: >"$console"
	cat "$work/stdout" &
	children+=($!)
	cat "$work/stderr" >&2 &
	children+=($!)
	machine_args "$1"
	channel_args
	if [ -n "$VM_STDIN$VM_INTERACTIVE" ]; then exec 3<&0; else exec 3</dev/null; fi
	timeout --foreground --kill-after=5 "$VM_TIMEOUT" "${args[@]}" <&3 2>"$work/qemu" &
	qemu=$!
	children+=("$qemu")
	end_if_late "$qemu" >/dev/null 2>&1 3<&- &
	watcher=$!
	children+=("$watcher")
	wait "$qemu" || qemu_state=$?
	exec 3<&-
	kill "$watcher" 2>/dev/null || :
	[ "$qemu_state" != 124 ] && [ "$qemu_state" != 137 ] || timed_out=yes
	relays_end
}

# QEMU's end closes the channels; had it not opened them, nothing else would.
relays_end() {
	while [ -n "$(jobs -pr)" ]; do
		: 4<>"$work/stdout" 5<>"$work/stderr"
		sleep 0.05
	done
	children=()
}

# KVM may be there and of no use: it is used when the stock kernel, booted under
# it, gets through a command in a few seconds, which is found out once per boot
# of this machine.
choose_accelerator() {
	local answer
	if [ -n "$VM_ICOUNT$VM_PLUGIN" ] || [ "$(dpkg --print-architecture)" != "$VM_ARCH" ] || [ ! -w /dev/kvm ]; then
		echo tcg
		return
	fi
	answer=$cache/accelerator-$(cat /proc/sys/kernel/random/boot_id)-$(stage_key kernel)
	if [ ! -s "$answer" ]; then
		rm -f "$cache"/accelerator-*
		if kvm_works; then echo kvm; else echo tcg; fi >"$answer.$$"
		mv "$answer.$$" "$answer"
		say "vm: /dev/kvm was tried: using $(cat "$answer")"
	fi
	cat "$answer"
}

kvm_works() {
	local -a args
	local log=$work/probe.log VM_KERNEL=stock
	machine_args kvm
	: >"$log"
	args+=(-chardev "file,id=console,path=$log" -serial chardev:console)
	sed 's/^module=.*/module=/; s/^interactive=.*/interactive=/; s/^stdin=.*/stdin=/' "$work/tree/vm/settings" >"$work/settings"
	mkdir -p "$work/probe/vm"
	cp "$work/settings" "$work/probe/vm/settings"
	printf '%s\0' /bin/true >"$work/probe/vm/command"
	cp "$work/initrd" "$work/initrd.real"
	(cd "$work/probe" && find . -mindepth 1 | cpio -o -H newc -R 0:0 --quiet) >>"$work/initrd"
	: >"$work/probe-result"
	args+=(-device virtio-serial-pci -chardev "file,id=result,path=$work/probe-result"
		-device virtserialport,chardev=result,name=result)
	timeout --kill-after=2 8 "${args[@]}" </dev/null >/dev/null 2>&1 || :
	mv "$work/initrd.real" "$work/initrd"
	grep -qx "$nonce exit 0" "$work/probe-result"
}
