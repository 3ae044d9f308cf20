#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# root.sh DIR: make the SDK's root file system. Runs on the host, as root or as
# the root of a user namespace.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/../lib/mode.sh"

dir=$1
packages=$(packages_in "$project/scripts/stages/packages" | tr ' ' ,)

# The lists are kept: later stages read the mirror and the suite from them.
mmdebstrap --mode=root --variant=apt --architectures=amd64,arm64 --skip=cleanup/apt/lists \
	--include="$packages" "$sdk_suite" "$dir/fs" ${MIRROR:+"$MIRROR"} ||
	die "the root file system could not be made, as the lines before this say; check the network (or set MIRROR=URL) and run this again"

# Entering the root binds the host's file over this one.
rm -f "$dir/fs/etc/resolv.conf"
: >"$dir/fs/etc/resolv.conf"
