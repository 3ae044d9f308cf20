#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kernel-debug.sh DIR SOURCE_DIR: build the kernel that looks for errors while it
# runs, from the stock kernel's source. Runs in the SDK.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"

dir=$1
source=$2/linux
fragment=$project/scripts/stages/debug.config
build=$dir/build

# The kernel has KASAN and Rust together only where clang compiles the C code.
make_args=(-C "$source" "O=$build" ARCH=x86_64 LLVM=1)

# An option whose dependencies do not hold is dropped without a word.
check_config() {
	local lacking
	mapfile -t lacking < <(grep CONFIG_ "$fragment" | grep -vxFf "$build/.config")
	local IFS=,
	[ ${#lacking[@]} -eq 0 ] || die "the debug kernel's configuration came out without: ${lacking[*]}"
}

mkdir -p "$build"
make "${make_args[@]}" tinyconfig
cat "$fragment" >>"$build/.config"
make "${make_args[@]}" olddefconfig
check_config
make "${make_args[@]}" -j"$(nproc)" bzImage modules

# Kept is what modules are built with, the image, and vmlinux to decode reports with.
find "$build" -type f \( -name '*.o' -o -name '*.a' -o -name '.*.cmd' -o -name '.tmp_vmlinux*' -o -name 'vmlinux.*' \) -delete
