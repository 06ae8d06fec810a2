#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# bench/remote, on one of two test hosts, over ssh to it ("one") and to the other ("two").
#
# usage: remote.sh DIRECTORY
# shellcheck disable=SC2016 # what other shells expand

here=$(cd "$(dirname "$0")" && pwd)
. "$here/../tap.sh"
remote=$here/../../bench/remote
out=$1
loan=remote/tcp/loan/64K/same/trunc/c1
datagrams=remote/udp/loan/1472/same/recv/c1
columns=kernel,mode,transport,mechanism,size,pattern,rx,connections,mb_per_s,ns_per_byte
columns=$columns,bytes_copied,bytes_lent,cpu_s_per_gb_sender,cpu_s_per_gb_receiver
columns=$columns,interrupts_per_gb

install -m 600 "$out/user" /tmp/user
cat >/tmp/ssh_config <<-END
	Host one
		HostName 10.9.1.1
	Host two
		HostName 10.9.1.2
	Host *
		Port 8022
		User root
		IdentityFile /tmp/user
		StrictHostKeyChecking no
		UserKnownHostsFile /tmp/known
		LogLevel ERROR
		ConnectTimeout 120
END

# The other machine waits for it.
trap 'on two touch /tmp/done' EXIT

on() { ssh -F /tmp/ssh_config "$@"; }
both() { on one "$@" && on two "$@"; }
measure() { "$remote" -F /tmp/ssh_config -o /tmp/results -t 1800 "$@"; }

# Nothing on either machine says that someone has measured there.
nothing_is_left() {
	both '! pgrep -x "sender|receiver" && ! compgen -G "/tmp/sockloan-remote.*"'
}
nothing_is_loaded() { both '[ ! -e /sys/module/sockloan ]'; }

other_machine_answers() {
	# Until then, ssh complains.
	within 600 on two true 2>/dev/null
	within 600 on one true
}

says_what_is_missing() {
	fails measure one two "$loan" 2>/tmp/errors
	grep -q 'no module sockloan.*-i installs' /tmp/errors || { cat /tmp/errors; return 1; }
	nothing_is_left
}

unknown_cases_are_errors() {
	fails measure one two nothing/of/the/kind 2>/tmp/errors
	grep -q 'no case is called nothing/of/the/kind' /tmp/errors
	fails measure one 2>/dev/null
}

# all_is_well ARGUMENT...: a measurement, each line of whose TAP is good
all_is_well() {
	measure --tap "$@" >/tmp/tap || { cat /tmp/tap; return 1; }
	sed 's/^/# /' /tmp/tap
	# shellcheck disable=SC2046 # two numbers
	[ $(sed -n 's/^1\.\.//p' /tmp/tap) = $(grep -c '^ok ' /tmp/tap) ]
}

# rows CONDITION: how many rows of remote.csv there are, and for how many awk says so
rows() {
	tail -n +2 /tmp/results/remote.csv | awk -F, "$1 { n++ } END { print NR, n + 0 }"
}
costs='$9 > 0 && $13 > 0 && $14 > 0 && $15 > 0'

installs_and_measures() {
	all_is_well -i -d "$out/packages" -r 2 -b 8 one two "$loan" \
		remote/tcp/xout/64K/same/recv/c1
	grep -q '^ok .* check/tcp/loan/64K/same/recv/c1' /tmp/tap
	grep -q "^ok .* $loan" /tmp/tap
}

results_have_costs_of_both() {
	[ "$(head -n 1 /tmp/results/remote.csv)" = "$columns" ]
	# What is compared with came by itself.
	[ "$(tail -n +2 /tmp/results/remote.csv | cut -d, -f4,7 | sort | tr '\n' ' ')" = \
		'copy,recv copy,trunc loan,trunc xout,recv ' ]
	[ "$(rows "$costs")" = '4 4' ]
	[ "$(rows '$4 == "loan" && $12 > 8000000')" = '4 1' ]
	grep -q "^$loan,receiver,[0-9]*/eth0" /tmp/results/remote-interrupts.csv
}

# frames BYTES: the largest. Cards start anew, and nobody answers meanwhile.
frames() {
	on two "ip link set eth0 mtu $1"
	ip link set eth0 mtu "$1"
	within 600 on two true 2>/dev/null
}

# 8 KiB fit into frames as large as these, and 60 do not.
measures_datagrams() {
	frames 9000
	all_is_well -r 1 -b 4 one two $datagrams 'remote/udp/*/8K/same/recv/c1' \
		remote/udp/loan/8K/same/peek/c1 remote/udp/loan/60K/same/recv/c1
	frames 1500
	[ "$(grep -cE '^# 10[45][0-9]{5} bytes are right' /tmp/tap)" = 9 ]
}

results_tell_which_datagrams_were_lent() {
	[ "$(rows "\$3 == \"udp\" && $costs")" = '11 11' ]
	[ "$(rows '$4 == "loan" && $5 == 8192 && $12 > 4000000')" = '11 2' ]
	[ "$(rows '$4 == "loan" && $5 != 8192 && $11 > 4000000 && $12 == 0')" = '11 2' ]
}

