#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# guest.sh DIR ARCH: make the guests' root file system, as a cpio archive. The
# packages are unpacked and no program of theirs is run, so any architecture
# can be made on any. Runs in the SDK.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/../lib/mode.sh"
. "$(dirname "$0")/../lib/apt.sh"

dir=$1
arch=$2
fs=$dir/fs

fetch() {
	apt_state "$dir/apt" "$(apt_mirror) ${SDK_SUITE:?} main"
	sed -i "s/^APT::Architecture .*/APT::Architecture \"$arch\";/; s/^APT::Architectures .*/APT::Architectures { \"$arch\"; };/" "$APT_CONFIG"
	apt_update
	# shellcheck disable=SC2046
	apt-get install -y --no-install-recommends --download-only \
		$(packages_in "$project/scripts/stages/guest-packages") ||
		die "the guest's packages could not be downloaded; check the network and run this again"
}

# Half of the archive would be what stress-ng's graphics stressor loads when it
# is used: there are no graphics in the guest.
unused='/(libllvm|libz3|mesa-libgallium|libgl1-mesa-dri)[^/]*$'

# base-files comes first: it brings the links that make /bin and /lib part of /usr.
unpack() {
	local deb
	mkdir "$fs"
	for deb in "$dir"/apt/cache/archives/base-files_*.deb "$dir"/apt/cache/archives/*.deb; do
		[[ ! $deb =~ $unused ]] || continue
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$fs" --keep-directory-symlink --no-same-owner -p \
			--exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/info/*' \
			--exclude='./usr/share/locale/*' --exclude='./usr/share/bash-completion/*' --exclude='./usr/share/lintian/*' \
			--exclude='./usr/share/zoneinfo/*' --exclude='./usr/share/X11/*'
	done
}

# What the packages' own installation scripts would have done and programs rely on.
configure() {
	cp "$fs/usr/share/base-passwd/passwd.master" "$fs/etc/passwd"
	cp "$fs/usr/share/base-passwd/group.master" "$fs/etc/group"
	sed -i 's/^root:\*:/root::/' "$fs/etc/passwd"
	echo 'passwd: files
group: files
hosts: files' >"$fs/etc/nsswitch.conf"
	echo '127.0.0.1 localhost pidspace-guest
::1 localhost' >"$fs/etc/hosts"
	echo pidspace-guest >"$fs/etc/hostname"
	ln -sf gawk "$fs/usr/bin/awk"
	ln -sf which.debianutils "$fs/usr/bin/which"
	mkdir -p "$fs"/{proc,sys,dev,run,tmp,root}
	chmod 1777 "$fs/tmp"
	# Compiled once here, python starts several times faster in the guest.
	rm -rf "$fs"/usr/lib/python3*/test
	python3 -m compileall -q -j "$(nproc)" --invalidation-mode unchecked-hash \
		-s "$fs" -p / "$fs"/usr/lib/python3.*
}

fetch
unpack
configure
(cd "$fs" && find . -print0 | LC_ALL=C sort -z | cpio --null -o -H newc -R 0:0 --quiet) >"$dir/base.cpio"
rm -rf "$dir/apt" "$fs"
