# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# An apt state of the project's own, so that neither sources nor foreign
# packages get into the system's. Runs in the SDK.

# The mirror: the user's, or the one that the SDK's own sources name.
apt_mirror() {
	if [ -n "${MIRROR:-}" ]; then
		echo "$MIRROR"
		return
	fi
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
		awk -v suite="${SDK_SUITE:?}" '$2 == suite && $3 == "main" { print $1; exit }' | grep . ||
		die "no source for '$SDK_SUITE main' in /etc/apt: set MIRROR=URL"
}

# apt_state DIR SOURCE: use DIR as apt's whole world for the rest of the script.
apt_state() {
	local dir=$1 source=$2
	mkdir -p "$dir"/{etc/apt.conf.d,etc/preferences.d,lists/partial,cache/archives/partial,dpkg}
	: >"$dir/dpkg/status"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $source" >"$dir/etc/sources.list"
	cat >"$dir/apt.conf" <<-EOF
		Dir::Etc "$dir/etc";
		Dir::State "$dir";
		Dir::State::lists "$dir/lists";
		Dir::State::status "$dir/dpkg/status";
		Dir::Cache "$dir/cache";
		APT::Architecture "amd64";
		APT::Architectures { "amd64"; "arm64"; };
		APT::Sandbox::User "root";
		APT::Update::Error-Mode "any";
		Acquire::Languages "none";
		Acquire::Retries "3";
	EOF
	export APT_CONFIG=$dir/apt.conf
}

apt_update() {
	apt-get update || die "the package lists could not be fetched; check the network (or set MIRROR=URL) and run this again"
}
