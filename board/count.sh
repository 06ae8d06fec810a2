#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# On a test host, with a board that has a meter (board/plug -i): instructions of the firmware's per
# byte that iperf sends, under each of the host's drivers.
#
# usage: count.sh MEGABYTES

cd "$(dirname "$0")" || exit 1
. ../selftests/tap.sh
. ./lib.sh
set -e

megabytes=${1:?}

lines() { grep -c '^meter: ' "$SOCKLOAN_BOARD/console"; }
more_lines_than() { [ "$(lines)" -gt "$1" ]; }

# Thousands of instructions so far; the meter is read when the board is idle, and a while after.
meter() {
	within $long more_lines_than $(($(lines) + 2)) >&2
	awk '/^meter: / { n = $2 } END { print n }' "$SOCKLOAN_BOARD/console"
}

send() { timeout 1200 iperf -c "$board" -n "$1" >/dev/null; }

# shellcheck disable=SC2034 # lib.sh's
driver=rndis_host
load_drivers
for driver in rndis_host rndis_loan; do
	take
	send 1M
	bytes=$(field iperf) before=$(meter)
	send "${megabytes}M"
	after=$(meter) bytes=$(($(field iperf) - bytes))
	echo "count $driver $(((after - before) * 1000)) $bytes"
	has_netdev && unbind
done
