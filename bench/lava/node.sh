#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# One machine of a LAVA job with two (bench/lava/job.yaml). The receiver lets the sender in by
# ssh while the job lasts; the sender runs bench/remote and hands its TAP on.
#
# CASES, MIB, INTERFACE: see job.yaml. PACKAGES: a directory with packages, instead of making
# them; SSH_PORT: where the receiver's sshd waits, unless it is 22.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
role=$(lava-role)
tmp=$(mktemp -d)
keys=$HOME/.ssh/authorized_keys
mark=sockloan-lava-$$
# What the other end waits for, whatever happens here
owed=''

# shellcheck disable=SC2317 # called by the trap
clean_up() {
	trap - EXIT
	[ ! -e "$keys" ] || sed -i "/ $mark\$/d" "$keys"
	rm -rf "$tmp"
	[ -z "$owed" ] || lava-send $owed
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

# need PROGRAM PACKAGE
need() {
	command -v "$1" >/dev/null && return
	apt-get -q update &&
		DEBIAN_FRONTEND=noninteractive apt-get -y -q install --no-install-recommends "$2"
}

# heard KEY: of the message that lava-wait waited for
heard() { sed -n "s/^$1=//p" /tmp/lava_multi_node_cache.txt | tail -n 1; }

# The address that others know this machine by
address() {
	local interface=${INTERFACE:-}
	[ -n "$interface" ] ||
		interface=$(ip -o route show default | sed -n '1s/.* dev \([^ ]*\).*/\1/p')
	ip -o -4 address show dev "$interface" | sed -n '1s,.* inet \([0-9.]*\)/.*,\1,p'
}

receive() {
	owed='sockloan-address ip='
	need /usr/sbin/sshd openssh-server
	(umask 077; mkdir -p "$HOME/.ssh"; touch "$keys")
	lava-wait sockloan-key
	echo "ssh-ed25519 $(heard key) $mark" >>"$keys"
	owed=''
	lava-send sockloan-address ip="$(address)"
	lava-wait sockloan-done
}

# Each line of TAP as a test case; names become what LAVA takes for one
hand_on() {
	local line name
	while read -r line; do
		echo "$line"
		name=$(sed -E 's/^(not )?ok [0-9]+ //; s/ *#.*//; s,[^A-Za-z0-9_.-],-,g' <<<"$line")
		case $line in
		'ok '*'# SKIP'*) lava-test-case "$name" --result skip ;;
		'ok '*) lava-test-case "$name" --result pass ;;
		'not ok '* | 'Bail out!'*) lava-test-case "$name" --result fail ;;
		esac
	done
}

send() {
	local ip
	owed=sockloan-done
	need ssh openssh-client
	need make make
	ssh-keygen -q -t ed25519 -N '' -C '' -f "$tmp/key"
	# The middle word alone: it has no space and no "=".
	lava-send sockloan-key key="$(cut -d' ' -f2 "$tmp/key.pub")"
	[ -n "${PACKAGES:-}" ] || make -C "$top" deb
	lava-wait sockloan-address
	ip=$(heard ip)
	[ -n "$ip" ] || { echo 'the receiver is not ready' >&2; return 1; }
	printf '%s\n' "Host $ip" 'User root' "Port ${SSH_PORT:-22}" "IdentityFile $tmp/key" \
		'StrictHostKeyChecking accept-new' "UserKnownHostsFile $tmp/known" >"$tmp/config"
	# shellcheck disable=SC2086 # patterns, as they are
	(set -f -o pipefail
	"$top/bench/remote" --tap -i -d "${PACKAGES:-$top/build/deb}" -F "$tmp/config" \
		-b "${MIB:-1024}" -o "$top/build/lava" . "$ip" ${CASES:-} | hand_on)
}

case $role in
sender) send ;;
receiver) receive ;;
*) echo "the role is sender or receiver, not '$role'" >&2; exit 1 ;;
esac
