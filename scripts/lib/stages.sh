# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The SDK is set up in stages, each a directory of the cache named after the
# hash of all that goes into it: a fresh clone finds what is there, and a change
# of a recipe remakes what depends on it and no more.

recipes=$project/scripts/stages

# The arguments are architectures, "debug" and "kcsan" for amd64's own kernels, and "miri".
stages_for() {
	local target
	[ "$(sdk_mode)" = host ] || echo root
	echo kernel
	echo source
	for target; do
		case $target in
		debug | kcsan) echo "kernel-$target" guest-amd64 ;;
		miri) echo miri ;;
		*) echo "kdir-$target" "guest-$target" ;;
		esac
	done
}

stage_hash() {
	sha256sum | cut -c1-12
}

# What the tools are: the recipe of the root file system, or the versions of
# the machine's own packages.
tools_key() {
	if [ "$(sdk_mode)" = root ]; then
		cat "$recipes/root.sh" "$recipes/packages" | stage_hash
	else
		(rustc -V; bindgen --version; pahole --version; gcc --version; aarch64-linux-gnu-gcc --version; clang --version) 2>&1 | stage_hash
	fi
}

stage_key() {
	case $1 in
	root) tools_key ;;
	kernel) stage_hash <"$recipes/kernel.sh" ;;
	source) cat "$recipes/source.sh" <(stage_key kernel) | stage_hash ;;
	kdir-*) cat "$recipes/kdir.sh" <(tools_key) <(stage_key kernel) | stage_hash ;;
	kernel-debug | kernel-kcsan)
		cat "$recipes/kernel-own.sh" "$recipes/own.config" "$recipes/${1#kernel-}.config" <(tools_key) <(stage_key source) | stage_hash
		;;
	guest-*) cat "$recipes/guest.sh" "$recipes/guest-packages" | stage_hash ;;
	miri) stage_hash <"$recipes/miri.sh" ;;
	*) die "no such part of the SDK: $1" ;;
	esac
}

stage_dir() {
	echo "$cache/$1-$(stage_key "$1")"
}

stage_ready() {
	[ -e "$(stage_dir "$1")/complete" ]
}

stage_text() {
	case $1 in
	root) echo "setting up the SDK's root file system (about 2 minutes)" ;;
	kernel) echo "fetching the stock Debian kernel, its headers and its source (200 MB)" ;;
	source) echo "unpacking the kernel source" ;;
	kernel-debug | kernel-kcsan) echo "building the ${1#kernel-} kernel (about 15 minutes)" ;;
	kdir-*) echo "preparing the ${1#*-} kernel's build directory (about 3 minutes)" ;;
	guest-*) echo "making the ${1#*-} guest's root file system" ;;
	miri) echo "fetching Miri and its toolchain (140 MB)" ;;
	esac
}

# Make one stage unless it is there. Whoever comes second waits for the first.
stage_need() {
	stage_ready "$1" || with_lock "$1" stage_make "$1"
}

stage_make() {
	local name=$1 dir
	# Another run may have made it while this one waited.
	stage_ready "$name" && return
	dir=$(stage_dir "$name")
	remove_tree "$dir"
	check_space
	mkdir -p "$dir"
	step "$(stage_text "$name")" stage_recipe "$name" "$dir" || {
		remove_tree "$dir"
		return 1
	}
	: >"$dir/complete"
}

# Run the recipe of a stage: that of the root file system outside, the others in the SDK.
stage_recipe() {
	local name=$1 dir=$2 arch=${1#*-}
	case $name in
	root)
		# mmdebstrap and the commands run in the root see the same user ids.
		[ "$(id -u)" = 0 ] || exec unshare --user --map-root-user --map-auto --mount "$recipes/root.sh" "$dir"
		exec "$recipes/root.sh" "$dir"
		;;
	kernel) sdk_exec "$recipes/kernel.sh" "$dir" ;;
	source) sdk_exec "$recipes/source.sh" "$dir" "$(stage_dir kernel)" ;;
	kernel-debug | kernel-kcsan)
		sdk_exec "$recipes/kernel-own.sh" "$dir" "$(stage_dir source)" "$recipes/own.config" "$recipes/${name#kernel-}.config"
		;;
	kdir-*) sdk_exec "$recipes/kdir.sh" "$dir" "$(stage_dir kernel)" "$(stage_dir source)" "$arch" ;;
	guest-*) sdk_exec "$recipes/guest.sh" "$dir" "$arch" ;;
	miri) sdk_exec "$recipes/miri.sh" "$dir" ;;
	esac
}

# Parts of a root file system belong to subordinate users of an ordinary user.
remove_tree() {
	[ -e "$1" ] || return 0
	if [ "$(id -u)" = 0 ]; then
		rm -rf --one-file-system "$1"
	else
		rm -rf "$1" 2>/dev/null || unshare --user --map-root-user --map-auto rm -rf --one-file-system "$1"
	fi
}

# 8 GB hold all of it; half of that is enough to add to what is there.
check_space() {
	local need=$((8 << 20)) free
	[ ! -e "$(stage_dir source)" ] || need=$((3 << 20))
	mkdir -p "$cache"
	free=$(df --output=avail -k "$cache" | tail -n 1)
	[ "$free" -ge "$need" ] ||
		die "$cache has $((free >> 20)) GB free and the SDK needs $((need >> 20)) GB: make room, or set XDG_CACHE_HOME to a directory on a larger disk"
}
