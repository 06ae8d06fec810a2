#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A USB peer that does not keep to the protocol, at either end of the cable: the link
# works afterwards, or is down, and the modules can go.
#
# SOCKLOAN_USB_MESSAGES=N   messages of each sort (default 300)
# SOCKLOAN_USB_SEED=N       what they are made from (default 2)
# SOCKLOAN_USB_STOCK=1      the kernel's own drivers instead: to see what the peers do

cd "$(dirname "$0")" || exit 1
. ./tap.sh

modules=$(dirname "${SOCKLOAN_KO:?}")
bin=${SOCKLOAN_TESTS:-$PWD/../build/selftests}
messages=${SOCKLOAN_USB_MESSAGES:-300}
seed=${SOCKLOAN_USB_SEED:-2}
slow=${SOCKLOAN_SLOW:-1}
host_driver=rndis_loan function=rndis_loan
[ -z "${SOCKLOAN_USB_STOCK:-}" ] || { host_driver=rndis_host function=rndis; }
gadget=/sys/kernel/config/usb_gadget/hostile
drivers=/sys/bus/usb/drivers

interface() { compgen -G '/sys/bus/usb/devices/*-[1-9]*:1.0'; }
no_interface() { ! interface >/dev/null; }
bound() { [ -e "$(interface)/driver" ]; }
netdev() { compgen -G "$(interface)/net/*" >/dev/null; }
said() { grep -qsx "$1" "$tmp/said"; }
answers() { ping -q -c 1 -W 1 10.9.0.2 >/dev/null; }
ended() { ! kill -0 "$1" 2>/dev/null; }

load() {
	local name
	if ! modprobe -qa libcomposite usb_f_fs usb_f_rndis usbnet rndis_host dummy_hcd; then
		echo '1..0 # SKIP this kernel has no dummy_hcd, or no functionfs'
		exit 4
	fi
	for name in sl_rndis usb_f_rndis_loan rndis_loan; do
		[ -e "/sys/module/$name" ] || insmod "$modules/$name.ko"
	done
	# It is bound by hand, after rndis_host has had its turn.
	echo 1 >/sys/module/rndis_loan/parameters/take
	mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
	sysctl -q net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0
}

