#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# rndis_loan.ko against the kernel's own RNDIS gadget on an emulated cable, and against
# QEMU's device where there is one (SOCKLOAN_QEMU="-device qemu-xhci -netdev user,id=u0
# -device usb-net,netdev=u0" vm/run ...).

cd "$(dirname "$0")" || exit 1
. ./tap.sh

modules=${SOCKLOAN_KO:?}
modules=${modules%/*}
drivers=/sys/bus/usb/drivers
gadget=/sys/kernel/config/usb_gadget/sl_host
udc=dummy_udc.0
port=5997
slow=${SOCKLOAN_SLOW:-1}

# The interface, as USB names it, that has RNDIS's class, on a bus whose controller's
# driver is called so
interface_on() {
	local dir class
	for dir in /sys/bus/usb/devices/*:*; do
		# It may have gone meanwhile.
		{ read -r class <"$dir/bInterfaceClass"; } 2>/dev/null || continue
		[ "$class" = "${2:-02}" ] || continue
		case $(readlink -f "$dir") in
		*$1*) basename "$dir"; return ;;
		esac
	done
	return 1
}

driver_of() { basename "$(readlink -f "/sys/bus/usb/devices/$1/driver")"; }

bound() { [ "$(driver_of "$1")" = "$2" ]; }

# The network interface of a USB interface
netdev_of() { ls "/sys/bus/usb/devices/$1/net" 2>/dev/null; }

has_netdev() { [ -n "$(netdev_of "$1")" ]; }

unbind() { echo "$1" >"/sys/bus/usb/drivers/$(driver_of "$1")/unbind"; }

# take INTERFACE: from whatever driver has it
take() {
	within 60 has_driver "$1"
	bound "$1" rndis_loan || {
		unbind "$1"
		echo "$1" >$drivers/rndis_loan/bind
	}
	within 60 has_netdev "$1"
}

has_driver() { [ -e "/sys/bus/usb/devices/$1/driver" ]; }

plug() {
	echo $udc >$gadget/UDC
	# shellcheck disable=SC2016 # for eval
	within 60 eval 'usb=$(interface_on dummy_hcd)'
}

make_gadget() {
	modprobe -a libcomposite usb_f_rndis dummy_hcd
	mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config
	mkdir $gadget $gadget/configs/c.1 $gadget/functions/rndis.usb0
	echo 0x1d6b >$gadget/idVendor
	echo 0x0104 >$gadget/idProduct
	echo 02:00:00:00:51:01 >$gadget/functions/rndis.usb0/host_addr
	echo 02:00:00:00:51:02 >$gadget/functions/rndis.usb0/dev_addr
	ln -s $gadget/functions/rndis.usb0 $gadget/configs/c.1/
}

# Both ends with addresses, ours in this namespace, the gadget's in another
up() {
	local peer
	net=$(netdev_of "$usb")
	peer=$(cat $gadget/functions/rndis.usb0/ifname)
	ip netns list | grep -q '^sl_usb' || ip netns add sl_usb
	# Afterwards ours may have that name here.
	! grep -qs 51:02 "/sys/class/net/$peer/address" || ip link set "$peer" netns sl_usb
	ip -n sl_usb link set "$peer" up
	ip -n sl_usb addr replace 10.51.0.2/24 dev "$peer"
	ip -n sl_usb addr replace fd51::2/64 dev "$peer" nodad
	ip link set "$net" up
	ip addr replace 10.51.0.1/24 dev "$net"
	ip addr replace fd51::1/64 dev "$net" nodad
	within 60 reaches 10.51.0.2
}

# reaches ADDRESS [BYTES]
reaches() { ping -c 1 -W 2 ${2:+-s "$2"} "$1" >/dev/null; }

serve() {
	ip netns pids sl_usb | grep -q . ||
		ip netns exec sl_usb iperf3 -s -p $port -D
	within 60 bash -c "exec 3<>/dev/tcp/10.51.0.2/$port" 2>/dev/null
}

# traffic [ARG...]
traffic() {
	timeout $((60 * slow)) iperf3 -p $port -n 2M "$@" >"$tmp/iperf" || { cat "$tmp/iperf"; return 1; }
}

# load: some that goes on in both directions until kill_load
load() {
	while :; do
		timeout 10 iperf3 -c 10.51.0.2 -p $port -t 10 --bidir -b 4M || sleep 0.1
	done >/dev/null 2>&1 &
	echo $! >"$tmp/loader"
	sleep 0.5
}

stop_load() {
	local loader
	[ -e "$tmp/loader" ] || return 0
	loader=$(cat "$tmp/loader")
	rm "$tmp/loader"
	# The loop first, or it begins anew
	kill -STOP "$loader" || true
	pkill -P "$loader" || true
	kill -KILL "$loader" || true
	# The server may wait for a client that is gone.
	ip netns pids sl_usb | xargs -r kill || true
} 2>/dev/null

kill_load() {
	stop_load
	serve
	traffic -c 10.51.0.2 -n 64K
}

stat() { ethtool -S "$net" | awk -v name="$1:" '$1 == name { print $2 }'; }

ready() {
	stop_load
	take "$usb"
	up
	serve
}

not_taken_unasked() {
	within 60 has_driver "$usb"
	bound "$usb" rndis_host
	unbind "$usb"
	fails bash -c "echo $usb >$drivers/rndis_loan/bind" 2>/dev/null
	# Nor what is no RNDIS device, whatever new_id says
	echo 1d6b 0002 >$drivers/rndis_loan/new_id
	fails bash -c "ls $drivers/rndis_loan | grep :"
	fails bash -c "echo 1-0:1.0 >$drivers/rndis_loan/bind" 2>/dev/null
	fails bash -c "echo rubbish >$drivers/rndis_loan/new_id" 2>/dev/null
	echo 1d6b 0002 >$drivers/rndis_loan/remove_id
}

taken_by_new_id() {
	echo 1d6b 0104 >$drivers/rndis_loan/new_id
	within 60 has_netdev "$usb"
	bound "$usb" rndis_loan
	up
	within 60 reaches fd51::2
	echo 1d6b 0104 >$drivers/rndis_loan/remove_id
	echo 1 >/sys/module/rndis_loan/parameters/take
}

pings_of_all_sizes() {
	local size
	ready
	# Around the lengths where a transfer ends with a whole packet
	for size in 1 422 423 424 425 426 427 934 936 938 1448 1472; do
		within 60 reaches 10.51.0.2 $size
	done
	within 60 reaches 10.51.0.2 20000
	ping -f -c 100 -W 2 10.51.0.2 >/dev/null
}

tcp_and_udp() {
	ready
	traffic -c 10.51.0.2
	traffic -c 10.51.0.2 -R
	traffic -c fd51::2
	traffic -c fd51::2 -R
	traffic -c 10.51.0.2 -u -b 20M -n 1M
	traffic -c 10.51.0.2 -u -b 20M -n 1M -R
	traffic -c 10.51.0.2 -Z
	traffic -c 10.51.0.2 --bidir -P 3
	[ "$(stat rx_malformed)" = 0 ]
	[ "$(stat tx_too_long)" = 0 ]
	[ "$(stat tx_segments_cut)" -gt 100 ]
}

# The contents, not only that TCP is content
file_arrives() {
	ready
	head -c 3M /dev/urandom >"$tmp/file"
	ip netns exec sl_usb timeout $((60 * slow)) nc -l -p 5998 >"$tmp/copy" </dev/null &
	within 60 bash -c "ip netns exec sl_usb ss -tln | grep -q :5998"
	timeout $((60 * slow)) nc -N 10.51.0.2 5998 <"$tmp/file"
	wait $!
	cmp "$tmp/file" "$tmp/copy"
}

# Extension headers: nothing of such frames is left to the driver to cut. It would get their
# length wrong, which TCP hides here: it sends them again.
file_arrives_behind_options() {
	local cut
	ready
	cut=$(stat tx_segments_cut)
	head -c 2M /dev/urandom >"$tmp/file"
	ip netns exec sl_usb timeout $((60 * slow)) nc -6 -l -p 5998 >"$tmp/copy" </dev/null &
	within 60 bash -c "ip netns exec sl_usb ss -tln | grep -q :5998"
	timeout $((60 * slow)) python3 - "$tmp/file" <<-'END'
		import socket, sys
		sock = socket.socket(socket.AF_INET6)
		padding = bytes([0, 0, 1, 4, 0, 0, 0, 0])
		sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS, padding)
		sock.connect(("fd51::2", 5998))
		sock.sendfile(open(sys.argv[1], "rb"))
		sock.shutdown(socket.SHUT_WR)
		sock.recv(1)
	END
	wait $!
	cmp "$tmp/file" "$tmp/copy"
	echo "# $(($(stat tx_segments_cut) - cut)) segments cut"
	[ "$(stat tx_segments_cut)" = "$cut" ]
}

says_what_it_is() {
	ready
	ethtool -i "$net" | grep -q '^driver: rndis_loan$'
	[ "$(stat rx_messages)" -gt 0 ]
	[ "$(stat tx_messages)" -gt 0 ]
}

mtu_changes_under_load() {
	local mtu
	ready
	load
	for mtu in 1400 576 1500 1280 1500; do
		ip link set "$net" mtu $mtu
		sleep 0.2
	done
	kill_load
	fails ip link set "$net" mtu 9000 2>/dev/null
	fails ip link set "$net" mtu 20 2>/dev/null
	up
}

down_and_up_under_load() {
	local _
	ready
	load
	for _ in 1 2 3 4 5; do
		ip link set "$net" down
		ip link set "$net" up
		sleep 0.1
	done
	up
	kill_load
}

bound_again_under_load() {
	local _
	ready
	load
	for _ in 1 2 3; do
		unbind "$usb"
		echo "$usb" >$drivers/rndis_loan/bind
		within 60 has_netdev "$usb"
		up
		sleep 0.2
	done
	kill_load
}

pulled_under_load() {
	local _
	ready
	load
	for _ in $(seq "${SOCKLOAN_USB_PULLS:-3}"); do
		echo >$gadget/UDC
		plug
		take "$usb"
		up
		sleep 0.1
	done
	kill_load
}

suspended_and_resumed() {
	local device=/sys/bus/usb/devices/${usb%:*}
	ready
	traffic -c 10.51.0.2 -n 256K
	# While it is up, it stays awake.
	echo auto >"$device/power/control"
	echo 0 >"$device/power/autosuspend_delay_ms"
	ip link set "$net" down
	within 60 grep -q suspended "$device/power/runtime_status"
	ip link set "$net" up
	within 60 grep -q active "$device/power/runtime_status"
	echo on >"$device/power/control"
	up
	traffic -c 10.51.0.2 -n 256K
	traffic -c 10.51.0.2 -n 256K -R
}

# It calls itself so, and speaks RNDIS in its second configuration only.
qemu_rndis() {
	local device
	device=$(grep -ls 'RNDIS/QEMU' /sys/bus/usb/devices/*/product) || return
	device=${device%/*}
	echo 2 >"$device/bConfigurationValue"
	usb=${device##*/}:2.0
}

