# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2154 # driver is the script's that reads this
# On a test host: the board that board/plug has plugged in, under $driver.
# Needs tap.sh's within.

modules=${SOCKLOAN_KO:?}
modules=${modules%/*}
board=10.77.0.1
drivers=/sys/bus/usb/drivers
# Generous: the board may be emulated on a busy machine.
long=120

# The board's device, and its RNDIS interface, as USB names them
device() {
	local file
	for file in /sys/bus/usb/devices/*/idVendor; do
		[ "$(cat "$file")$(cat "${file%idVendor}idProduct")" = 12090001 ] || continue
		basename "${file%/idVendor}"
		return
	done 2>/dev/null
	return 1
}
interface() { echo "$(device):1.0"; }
here() { device >/dev/null && [ -e "/sys/bus/usb/devices/$(interface)" ]; }
away() { ! device >/dev/null; }
driver_of() { basename "$(readlink -f "/sys/bus/usb/devices/$(interface)/driver")"; }
bound() { [ -e "/sys/bus/usb/devices/$(interface)/driver" ]; }
netdev() { ls "/sys/bus/usb/devices/$(interface)/net"; } 2>/dev/null
has_netdev() { [ -n "$(netdev)" ]; }
reaches() { ping -q -c 1 -W 5 "$board" >/dev/null; }
unbind() { interface >"$drivers/$(driver_of)/unbind"; }

# The interface has the driver; the stock one may have come by itself, or be just about to.
bind_driver() {
	[ "$(driver_of)" != "$driver" ] || return 0
	! bound || unbind
	interface >"$drivers/$driver/bind"
} 2>/dev/null

# The interface has the driver, and the network an address.
take() {
	within $long here
	within $long bind_driver
	within $long has_netdev
	up
}

# Like take, whatever state it is in
up() {
	local net
	net=$(netdev)
	ip link set "$net" up
	ip address replace 10.77.0.2/24 dev "$net"
	within $long reaches
}

# field NAME: of the status page
field() {
	local value try
	for try in 1 2 3 4 5; do
		value=$(curl -s -m 60 "http://$board/" | awk -v name="$1" '$1 == name { print $2 }')
		[ -z "$value" ] || break
		sleep "$try"
	done
	[ -n "$value" ] || { echo "# the status page has no $1" >&2; return 1; }
	echo "$value"
}

# The drivers, bound or not
load_drivers() {
	local module
	modprobe -a xhci_pci usbnet cdc_ether rndis_host || return
	for module in sl_rndis rndis_loan; do
		[ -e "/sys/module/$module" ] || insmod "$modules/$module.ko" || return
	done
	# It is bound by hand.
	echo 1 >/sys/module/rndis_loan/parameters/take
	within $long here
}
