#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Stock iperf3, its default 128 KiB writes, plain and under `sockloan run`.
# Runs on a test host, as root. Rates are what the receiver got.
#
#   client ---- lo ---- server          namespace "here"
#   client -- veth0 ----- veth1 -- server
#   10.9.0.1, fd09::1   10.9.0.2, fd09::2
#   namespace "here"    namespace "there"
set -eu

seconds=1

here() { ip netns exec here "$@"; }
there() { ip netns exec there "$@"; }

set_up() {
	ip netns add here
	ip netns add there
	ip link add veth0 netns here type veth peer name veth1 netns there
	here ip link set lo up
	there ip link set lo up
	here ip address add 10.9.0.1/24 dev veth0
	there ip address add 10.9.0.2/24 dev veth1
	here ip address add fd09::1/64 dev veth0 nodad
	there ip address add fd09::2/64 dev veth1 nodad
	here ip link set veth0 up
	there ip link set veth1 up
	here iperf3 -s -D -I /run/iperf3.here
	there iperf3 -s -D -I /run/iperf3.there
	# Routers and neighbours have been asked after once.
	here ping -q -c1 -W10 10.9.0.2 >/dev/null 2>&1 || true
	sleep 3
}

# shellcheck disable=SC2016 # awk's fields
counter() { here awk -v name="$1" '$1 == name { print $2 }' /proc/net/sockloan; }

# rate COMMAND...: MB/s as the receiver counts them
rate() {
	local _
	# Guest time leaps when the host is slow to read a file, past iperf3's time-outs.
	for _ in 1 2 3; do
		here "$@" -t "$seconds" -f K >/run/iperf3.out 2>&1 && break
		sleep 5
	done
	# shellcheck disable=SC2016 # awk's fields
	awk '/receiver/ { for (i = 1; i < NF; i++) if ($(i + 1) == "KBytes/sec") rate = $i }
		END { if (!rate) exit 1; printf "%.0f", rate * 1024 / 1e6 }' /run/iperf3.out ||
		{ cat /run/iperf3.out >&2; return 1; }
}

# row NAME ADDRESS
row() {
	local copy loan lent copied pages protected
	copy=$(rate iperf3 -c "$2")
	lent=$(counter BytesLent) copied=$(counter BytesCopied)
	pages=$(counter PagesLent) protected=$(counter PagesProtected)
	loan=$(rate sockloan run iperf3 -c "$2")
	lent=$(($(counter BytesLent) - lent)) copied=$(($(counter BytesCopied) - copied))
	pages=$(($(counter PagesLent) - pages)) protected=$(($(counter PagesProtected) - protected))
	[ "$lent" -gt 0 ] || { echo "$1: nothing was lent" >&2; exit 1; }
	ratio=$(awk -v c="$copy" -v l="$loan" 'BEGIN { printf "%.2f", l / c }')
	printf '%-15s %6d %6d %6s %10d %7d %9d %10d\n' "$1" "$copy" "$loan" "$ratio" \
		$((lent / 1000000)) $((copied / 1000000)) "$pages" "$protected"
	last_copy=$copy last_loan=$loan
}

set_up
echo
echo "iperf3 -t $seconds, 128 KiB writes, kernel $(uname -r)"
echo '                  copy   loan  ratio       lent  copied     pages      pages'
echo 'path              MB/s   MB/s                MB      MB      lent  protected'
row 'veth, IPv4' 10.9.0.2
row 'veth, IPv6' fd09::2
row 'loopback, IPv6' ::1
row 'loopback, IPv4' 127.0.0.1
echo
echo "iperf3 loopback, instruction time: copy $last_copy MB/s, loan $last_loan MB/s, ratio $ratio"
