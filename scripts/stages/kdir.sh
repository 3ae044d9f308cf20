#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kdir.sh DIR KERNEL_DIR SOURCE_DIR ARCH: make the build directory that out-of-tree
# Rust modules need and that Debian's headers packages lack the Rust half of.
# Runs in the SDK.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"

dir=$1
kernel=$2
source=$3/linux
arch=$4
release=$(cat "$kernel/release")-$arch
headers=$kernel/files/usr/src/linux-headers-$release
build=$dir/build

make_args=(-C "$source" "O=$build" "ARCH=$(kernel_arch "$arch")")
[ "$arch" = amd64 ] || make_args+=("CROSS_COMPILE=$(gnu_triplet "$arch")-")

# The configuration must come out as Debian built it, but for what only names
# the compiler, or depends on a 32-bit cross compiler (the compat vDSO).
check_config() {
	local differs
	differs=$(diff <(grep CONFIG_ "$headers/.config" | sort) <(grep CONFIG_ "$build/.config" | sort) |
		grep '^[<>]' | grep -vE 'CONFIG_(CC_VERSION_TEXT|CC_CAN_LINK|CC_CAN_LINK_STATIC|COMPAT_VDSO|THUMB2_COMPAT_VDSO)[= ]' || :)
	[ -z "$differs" ] || {
		printf '%s\n' "$differs"
		die "the SDK's tools change the stock configuration of $release ($(wc -l <<<"$differs") lines, above): its compilers are not those that built the kernel; run 'scripts/sdk clean --all' and set up again"
	}
}

# Every Rust symbol the stock kernel exports carries the hash of the crate it
# comes from. If one is not defined by the objects just built, a module would
# fail with "Unknown symbol" when it is loaded.
check_rust_symbols() {
	local stock ours lacking
	stock=$(awk '$2 ~ /^_R/ { print $2 }' "$headers/Module.symvers" | sort -u)
	ours=$(nm --defined-only --format=just-symbols "$build"/rust/*.o 2>/dev/null | grep '^_R' | sort -u)
	[ -n "$stock" ] || die "the stock kernel $release exports no Rust symbols"
	lacking=$(comm -23 <(echo "$stock") <(echo "$ours"))
	[ -z "$lacking" ] || {
		echo "$lacking" | head -n 5
		die "$(wc -l <<<"$lacking") of $(wc -l <<<"$stock") Rust symbols of $release differ (the first are above): it was built with $(sed -n 's/^CONFIG_RUSTC_VERSION_TEXT=//p' "$headers/.config"), the SDK has '$(rustc -V)'; run 'scripts/sdk clean --all' and set up again, and if that does not help this kernel needs another suite's compiler"
	}
	echo "$stock" | wc -l >"$dir/rust-symbols"
}

mkdir -p "$build"
cp "$headers/.config" "$build/.config"
make "${make_args[@]}" olddefconfig
check_config
make "${make_args[@]}" -j"$(nproc)" modules_prepare
check_rust_symbols

# What makes a module the stock kernel's own: its symbol versions, its release
# in the version magic, and its type information.
cp "$headers/Module.symvers" "$build/"
cp "$headers/include/generated/utsrelease.h" "$build/include/generated/"
cp "$headers/include/config/kernel.release" "$build/include/config/"
cp "$headers/vmlinux" "$build/"
