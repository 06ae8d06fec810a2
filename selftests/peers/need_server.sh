# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Needs vm/lib.sh.

# need, for a package with a server that must not run on this machine: not now (which
# policy-rc.d is asked for), not after the next boot, and with no database of its own.
need_server() {
	local program=$1 package=$2 unit=$3 policy=/usr/sbin/policy-rc.d made=''
	local postgres=/etc/postgresql-common/createcluster.d
	[ ! -e "$program" ] || return 0
	if [ ! -e $policy ]; then
		made=1
		printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
		as_root chmod 755 $policy
	fi
	as_root mkdir -p $postgres
	echo 'create_main_cluster = false' | as_root tee $postgres/peers.conf >/dev/null
	# In a subshell: it exits when there is no such package.
	(need "$program=$package") || made=${made}failed
	as_root rm -f $postgres/peers.conf ${made:+$policy}
	case $made in *failed) exit 125 ;; esac
	! command -v systemctl >/dev/null || as_root systemctl -q disable "$unit" || true
}
