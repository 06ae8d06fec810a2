#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Both ends of a USB cable (dummy_hcd) in one kernel, each in a network namespace: the stock
# drivers and ours in turn, by bench/usb. For a test host; `make demo-usb` is this.
#
# usage: usb.sh PROGRAM [ROUNDS]
set -eu

program=$1 rounds=${2:-2}
. "$(dirname "$0")/../selftests/tap.sh"
. "$(dirname "$0")/../selftests/usb_lib.sh"

# measure NAME: all its figures, in one line each
measure() {
	echo "$1 to_gadget $("$program" tcp host gadget 10.8.0.1)"
	echo "$1 to_host $("$program" tcp gadget host 10.8.0.2)"
	echo "$1 udp_to_gadget $("$program" udp host gadget 10.8.0.1)"
	echo "$1 udp_to_host $("$program" udp gadget host 10.8.0.2)"
}

# Each pair of drivers in turn
all() {
	local i
	for ((i = 1; i <= rounds; i++)); do
		usb_plug rndis rndis_host
		measure stock
		usb_unplug
		usb_plug rndis_loan rndis_loan offload 0
		measure plain
		usb_unplug
		usb_plug rndis_loan rndis_loan
		measure large
		usb_unplug
		echo "round $i of $rounds" >&2
	done
}

table() {
	awk '
	{ key = $1 " " $2; busy[key] += $3; rate[key] += $4; n[key]++ }
	function b(name) { return busy[name " " what] / n[name " " what] }
	function r(name) { return rate[name " " what] / n[name " " what] }
	function row(label, w, udp) {
		what = w
		printf "%-22s %9.1f %9.1f %9.1f", label, b("stock"), b("plain"), b("large")
		if (udp)
			printf "   %7.2f %7.2f\n", r("plain") / r("stock"), r("large") / r("stock")
		else
			printf "   %7.2f %7.2f\n", b("plain") / b("stock"), b("large") / b("stock")
	}
	END {
		print "both ends of the cable: busy nanoseconds per KiB (UDP: per datagram)"
		printf "%-22s %9s %9s %9s   %7s %7s\n", "", "stock", "ours,", "ours,", "plain/", "large/"
		printf "%-22s %9s %9s %9s   %7s %7s\n", "", "drivers", "plain", "large", "stock", "stock"
		row("TCP, host to gadget", "to_gadget", 0)
		row("TCP, gadget to host", "to_host", 0)
		print "and the ratio of datagrams per second:"
		row("UDP 64 B, to gadget", "udp_to_gadget", 1)
		row("UDP 64 B, to host", "udp_to_host", 1)
	}'
}

usb_load
all | tee /dev/stderr | table
