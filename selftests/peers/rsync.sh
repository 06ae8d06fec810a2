#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# rsync.sh lo|veth: rsync from and to its daemon

cd "$(dirname "$0")" || exit 1
. ./lib.sh

cat >"$tmp/rsyncd.conf" <<-END
	pid file = $tmp/pid
	log file = $tmp/log
	use chroot = no
	uid = root
	gid = root
	[data]
		path = $peers_data
		read only = yes
	[store]
		path = $tmp/store
		read only = no
END
mkdir "$tmp/store"

same() { diff -r "$peers_data" "$1"; }
pull() { rsync -a "$@" "rsync://$host:8730/data/" "$tmp/copy/" && same "$tmp/copy"; }
push() { rsync -a "$@" "$peers_data/" "rsync://$host:8730/store/" && same "$tmp/store"; }

# The receiver's file differs in a few places: most of it is not sent.
change() {
	printf 'changed' | dd of="$1/50m" bs=1 seek=7654321 conv=notrunc
	printf 'more' >>"$1/8m"
}
pull_delta() { change "$tmp/copy" && pull -c --no-whole-file; }
push_delta() { change "$tmp/store" && push -c --no-whole-file; }

fresh() {
	rm -rf "$tmp/copy" "$tmp/store"
	mkdir "$tmp/store"
}

server rsync --daemon --no-detach --address="$address" --port=8730 --config="$tmp/rsyncd.conf" &
up rsync "rsync://$host:8730/" || exit

try pull pull
try 'pull what changed' pull_delta
try push push
try 'push what changed' push_delta
fresh
try 'pull compressed' pull -z
try 'push compressed' push -z
finish
