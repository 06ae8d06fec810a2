#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The cable is pulled under load, our driver at both ends (see usb_link.sh): at random
# moments, in random states and ways. The link works when it is back, and nothing is kept.
#
# SOCKLOAN_USB_PULLS=N  how often (default 6; from 30 on, leaks are looked for)
# SOCKLOAN_USB_SEED=N   what chance is made from (default: another every time)

cd "$(dirname "$0")" || exit 1
. ./tap.sh
. ./usb_lib.sh
. ./usb_leak.sh

pulls=${SOCKLOAN_USB_PULLS:-6}
seed=${SOCKLOAN_USB_SEED:-$RANDOM}
rounds=5
now='no pull yet'
ways=(gadget_unbound driver_unbound deauthorized soft_disconnect function_removed
	port_disabled udc_removed hub_gone)
states=(idle to_gadget to_host both_ways host_is_down gadget_is_down asleep plugged_just_now)

host() { ip netns exec host "$@"; }
gadget() { ip netns exec gadget "$@"; }

# device: the USB device's directory
device() {
	local interface
	interface=$(usb_interface) && echo "${interface%:*}"
}

# enter STATE
enter() {
	case $1 in
	idle | plugged_just_now) ;;
	to_gadget) usb_traffic ;;
	to_host) usb_traffic -R ;;
	both_ways) usb_traffic --bidir ;;
	host_is_down) usb_traffic -R; ip -n host link set usb0 down ;;
	gadget_is_down) usb_traffic; ip -n gadget link set usb0 down ;;
	asleep)
		ip -n host link set usb0 down
		echo 0 >"$(device)/power/autosuspend_delay_ms"
		echo auto >"$(device)/power/control"
		within 60 grep -q suspended "$(device)/power/runtime_status"
		;;
	esac
}

# The root hub that the device is at
hub() {
	local name
	name=$(basename "$(device)")
	echo "/sys/bus/usb/devices/usb${name%-*}"
}

# The hub's port, as a file that turns it off
port_switch() {
	local name
	name=$(basename "$(device)")
	echo "/sys/bus/usb/devices/${name%-*}-0:1.0/usb${name%-*}-port${name#*-}/disable"
}

# pull WAY: what goes first
pull() {
	case $1 in
	gadget_unbound) echo >$usb_gadget/UDC ;;
	driver_unbound) basename "$(usb_interface)" >"$usb_drivers/rndis_loan/unbind" ;;
	deauthorized) echo 0 >"$(device)/authorized" ;;
	soft_disconnect) echo disconnect >/sys/class/udc/dummy_udc.0/soft_connect ;;
	function_removed) usb_unplug ;;
	port_disabled) echo 1 >"$(port_switch)" ;;
	udc_removed) echo dummy_udc.0 >/sys/bus/platform/drivers/dummy_udc/unbind ;;
	# The controller that the hub is part of cannot go: dummy_hcd.ko minds that its half
	# is used by the other one.
	hub_gone) echo 0 >"$(hub)/authorized" ;;
	esac
}

no_interface() { ! usb_interface >/dev/null; }

# What a way leaves that unplugging does not make good
mend() {
	local port hub
	case $1 in
	port_disabled)
		for port in /sys/bus/usb/devices/*/usb*-port*/disable; do
			[ "$(cat "$port")" = 0 ] || echo 0 >"$port"
		done
		;;
	udc_removed) echo dummy_udc.0 >/sys/bus/platform/drivers/dummy_udc/bind ;;
	hub_gone)
		for hub in /sys/bus/usb/devices/usb*/authorized; do
			[ "$(cat "$hub")" = 1 ] || echo 1 >"$hub"
		done
		;;
	esac
}

# one WAY STATE: plugged in, used, pulled; nothing is there any more
one() {
	if [ "$2" = plugged_just_now ]; then
		usb_build rndis_loan
		echo dummy_udc.0 >$usb_gadget/UDC
		within 60 usb_interface >/dev/null
		[ "$1" != driver_unbound ] || usb_take rndis_loan
	else
		usb_plug rndis_loan rndis_loan
		enter "$2"
	fi
	sleep 0.0$((RANDOM % 100))
	pull "$1"
	usb_traffic_end
	usb_unplug
	mend "$1"
	within 60 no_interface
}

# round COUNT
round() {
	local i way state
	for ((i = 0; i < $1; i++)); do
		way=${ways[RANDOM % ${#ways[@]}]}
		state=${states[RANDOM % ${#states[@]}]}
		done_pulls=$((done_pulls + 1))
		now="pull $done_pulls: $way, $state; seed $seed"
		one "$way" "$state"
	done
	echo "# $done_pulls of $pulls"
}

survives_being_pulled() {
	local i done_pulls=0
	# The case is a shell of its own.
	trap '[ $? = 0 ] || echo "# $now"' EXIT
	RANDOM=$seed
	for ((i = 0; i < rounds; i++)); do
		round $((pulls * (i + 1) / rounds - pulls * i / rounds))
		leak_look "$looks"
	done
	usb_plug rndis_loan rndis_loan
	host ping -q -i 0.05 -c 5 fd00:8::1 >/dev/null
	host timeout $((60 * ${SOCKLOAN_SLOW:-1})) "$flow" gadget host 10.8.0.2 4
	usb_unplug
}

leaves_nothing() {
	[ "$pulls" -ge 30 ] || skip 'too few pulls to tell a leak from a cache that grows'
	leak_judge "$looks" $((pulls / rounds))
}

flow=${SOCKLOAN_TESTS:-$PWD/../build/selftests}/usb_flow
looks=$(mktemp)
trap 'rm -f "$looks"; usb_unplug; usb_unload' EXIT
# A new controller: what another test's stock function has left of the old one would be in
# the way of one that comes again.
rmmod dummy_hcd 2>/dev/null
usb_load
tap survives_being_pulled leaves_nothing
