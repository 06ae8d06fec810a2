#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# On a test host with a board: what board/demo shows.

cd "$(dirname "$0")" || exit 1
. ../selftests/tap.sh
. ./lib.sh
set -e

# show COMMAND...: says it, and does it
show() {
	echo
	echo "\$ $*"
	"$@"
}

# shellcheck disable=SC2034 # lib.sh's
driver=rndis_loan
load_drivers
take
net=$(netdev)
ip address flush dev "$net"
show lsusb -d 1209:0001
show busybox udhcpc -q -n -f -t 20 -i "$net" -s /bin/true
ip address replace 10.77.0.2/24 dev "$net"
show ping -c 3 "$board"
show iperf -c "$board" -t 10
show curl -s "http://$board/"
