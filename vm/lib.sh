# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # the places are for the scripts that read this
# Shared by the scripts of vm/: places, messages, packages, locks.

vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
top=${vm_dir%/*}
cache=${XDG_CACHE_HOME:-${HOME:?}/.cache}/sockloan

# depmod, modprobe and friends are not in everybody's PATH.
PATH=$PATH:/usr/sbin:/sbin

say() { printf 'vm: %s\n' "$*" >&2; }

# 125 is what vm/run promises when the test host, not the command, failed.
die() {
	say "$*"
	exit 125
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "this needs root and there is no sudo: $*"
	fi
}

# need COMMAND=PACKAGE...: installs the packages of the commands that are missing.
# An absolute path in place of COMMAND asks for a file.
need() {
	local pair missing=()
	for pair; do
		case $pair in
		/*) [ -e "${pair%%=*}" ] || missing+=("${pair#*=}") ;;
		*) command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}") ;;
		esac
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	say "installing ${missing[*]} (missing here, needed for test hosts)"
	local install=(env DEBIAN_FRONTEND=noninteractive apt-get -y -q
		-o DPkg::Lock::Timeout=600 install --no-install-recommends "${missing[@]}")
	# The package lists may be absent (fresh image) or too old for the mirror.
	as_root "${install[@]}" >&2 ||
		{ as_root apt-get -q update >&2 && as_root "${install[@]}" >&2; } ||
		die "cannot install: ${missing[*]}"
}

# lock FILE FD: waits for FILE's lock and holds it on FD until the script ends.
lock() {
	mkdir -p "${1%/*}"
	eval "exec $2>>\"\$1\""
	flock -n "$2" && return
	say "waiting for another run to finish with ${1##*/}"
	flock "$2"
}
