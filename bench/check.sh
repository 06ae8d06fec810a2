#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Every way of sending with every pattern and every way of receiving, each byte looked at; and
# that the two ends find out what they are to find out. For a test host: bench/check runs it.
# shellcheck disable=SC2317 # cases are called by name
set -u

here=$(dirname "$0")
bench=$here/../build/bench
sender=$bench/sender
dir=$(mktemp -d)
. "$here/../selftests/tap.sh"

number=0 failed=0 refused=0
amount='-b 2M -w 1M'

receiver_waits() { grep -q '^receiver: port' "$dir/receiver"; }

# result NAME STATUS: a line of TAP
result() {
	number=$((number + 1))
	if [ "$2" = 0 ]; then
		echo "ok $number $1"
	else
		failed=$((failed + 1))
		echo "not ok $number $1"
	fi
}

# sent ARGUMENT...: all of it, looked at
sent() {
	# shellcheck disable=SC2086 # a list
	"$sender" $amount -c "$@" 127.0.0.1 >"$dir/out" 2>"$dir/err" && ! grep -q 'checked=0 ' "$dir/out"
}

# combination TRANSPORT MECHANISM PATTERN RX: of whole pages, and of what is none
combination() {
	local size status
	for size in 60K 50001; do
		sent -t "$1" -m "$2" -p "$3" -r "$4" -s $size
		status=$?
		if [ $status = 2 ]; then
			# Said to make no sense: with a reason
			grep -q "^sender: -m $2 .*: " "$dir/err" || result "$* is refused without a reason" 1
			refused=$((refused + 1))
			return
		fi
		[ $status = 0 ] || break
	done
	[ $status = 0 ] || sed "s/^/# $size: /" "$dir/err"
	result "$*" $status
}

all_combinations() {
	local transport mechanism pattern rx
	for transport in tcp udp; do
		for mechanism in copy loan xout zerocopy send_zc sendfile splice vmsplice; do
			for pattern in same rotate rewrite part fresh file; do
				for rx in recv zcrecv peek; do
					combination $transport $mechanism $pattern $rx
				done
			done
		done
	done
}

# check NAME COMMAND...: an other thing that has to hold
check() {
	local name=$1
	shift
	"$@" >"$dir/log" 2>&1
	local status=$?
	[ $status = 0 ] || sed 's/^/# /' "$dir/log" "$dir/err"
	result "$name" $status
}

many() { sent -m "$1" -p "$2" -C 5 -T 2; }
many_udp() { sent -t udp -s 1000 -m "$1" -p "$2" -C 5 -T 2; }
small() { sent -m "$1" -s 64 -b 64K -w 1K; }
large() { sent -m "$1" -s 1M -b 8M -p "$2"; }
discards() { "$sender" -b 2M -m "$1" -r trunc 127.0.0.1; }
ipv6() { "$sender" -b 2M -c -m "$1" ::1; }

lends() {
	"$sender" -b 8M -m "$1" -t "$2" -s 60K 127.0.0.1 >"$dir/out"
	# Nearly all, and never more than there is
	# shellcheck disable=SC2016 # awk's fields
	awk '{ for (i = 1; i <= NF; i++) { split($i, a, "="); v[a[1]] = a[2] } }
		END { exit !(v["bytes_lent"] > 0.9 * v["bytes"] && v["bytes_lent"] <= v["bytes"]) }' "$dir/out"
}

# A buffer that is written to while it is still being sent
found_early() {
	fails "$sender" -b 32M -c -E -m "$1" -p part 127.0.0.1 2>"$dir/err" || return
	grep -q 'is wrong$' "$dir/err"
}

refuses() {
	"$sender" "$@" 127.0.0.1 2>"$dir/err"
	[ $? = 2 ]
}

# children: of the receiver, one for each sender
children() { pgrep -P "$receiver" >/dev/null; }
no_children() { ! children; }
gone() { ! kill -0 "$1" 2>/dev/null; }

lost_sender() {
	"$sender" -b 1000G 127.0.0.1 &
	local pid=$!
	within 60 children && kill -KILL $pid
	wait $pid
	within 60 no_children
}

lost_receiver() {
	"$sender" -b 1000G "$@" 127.0.0.1 2>"$dir/err" &
	local pid=$!
	within 60 children && pkill -KILL -P "$receiver"
	within 120 gone $pid || kill -KILL $pid
	! wait $pid
}

# A wire that drops every hundredth datagram: no credit comes back for it.
lossy() {
	tc qdisc add dev lo ingress && tc filter add dev lo ingress protocol ip \
		flower ip_proto udp action pass random determ drop 100
}

lost_datagram() {
	lossy || return
	"$sender" -t udp -s 1000 -r "$1" 127.0.0.1 2>"$dir/err"
	local status=$?
	tc qdisc del dev lo ingress
	[ $status = 1 ] && grep -q '^receiver: .*: some are lost$' "$dir/err" &&
		within 60 no_children
}

echo 'TAP version 13'
echo 1 >/proc/sys/net/sockloan/file
"$bench/receiver" >"$dir/receiver" &
receiver=$!
within 60 receiver_waits || exit 1

all_combinations
for mechanism in copy loan xout zerocopy send_zc; do
	check "$mechanism: 5 connections, 2 threads" many $mechanism rewrite
	check "$mechanism: 5 connections, 2 threads, UDP" many_udp $mechanism rewrite
	check "$mechanism: 64 bytes" small $mechanism
	check "$mechanism: 1 MiB" large $mechanism part
	check "$mechanism: discarded" discards $mechanism
	check "$mechanism: IPv6" ipv6 $mechanism
done
for transport in tcp udp; do
	check "loan: $transport lends" lends loan $transport
	check "xout: $transport lends" lends xout $transport
done
check 'zerocopy: a buffer written to too early is found' found_early zerocopy
check 'send_zc: a buffer written to too early is found' found_early send_zc
for words in '-s -1' '-s 64Kx' '-s 0' '-s 99999999999999999999' '-C 1x' '-T 2' '-m none' \
	'-c -r trunc' '-m vmsplice -p rewrite' '-m xout -p file' '-m sendfile' '-t udp -s 64K' \
	'-P 65536'; do
	# shellcheck disable=SC2086 # a list
	check "refused: $words" refuses $words
done
check 'a sender that is lost leaves nobody waiting' lost_sender
check 'nor does a receiver' lost_receiver
check 'nor does a receiver of datagrams' lost_receiver -t udp -s 1000
check 'a lost datagram is an error' lost_datagram recv
check 'and where it would have been looked at in place' lost_datagram peek

kill "$receiver"
echo "1..$number"
echo "# $refused combinations make no sense and are refused"
echo "# $((number - failed)) passed, $failed failed"
[ "$failed" = 0 ]
