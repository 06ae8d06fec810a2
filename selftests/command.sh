#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The sockloan command on real programs: run, attach, detach, stat, status.

cd "$(dirname "$0")" || exit 1
. ./tap.sh

port=5998

iperf() { iperf3 -c 127.0.0.1 -p $port "$@" >"$tmp/iperf" 2>&1 || { cat "$tmp/iperf"; return 1; }; }

# rose NAME BEFORE
rose() { [ "$(counter "$1")" -gt "$2" ]; }

run_lends() {
	local before
	before=$(counter BytesLent)
	sockloan run iperf3 -c 127.0.0.1 -p $port -n 8M >/dev/null
	rose BytesLent "$before"
}

run_lends_v6() {
	local before
	before=$(counter BytesLent)
	sockloan run -- iperf3 -c ::1 -p $port -n 8M >/dev/null
	rose BytesLent "$before"
}

others_are_not_attached() {
	local before
	before=$(counter Attaches)
	sockloan run sleep 5 &
	iperf -n 8M
	[ "$(counter Attaches)" = "$before" ]
	kill $!
}

run_reaches_grandchildren() {
	local before
	before=$(counter BytesLent)
	sockloan run sh -c "sh -c 'iperf3 -c 127.0.0.1 -p $port -n 8M >/dev/null'; true"
	rose BytesLent "$before"
}

# A child that outlives its parent, as a daemon does
run_reaches_daemons() {
	local before
	before=$(counter BytesLent)
	sockloan run sh -c "(sleep 1; iperf3 -c 127.0.0.1 -p $port -n 8M >/dev/null) &"
	within 30 rose BytesLent "$before"
	within 30 fails pgrep -f "iperf3 -c" >/dev/null
}

run_reaches_static_programs() {
	local before
	before=$(counter Attaches)
	sockloan run busybox nc 127.0.0.1 $port </dev/null >/dev/null 2>&1 || true
	rose Attaches "$before"
}

run_exit_status() {
	local status=0
	sockloan run sh -c 'exit 42' || status=$?
	[ "$status" = 42 ]
	status=0
	sockloan run /nonexistent/command 2>/dev/null || status=$?
	[ "$status" = 127 ]
	status=0
	sockloan run /etc/passwd 2>/dev/null || status=$?
	[ "$status" = 126 ]
}

run_without_privilege() {
	local before
	before=$(counter BytesLent)
	setpriv --reuid=65534 --regid=65534 --clear-groups \
		sockloan run iperf3 -c 127.0.0.1 -p $port -n 8M >/dev/null
	rose BytesLent "$before"
}

attach_and_detach_a_running_program() {
	local before client
	iperf3 -c 127.0.0.1 -p $port -t 30 >/dev/null 2>&1 &
	client=$!
	sleep 1
	before=$(counter BytesLent)
	sockloan attach $client >/dev/null
	within 10 rose BytesLent "$before"
	sockloan stat -p $client | grep -q attached
	sockloan detach $client >/dev/null
	sleep 0.5
	before=$(counter BytesLent)
	sleep 0.5
	[ "$(counter BytesLent)" = "$before" ]
	kill $client
	wait $client || true
}

auto_is_per_namespace() {
	ip netns add sl_auto
	ip netns exec sl_auto sysctl -q net.sockloan.auto=1
	ip netns exec sl_auto ip link set lo up
	ip netns exec sl_auto iperf3 -s -1 -D -p $port
	sleep 1
	ip netns exec sl_auto iperf3 -c 127.0.0.1 -p $port -n 8M >/dev/null
	# shellcheck disable=SC2016 # awk's fields
	ip netns exec sl_auto awk '$1 == "BytesLent" && $2 > 0 { found = 1 } END { exit !found }' \
		/proc/net/sockloan
	ip netns del sl_auto
	[ "$(cat /proc/sys/net/sockloan/auto)" = 0 ]
	before=$(counter Attaches)
	iperf -n 4M
	[ "$(counter Attaches)" = "$before" ]
}

stat_shows_what_proc_says() {
	sockloan stat -j >"$tmp/json"
	grep -q "\"BytesLent\": *$(counter BytesLent)" "$tmp/json"
	sockloan status | grep -q loaded
}

# A datagram socket without a peer of its own: the name of none is "-".
stat_shows_datagram_sockets() {
	local sender row
	# shellcheck disable=SC2016 # perl's variables
	sockloan run perl -MSocket -e '
		socket(my $socket, PF_INET, SOCK_DGRAM, 0) or die;
		bind($socket, pack_sockaddr_in($ARGV[0], INADDR_LOOPBACK)) or die;
		my $data = "x" x 60000;
		while (1) {
			send($socket, $data, 0, pack_sockaddr_in(9, INADDR_LOOPBACK));
			select(undef, undef, undef, 0.1);
		}' $port &
	sender=$!
	# CALLS, and PAGES for them
	within 30 bash -c "sockloan stat -p $sender | awk '\$5 > 20 && \$9 > 0 { ok = 1 } END { exit !ok }'" 2>/dev/null
	sockloan stat -p $sender >"$tmp/table"
	row=$(grep " 127.0.0.1:$port  -  *attached " "$tmp/table")
	sockloan stat -j -p $sender >"$tmp/json"
	kill $sender
	wait $sender || true
	# As many values as names
	[ "$(wc -w <<<"$row")" = "$(head -n 1 "$tmp/table" | wc -w)" ]
	[ "$(head -n 1 "$tmp/table" | awk '{ print $11, $12 }')" = "REWRITTEN BACKOFFS" ]
	grep -q "\"local\": \"127.0.0.1:$port\", \"remote\": \"-\"" "$tmp/json"
	grep -q '"pages_rewritten": [0-9]*, "backoffs": [0-9]*}' "$tmp/json"
}

# Of the loaded module, whatever they are
status_shows_the_settings() {
	local name
	sockloan status >"$tmp/status"
	for name in /proc/sys/net/sockloan/*; do
		grep -q "^${name##*/}  *$(cat "$name") " "$tmp/status"
	done
}

# The command knows what each counter of the module means.
stat_explains_every_counter() {
	sockloan stat -a >"$tmp/stat"
	fails grep -E '^  [A-Za-z]+ +[0-9]+$' "$tmp/stat"
	[ "$(grep -cE '^  [A-Za-z]+ +[0-9]+  ' "$tmp/stat")" = "$(wc -l </proc/net/sockloan)" ]
}

tracepoints() {
	local t=/sys/kernel/tracing
	echo 1 >$t/events/sockloan/enable
	sockloan run iperf3 -c 127.0.0.1 -p $port -n 1M >/dev/null
	echo 0 >$t/events/sockloan/enable
	grep -q 'sockloan_loan: .*pages=' $t/trace
	echo >$t/trace
}

tmp=$(mktemp -d)
iperf3 -s -p $port -D -I "$tmp/server"
trap 'kill "$(tr -d "\0" <"$tmp/server")" 2>/dev/null; rm -rf "$tmp"' EXIT
within 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port" 2>/dev/null
sleep 1

tap run_lends run_lends_v6 others_are_not_attached run_reaches_grandchildren \
	run_reaches_daemons run_reaches_static_programs run_exit_status \
	run_without_privilege attach_and_detach_a_running_program \
	auto_is_per_namespace stat_shows_what_proc_says stat_shows_datagram_sockets \
	stat_explains_every_counter status_shows_the_settings tracepoints
