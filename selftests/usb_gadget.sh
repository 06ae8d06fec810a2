#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The gadget's function with the kernel's own driver at the host's end:
#
#   netns gadget                             netns host
#     usb0  usb_f_rndis_loan -- dummy_hcd -- rndis_host  usb0

cd "$(dirname "$0")" || exit 1
. ./tap.sh

ko=$(dirname "${SOCKLOAN_KO:?}")
gadget=/sys/kernel/config/usb_gadget/sl_gadget
function=$gadget/functions/rndis_loan.0

at_gadget() { ip netns exec gadget "$@"; }
at_host() { ip netns exec host "$@"; }
answers() { at_host ping -q -c 1 -W 1 10.8.0.1 >/dev/null; }
count() { at_gadget ethtool -S usb0 | awk -v name="$1:" '$1 == name { print $2 }'; }
# The host's network device, by the address that it was given
host_device() { ip -o link | awk '/02:00:00:00:00:02/ { sub(":", "", $2); print $2; exit }'; }
host_has_device() { [ -n "$(host_device)" ]; }

build() {
	mkdir -p $gadget/configs/c.1 $function
	echo 0x1d6b >$gadget/idVendor
	echo 0x0104 >$gadget/idProduct
	echo 02:00:00:00:00:01 >$function/dev_addr
	echo 02:00:00:00:00:02 >$function/host_addr
}

plug() {
	local netns last
	ln -s $function $gadget/configs/c.1/
	basename /sys/class/udc/dummy_udc.* >$gadget/UDC
	within 60 host_has_device
	ip link set "$(cat $function/ifname)" netns gadget name usb0
	ip link set "$(host_device)" netns host name usb0
	for netns in gadget host; do
		last=1
		[ $netns = gadget ] || last=2
		ip -n $netns address add 10.8.0.$last/24 dev usb0
		ip -n $netns address add fd00:8::$last/64 dev usb0 nodad
		ip -n $netns link set lo up
		ip -n $netns link set usb0 up
	done
	within 60 answers
}

unplug() {
	echo >$gadget/UDC
	rm $gadget/configs/c.1/rndis_loan.0
}

