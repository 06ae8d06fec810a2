# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Both ends of a USB cable in one kernel (dummy_hcd), each in a network namespace: "gadget"
# has 10.8.0.1 and fd00:8::1, "host" the addresses that end with 2.
# Needs tap.sh's within.

usb_gadget=/sys/kernel/config/usb_gadget/test
usb_drivers=/sys/bus/usb/drivers
usb_modules=(sl_rndis usb_f_rndis_loan rndis_loan)

# usb_load: the kernel's modules and ours
usb_load() {
	local name
	# As many controllers as all tests want: stock functions leave a directory behind on
	# some kernels, so that a controller that comes again cannot be used.
	if ! modprobe -qa libcomposite usb_f_rndis usbnet rndis_host ||
	   ! modprobe -q dummy_hcd num=2; then
		echo '1..0 # SKIP this kernel has no dummy_hcd, or no RNDIS'
		trap - EXIT
		exit 4
	fi
	for name in "${usb_modules[@]}"; do
		[ -e "/sys/module/$name" ] || insmod "$(dirname "$SOCKLOAN_KO")/$name.ko" || return 1
	done
	echo 1 >/sys/module/rndis_loan/parameters/take
	mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
	for name in gadget host; do
		ip netns list | grep -qw $name || ip netns add $name
	done
}

usb_unload() {
	rmmod rndis_loan usb_f_rndis_loan sl_rndis 2>/dev/null || true
	ip netns delete gadget
	ip netns delete host
}

# usb_interface: the RNDIS interface that the host sees, if any
usb_interface() { compgen -G '/sys/bus/usb/devices/[0-9]*-[1-9]*:1.0'; }
usb_bound() { [ -e "$(usb_interface)/driver" ]; }
usb_netdev() { compgen -G "$(usb_interface)/net/*" >/dev/null; }
usb_answers() { ip netns exec host ping -q -c 1 -W 1 10.8.0.1 >/dev/null; }

# usb_build FUNCTION [ATTRIBUTE VALUE]...: the gadget, not yet bound
usb_build() {
	local function=$1
	shift
	mkdir -p $usb_gadget/configs/c.1
	echo 0x1d6b >$usb_gadget/idVendor
	echo 0x0104 >$usb_gadget/idProduct
	mkdir "$usb_gadget/functions/$function.0"
	while [ $# -gt 0 ]; do
		echo "$2" >"$usb_gadget/functions/$function.0/$1" || return 1
		shift 2
	done
	ln -s "$usb_gadget/functions/$function.0" $usb_gadget/configs/c.1/
}

# usb_take DRIVER: the interface has that one, whichever took it first
usb_take() {
	local device
	within 60 usb_bound
	device=$(usb_interface)
	[ ! "$device/driver" -ef "$usb_drivers/$1" ] || return 0
	basename "$device" >"$device/driver/unbind"
	basename "$device" >"$usb_drivers/$1/bind"
}

# usb_enumerate DRIVER: plugs the gadget in, and has the driver bound to it
usb_enumerate() {
	echo dummy_udc.0 >$usb_gadget/UDC
	within 60 usb_interface >/dev/null
	usb_take "$1"
	within 60 usb_netdev
}

# usb_connect: addresses and namespaces; the link works afterwards
usb_connect() {
	local here there netns last
	here=$(cat $usb_gadget/functions/*.0/ifname)
	there=$(basename "$(compgen -G "$(usb_interface)/net/*")")
	ip link set "$here" netns gadget name usb0
	ip link set "$there" netns host name usb0
	for netns in gadget host; do
		last=1
		[ $netns = gadget ] || last=2
		ip -n $netns address add 10.8.0.$last/24 dev usb0
		ip -n $netns address add fd00:8::$last/64 dev usb0 nodad
		ip -n $netns link set lo up
		ip -n $netns link set usb0 up
	done
	within 60 usb_answers
}

# usb_plug FUNCTION DRIVER [ATTRIBUTE VALUE]...: not behind "||", as a case of tap.sh
usb_plug() {
	local function=$1 driver=$2
	shift 2
	usb_build "$function" "$@"
	usb_enumerate "$driver"
	usb_connect
}

# usb_unplug: whatever state it is in
usb_unplug() {
	local name
	[ -d $usb_gadget ] || return 0
	[ -z "$(cat $usb_gadget/UDC)" ] || echo >$usb_gadget/UDC
	rm -f $usb_gadget/os_desc/c.1 $usb_gadget/configs/c.1/*.0
	for name in "$usb_gadget"/functions/*.0; do
		[ ! -d "$name" ] || rmdir "$name"
	done
	rmdir $usb_gadget/configs/c.1 $usb_gadget
}

# usb_count NETNS NAME: a counter of ethtool -S
usb_count() {
	ip netns exec "$1" ethtool -S usb0 | awk -v name="$2:" '$1 == name { print $2 }'
}

# usb_traffic [OPTION]: iperf3 from the host, until it is killed or the link is gone
usb_traffic() {
	ip netns exec gadget iperf3 -s -1 >/dev/null 2>&1 &
	within 60 eval 'ip netns exec gadget ss -Hltn "sport = 5201" | grep -q .'
	ip netns exec host iperf3 -c 10.8.0.1 -t 1000 "$@" >/dev/null 2>&1 &
	sleep 0.3
}

usb_traffic_end() {
	pkill -KILL iperf3 || true
	wait
} 2>/dev/null
