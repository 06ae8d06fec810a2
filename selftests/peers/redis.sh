#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# redis.sh lo|veth: redis-benchmark, large values, and a replica

cd "$(dirname "$0")" || exit 1
. ./lib.sh

cli() { redis-cli -h "$address" -p 8379 "$@"; }
replica() { redis-cli -p 8380 "$@"; }

# redis-cli adds a newline to what it prints.
value() {
	cli -x set "value $1" <"$peers_data/$1" | grep -q OK &&
		cli --raw get "value $1" | head -c -1 | cmp - "$peers_data/$1"
}

# 20000 commands, without waiting for answers
many() {
	seq 20000 | sed 's/.*/rpush many "&"\r/' | cli --pipe &&
		cli lrange many 0 -1 | cmp - <(seq 20000)
}

bench() {
	redis-benchmark -h "$address" -p 8379 -q -n 400 -c 4 "$@" >"$tmp/bench" 2>&1
	local status=$?
	tr '\r' '\n' <"$tmp/bench"
	[ $status = 0 ] && grep -q 'requests per second' "$tmp/bench" && ! grep -qi error "$tmp/bench"
}

linked() { replica info replication | grep -q 'master_link_status:up'; }
digest() { "$@" debug digest; }
caught_up() { [ "$(digest cli)" = "$(digest replica)" ]; }
replicate() {
	redis-server --bind 127.0.0.1 --port 8380 --save '' --dir "$tmp" --enable-debug-command yes \
		--replicaof "$address" 8379 --dbfilename replica.rdb >"$tmp/replica.log" &
	up linked && up caught_up && digest cli | grep -q '[1-9a-f]'
}
follow() { cli -x set later <"$peers_data/8m" >/dev/null && up caught_up; }

server redis-server --bind "$address" --port 8379 --protected-mode no --save '' --dir "$tmp" \
	--enable-debug-command yes --repl-diskless-sync-delay 0 >"$tmp/redis.log" &
up cli ping || exit

for file in 0 4095 64k 1m 50m; do
	try "set and get $file" value "$file"
done
try 'many in a pipeline' many
try 'benchmark, 64 KiB values' bench -t set,get -d 65536
try 'benchmark, 64 KiB values, pipelined' bench -t set,get -d 65536 -P 4
try 'benchmark, lists' bench -t lpush,lrange_100 -d 200
try 'a replica copies all' replicate
try 'a replica follows' follow
finish
