#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The board, plugged in by board/plug, under one of the host's drivers.
#
# usage: board.sh rndis_host|rndis_loan [CASE...]
#
# SOCKLOAN_BOARD_MB=N            through iperf (default 4)
# SOCKLOAN_BOARD_PULLS=N         how often it is pulled out under load (default 3)
# SOCKLOAN_BOARD_CONNECTIONS=N   one after the other (default 200)
# SOCKLOAN_BOARD_MESSAGES=N      odd ones of each kind (default 200)

cd "$(dirname "$0")" || exit 1
. ../selftests/tap.sh
. ./lib.sh

driver=${1:-}
megabytes=${SOCKLOAN_BOARD_MB:-4}
client() { timeout 1200 ./client.py "$@"; }

# Bytes that the firmware has copied
copied() {
	curl -s -m 60 "http://$board/" |
		awk '/^copied_/ { sum += $2; n++ } END { print n ? sum : "none" }'
}

# not_copied BYTES COMMAND...: it moves that many, and less than one in a thousand is copied.
not_copied() {
	local bytes=$1 before after
	shift
	before=$(copied)
	"$@"
	after=$(copied)
	echo "# $((after - before)) bytes copied of $bytes"
	[ $(((after - before) * 1000)) -lt "$bytes" ]
}

enumerates() {
	local status=0
	# It asks for everything that there is, also what a device may refuse.
	lsusb -v -d 1209:0001 >"$tmp/lsusb" 2>&1 || status=$?
	[ $status = 0 ]
	grep -q 'idVendor *0x1209' "$tmp/lsusb"
	grep -q 'bNumInterfaces *2' "$tmp/lsusb"
	fails grep -iE "can't get|temporarily unavailable|unrecognized|\(error\)|bad length" \
		"$tmp/lsusb"
	[ "$(driver_of)" = "$driver" ]
}

has_lease() {
	ip address flush dev "$(netdev)"
	cat >"$tmp/lease.sh" <<-END
		#!/bin/sh
		[ "\$1" != bound ] || echo "\$ip \$subnet \$serverid" >$tmp/lease
	END
	chmod +x "$tmp/lease.sh"
	# It asks again until it is answered.
	busybox udhcpc -q -n -f -t 20 -T 5 -i "$(netdev)" -s "$tmp/lease.sh" >"$tmp/udhcpc" 2>&1
	[ "$(cat "$tmp/lease")" = "10.77.0.2 255.255.255.0 $board" ]
	up
}

# A lost one is sent again, not more than ten times.
pings() {
	local _
	for _ in {1..10}; do
		! ping -q -c 1 -W 10 -s "$1" "$board" >/dev/null || return 0
	done
	echo "# no answer to $1 bytes"
	return 1
}

pings_of_all_sizes() {
	local size
	# Around the lengths where a transfer ends with a whole packet
	for size in 0 1 18 {422..427} {934..938} 1000 {1446..1450} 1471 1472; do
		pings "$size"
	done
	pings 4000
}

bursts_come_back() {
	local size
	for size in 1 100 1459 1460 1461 5000 20000 100000 1000000; do
		client echo $size
	done
	client datagrams 60
}

iperf_runs() {
	local before after
	before=$(field iperf)
	timeout 3000 iperf -c "$board" -n "${megabytes}M" -i 10 >"$tmp/iperf"
	after=$(field iperf)
	sed -n 's/^\[.*sec  */# /p' "$tmp/iperf" | tail -n 1
	[ $((after - before)) -ge $((megabytes << 20)) ]
}

nothing_is_copied() {
	not_copied 4000000 client discard 4000000
	not_copied 1000000 client echo 1000000
	not_copied 2097152 timeout 1200 iperf -c "$board" -n 2M >"$tmp/iperf"
	grep '^#' "$tmp/iperf"
}

status_page() {
	curl -s -i -m 60 "http://$board/" | tr -d '\r' >"$tmp/page"
	grep -q '^HTTP/1.[01] 200 ' "$tmp/page"
	sed '1,/^$/d' "$tmp/page" >"$tmp/fields"
	# Names and numbers, nothing else
	fails grep -vE '^[a-z0-9_]+ +[0-9]+$' "$tmp/fields"
	[ "$(awk '{ print $1 }' "$tmp/fields" | sort | uniq -d)" = '' ]
	[ "$(field mss)" = 1460 ]
	[ "$(field tx_buf)" -ge $(($(field tx_win) * 1460)) ]
	[ "$(field rx_buf)" -ge $(($(field rx_win) * 1460)) ]
	[ "$(field heap_free)" -ge "$(field heap_free_min)" ]
	[ "$(field heap_size)" -ge "$(field heap_free)" ]
	[ "$(field rx_transfers)" -gt 0 ]
}

