#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The test host that has the gadget: what host.sh asks for is done here, until it says
# "quit" or is silent for long. Started by check.
cd "$(dirname "$0")" || exit 1
. ../tap.sh
. ./common.sh

plug() {
	usb_build rndis_loan
	echo usbip-vudc.0 >$usb_gadget/UDC
	ip link set "$(cat $usb_gadget/functions/*.0/ifname)" netns gadget name usb0
	usbip_addresses gadget 1
	ip netns exec gadget sockloan run ./flow.py serve $usbip_port >/dev/null 2>&1 &
}

unplug() {
	usb_unplug
	# shellcheck disable=SC2046 # none or several
	kill $(ip netns pids gadget) 2>/dev/null || true
}

# Ends usbip's connection; the gadget stays.
stop() { echo -1 >/sys/devices/platform/usbip-vudc.0/usbip_sockfd; }

count() { usb_count gadget "$1"; }
lent() { usbip_lent gadget; }
counts() { ip netns exec gadget grep -v '[[:space:]]0$' /proc/net/sockloan; }

# Answers are the function's output and "status N".
answer() {
	local line
	read -r line || return
	case $line in
	quit) touch "$tmp/quit" ;;
	esac
	# shellcheck disable=SC2086 # a function and its arguments
	(set -e; $line 2>&1)
	echo "status $?"
}

quit() { :; }

tmp=$(mktemp -d)
usbip_network 1
modprobe usbip-vudc || exit 1
usb_modules_loaded usb_f_rndis_loan
ip netns add gadget
usbipd -e -D || exit 1
mkfifo "$tmp/answers"
echo "# $(uname -r) has the gadget"
while [ ! -e "$tmp/quit" ]; do
	# shellcheck disable=SC2094 # a pipe
	timeout $((600 * ${SOCKLOAN_SLOW:-1})) nc -N -l $usbip_control <"$tmp/answers" |
		answer >"$tmp/answers"
	[ "${PIPESTATUS[0]}" = 0 ] || { echo '# the other test host is silent'; exit 1; }
done
usb_unplug
