# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # variables for the scripts that read this
# For the scripts that try one program each: where server and client are, data, cases.
#
#   lo     client ---- 127.0.0.1 ---- server
#   veth   client, fd09::1 ---- fd09::2, server in a namespace of its own

peers_data=${PEERS_DATA:?}
tmp=$(mktemp -d /tmp/peers.XXXXXX)
chmod 755 "$tmp"
there=

case ${1:?} in
lo)
	address=127.0.0.1 host=127.0.0.1
	server() { "$@"; }
	;;
veth)
	address=fd09::2 host='[fd09::2]' there=peers$$
	server() { ip netns exec "$there" "$@"; }
	ip netns add "$there"
	ip link add veth0 type veth peer name veth1 netns "$there"
	ip -n "$there" link set lo up
	ip -n "$there" address add fd09::2/64 dev veth1 nodad
	ip -n "$there" link set veth1 up
	ip address add fd09::1/64 dev veth0 nodad
	ip link set veth0 up
	;;
esac

clean_up() {
	local job
	for job in $(jobs -p); do
		kill "$job" 2>/dev/null
	done
	wait
	[ -z "$there" ] || ip netns del "$there"
	rm -rf "$tmp"
}
trap clean_up EXIT

number=0 failures=0

# try WHAT COMMAND...: a case, which is that the command succeeds
try() {
	local what=$1
	shift
	number=$((number + 1))
	if "$@" >"$tmp/out" 2>&1; then
		echo "ok $number $what"
	else
		echo "not ok $number $what"
		sed 's/^/# /' "$tmp/out" | tail -n 20
		failures=$((failures + 1))
	fi
}

# The last command of a script
finish() {
	echo "1..$number"
	[ "$failures" = 0 ]
}

# up COMMAND...: waits until it succeeds, which is when a server is ready
up() {
	local end=$((SECONDS + 120))
	until "$@" >/dev/null 2>&1; do
		if [ "$SECONDS" -ge "$end" ]; then
			echo "# not within time: $*"
			return 1
		fi
		sleep 0.2
	done
}
