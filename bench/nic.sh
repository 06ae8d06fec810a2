#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Sets up the network card of a test host, and runs a program there.
#
# usage: nic.sh PROGRAM ADDRESS ARGUMENTS...
set -eu

program=$1 address=$2
shift 2

modprobe e1000e
for _ in {1..100}; do
	[ ! -e /sys/class/net/eth0 ] || break
	sleep 0.1
done
ip address add "$address/24" dev eth0
ip link set eth0 up
for feature in tcp-segmentation-offload scatter-gather; do
	# In words that ethtool of any version prints.
	ethtool -k eth0 | grep -E "^$feature: on" >&2 ||
		{ echo "eth0 has no $feature" >&2; exit 1; }
done
exec "$program" "$@"
