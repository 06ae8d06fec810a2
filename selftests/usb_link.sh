#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The USB link with our driver at both ends:
#
#   netns gadget                       netns host
#     usb0  usb_f_rndis_loan -- dummy_hcd -- rndis_loan  usb0

cd "$(dirname "$0")" || exit 1
. ./tap.sh
. ./usb_lib.sh

slow=${SOCKLOAN_SLOW:-1}
flow=${SOCKLOAN_TESTS:-$PWD/../build/selftests}/usb_flow

host() { ip netns exec host "$@"; }
gadget() { ip netns exec gadget "$@"; }
# How much has passed since a counter was read
since() { echo $(($(usb_count "$1" "$2") - $3)); }

# iperf ARGUMENT...: from the host; -R for the other way
iperf() {
	local server ret=0
	gadget iperf3 -s -1 >/dev/null &
	server=$!
	within 60 eval 'gadget ss -Hltn "sport = 5201" | grep -q .'
	host timeout $((60 * slow)) iperf3 "$@" >/dev/null || ret=1
	[ $ret = 0 ] || kill $server
	wait $server || ret=1
	return $ret
}

plugs_in() { usb_plug rndis_loan rndis_loan; }

names_itself() {
	host ethtool -i usb0 | grep -qx 'driver: rndis_loan'
	gadget ethtool -i usb0 | grep -qx 'driver: usb_f_rndis_loan'
	host ethtool -k usb0 | grep -q '^tcp-segmentation-offload: on'
	gadget ethtool -k usb0 | grep -q '^tcp-segmentation-offload: on'
}

pings() {
	host ping -q -i 0.05 -c 5 10.8.0.1 >/dev/null
	host ping -q -i 0.05 -c 5 fd00:8::1 >/dev/null
	# More than a page, in fragments
	host ping -q -i 0.05 -c 3 -s 20000 10.8.0.1 >/dev/null
	gadget ping -q -i 0.05 -c 3 -s 20000 fd00:8::2 >/dev/null
}

tcp_v4() { iperf -c 10.8.0.1 -n 4M && iperf -c 10.8.0.1 -n 4M -R; }
tcp_v6() { iperf -c fd00:8::1 -n 4M && iperf -c fd00:8::1 -n 4M -R; }
udp_v4() { iperf -u -c 10.8.0.1 -b 40M -n 1M && iperf -u -c 10.8.0.1 -b 40M -n 1M -R; }
udp_v6() { iperf -u -c fd00:8::1 -b 10M -n 200K -l 64 && iperf -u -c fd00:8::1 -b 40M -n 1M -R; }

# seen FROM TO ADDRESS OFFSET: most of what is lent is mapped where it lies. Of a page that
# two segments share neither has all.
seen() {
	local large mapped
	large=$(usb_count "$1" tx_large)
	mapped=$("$flow" "$1" "$2" "$3" 8 "$4" | awk '$1 == "mapped" { print $2 }')
	echo "# $mapped of $((8 << 20)) bytes mapped, $(since "$1" tx_large "$large") large frames"
	[ "$mapped" -gt $((6 << 20)) ]
	[ "$(since "$1" tx_large "$large")" -gt 60 ]
}

lent_pages_arrive_aligned_at_the_gadget() { seen host gadget 10.8.0.1 0; }
lent_pages_arrive_aligned_at_the_host() { seen gadget host 10.8.0.2 0; }
# The pages' parts that a write begins and ends with are copied by the module.
unaligned_ones_too() { seen host gadget 10.8.0.1 1000; }

# dummy_hcd can gather for the host, but wants pieces of whole packets.
the_host_copies_no_payload() {
	local lent copied
	lent=$(usb_count host tx_lent_bytes)
	copied=$(usb_count host tx_copied_bytes)
	"$flow" host gadget 10.8.0.1 8 >/dev/null
	copied=$(since host tx_copied_bytes "$copied")
	echo "# $(since host tx_lent_bytes "$lent") bytes lent, $copied copied"
	[ "$(since host tx_lent_bytes "$lent")" -gt $((7 << 20)) ]
	[ "$copied" -lt $((1 << 20)) ]
}

