#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The example programs of libsockloan with stock clients and servers.

cd "$(dirname "$0")" || exit 1
. ./tap.sh

examples=${SOCKLOAN_EXAMPLES:-$PWD/../build/lib/examples}
echo_port=6001 proxy_port=6002 file_port=6003 block_port=6004 iperf_port=6005 via_port=6006

# start NAME COMMAND...: in the background, its output in $tmp/NAME
start() {
	local name=$1
	shift
	"$@" >"$tmp/$name" 2>&1 &
	pids+=($!)
}

listening() { ss -Hltn "sport = $1" | grep -q .; }

# Nothing complains that it lost a connection.
quiet() { [ ! -s "$tmp/$1" ] || { sed 's/^/# /' "$tmp/$1"; return 1; }; }

# get ADDRESS:PORT/NAME
get() { curl -sS --max-time 90 "$1"; }

# echoed ADDRESS FILE: through the echo server and back, all at once
echoed() {
	local back
	back=$(mktemp "$tmp/back.XXXXXX")
	timeout 60 nc -N "$1" $echo_port <"$2" >"$back" && cmp "$2" "$back" && rm "$back"
}

echoes_a_pasted_burst() { echoed 127.0.0.1 "$tmp/large"; }
echoes_a_pasted_burst_v6() { echoed ::1 "$tmp/large"; }
echoes_a_line() { [ "$(echo hello | timeout 60 nc -N 127.0.0.1 $echo_port)" = hello ]; }

echoes_many_at_once() {
	local i jobs=() ok=0
	for i in $(seq 8); do
		echoed 127.0.0.1 "$tmp/medium" &
		jobs+=($!)
	done
	for i in "${jobs[@]}"; do
		wait "$i" && ok=$((ok + 1))
	done
	[ "$ok" = 8 ]
}

# The client reads nothing for two seconds, while the server has far more to say
# than there is room for.
echoes_to_a_sleeping_reader() {
	# shellcheck disable=SC2094 # read twice
	timeout 90 nc -N 127.0.0.1 $echo_port <"$tmp/large" | (sleep 2; cmp - "$tmp/large")
}

# Killed in the middle of it, and the next one is served.
echo_outlives_its_clients() {
	local i
	for i in 1 2 3; do
		timeout -s KILL 1 nc 127.0.0.1 $echo_port </dev/zero >/dev/null 2>&1 || true
	done
	echoes_a_line
	quiet echo
}

