# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Where the tools come from: SDK=root, a Debian root file system in the cache
# that every command enters, or SDK=host, the Debian 13 machine itself.

sdk_suite=trixie

sdk_mode() {
	case ${SDK:-} in
	root | host) echo "$SDK" ;;
	'') if host_is_suite; then echo host; else echo root; fi ;;
	*) die "SDK=$SDK: only 'root' and 'host' are known" ;;
	esac
}

host_is_suite() {
	# shellcheck source=/dev/null
	[ "$(. /etc/os-release 2>/dev/null && echo "${VERSION_CODENAME:-}")" = "$sdk_suite" ]
}

# The package names of a list file, without comments.
packages_in() {
	sed 's/#.*//' "$1" | xargs
}

# apt-get is run by root, and shown to everybody else.
# apt_install WHY [--before COMMAND] PACKAGE...
apt_install() {
	local why=$1 before=''
	shift
	if [ "$1" = --before ]; then
		before="sudo $2 && "
		shift 2
	fi
	if [ "$(id -u)" != 0 ] || [ -z "$(command -v apt-get)" ]; then
		die "$why; please run: ${before}sudo apt-get update && sudo apt-get install --no-install-recommends $*"
	fi
	step "updating the package lists" apt-get update ||
		die "the package lists could not be fetched; check the network and /etc/apt/sources.list, then run this again"
	step "installing packages ($#)" env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y --no-install-recommends "$@" ||
		die "the packages could not be installed; the lines above say why"
}

# Of the packages named, those that this machine lacks.
missing_packages() {
	local package have
	have=$(dpkg-query -W -f '${db:Status-Status} ${Package}:${Architecture}\n' | sed -n 's/^installed //p')
	for package; do
		case $package in
		*:*) grep -qxF "$package" <<<"$have" || echo "$package" ;;
		*) grep -qxE "${package//+/\\+}:(amd64|all)" <<<"$have" || echo "$package" ;;
		esac
	done
}

# What setting up a root file system needs of the host.
root_prerequisites() {
	local missing=()
	[ "$(id -u)" != 0 ] || check_namespaces
	[ -n "$(command -v mmdebstrap)" ] || missing+=(mmdebstrap)
	if [ "$(id -u)" != 0 ]; then
		[ -n "$(command -v newuidmap)" ] || missing+=(uidmap)
	fi
	if [ ${#missing[@]} -gt 0 ]; then
		apt_install "the SDK's root file system needs ${missing[*]}" "${missing[@]}"
	fi
	[ "$(id -u)" = 0 ] || check_namespaces
}

check_namespaces() {
	local why
	if [ "$(id -u)" = 0 ]; then
		unshare --mount true 2>/dev/null ||
			die "this root may not mount (a container without privileges?): use a Debian 13 machine or container with SDK=host, or give the container CAP_SYS_ADMIN"
		return 0
	fi
	grep -qE "^($(id -un)|$(id -u)):" /etc/subuid 2>/dev/null ||
		die "no subordinate user ids for $(id -un); please run: sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $(id -un)"
	why=$(unshare --user --map-root-user --map-auto --mount true 2>&1) ||
		die "this user may not make user namespaces ($why): run as root, or allow them (sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0), or use SDK=host on Debian 13"
}

# The machine itself is the SDK: the same packages, by apt.
host_prerequisites() {
	local -a missing before=()
	local foreign="dpkg --add-architecture arm64"
	host_is_suite || say "SDK=host: this is not Debian $sdk_suite; the compilers may not fit the stock kernel"
	[ "$(dpkg --print-architecture)" = amd64 ] || die "SDK=host needs an amd64 machine"
	if ! dpkg --print-foreign-architectures | grep -qx arm64; then
		before=(--before "$foreign")
		[ "$(id -u)" != 0 ] || $foreign
	fi
	# shellcheck disable=SC2046
	mapfile -t missing < <(missing_packages $(packages_in "$project/scripts/stages/packages"))
	if [ ${#missing[@]} -gt 0 ]; then
		apt_install "the SDK needs ${#missing[@]} more packages of this machine" "${before[@]}" "${missing[@]}"
	fi
}