# Whatever a case that failed has left
clean() {
	local name
	ip netns del sl_gadget 2>/dev/null || true
	[ -d $gadget ] || return 0
	# shellcheck disable=SC2046 # none or one
	kill -KILL $(jobs -p) $(pgrep -x usb_device) 2>/dev/null || true
	sleep 0.5
	echo >$gadget/UDC 2>/dev/null || true
	umount "$tmp/ffs" 2>/dev/null || true
	for name in "$gadget"/configs/c.1/*.* "$gadget"/functions/*; do
		[ -L "$name" ] && rm "$name"
		[ -d "$name" ] && rmdir "$name"
	done
	rmdir $gadget/configs/c.1 $gadget
	rm -f "$tmp/said"
}

# make_gadget FUNCTION
make_gadget() {
	clean
	mkdir -p $gadget/configs/c.1
	echo 0x1d6b >$gadget/idVendor
	echo 0x0104 >$gadget/idProduct
	mkdir "$gadget/functions/$1"
	ln -s "$gadget/functions/$1" $gadget/configs/c.1/
}

# remove_gadget FUNCTION
remove_gadget() {
	echo >$gadget/UDC 2>/dev/null || true
	rm "$gadget/configs/c.1/$1"
	rmdir "$gadget/functions/$1" $gadget/configs/c.1 $gadget
}

# The host's interface has the driver that is tested, if that will have it.
take() {
	local name
	name=$(basename "$(interface)")
	[ ! "$(interface)/driver" -ef $drivers/$host_driver ] || return 0
	! bound || echo "$name" >"$(interface)/driver/unbind" || true
	echo "$name" >$drivers/$host_driver/bind
}

# plug MODE COUNT: usb_device as $device
plug() {
	make_gadget ffs.hostile
	mkdir -p "$tmp/ffs"
	mount -t functionfs hostile "$tmp/ffs"
	"$bin/usb_device" "$tmp/ffs" $gadget/UDC "$(basename /sys/class/udc/dummy_udc.*)" "$1" "$seed" "$2" \
		>"$tmp/said" &
	device=$!
	within 60 said ready || { cat "$tmp/said"; return 1; }
	within 60 interface >/dev/null
}

unplug() {
	kill "$device" 2>/dev/null || true
	wait "$device" 2>/dev/null || true
	within 60 no_interface
	umount "$tmp/ffs"
	remove_gadget ffs.hostile
}

# up: the host's interface, with the address that usb_device asks for
up() {
	local name
	within 60 netdev
	name=$(basename "$(compgen -G "$(interface)/net/*")")
	ip address add 10.9.0.1/24 dev "$name"
	ip link set "$name" up
	ip -6 address add fe80::1/64 dev "$name" nodad 2>/dev/null || true
}

all_or_gone() { said all || ended "$device"; }

# Offload was: nothing of a frame is left out otherwise.
agreed() {
	ethtool -S "$(basename "$(compgen -G "$(interface)/net/*")")" |
		awk '/rx_(large|checksum_left):/ { print "# " $1, $2; n += $2 > 0 } END { exit n != 2 }'
}

host_and_bad_frames() {
	plug all "$messages"
	# usb_device does nothing wrong until it is pinged.
	within 60 take 2>/dev/null
	up
	within 60 answers
	within 600 all_or_gone
	said all || { sed 's/^/# /' "$tmp/said"; return 1; }
	within 60 answers
	[ $((seed % 2)) = 1 ] || [ $host_driver != rndis_loan ] || agreed
	unplug
}

# Tries to be bound until the device means it; in between it may be, on odd terms.
host_and_bad_answers() {
	local count=$((messages / 25 + 4))
	plug control $count
	until said all; do
		if take 2>/dev/null && netdev; then
			up
			answers || true
			basename "$(interface)" >$drivers/$host_driver/unbind
		fi
	done
	within 60 take 2>/dev/null
	up
	within 60 answers
	unplug
}

# The device goes while the host waits for its first, second ... answer.
host_and_no_answer() {
	local count
	for count in 1 2 4; do
		plug mute $count
		take 2>/dev/null || true
		within 60 ended "$device"
		unplug
	done
}

# The gadget's end is the kernel's; no driver has the other one.
plug_gadget() {
	local name
	make_gadget $function.0
	basename /sys/class/udc/dummy_udc.* >$gadget/UDC
	within 60 interface >/dev/null
	name=$(cat $gadget/functions/$function.0/ifname)
	ip address add 10.9.0.1/24 dev "$name"
	ip -6 address add fe80::1/64 dev "$name" nodad 2>/dev/null || true
	ip link set "$name" up
}

unplug_gadget() {
	remove_gadget $function.0
	within 60 no_interface
}

# abuse MODE COUNT
abuse() {
	timeout $((600 * slow)) "$bin/usb_abuse" "$1" "$seed" "$2" >"$tmp/said" || true
	said all || { sed 's/^/# /' "$tmp/said"; return 1; }
}

gadget_and_bad_requests() {
	[ -e "$bin/usb_abuse" ] || skip 'built without libusb'
	plug_gadget
	abuse control "$messages"
	unplug_gadget
}

gadget_and_bad_frames() {
	[ -e "$bin/usb_abuse" ] || skip 'built without libusb'
	plug_gadget
	abuse all "$messages"
	unplug_gadget
}

# One transfer for each check; the counters tell, so this is about our function only.
gadget_checks_each() {
	local device
	[ "$function" = rndis_loan ] || skip 'the kernel has no such counters'
	plug_gadget
	! bound || basename "$(interface)" >"$(interface)/driver/unbind"
	device=$(interface)
	device=${device%:*}
	./usb_guards.py "/dev/bus/usb/$(printf %03d/%03d "$(cat "$device/busnum")" \
		"$(cat "$device/devnum")")" "$(cat $gadget/functions/$function.0/ifname)"
	unplug_gadget
}

# Both ends are ours.
proper_peers() {
	local name
	make_gadget $function.0
	ip netns add sl_gadget
	basename /sys/class/udc/dummy_udc.* >$gadget/UDC
	within 60 interface >/dev/null
	within 60 take 2>/dev/null
	up
	name=$(cat $gadget/functions/$function.0/ifname)
	ip link set "$name" netns sl_gadget
	ip -n sl_gadget address add 10.9.0.2/24 dev "$name"
	ip -n sl_gadget link set "$name" up
	within 60 answers
	ping -q -c 20 -i 0.02 -s 1400 -W 2 10.9.0.2 >"$tmp/ping"
	grep -q ' 0% packet loss' "$tmp/ping"
	remove_gadget $function.0
	ip netns del sl_gadget
	within 60 no_interface
}

modules_go() {
	within 60 rmmod rndis_loan
	within 60 rmmod usb_f_rndis_loan
	within 60 rmmod sl_rndis
}

tmp=$(mktemp -d)
load || exit 1
tap host_and_bad_frames host_and_bad_answers host_and_no_answer \
	gadget_checks_each gadget_and_bad_requests gadget_and_bad_frames proper_peers modules_go
