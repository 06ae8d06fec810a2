# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # names are for those who read this
# What both test hosts of the usbip test do.

. ../usb_lib.sh

usbip_port=5297     # flow.py
usbip_control=7000  # gadget.sh
usbip_gadget=10.9.1.1

# usbip_network LAST: the card that connects the test hosts has address 10.9.1.LAST
usbip_network() {
	modprobe e1000e
	within 60 [ -e /sys/class/net/eth0 ]
	ip address add "10.9.1.$1/24" dev eth0
	ip link set eth0 up
}

# usb_modules_loaded NAME: ours, and what it needs
usb_modules_loaded() {
	modprobe -qa libcomposite usb_f_rndis usbnet rndis_host
	insmod "$(dirname "$SOCKLOAN_KO")/sl_rndis.ko" || exit 1
	insmod "$(dirname "$SOCKLOAN_KO")/$1.ko" || exit 1
	mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
}

# usbip_addresses NETNS LAST: of usb0
usbip_addresses() {
	# On a slow machine pacing would make large frames of two segments.
	ip netns exec "$1" sysctl -q net.ipv4.tcp_min_tso_segs=40
	ip -n "$1" address add "10.8.0.$2/24" dev usb0
	ip -n "$1" address add "fd00:8::$2/64" dev usb0 nodad
	ip -n "$1" link set lo up
	ip -n "$1" link set usb0 up
}

# usbip_lent NETNS: bytes that its programs have lent
usbip_lent() {
	# shellcheck disable=SC2016 # awk's fields
	ip netns exec "$1" awk '$1 == "BytesLent" { print $2 }' /proc/net/sockloan
}
