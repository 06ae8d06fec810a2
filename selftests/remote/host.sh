#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Makes a test host one that bench/remote can use: sshd, and all that the packages need.
#
# usage: host.sh DIRECTORY wait|COMMAND...
#
# wait: until someone makes /tmp/done
set -eu

. "$(dirname "$0")/../deb/prepare.sh"
out=$1
shift

# For packets that are lost, before only those modules are left that packages need
modprobe -a sch_ingress cls_flower act_gact
prepare_packages "$out"
mkdir -p /run/sshd
# A private key that others could read is none.
install -m 600 "$out/host" /run/sshd/host
cat >/run/sshd/config <<-END
	Port 8022
	HostKey /run/sshd/host
	PidFile none
	AuthorizedKeysFile $out/user.pub .ssh/authorized_keys
	PermitRootLogin yes
	StrictModes no
	UsePAM no
END
/usr/sbin/sshd -f /run/sshd/config
if [ "$1" != wait ]; then
	exec "$@"
fi
until [ -e /tmp/done ]; do
	sleep 1
done
