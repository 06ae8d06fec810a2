#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The module's life: refused to go while a socket is attached, gone right after.
# Leaves the module loaded.  SOCKLOAN_KO says where it is.

cd "$(dirname "$0")" || exit 1
. ./tap.sh

ko=${SOCKLOAN_KO:?}
port=5999

loaded() { [ -e /sys/module/sockloan ]; }
nobody_attached() { [ "$(counter Sockets)" = 0 ]; }

# A process with an attached socket, until it is killed; sets $holder
hold() {
	sockloan run bash -c "exec 3<>/dev/tcp/127.0.0.1/$port; echo held >$tmp/held; exec sleep 600" &
	holder=$!
	within 20 [ -s "$tmp/held" ]
	rm "$tmp/held"
}

# Some attached traffic; it must have been lent
traffic() {
	local before
	before=$(counter BytesLent)
	sockloan run iperf3 -c 127.0.0.1 -p $port -n 4M >"$tmp/iperf" || { cat "$tmp/iperf"; return 1; }
	[ "$(counter BytesLent)" -gt "$before" ]
}

in_use_while_attached() {
	hold
	fails rmmod sockloan 2>"$tmp/error"
	grep -q 'in use' "$tmp/error"
	loaded
	kill $holder
	wait $holder || true
	# The socket is closed when its process is gone.
	rmmod sockloan
	fails loaded
	insmod "$ko"
}

in_use_while_detached_but_open() {
	hold
	sockloan detach $holder
	fails rmmod sockloan 2>/dev/null
	kill $holder
	wait $holder || true
	rmmod sockloan
	insmod "$ko"
}

in_use_while_device_open() {
	exec 4</dev/sockloan
	fails rmmod sockloan 2>/dev/null
	exec 4<&-
	rmmod sockloan
	insmod "$ko"
}

# Probes set and mark tables full, but no socket
with_marked_processes_alive() {
	local sleeper
	sockloan run sleep 600 &
	sleeper=$!
	within 10 grep -qx sleep /proc/$sleeper/comm
	sysctl -q net.sockloan.auto=1
	rmmod sockloan
	kill $sleeper
	wait $sleeper || true
	insmod "$ko"
	traffic
}

again_and_again() {
	local _
	for _ in 1 2 3 4 5; do
		traffic
		within 5 nobody_attached
		rmmod sockloan
		insmod "$ko"
	done
}

# What was lent outlives its program, and the module what was lent.
killed_in_mid_send() {
	local _ client
	for _ in 1 2 3 4 5; do
		sockloan run iperf3 -c 127.0.0.1 -p $port -t 60 >/dev/null 2>&1 &
		client=$!
		sleep 0.$((RANDOM % 9 + 1))
		kill -KILL $client
		wait $client || true
		within 20 nobody_attached
		# The server may not have noticed yet.
		within 20 traffic
	done
	within 5 nobody_attached
	rmmod sockloan
	insmod "$ko"
}

# A namespace goes with sockets of it attached, connected, and sending.
namespace_teardown() {
	local _
	for _ in 1 2 3; do
		ip netns add sl_gone
		ip netns exec sl_gone ip link set lo up
		ip netns exec sl_gone sysctl -q net.sockloan.auto=1
		ip netns exec sl_gone iperf3 -s -p $port >/dev/null 2>&1 &
		ip netns exec sl_gone bash -c "until iperf3 -c 127.0.0.1 -p $port -t 60; do sleep 0.2; done" \
			>/dev/null 2>&1 &
		# shellcheck disable=SC2016 # awk's
		within 30 ip netns exec sl_gone awk \
			'$1 == "BytesLent" && $2 > 0 { found = 1 } END { exit !found }' /proc/net/sockloan
		# The name goes now, the namespace with its last process.
		pids=$(ip netns pids sl_gone)
		ip netns del sl_gone
		sleep 0.3
		# shellcheck disable=SC2086 # a list
		kill -KILL $pids
		wait || true
	done
	within 20 rmmod sockloan
	insmod "$ko"
}

tmp=$(mktemp -d)
loaded || insmod "$ko"
iperf3 -s -p $port -D -I "$tmp/server"
trap 'kill "$(tr -d "\0" <"$tmp/server")" 2>/dev/null; rm -rf "$tmp"' EXIT
within 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port" 2>/dev/null

tap in_use_while_attached in_use_while_detached_but_open in_use_while_device_open \
	with_marked_processes_alive again_and_again killed_in_mid_send namespace_teardown
