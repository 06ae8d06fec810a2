#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The test host that the USB cable, in form of usbip, comes to. Started by check.
#
# SOCKLOAN_USB_PULLS=N  how often it is cut (default 3)
cd "$(dirname "$0")" || exit 1
. ../tap.sh
. ./common.sh

pulls=${SOCKLOAN_USB_PULLS:-3}
slow=${SOCKLOAN_SLOW:-1}

host() { ip netns exec host "$@"; }

# gadget FUNCTION [ARGUMENT...]: done on the other test host
gadget() {
	local line status=1
	exec 3<>"/dev/tcp/$usbip_gadget/$usbip_control" || return
	echo "$*" >&3
	while read -r line <&3; do
		case $line in
		status\ *) status=${line#status } ;;
		*) echo "$line" ;;
		esac
	done
	exec 3>&-
	return "$status"
}

# ask FUNCTION [ARGUMENT...]: likewise; the other end may not listen yet
ask() { within 60 gadget "$@" 2>/dev/null; }

flow() { host timeout $((240 * slow)) sockloan run ./flow.py "$@"; }

attach() { usbip attach -r $usbip_gadget -d usbip-vudc.0; }
detach() { usbip detach -p 0 >/dev/null 2>&1; }
no_interface() { ! usb_interface >/dev/null; }
answers() { host ping -q -c 1 -W 2 10.8.0.1 >/dev/null; }

# Some kernels' usbip says that it is attached when the cable's other end was only just
# plugged in again, and nothing comes of it.
attached() {
	attach 2>/dev/null && within 15 usb_interface >/dev/null && return
	detach
	return 1
}

connect() {
	within 120 attached
	usb_take rndis_loan
	within 60 usb_netdev
	ip link set "$(basename "$(compgen -G "$(usb_interface)/net/*")")" netns host name usb0
	usbip_addresses host 2
	within 60 answers
}

enumerates() {
	ask plug
	connect
	host ethtool -i usb0 | grep -qx 'driver: rndis_loan'
	host ethtool -k usb0 | grep -q '^tcp-segmentation-offload: on'
}

# Contents are compared at both ends.
tcp_v4() { flow tcp 10.8.0.1 $usbip_port 4; }
tcp_v6() { flow tcp fd00:8::1 $usbip_port 4; }
udp_v4() { flow udp 10.8.0.1 $usbip_port 100; }
udp_v6() { flow udp fd00:8::1 $usbip_port 100; }

# What the two programs lent, and what of it crossed without a copy: usbip's host end
# gathers, its device end does not.
lends() {
	local lent sent there copied
	lent=$(usbip_lent host)
	sent=$(usb_count host tx_lent_bytes)
	there=$(ask lent)
	copied=$(ask count tx_copied_no_sg)
	host grep -v '[[:space:]]0$' /proc/net/sockloan | sed 's/^/# host: /'
	ask counts | sed 's/^/# gadget: /'
	echo "# lent at the host $lent, of it $sent by the driver; at the gadget $there"
	[ "$lent" -gt $((6 << 20)) ]
	[ "$sent" -gt $((6 << 20)) ]
	[ "$there" -gt 0 ]
	[ "$copied" -gt 0 ]
	[ "$(usb_count host tx_large)" -gt 0 ]
	[ "$(usb_count host rx_malformed)" = 0 ]
	[ "$(ask count rx_malformed)" = 0 ]
}

# cut WAY: a connection that ends within a transfer to the gadget is the end of that
# kernel (Documentation/usb.rst): nothing but acknowledgements goes there meanwhile.
cut() {
	case $1 in
	0) detach ;;
	1) ask unplug ;;
	2) ask stop ;;
	esac
}

received() { host cat /sys/class/net/usb0/statistics/rx_bytes; }
flows() { [ "$(received)" -gt $(($1 + 1000000)) ]; }

survives_being_cut() {
	local i before
	for ((i = 0; i < pulls; i++)); do
		before=$(received)
		# Not by host(): what is killed then would be a shell.
		ip netns exec host ./flow.py fetch 10.8.0.1 $usbip_port &
		within 60 flows "$before"
		sleep 0.$((RANDOM % 10))
		cut $((i % 3))
		within 60 no_interface
		kill $! 2>/dev/null || true
		wait
		detach || true
		[ $((i % 3)) = 0 ] || { ask unplug; ask plug; }
		connect
		echo "# $((i + 1)) of $pulls"
	done
	flow tcp 10.8.0.1 $usbip_port 1
}

usbip_network 2
modprobe vhci-hcd || exit 1
usb_modules_loaded rndis_loan
echo 1 >/sys/module/rndis_loan/parameters/take
ip netns add host
mkdir -p /var/run/vhci_hcd
echo "# $(uname -r) is the host"
trap 'detach; gadget quit' EXIT
tap enumerates tcp_v4 tcp_v6 udp_v4 udp_v6 lends survives_being_cut
