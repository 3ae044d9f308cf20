#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# source.sh DIR KERNEL_DIR: unpack the kernel source. Runs in the SDK.
set -euo pipefail

dir=$1
kernel=$2
mkdir "$dir/linux"
tar -xf "$kernel"/files/usr/src/linux-source-*.tar.xz -C "$dir/linux" --strip-components=1