reader_that_sleeps() { client sleeper 2000000; }

many_at_once() { client many 8 200000; }

some_do_not_read() { client stuck 5; }

# The heap may fall once, with the first connections; it must not fall with each.
connections_leak_nothing() {
	local count=${SOCKLOAN_BOARD_CONNECTIONS:-200} heap_after_some blocks_after_some heap blocks
	client connections $((count / 4))
	heap_after_some=$(field heap_free_min) blocks_after_some=$(field rx_blocks_free_min)
	client connections $((count - count / 4))
	heap=$(field heap_free_min) blocks=$(field rx_blocks_free_min)
	echo "# low water: heap $heap_after_some, then $heap; blocks $blocks_after_some, then $blocks"
	# What two frames take is a matter of when an ACK came.
	[ "$heap" -ge $((heap_after_some - 4096)) ]
	[ "$blocks" -ge $((blocks_after_some - 4)) ]
	within $long all_is_given_back
}

# Nothing but the connection that reads the page
all_is_given_back() {
	[ "$(field echo_connections)" = 0 ] &&
		[ "$(field heap_free)" -ge $(($(field heap_size) - 8192)) ] &&
		[ "$(field rx_blocks_free)" -ge $(($(field rx_blocks) - 8)) ]
}

ram_in_use() {
	local fixed stack
	fixed=$(field ram_static)
	[ "$fixed" -gt 0 ] || skip 'a process does not know'
	client many 8 50000
	stack=$(field stack_used_max)
	echo "# RAM: $fixed bytes, of the stack $stack"
	[ "$fixed" -le $((200 * 1024)) ]
	# Not all of it, or it is not known how much more it was.
	[ "$stack" -gt 0 ]
	[ "$stack" -lt 8000 ]
}

# The test host may still believe in the file that was removed outside, and so not make it.
put() { : >"$SOCKLOAN_BOARD/$1"; } 2>/dev/null

ask() {
	within $long put "$1"
	within $long test ! -e "$SOCKLOAN_BOARD/$1"
}

load() {
	while :; do
		timeout 60 iperf -c "$board" -t 30 || sleep 0.2
	done >/dev/null 2>&1 &
	loader=$!
	./client.py many 3 100000000 >/dev/null 2>&1 &
	echoes=$!
}

kill_load() {
	kill -KILL "$loader" "$echoes"
	pkill -KILL -x iperf
	wait "$loader" "$echoes"
} 2>/dev/null

pulled_under_load() {
	local _
	for _ in $(seq "${SOCKLOAN_BOARD_PULLS:-3}"); do
		load
		sleep 1
		ask pull
		within $long away
		kill_load || true
		ask plug
		take
	done
	client echo 50000
}

# The data sent before the host's interface went down are gone; the link is not.
down_and_up() {
	local _
	for _ in 1 2 3; do
		ip link set "$(netdev)" down
		up
	done
	client echo 50000
}

odd_hosts() {
	local file before
	before=$(field rx_malformed)
	unbind
	file=$(printf '/dev/bus/usb/%03d/%03d' "$(cat "/sys/bus/usb/devices/$(device)/busnum")" \
		"$(cat "/sys/bus/usb/devices/$(device)/devnum")")
	./abuse.py "$file" 7 "${SOCKLOAN_BOARD_MESSAGES:-200}"
	within $long bind_driver
	within $long has_netdev
	up
	client echo 50000
	# It has lived through that, and was not just reset.
	[ "$(field rx_malformed)" -gt "$before" ]
}

case $driver in
rndis_host | rndis_loan) shift ;;
*) echo 'usage: board.sh rndis_host|rndis_loan [CASE...]' >&2; exit 2 ;;
esac

# shellcheck disable=SC2317 # called by the trap
clean_up() {
	! has_netdev || unbind
	rm -rf "$tmp"
} 2>/dev/null

tmp=$(mktemp -d)
trap clean_up EXIT
if ! load_drivers || ! take; then
	echo '# the board cannot be reached'
	dmesg | tail -n 20
	exit 1
fi

cases=("$@")
[ ${#cases[@]} -gt 0 ] || cases=(enumerates has_lease pings_of_all_sizes bursts_come_back
	status_page iperf_runs nothing_is_copied reader_that_sleeps many_at_once some_do_not_read
	connections_leak_nothing ram_in_use down_and_up odd_hosts pulled_under_load)
tap "${cases[@]}"
