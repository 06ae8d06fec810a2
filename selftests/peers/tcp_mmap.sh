#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# tcp_mmap.sh -4|-6 [-z]: the kernel's tcp_mmap, its receiver mapping (-z) or reading

case $1 in
-4) address=127.0.0.1 ;;
*) address=::1 ;;
esac

log=$(mktemp)
# The server serves for ever, and says how much came once a connection has ended.
stdbuf -oL ./tcp_mmap -s "$@" >"$log" &
server=$!
trap 'kill $server; rm "$log"' EXIT
until ss -Hltn | grep -q .; do sleep 0.1; done
./tcp_mmap "$1" -H $address || exit
for _ in {1..300}; do
	grep -q '^received' "$log" && break
	sleep 0.1
done
cat "$log"
grep -q '^received 128 MB' "$log"
