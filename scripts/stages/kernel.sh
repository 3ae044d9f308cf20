#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# kernel.sh DIR: fetch the newest stock kernel of the tested series, for both
# architectures, with an apt state of its own. Runs in the SDK.
set -euo pipefail
. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/../lib/apt.sh"

dir=$1
series=7.3

# Print "VERSION RELEASE" for each kernel that is complete: the source, and the
# image and headers of both architectures, from one and the same build.
complete_kernels() {
	apt-get indextargets --format '$(FILENAME)' 'Created-By: Packages' |
		xargs /usr/lib/apt/apt-helper cat-file |
		awk -v series="$series" '
			/^Package: / { package = $2 }
			/^Version: / { version = $2 }
			/^Architecture: / { arch = $2 }
			/^$/ { note() }
			END { note(); for (i in releases) report(i) }
			function note(  tail) {
				if (package == "linux-source-" series)
					source[version] = 1
				tail = "-" arch
				if (index(package, "linux-headers-" series ".") == 1 && is_stock(package, tail))
					headers[version, arch] = 1
				if (index(package, "linux-binary-" series ".") == 1 && is_stock(package, tail)) {
					binary[version, arch] = 1
					sub(/^linux-binary-/, "", package)
					releases[version] = substr(package, 1, length(package) - length(tail))
				}
				package = ""
			}
			# Flavours (cloud, rt, 16k) have more between release and architecture.
			function is_stock(name, tail) {
				sub(/^linux-[a-z]+-/, "", name)
				return name ~ /^[0-9.]+\+[a-z0-9]+-[a-z0-9]+$/ && substr(name, length(name) - length(tail) + 1) == tail
			}
			function report(v) {
				if (source[v] && headers[v, "amd64"] && headers[v, "arm64"] && binary[v, "amd64"] && binary[v, "arm64"])
					print v, releases[v]
			}'
}

# Of the lines "VERSION RELEASE" on stdin, the newest by Debian's own order.
newest() {
	local best='' release='' v r
	while read -r v r; do
		if [ -z "$best" ] || dpkg --compare-versions "$v" gt "$best"; then
			best=$v
			release=$r
		fi
	done
	echo "$best $release"
}

apt_state "$dir/apt" "$(apt_mirror) ${SDK_SUITE:?}-backports main"
apt_update
read -r version release < <(complete_kernels | newest) || :
[ -n "${version:-}" ] ||
	die "$SDK_SUITE-backports has no complete Debian kernel $series any more; this version of pidspace is tested with that series only: update pidspace, or point MIRROR at a mirror or an archive that still has it"

mkdir "$dir/debs"
cd "$dir/debs"
apt-get download "linux-source-$series=$version" \
	"linux-"{headers,binary}"-$release-amd64:amd64=$version" \
	"linux-"{headers,binary}"-$release-arm64:arm64=$version" ||
	die "the kernel packages could not be downloaded; check the network and run this again"
for deb in *.deb; do
	dpkg-deb -x "$deb" "$dir/files"
done
rm -r "$dir/debs" "$dir/apt"
printf '%s\n' "$release" >"$dir/release"
printf '%s\n' "$version" >"$dir/version"