small_frames_share_transfers() {
	local there back
	there=$(usb_count host tx_aggregated)
	back=$(usb_count gadget tx_aggregated)
	host ping -q -f -l 50 -c 2000 10.8.0.1 >/dev/null
	echo "# $(since host tx_aggregated "$there") there, $(since gadget tx_aggregated "$back") back"
	[ "$(since host tx_aggregated "$there")" -gt 500 ]
	[ "$(since gadget tx_aggregated "$back")" -gt 500 ]
}

# large_frame MSS: from the host, of 700 bytes, by a packet socket with virtio's header
large_frame() {
	host python3 - "$1" <<-'END'
		import socket, struct, sys
		sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
		sock.setsockopt(263, 15, 1)  # SOL_PACKET, PACKET_VNET_HDR
		sock.bind(("usb0", 0x800))
		virtio = struct.pack("=BBHHHH", 1, 1, 54, int(sys.argv[1]), 34, 16)
		ethernet = struct.pack("!6s6sH", bytes([2, 0, 0, 0, 0, 9]), bytes([2, 0, 0, 0, 0, 8]), 0x800)
		ip = struct.pack("!BxHIBBH4B4B", 0x45, 740, 0, 64, 6, 0, 10, 8, 0, 2, 10, 8, 0, 1)
		tcp = struct.pack("!HHIIBBHHH", 1000, 1000, 0, 0, 5 << 4, 16, 100, 0, 0)
		sock.send(virtio + ethernet + ip + tcp + bytes(700))
	END
}

# TCP's smallest segment is of 48 bytes with its options: 36 are left beside timestamps, 8 beside
# all there may be. The kernel's own TCP announces too much to see that here.
small_segments_are_large_frames() {
	local malformed mss tx rx
	malformed=$(usb_count gadget rx_malformed)
	for mss in 38 8; do
		tx=$(usb_count host tx_large)
		rx=$(usb_count gadget rx_large)
		large_frame $mss
		within 10 eval "[ \$(since gadget rx_large $rx) = 1 ]"
		[ "$(since host tx_large "$tx")" = 1 ]
	done
	[ "$(since gadget rx_malformed "$malformed")" = 0 ]
}

# Without offload at one end, large frames are cut there.
works_with_offload_off() {
	host ethtool -K usb0 tso off gso off >/dev/null
	iperf -c 10.8.0.1 -n 4M
	host ethtool -K usb0 tso on gso on >/dev/null
	usb_unplug
	usb_plug rndis_loan rndis_loan offload 0
	iperf -c 10.8.0.1 -n 4M
	iperf -c fd00:8::1 -n 4M -R
	[ "$(usb_count host tx_segments_cut)" -gt 0 ]
	[ "$(usb_count host tx_large)" = 0 ]
	[ "$(usb_count gadget tx_large)" = 0 ]
	usb_unplug
	usb_plug rndis_loan rndis_loan
}

mtu_changes_under_load() {
	local mtu
	usb_traffic --bidir
	for mtu in 1400 576 1500 1280; do
		host ip link set usb0 mtu $mtu
		gadget ip link set usb0 mtu $mtu
		sleep 0.2
	done
	usb_traffic_end
	host ip link set usb0 mtu 1500
	gadget ip link set usb0 mtu 1500
	usb_answers
	iperf -c 10.8.0.1 -n 1M
}

goes_down_and_up_under_load() {
	local _
	usb_traffic --bidir
	for _ in 1 2 3; do
		host ip link set usb0 down
		host ip link set usb0 up
		gadget ip link set usb0 down
		gadget ip link set usb0 up
		sleep 0.1
	done
	usb_traffic_end
	within 60 usb_answers
}

