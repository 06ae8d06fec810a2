#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Full, high and super speed, with our driver at both ends: what a host reads of the
# device, and traffic. The emulated controller is loaded anew for each.

cd "$(dirname "$0")" || exit 1
. ./tap.sh
. ./usb_lib.sh

flow=${SOCKLOAN_TESTS:-$PWD/../build/selftests}/usb_flow

host() { ip netns exec host "$@"; }

describe() {
	echo RNDIS >$usb_gadget/functions/rndis_loan.0/os_desc/interface.rndis/compatible_id
	echo 5162001 >$usb_gadget/functions/rndis_loan.0/os_desc/interface.rndis/sub_compatible_id
	echo 1 >$usb_gadget/os_desc/use
	echo MSFT100 >$usb_gadget/os_desc/qw_sign
	echo 0xcd >$usb_gadget/os_desc/b_vendor_code
	ln -s $usb_gadget/configs/c.1 $usb_gadget/os_desc/
}

# at SPEED PARAMETER...
at() {
	local speed=$1 interface
	shift
	usb_unplug
	rmmod dummy_hcd
	modprobe dummy_hcd num=2 "$@"
	usb_build rndis_loan
	describe
	usb_enumerate rndis_loan
	interface=$(usb_interface)
	./usb_descriptors.py "${interface%:*}" "$speed"
	usb_connect
	host ping -q -i 0.05 -c 5 -s 20000 fd00:8::1 >/dev/null
	"$flow" host gadget 10.8.0.1 4
	"$flow" gadget host 10.8.0.2 4
	[ "$(usb_count host rx_malformed)" = 0 ]
	[ "$(usb_count gadget rx_malformed)" = 0 ]
	[ "$(usb_count host tx_large)" -gt 0 ]
	usb_unplug
}

full_speed() { at full is_high_speed=0; }
high_speed() { at high; }
super_speed() { at super is_super_speed=1; }

trap 'usb_unplug; usb_unload; rmmod dummy_hcd' EXIT
usb_load
# On a slow machine pacing would make large frames of two segments.
for netns in gadget host; do
	ip netns exec $netns sysctl -q net.ipv4.tcp_min_tso_segs=40
done
tap full_speed high_speed super_speed