qemu_device() {
	local net usb size malformed
	qemu_rndis || skip "QEMU has no usb-net here"
	take "$usb"
	net=$(netdev_of "$usb")
	ip link set "$net" up
	ip addr add 10.0.2.15/24 dev "$net"
	within 60 reaches 10.0.2.2
	# What came for its other configuration, as a router's advertisement does after some
	# minutes, it has kept, and sends that with no message around it.
	malformed=$(stat rx_malformed)
	[ "$malformed" -le 1 ]
	for size in 1 18 20 22 24 26 28 86 88 90 92 422 424 426 1446 1448 1450 1472; do
		within 60 reaches 10.0.2.2 $size
	done
	ip link set "$net" down
	ip link set "$net" up
	within 60 reaches 10.0.2.2
	[ "$(stat rx_malformed)" = "$malformed" ]
	# One message a transfer, and a bus that gathers: every frame goes as it lies.
	[ "$(stat tx_transfers)" -gt 18 ]
	[ "$(stat tx_copied_bytes)" = 0 ]
}

# shellcheck disable=SC2317 # called by the trap
clean_up() {
	stop_load
	ip netns pids sl_usb 2>/dev/null | xargs -r kill
	echo >$gadget/UDC
	# Its network interface would outlive the controller that it hangs on.
	rm $gadget/configs/c.1/rndis.usb0
	rmdir $gadget/functions/rndis.usb0 $gadget/configs/c.1 $gadget
	ip netns delete sl_usb
	rm -rf "$tmp"
} 2>/dev/null

tmp=$(mktemp -d)
trap clean_up EXIT
modprobe -a usbnet cdc_ether rndis_host || exit 1
modprobe xhci_pci
[ -e /sys/module/sl_rndis ] || insmod "$modules/sl_rndis.ko" || exit 1
[ -e /sys/module/rndis_loan ] || insmod "$modules/rndis_loan.ko" || exit 1
make_gadget || exit 1
plug || exit 1

tap not_taken_unasked taken_by_new_id pings_of_all_sizes tcp_and_udp file_arrives \
	file_arrives_behind_options says_what_it_is mtu_changes_under_load down_and_up_under_load \
	bound_again_under_load pulled_under_load suspended_and_resumed qemu_device
