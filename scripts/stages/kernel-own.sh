#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kernel-own.sh DIR SOURCE_DIR FRAGMENT...: build a kernel that looks for errors while
# it runs, from the stock kernel's source, with what the fragments say beyond
# tinyconfig. Runs in the SDK.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"

dir=$1
source=$2/linux
shift 2
build=$dir/build

# The kernel has KASAN and Rust together only where clang compiles the C code.
make_args=(-C "$source" "O=$build" ARCH=x86_64 LLVM=1)

# An option whose dependencies do not hold is dropped without a word.
check_config() {
	local lacking
	mapfile -t lacking < <(cat "$@" | grep CONFIG_ | grep -vxFf "$build/.config")
	local IFS=,
	[ ${#lacking[@]} -eq 0 ] || die "the kernel's configuration came out without: ${lacking[*]}"
}

# KCSAN is told of each access by what the compiler adds, and looks at one in so many of
# them. They are to be those of the module: it is added to all Rust code, which the kernel
# does not do, for a target that is said to support it, and to no C code but what Rust
# calls. What else the kernel writes is noticed when a value changes.
instrument_rust() {
	local flags=(-Zsanitizer=thread -Cllvm-args=-tsan-distinguish-volatile=1
		-Cllvm-args=-tsan-instrument-func-entry-exit=0 -Cllvm-args=-tsan-compound-read-before-write=1)
	# shellcheck disable=SC2016 # for make
	make_args+=('filechk_rust_target=$< < include/config/auto.conf | sed '"'s/\"kcfi\"/\"kcfi\", \"thread\"/'")
	make_args+=("KRUSTFLAGS=${flags[*]}" KCSAN_SANITIZE=n KCSAN_SANITIZE_helpers/helpers.o=y)
	echo "${flags[*]}" >"$build/rustflags"
}

mkdir -p "$build"
make "${make_args[@]}" tinyconfig
cat "$@" >>"$build/.config"
make "${make_args[@]}" olddefconfig
check_config "$@"
: >"$build/rustflags"
! grep -q '^CONFIG_KCSAN=y' "$build/.config" || instrument_rust
make "${make_args[@]}" -j"$(nproc)" bzImage modules

# Kept is what modules are built with, the image, and vmlinux to decode reports with.
find "$build" -type f \( -name '*.o' -o -name '*.a' -o -name '.*.cmd' -o -name '.tmp_vmlinux*' -o -name 'vmlinux.*' \) -delete