# Room for the tag of a VLAN, and for what the gadget aligns messages to.
sends_the_largest_mtu() {
	local mtu refused
	modprobe -q 8021q || skip 'this kernel has no VLANs'
	usb_unplug
	usb_plug rndis_loan rndis_loan offload 0
	mtu=$(host ip -d link show usb0 | awk '{ for (i = 1; i < NF; i++) if ($i == "maxmtu") print $(i + 1) }')
	host ip link set usb0 mtu "$mtu"
	host ip link add link usb0 name usb0.5 type vlan id 5
	host ip address add 10.85.0.2/24 dev usb0.5
	host ip link set usb0.5 up
	host ip neighbour add 10.85.0.1 lladdr 02:00:00:00:00:01 dev usb0.5
	refused=$(usb_count gadget rx_too_long)
	# The gadget's own MTU is less: it refuses what has arrived.
	fails host ping -q -c 1 -W 1 -M "do" -s $((mtu - 28)) 10.8.0.1 >/dev/null
	fails host ping -q -c 1 -W 1 -M "do" -s $((mtu - 28)) 10.85.0.1 >/dev/null
	refused=$(since gadget rx_too_long "$refused")
	echo "# MTU $mtu: $refused frames arrived, $(usb_count host tx_too_long) were too long"
	[ "$refused" = 2 ]
	[ "$(usb_count host tx_too_long)" = 0 ]
	usb_unplug
	usb_plug rndis_loan rndis_loan
}

# Kernels without byte queue limits do not tell: after a second there is nothing.
nothing_in_flight() {
	local limits=/sys/class/net/usb0/queues/tx-0/byte_queue_limits
	if gadget [ -e $limits ]; then
		gadget grep -qx 0 $limits/inflight
	else
		sleep "${SOCKLOAN_SLOW:-1}"
	fi
}

# The gadget was sending, by terms that the next driver knows nothing of.
leaves_nothing_to_another_driver() {
	local device name
	device=$(usb_interface)
	usb_traffic -R
	basename "$device" >$usb_drivers/rndis_loan/unbind
	usb_traffic_end
	within 5 nothing_in_flight
	basename "$device" >$usb_drivers/rndis_host/bind
	within 60 usb_netdev
	name=$(basename "$(compgen -G "$device/net/*")")
	ip link set "$name" netns host name usb0
	ip -n host address add 10.8.0.2/24 dev usb0
	ip -n host link set usb0 up
	within 60 usb_answers
	host grep -qx 0 /sys/class/net/usb0/statistics/rx_frame_errors
	usb_unplug
	usb_plug rndis_loan rndis_loan
}

is_busy_while_in_use() {
	fails rmmod usb_f_rndis_loan 2>/dev/null
	fails rmmod sl_rndis 2>/dev/null
}

# The host's driver may go at any time, as any USB driver; the gadget's function when it is
# unbound, and what both share when neither is there.
unload_host_first() {
	rmmod rndis_loan
	usb_traffic_end
	fails rmmod usb_f_rndis_loan 2>/dev/null
	usb_unplug
	rmmod usb_f_rndis_loan
}

unload_gadget_first() {
	echo >$usb_gadget/UDC
	rm $usb_gadget/configs/c.1/*.0
	rmdir $usb_gadget/functions/*.0
	rmmod usb_f_rndis_loan
	fails rmmod sl_rndis 2>/dev/null
	usb_traffic_end
	usb_unplug
	rmmod rndis_loan
}

# While the device has the host's driver still, the gadget's is on its way out.
unload_both_at_once() {
	(usb_unplug && rmmod usb_f_rndis_loan) &
	rmmod rndis_loan
	usb_traffic_end # waits for both
	[ ! -e /sys/module/usb_f_rndis_loan ]
}

unloads_in_every_order() {
	local order
	for order in unload_host_first unload_gadget_first unload_both_at_once; do
		[ -d $usb_gadget ] || usb_plug rndis_loan rndis_loan
		usb_traffic --bidir
		$order
		rmmod sl_rndis
		usb_load
	done
	usb_plug rndis_loan rndis_loan
	usb_unplug
}

trap 'usb_unplug; usb_unload' EXIT
usb_load
# On a slow machine pacing would make large frames of two segments.
for netns in gadget host; do
	ip netns exec $netns sysctl -q net.ipv4.tcp_min_tso_segs=40
done
tap plugs_in names_itself pings tcp_v4 tcp_v6 udp_v4 udp_v6 \
	lent_pages_arrive_aligned_at_the_gadget lent_pages_arrive_aligned_at_the_host \
	unaligned_ones_too the_host_copies_no_payload small_frames_share_transfers \
	small_segments_are_large_frames \
	works_with_offload_off mtu_changes_under_load goes_down_and_up_under_load \
	sends_the_largest_mtu leaves_nothing_to_another_driver is_busy_while_in_use unloads_in_every_order