clean_up() {
	[ ! -d $gadget ] || {
		[ -z "$(cat $gadget/UDC)" ] || echo >$gadget/UDC
		rm -f $gadget/configs/c.1/*.0
		rmdir $gadget/functions/* $gadget/configs/c.1 $gadget
	}
	ip netns delete gadget
	ip netns delete host
	rm -rf "$tmp"
} 2>/dev/null

# iperf ARGUMENT...: from the host; -R for the other way
iperf() {
	local server ret=0
	at_gadget iperf3 -s -1 >/dev/null &
	server=$!
	within 60 eval 'at_gadget ss -Hltn "sport = 5201" | grep -q .'
	at_host timeout $((60 * ${SOCKLOAN_SLOW:-1})) iperf3 "$@" >"$tmp/iperf" 2>&1 || ret=1
	[ $ret = 0 ] || { cat "$tmp/iperf"; end_all; }
	wait $server || ret=1
	return $ret
}

end_all() {
	# Two namespaces, both empty afterwards
	{ ip netns pids gadget; ip netns pids host; } | xargs -r kill 2>/dev/null || true
	wait || true
}

has_attributes() {
	build
	[ "$(cat $function/mtu)" = 1500 ]
	[ "$(cat $function/offload)" = 1 ]
	[ "$(cat $function/qmult)" = 5 ]
	[ "$(cat $function/ifname)" = usb%d ]
	[ "$(cat $function/dev_addr)" = 02:00:00:00:00:01 ]
	[ "$(cat $function/class)$(cat $function/subclass)$(cat $function/protocol)" = 020600 ]
	echo ef >$function/class
	[ "$(cat $function/class)" = ef ]
	echo 02 >$function/class
}

# refuses ATTRIBUTE VALUE
refuses() { fails eval "echo '$2' >$function/$1" 2>/dev/null; }

refuses_nonsense() {
	refuses dev_addr 01:00:00:00:00:01
	refuses dev_addr 02:00:00:00:00
	refuses dev_addr 02:00:00:00:00:01:02
	refuses host_addr zz:00:00:00:00:01
	refuses ifname usb
	refuses ifname usb%d%d
	refuses ifname usb%s
	refuses ifname 'name/%d'
	refuses ifname a_name_too_long%d
	refuses qmult 0
	refuses qmult 256
	refuses class 100
	refuses mtu 0
	refuses mtu 65536
	refuses offload perhaps
	[ "$(cat $function/host_addr)" = 02:00:00:00:00:02 ]
	[ "$(cat $function/mtu)" = 1500 ]
}

has_os_descriptor() {
	local file=$function/os_desc/interface.rndis
	echo RNDIS >$file/compatible_id
	echo 5162001 >$file/sub_compatible_id
	[ "$(tr -d '\0' <$file/compatible_id)" = RNDIS ]
	[ "$(tr -d '\0' <$file/sub_compatible_id)" = 5162001 ]
	echo 1 >$gadget/os_desc/use
	echo MSFT100 >$gadget/os_desc/qw_sign
	echo 0xcd >$gadget/os_desc/b_vendor_code
	ln -s $gadget/configs/c.1 $gadget/os_desc/
}

pings() {
	echo 9000 >$function/mtu
	plug
	at_host ping -q -c 2 -i 0.2 10.8.0.1 >/dev/null
	at_host ping -q -c 2 -i 0.2 -s 1400 fd00:8::1 >/dev/null
	at_gadget ping -q -c 2 -i 0.2 10.8.0.2 >/dev/null
}

keeps_attributes_while_bound() {
	local name
	for name in dev_addr host_addr ifname qmult class subclass protocol mtu offload; do
		refuses $name "$(cat $function/$name)"
	done
	fails rmmod usb_f_rndis_loan 2>/dev/null
	fails ln -s $function $gadget/configs/c.1/again 2>/dev/null
}

tcp() {
	local way ip
	for ip in 10.8.0.1 fd00:8::1; do
		for way in '' -R; do
			# shellcheck disable=SC2086 # nothing or an option
			iperf -c $ip -n 1M $way
		done
	done
	# This host takes no large frames: they were cut.
	[ "$(count tx_segments_cut)" -gt 0 ]
	[ "$(count rx_malformed)" = 0 ]
	[ "$(count tx_too_long)" = 0 ]
}

udp() {
	iperf -c 10.8.0.1 -u -b 20M -n 300K -l 1400
	iperf -c 10.8.0.1 -u -b 20M -n 300K -l 1400 -R
	# Larger than a frame
	at_host ping -q -c 2 -i 0.2 -s 8000 10.8.0.1 >/dev/null
}

mtu() {
	ip -n gadget link set usb0 mtu 9000
	fails ip -n gadget link set usb0 mtu 9001 2>/dev/null
	at_gadget ping -q -c 2 -i 0.2 -M "do" -s 1200 10.8.0.2 >/dev/null
	ip -n gadget link set usb0 mtu 1280
	at_gadget ping -q -c 2 -i 0.2 -s 1200 fd00:8::2 >/dev/null
	ip -n gadget link set usb0 mtu 1500
}

shows_itself() {
	at_gadget ethtool -i usb0 | grep -qx 'driver: usb_f_rndis_loan'
	at_gadget ethtool -k usb0 | grep -q '^tcp-segmentation-offload: on'
	at_gadget ethtool -k usb0 | grep -q '^scatter-gather: on'
	at_gadget ethtool usb0 | grep -q 'Link detected: yes'
	[ "$(count tx_transfers)" -gt 0 ]
	[ "$(count rx_messages)" -gt 0 ]
	[ "$(count commands_refused)" = 0 ]
	at_gadget ethtool -K usb0 tso off sg off >/dev/null
	iperf -c 10.8.0.1 -n 1M -R
	at_gadget ethtool -K usb0 sg on tso on >/dev/null
}

# load OPTION: traffic until end_all
load() {
	at_gadget iperf3 -s >/dev/null 2>&1 &
	within 60 eval 'at_gadget ss -Hltn "sport = 5201" | grep -q .'
	# shellcheck disable=SC2086 # nothing or an option
	at_host iperf3 -c 10.8.0.1 -t 60 $1 >/dev/null 2>&1 &
	sleep 0.3
}

down_and_up() {
	local netns
	load --bidir
	for netns in gadget host gadget host; do
		ip -n $netns link set usb0 down
		ip -n $netns link set usb0 up
		sleep 0.2
	done
	end_all
	ip -n gadget address replace fd00:8::1/64 dev usb0 nodad
	ip -n host address replace fd00:8::2/64 dev usb0 nodad
	within 60 answers
}

unbinds_under_load() {
	local way
	for way in '' -R --bidir; do
		load "$way"
		echo >$gadget/UDC
		[ "$(cat $function/ifname)" = usb%d ]
		end_all
		rm $gadget/configs/c.1/rndis_loan.0
		plug
	done
	iperf -c 10.8.0.1 -n 1M
}

minds_its_host() {
	local interface device before
	before=$(count commands_refused)
	interface=$(basename "$(dirname "$(dirname "$(at_host readlink -f /sys/class/net/usb0)")")")
	device=/sys/bus/usb/devices/${interface%:*}
	echo "$interface" >/sys/bus/usb/drivers/rndis_host/unbind
	python3 usb_command.py "/dev/bus/usb/$(printf %03d/%03d "$(cat "$device/busnum")" \
		"$(cat "$device/devnum")")"
	[ "$(count commands_refused)" -gt "$before" ]
	echo "$interface" >/sys/bus/usb/drivers/rndis_host/bind
	within 60 host_has_device
	ip link set "$(host_device)" netns host name usb0
	ip -n host address add 10.8.0.2/24 dev usb0
	ip -n host address add fd00:8::2/64 dev usb0 nodad
	ip -n host link set usb0 up
	within 60 answers
}

without_offload() {
	unplug
	echo 0 >$function/offload
	echo 65518 >$function/mtu
	echo 1 >$function/qmult
	plug
	iperf -c 10.8.0.1 -n 1M
	iperf -c 10.8.0.1 -n 1M -R
}

goes_away() {
	unplug
	fails rmmod usb_f_rndis_loan 2>/dev/null
	rm -f $gadget/os_desc/c.1
	rmdir $function
	rmmod usb_f_rndis_loan
	insmod "$ko/usb_f_rndis_loan.ko"
	build
	plug
	unplug
	rmdir $function $gadget/configs/c.1 $gadget
	rmmod usb_f_rndis_loan
	# Other tests leave it loaded.
	rmmod rndis_loan 2>/dev/null || true
	rmmod sl_rndis
}

tmp=$(mktemp -d)
trap clean_up EXIT
if ! modprobe -qa libcomposite usb_f_rndis usbnet rndis_host dummy_hcd; then
	echo '1..0 # SKIP this kernel has no dummy_hcd, or no RNDIS'
	exit 4
fi
for name in sl_rndis usb_f_rndis_loan; do
	[ -e /sys/module/$name ] || insmod "$ko/$name.ko" || exit 1
done
mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
ip netns add gadget
ip netns add host

tap has_attributes refuses_nonsense has_os_descriptor pings keeps_attributes_while_bound tcp udp \
	mtu shows_itself down_and_up unbinds_under_load minds_its_host \
	without_offload goes_away
