#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Suspend, resume and reset, our driver at both ends (see usb_link.sh).

cd "$(dirname "$0")" || exit 1
. ./tap.sh
. ./usb_lib.sh

flow=${SOCKLOAN_TESTS:-$PWD/../build/selftests}/usb_flow
quirks=/sys/module/usbcore/parameters/quirks

host() { ip netns exec host "$@"; }
gadget() { ip netns exec gadget "$@"; }
device() { local interface; interface=$(usb_interface) && echo "${interface%:*}"; }
# gadget_sleeps 0|1: what its function was told
gadget_sleeps() { grep -qx "$1" /sys/devices/platform/dummy_udc.0/gadget*/suspended; }

plugs_in() { usb_plug rndis_loan rndis_loan; }

# Contents are compared.
works() {
	within 60 usb_answers
	"$flow" host gadget 10.8.0.1 4
	"$flow" gadget host 10.8.0.2 4
	[ "$(usb_count host tx_large)" -gt 0 ]
	[ "$(usb_count gadget tx_large)" -gt 0 ]
}

# The host's interface is down: nothing keeps the device awake.
fall_asleep() {
	ip -n host link set usb0 down
	echo 0 >"$(device)/power/autosuspend_delay_ms"
	echo auto >"$(device)/power/control"
	within 60 grep -q suspended "$(device)/power/runtime_status"
	gadget_sleeps 1
}

wake_up() {
	ip -n host link set usb0 up
	within 60 grep -q active "$(device)/power/runtime_status"
	within 60 gadget_sleeps 0
	ip -n host address replace fd00:8::2/64 dev usb0 nodad
	echo on >"$(device)/power/control"
}

stays_awake_in_use() {
	echo 0 >"$(device)/power/autosuspend_delay_ms"
	echo auto >"$(device)/power/control"
	works
	grep -q active "$(device)/power/runtime_status"
	echo on >"$(device)/power/control"
}

# The gadget goes on sending meanwhile.
sleeps_and_wakes_under_load() {
	local _
	for _ in 1 2 3; do
		usb_traffic --bidir
		fall_asleep
		fails gadget ping -q -c 3 -i 0.1 -W 1 10.8.0.2 >/dev/null
		wake_up
		usb_traffic_end
	done
	works
}

# After such a sleep the device has to be set up anew: reset_resume.
wakes_without_its_power() {
	local number
	echo 1d6b:0104:b >$quirks
	usb_unplug
	usb_plug rndis_loan rndis_loan
	number=$(cat "$(device)/devnum")
	usb_traffic --bidir
	fall_asleep
	wake_up
	usb_traffic_end
	# The same device, the same interface
	[ "$number" = "$(cat "$(device)/devnum")" ]
	works
	echo >$quirks
}

# Neither driver is asked: transfers fail until the bus is back.
bus_suspended_under_load() {
	local _
	for _ in 1 2 3; do
		usb_traffic --bidir
		./usb_bus.py suspend "$(device)"
		gadget_sleeps 1
		sleep 0.5
		./usb_bus.py resume "$(device)"
		within 60 gadget_sleeps 0
		within 60 usb_answers
		usb_traffic_end
	done
	works
}

reset_under_load() {
	local there _
	for _ in 1 2 3; do
		usb_traffic --bidir
		./usb_bus.py reset "$(device)"
		usb_traffic_end
		# It has been bound anew.
		usb_take rndis_loan
		within 60 usb_netdev
		there=$(basename "$(compgen -G "$(usb_interface)/net/*")")
		ip link set "$there" netns host name usb0
		ip -n host address add 10.8.0.2/24 dev usb0
		ip -n host link set usb0 up
		works
	done
}

# The whole system goes to sleep, and does not get far: virtio_mem refuses, which has come to
# the test host before dummy_hcd has, and so is asked after it. What came before that never
# sleeps, for the test host's file systems would not wake up again.
system_sleeps() {
	local trace=/sys/kernel/tracing
	echo >$trace/trace
	echo 1 >$trace/events/power/device_pm_callback_start/enable
	fails eval 'echo freeze >/sys/power/state' 2>/dev/null
	echo 0 >$trace/events/power/device_pm_callback_start/enable
	grep -q "usb $(basename "$(device)"), .*\[suspend\]" $trace/trace
	grep -q "usb $(basename "$(device)"), .*\[resume\]" $trace/trace
}

can_sleep() {
	modprobe -q virtio_mem || true
	compgen -G '/sys/bus/virtio/drivers/virtio_mem/virtio*' >/dev/null && [ -e /sys/power/state ]
}

system_sleeps_under_load() {
	local _
	can_sleep || return 4
	echo 0 >/sys/power/pm_async
	for _ in 1 2 3; do
		usb_traffic --bidir
		system_sleeps
		within 60 usb_answers
		usb_traffic_end
		works
	done
	echo 1 >/sys/power/pm_async
}

# A transfer that the sleep breaks off must not become one with the next: contents are
# compared across it, and both ends leave the checksums out.
system_sleeps_with_transfers_broken_off() {
	local before ends=0 sleeps=0 flows=0 pid
	can_sleep || return 4
	echo 0 >/sys/power/pm_async
	before=$(usb_count host tx_ends)
	# One transfer of data is over soon on a fast machine, and not every sleep finds it
	# sending.
	while [ $flows -lt 20 ] && { [ $sleeps -lt 3 ] || [ $ends = 0 ]; }; do
		"$flow" host gadget 10.8.0.1 96 &
		pid=$!
		sleep 0.2
		while kill -0 $pid 2>/dev/null; do
			system_sleeps
			sleeps=$((sleeps + 1))
			sleep 0.2
		done
		wait $pid
		flows=$((flows + 1))
		ends=$(($(usb_count host tx_ends) - before))
	done
	echo "# $sleeps sleeps, $ends transfers ended, $(usb_count gadget rx_malformed) refused"
	[ "$sleeps" -ge 3 ]
	[ "$ends" -gt 0 ]
	echo 1 >/sys/power/pm_async
}

trap 'usb_unplug; usb_unload' EXIT
usb_load
for netns in gadget host; do
	ip netns exec $netns sysctl -q net.ipv4.tcp_min_tso_segs=40
done
tap plugs_in stays_awake_in_use sleeps_and_wakes_under_load wakes_without_its_power \
	bus_suspended_under_load system_sleeps_under_load \
	system_sleeps_with_transfers_broken_off reset_under_load
