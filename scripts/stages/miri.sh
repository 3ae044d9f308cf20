#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# miri.sh DIR: fetch Miri and the toolchain that it is part of, which Debian does not
# have, as they were on one day. Runs in the SDK.
set -euo pipefail

dir=$1
day=2026-10-30
toolchain=$dir/toolchain
mkdir "$dir/fetched" "$toolchain"
cd "$dir/fetched"

cat >sums <<'EOF'
c2dc271dddfe5477b930540f889e7c83fbabee4df710822b29d2f99c35f121b1  cargo-nightly-x86_64-unknown-linux-gnu.tar.xz
19ef6105bdad88191469f2984ba793f2fad2c83eb40adf109cb3c91d1f5b93c8  miri-nightly-x86_64-unknown-linux-gnu.tar.xz
e6218c6b5840371f14aab223e17db3c6cfde04c99e87fa7c09472caf366355c2  rust-src-nightly.tar.xz
8c807919a3896820ec0acaff4d04b053f47a47569078a2dea7ffc7770f14275a  rust-std-nightly-x86_64-unknown-linux-gnu.tar.xz
bb49c86f2236bdff4f8acc0cceef90216eded6ed6880e9af0a196084cc4810f0  rustc-nightly-x86_64-unknown-linux-gnu.tar.xz
EOF

fetch() {
	python3 -c 'import sys, urllib.request; urllib.request.urlretrieve(*sys.argv[1:])' \
		"https://static.rust-lang.org/dist/$day/$1" "$1"
}

while read -r _ file; do
	fetch "$file"
done <sums
sha256sum --check sums

# Each is a directory of components, to be laid on top of one another.
while read -r _ file; do
	tar -xf "$file"
	while read -r component; do
		cp -r "${file%.tar.xz}/$component/." "$toolchain/"
	done <"${file%.tar.xz}/components"
done <sums
cd "$dir"
rm -rf "$dir/fetched"

PATH=$toolchain/bin:$PATH MIRI_SYSROOT=$dir/sysroot cargo miri setup
