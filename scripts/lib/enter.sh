# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Run commands in the SDK.

# The environment that builds in the SDK see: the caller's settings for the
# network and for the build, nothing else.
sdk_env() {
	local name
	printf '%s\0' PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		HOME="$cache/home" LANG=C.UTF-8 TERM="${TERM:-dumb}" \
		CARGO_HOME="$cache/cargo" SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
		SDK="$(sdk_mode)" PIDSPACE_IN_SDK="$(sdk_mode)" PIDSPACE_CACHE="$cache" SDK_SUITE="$sdk_suite"
	for name in {http,https,no,all}_proxy {HTTP,HTTPS,NO,ALL}_PROXY MIRROR V W SOURCE_DATE_EPOCH RUST_BACKTRACE \
		$(compgen -e | grep -E '^(CARGO_(HTTP|NET|REGISTR|SOURCE|TERM|BUILD_JOBS)|PROPTEST_|VM_)' || :); do
		[ -z "${!name+set}" ] || printf '%s\0' "$name=${!name}"
	done
}

# sdk_exec COMMAND...: become COMMAND in the SDK, in the same directory.
# PIDSPACE_BINDS names more host directories to make visible, one per line.
sdk_exec() {
	local -a environment inside
	mkdir -p "$cache/home" "$cache/cargo"
	mapfile -d '' environment < <(sdk_env)
	if [ -n "${PIDSPACE_IN_SDK:-}" ] || [ "$(sdk_mode)" = host ]; then
		exec env -i "${environment[@]}" "$@"
	fi
	inside=(unshare --mount)
	[ "$(id -u)" = 0 ] || inside=(unshare --user --map-root-user --map-auto --mount)
	exec "${inside[@]}" "$project/scripts/lib/enter-root" "$(stage_dir root)/fs" \
		"$project" "$cache" ${PIDSPACE_BINDS:+"$PIDSPACE_BINDS"} -- env -i "${environment[@]}" "$@"
}