# filter RULE...: which packets get to the receiver's machine
filter() {
	printf 'tc filter add dev eth0 ingress protocol ip pref %s\n' "$@" |
		on two 'tc qdisc add dev eth0 ingress && bash -e'
}
no_filter() { on two 'tc qdisc del dev eth0 ingress'; }

ports_that_are_named_are_enough() {
	filter '1 flower ip_proto tcp dst_port '{8022,5310,5311}' action pass' \
		'2 flower ip_proto udp dst_port 5311 action pass' \
		'3 flower ip_proto tcp action drop' '4 flower ip_proto udp action drop'
	# Not refused, but dropped
	[ "$(timeout 5 bash -c ': >/dev/tcp/10.9.1.2/5312'; echo $?)" = 124 ]
	all_is_well -D 5311 -r 1 -b 4 one two "$loan" "$datagrams"
	no_filter
}

lost_datagrams_are_errors() {
	filter '1 flower ip_proto udp action pass random determ drop 100'
	fails measure -r 1 -b 4 --tap one two "${datagrams/loan/copy}" >/tmp/tap
	no_filter
	[ "$(grep -c '^# one: .*some are lost' /tmp/tap)" = 2 ]
	grep -q '^ok .* machines_are_as_before' /tmp/tap
}

leaves_machines_as_they_were() {
	nothing_is_left
	nothing_is_loaded
}

leaves_a_loaded_module_and_its_settings() {
	both 'modprobe sockloan && echo 2 >/proc/sys/net/sockloan/file'
	measure -r 1 -b 8 one two "$loan" >/dev/null
	nothing_is_left
	both '[ "$(cat /proc/sys/net/sockloan/file)" = 2 ]'
	both 'rmmod sockloan'
}

# So long that it is there to be disturbed
start_long() {
	measure -r 1 -b 1000000 --tap one two "$loan" >/tmp/tap 2>&1 &
	controller=$!
	within 1200 on one 'pgrep -x sender >/dev/null'
	# Past the checks
	within 1200 grep -q '^ok .* check/tcp/loan' /tmp/tap
	within 1200 on one 'pgrep -x sender >/dev/null'
}

ends_when_the_connections_are_cut() {
	start_long
	# Its child is Python, whose children are ssh.
	pkill -KILL -P "$(pgrep -P "$controller")"
	within 600 grep -q '^Bail out!' /tmp/tap
	within 600 nothing_is_left
	within 600 nothing_is_loaded
}

goes_on_when_a_sender_is_lost() {
	start_long
	on one 'pkill -KILL -x sender'
	# The next case sends for ever, too.
	within 600 grep -q '^not ok .* remote/tcp/copy/64K' /tmp/tap
	within 1200 on one 'pgrep -x sender >/dev/null'
	pkill -TERM -P "$controller"
	within 600 nothing_is_left
	within 600 nothing_is_loaded
}

# What a LAVA lab gives each machine, by files that both see
make_lava() {
	local lava=$out/lava
	rm -rf "$lava"
	mkdir "$lava"
	cat >"$lava/lava-role" <<-'END'
		#!/bin/bash
		echo "$LAVA_ROLE"
	END
	cat >"$lava/lava-send" <<-'END'
		#!/bin/bash
		dir=$(dirname "$0")
		printf '%s\n' "${@:2}" >"$dir/new"
		mv "$dir/new" "$dir/message.$1"
	END
	cat >"$lava/lava-wait" <<-'END'
		#!/bin/bash
		message=$(dirname "$0")/message.$1
		until [ -e "$message" ]; do
			sleep 0.5
		done
		cp "$message" /tmp/lava_multi_node_cache.txt
	END
	cat >"$lava/lava-test-case" <<-'END'
		#!/bin/bash
		echo "$*" >>"$(dirname "$0")/cases"
	END
	chmod +x "$lava"/*
}

machines_of_a_lava_job_work_together() {
	local node=$here/../../bench/lava/node.sh receiver
	make_lava
	on two "LAVA_ROLE=receiver INTERFACE=eth0 PATH=$out/lava:\$PATH $node" \
		>/tmp/receiver 2>&1 &
	receiver=$!
	LAVA_ROLE=sender PACKAGES=$out/packages SSH_PORT=8022 MIB=8 CASES=$loan \
		PATH=$out/lava:$PATH "$node" >/tmp/sender 2>&1 ||
		{ cat /tmp/sender /tmp/receiver; return 1; }
	wait "$receiver"
	grep -q '^remote-tcp-loan-64K-same-trunc-c1 --result pass' "$out/lava/cases"
	fails grep -v 'result pass' "$out/lava/cases"
	on two '! grep -s sockloan-lava .ssh/authorized_keys'
	nothing_is_left
	nothing_is_loaded
}

tap other_machine_answers says_what_is_missing unknown_cases_are_errors installs_and_measures \
	results_have_costs_of_both measures_datagrams results_tell_which_datagrams_were_lent \
	ports_that_are_named_are_enough lost_datagrams_are_errors leaves_machines_as_they_were \
	leaves_a_loaded_module_and_its_settings ends_when_the_connections_are_cut \
	goes_on_when_a_sender_is_lost machines_of_a_lava_job_work_together
