#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# One end of bench/remote, on its machine and as root: does what its standard input says. When
# that ends, whyever, it ends what it started, puts back what it changed and removes itself.
#
# usage: remote_node.sh DIRECTORY
#
# DIRECTORY has this file, sender and receiver, and packages perhaps. Orders, one a line; each is
# answered by one line, "@ok ..." or "@fail REASON":
#
#   install            the packages
#   prepare            loads the module that DKMS has built; says what this machine is
#   resolve NAME       its address
#   receive PORT [DATA-PORT]   starts a receiver; says its port
#   send LIMIT ARGUMENT...   starts a sender; says what that says, after LIMIT seconds at most
#   interrupts         how many there were, by line
#   quit               puts everything back
set -u

dir=$1
cd "$dir" || exit 1
PATH=$PATH:/usr/sbin:/sbin
# Seconds without an order after which nobody is there any more
patience=7200
module=/sys/module/sockloan
settings=/proc/sys/net/sockloan
# What settings were; whether the module was not there
before=() loaded=''

ok() { echo "@ok $*"; }
fail() { echo "@fail $(tr '\n' ' ' <<<"$*")"; }

# start COMMAND...: as a process group of its own
start() {
	set -m
	"$@" </dev/null &
	set +m
}

stop() {
	local group
	for group in $(jobs -pr); do
		kill -KILL -- "-$group"
	done
	wait
}

unload() {
	local _
	# Connections take their time to end.
	for _ in {1..300}; do
		! rmmod sockloan 2>rmmod.err || return 0
		sleep 0.1
	done
	cat rmmod.err
	return 1
}

# Says what could not be put back.
put_back() {
	local setting
	# What it says of those killed is no trouble.
	stop 2>/dev/null
	for setting in "${before[@]}"; do
		echo "${setting#*=}" >"$settings/${setting%%=*}" || echo "cannot set $setting"
	done
	before=()
	[ -z "$loaded" ] || unload
	loaded=''
}

end() {
	trap - EXIT
	# More of them may come: sshd hangs up when the connection is gone.
	trap '' HUP INT TERM PIPE
	put_back >&2
	cd / && rm -rf "$dir"
}
trap end EXIT
trap 'exit 1' HUP INT TERM PIPE

# setting NAME VALUE: until the end
setting() {
	before+=("$1=$(cat "$settings/$1")")
	echo "$2" >"$settings/$1"
}

install_packages() {
	local options=(-y -q -o DPkg::Lock::Timeout=600) headers=()
	[ -e "/lib/modules/$(uname -r)/build" ] || headers=("linux-headers-$(uname -r)")
	if command -v dkms >/dev/null && [ ${#headers[@]} = 0 ]; then
		dpkg -i packages/*.deb
	else
		apt-get -q update &&
			apt-get "${options[@]}" install "${headers[@]}" ./packages/*.deb
	fi </dev/null >install.log 2>&1
}

# Another module than the one that modprobe would load is not what is to be measured.
reload() {
	[ "$(cat $module/srcversion)" != "$(modinfo -F srcversion sockloan)" ] || return 0
	rmmod sockloan && modprobe sockloan
}

prepare() {
	local file
	file=$(modinfo -n sockloan 2>/dev/null) ||
		{ fail "no module sockloan for $(uname -r): -i installs the packages"; return; }
	case $file in
	*/updates/dkms/*) ;;
	*) fail "$file was not built by DKMS: -i installs the packages"; return ;;
	esac
	if [ -e $module ]; then
		reload || { fail "another build of sockloan is loaded, and in use"; return; }
	else
		modprobe sockloan || { fail "cannot load $file"; return; }
		loaded=1
	fi
	setting file 1
	ulimit -l unlimited
	ok "kernel=$(uname -r) version=$(cat $module/version) cpus=$(nproc)"
}

resolve() {
	local address
	address=$(getent ahosts "$1" | awk '$2 == "STREAM" { print $1; exit }')
	if [ -n "$address" ]; then ok "$address"; else fail "cannot resolve $1"; fi
}

receive() {
	local pid _
	start ./receiver -p "$1" ${2:+-d "$2"} >receiver.out 2>receiver.err
	pid=$!
	for _ in {1..600}; do
		if grep -q '^receiver: port' receiver.out; then
			ok "$(sed -n 's/^receiver: port //p' receiver.out)"
			return
		fi
		kill -0 $pid 2>/dev/null || break
		sleep 0.1
	done
	fail "the receiver did not start: $(cat receiver.err)"
}

# send_now LIMIT ARGUMENT...
send_now() {
	local limit=$1 status=0
	shift
	timeout --foreground "$limit" ./sender "$@" >sender.out 2>sender.err || status=$?
	case $status in
	0) ok "$(cat sender.out)" ;;
	124) fail "not done after $limit s" ;;
	*) fail "status $status: $(cat sender.err)" ;;
	esac
}

# Each line's sum over the processors; of a device's line, its name, too
interrupts() {
	ok "$(awk 'NR == 1 { cpus = NF; next }
		{
			sum = 0
			for (i = 2; i <= cpus + 1 && $i ~ /^[0-9]+$/; i++)
				sum += $i
			name = substr($1, 1, length($1) - 1)
			if (name ~ /^[0-9]+$/)
				name = name "/" $NF
			printf "%s=%d ", name, sum
		}' /proc/interrupts)"
}

while read -r -t $patience order arguments; do
	# shellcheck disable=SC2086 # lists
	case $order in
	install)
		if install_packages; then ok; else fail "$(tail -n 15 install.log)"; fi
		;;
	prepare | interrupts) $order ;;
	resolve | receive) $order $arguments ;;
	# In the background, so that the end of orders is noticed meanwhile
	send) start send_now $arguments ;;
	quit)
		# On stderr the shell may tell at any time of those that were killed.
		put_back >left 2>/dev/null
		if [ -s left ]; then fail "$(cat left)"; else ok; fi
		exit
		;;
	*) fail "what is $order?" ;;
	esac
done