echo_copies_nothing() {
	local pool forwarded
	pool=$(grep -h ^pool-bytes: "/proc/$echo_pid/fdinfo/"*)
	echo "# $pool"
	forwarded=${pool% forwarded*}
	forwarded=${forwarded##* }
	# iperf3 ends with some of its 64 MB under way.
	[ "$forwarded" -gt 40000000 ]
	echo "$pool" | grep -q ' 0 mapped, 0 copied,'
}

serves_files() {
	local name
	for name in large medium empty line; do
		get "127.0.0.1:$file_port/$name" | cmp - "$tmp/$name"
		get "[::1]:$file_port/$name" | cmp - "$tmp/$name"
	done
}

serves_many_at_once() {
	local i jobs=() ok=0
	for i in $(seq 12); do
		get 127.0.0.1:$file_port/medium | cmp - "$tmp/medium" &
		jobs+=($!)
	done
	for i in "${jobs[@]}"; do
		wait "$i" && ok=$((ok + 1))
	done
	[ "$ok" = 12 ]
}

serves_nothing_else() {
	local name
	for name in nothing ../etc/passwd .hidden '' large/; do
		[ "$(curl -s --path-as-is -o /dev/null -w '%{http_code}' --max-time 60 \
			"127.0.0.1:$file_port/$name")" = 404 ]
	done
}

file_server_reads_into_packets() {
	local before after
	before=$(grep -h ^pool-bytes: "/proc/$file_pid/fdinfo/"* | sed 's/[^0-9]*\([0-9]*\).*/\1/')
	get 127.0.0.1:$file_port/large | cmp - "$tmp/large"
	after=$(grep -h ^pool-bytes: "/proc/$file_pid/fdinfo/"* | sed 's/[^0-9]*\([0-9]*\).*/\1/')
	[ $((after - before)) -ge "$(stat -c %s "$tmp/large")" ]
}

proxy_passes_files_on() {
	get 127.0.0.1:$proxy_port/large | cmp - "$tmp/large"
	get "[::1]:$proxy_port/line" | cmp - "$tmp/line"
}

proxy_passes_iperf_on() {
	timeout 90 iperf3 -c 127.0.0.1 -p $via_port -n 30M >"$tmp/iperf.log" || { cat "$tmp/iperf.log"; return 1; }
	timeout 90 iperf3 -c 127.0.0.1 -p $via_port -n 30M -R >"$tmp/iperf.log" || { cat "$tmp/iperf.log"; return 1; }
}

proxy_outlives_both_sides() {
	timeout -s KILL 1 curl -s --limit-rate 1M 127.0.0.1:$proxy_port/large >/dev/null || true
	get 127.0.0.1:$proxy_port/line | cmp - "$tmp/line"
	quiet proxy
}

# What it prints at its end.  Short of memory, TCP copies what it has received to slabs,
# from where it has to be copied once more.
proxy_copies_nothing() {
	local forwarded copied
	kill "$via_pid"
	within 10 grep -q forwarded "$tmp/via"
	sed 's/^/# /' "$tmp/via"
	read -r forwarded _ _ copied _ <"$tmp/via"
	# iperf3 ends with some of its 64 MB under way.
	[ "$forwarded" -gt 40000000 ]
	[ "$copied" -lt $((forwarded / 1000)) ]
}

writes_blocks() {
	local before lent
	before=$(counter BytesLent)
	timeout 60 "$examples/blockwrite" 127.0.0.1 $block_port "$tmp/large"
	lent=$(($(counter BytesLent) - before))
	cmp -n "$(stat -c %s "$tmp/large")" "$tmp/large" "$tmp/disk"
	echo "# $lent bytes lent"
	[ "$lent" -gt $(($(stat -c %s "$tmp/large") * 9 / 10)) ]
}

# More than there is: the client says so, and writes nothing.
writes_no_blocks_behind_the_end() {
	truncate -s 100M "$tmp/larger"
	fails timeout 60 "$examples/blockwrite" 127.0.0.1 $block_port "$tmp/larger" 2>"$tmp/said"
	grep -q 'the export has 67108864 bytes only' "$tmp/said"
}

help_is_there() {
	local name
	for name in echo proxy fileserver blockwrite; do
		"$examples/$name" --help | grep -q "^usage: $name"
		fails "$examples/$name" 2>/dev/null
	done
}

pids=()
tmp=$(mktemp -d)
trap 'kill "${pids[@]}" 2>/dev/null; rm -rf "$tmp"' EXIT

head -c 20000003 /dev/urandom >"$tmp/large"
head -c 1500001 /dev/urandom >"$tmp/medium"
: >"$tmp/empty"
echo line >"$tmp/line"
echo hidden >"$tmp/.hidden"
truncate -s 64M "$tmp/disk"

start echo "$examples/echo" $echo_port
echo_pid=${pids[-1]}
start file "$examples/fileserver" $file_port "$tmp"
file_pid=${pids[-1]}
start proxy "$examples/proxy" $proxy_port 127.0.0.1 $file_port
start iperf iperf3 -s -p $iperf_port
start via "$examples/proxy" $via_port 127.0.0.1 $iperf_port
via_pid=${pids[-1]}
start blocks qemu-nbd -f raw -p $block_port -t -e 4 "$tmp/disk"
for port in $echo_port $proxy_port $file_port $block_port $iperf_port $via_port; do
	within 30 listening "$port" || cat "$tmp"/{echo,file,proxy,iperf,via,blocks}
done

tap echoes_a_line echoes_a_pasted_burst echoes_a_pasted_burst_v6 echoes_many_at_once \
	echoes_to_a_sleeping_reader echo_outlives_its_clients echo_copies_nothing \
	serves_files serves_many_at_once serves_nothing_else file_server_reads_into_packets \
	proxy_passes_files_on proxy_passes_iperf_on proxy_outlives_both_sides proxy_copies_nothing \
	writes_blocks writes_no_blocks_behind_the_end help_is_there
