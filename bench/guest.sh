#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The part of `make bench` that runs on a test host: does what a list of runs says.
#
# usage: guest.sh loopback|veth|usb|HOST LIST
#
# HOST is where a receiver waits; for the others one is started here.  Each line of LIST:
#
#   NUMBER LINK sender ARGUMENT...    LINK: usb: the pair of drivers, stock or ours; else -
#   NUMBER LINK profile ARGUMENT...   the same, sampled
#   NUMBER LINK iperf3 [COMMAND...]   stock iperf3, as COMMAND's
#
# Prints, for each, "@done NUMBER KEY=VALUE..." or "@fail NUMBER REASON".
set -eu -o pipefail

where=$1 list=$2
here=$(dirname "$0")
bench=$here/../build/bench
errors=$(mktemp)
client=() link=''

. "$here/../selftests/tap.sh"
. "$here/../selftests/usb_lib.sh"

# start_receiver COMMAND...: in front of it. It says a word when it waits. No time limit: guest
# time leaps while the machine reads files for us.
start_receiver() {
	exec 7< <("$@" "$bench/receiver")
	read -r _ <&7 || { echo 'the receiver does not start' >&2; exit 1; }
}

# plug LINK: another cable, unless it is there already
plug() {
	[ "$where" = usb ] && [ "$1" != "$link" ] || return 0
	usb_unplug
	link=$1
	case $1 in
	stock) usb_plug rndis rndis_host ;;
	ours) usb_plug rndis_loan rndis_loan ;;
	*) echo "no such link: $1" >&2; return 1 ;;
	esac
}

# Two namespaces, and a pair of veth between them, with all that veth can offload
connect_namespaces() {
	ip netns add here
	ip netns add there
	ip link add veth0 netns here type veth peer name veth0 netns there
	ip -n here address add 10.9.0.1/24 dev veth0
	ip -n there address add 10.9.0.2/24 dev veth0
	ip -n here link set veth0 up
	ip -n there link set veth0 up
}

# json NAME: a number of the receiver's sum
json() {
	sed -n '/"sum_received"/,/}/s/.*"'"$1"'":[[:space:]]*\([0-9.e+]*\).*/\1/p' "$errors.iperf"
}

iperf() {
	local lent copied _
	lent=$(counter BytesLent) copied=$(counter BytesCopied)
	# Guest time leaps when the host is slow to read a file, past iperf3's time-outs.
	for _ in 1 2 3; do
		"$@" iperf3 -c 127.0.0.1 -n 256M -J >"$errors.iperf" 2>&1 && break
		sleep 5
	done
	[ -n "$(json bytes)" ] || { cat "$errors.iperf" >&2; return 1; }
	echo "bytes=$(json bytes) seconds=$(json seconds)" \
		"bytes_lent=$(($(counter BytesLent) - lent))" \
		"bytes_copied=$(($(counter BytesCopied) - copied))"
}

# run WHAT ARGUMENT...
run() {
	local what=$1
	shift
	case $what in
	sender) "${client[@]}" "$bench/sender" "$@" "$host" ;;
	profile) "$bench/profile" "${client[@]}" "$bench/sender" "$@" "$host" | tr '\n' ' ' ;;
	iperf3) iperf "$@" ;;
	*) echo "what is $what?" >&2; return 1 ;;
	esac
}

case $where in
loopback)
	host=127.0.0.1
	start_receiver
	;;
veth)
	host=10.9.0.2
	connect_namespaces
	client=(ip netns exec here)
	start_receiver ip netns exec there
	;;
usb)
	host=10.8.0.1
	usb_load
	client=(ip netns exec host)
	start_receiver ip netns exec gadget
	;;
*)
	host=$where
	;;
esac
"${client[@]}" sh -c 'echo 1 >/proc/sys/net/sockloan/file'
! grep -q ' iperf3' "$list" || iperf3 -s -D

while read -r number this_link arguments; do
	# shellcheck disable=SC2086 # a list
	if plug "$this_link" >"$errors" 2>&1 && line=$(run $arguments 2>"$errors"); then
		echo "@done $number $line"
	else
		echo "@fail $number $(tr '\n' ' ' <"$errors")"
	fi
done <"$list"
echo '@end'
