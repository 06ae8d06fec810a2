#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# postgres.sh lo|veth: PostgreSQL under pgbench, and COPY of large rows
#
# The cluster was made by run.sh; this works on a copy.

cd "$(dirname "$0")" || exit 1
. ./lib.sh

cp -a "${PEERS_CLUSTER:?}" "$tmp/cluster"
programs=$(dirname "$PEERS_INITDB")
export PGUSER=nobody PGDATABASE=postgres PGHOST=$address PGPORT=8432 PGSSLMODE=disable

sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }
nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)

init() { pgbench -i -q -s 1 && [ "$(sql -c 'SELECT count(*) FROM pgbench_accounts')" = 100000 ]; }

# Each transaction moves an amount that is in four tables afterwards.
transactions() {
	sql -c 'TRUNCATE pgbench_history' -c 'UPDATE pgbench_accounts SET abalance = 0 WHERE abalance <> 0' \
		-c 'UPDATE pgbench_branches SET bbalance = 0' -c 'UPDATE pgbench_tellers SET tbalance = 0'
	pgbench -n -c 4 -j 2 -t 60 "$@" >"$tmp/bench" 2>&1 || { cat "$tmp/bench"; return 1; }
	cat "$tmp/bench"
	grep -q 'actually processed: 240/240' "$tmp/bench" || return 1
	[ "$(sql -c 'SELECT count(*) = 240 AND sum(delta) = (SELECT sum(abalance) FROM pgbench_accounts)
		AND sum(delta) = (SELECT sum(bbalance) FROM pgbench_branches)
		AND sum(delta) = (SELECT sum(tbalance) FROM pgbench_tellers) FROM pgbench_history')" = t ]
}

selects() { pgbench -n -S -c 4 -j 2 -t 100 | grep -q 'actually processed: 400/400'; }

large_rows() {
	sql -c "CREATE TABLE large (id int PRIMARY KEY, body text)" \
		-c "ALTER TABLE large ALTER body SET STORAGE EXTERNAL" \
		-c "INSERT INTO large SELECT i, repeat(md5(i::text), 100 * i) FROM generate_series(1, 80) i" \
		-c "CREATE TABLE again (LIKE large)"
}

# Digests of the server, of what arrived here, and of what went back
digest() { sql -c "SELECT md5(string_agg(md5(body), '' ORDER BY id)) FROM $1"; }
copy_out() {
	sql -c 'COPY (SELECT body FROM large ORDER BY id) TO STDOUT' >"$tmp/bodies" &&
		[ "$(while read -r body; do printf %s "$body" | md5sum | head -c 32; done <"$tmp/bodies" |
			md5sum | head -c 32)" = "$(digest large)" ]
}
copy_in() {
	sql -c 'COPY large TO STDOUT' >"$tmp/rows" && sql -c 'COPY again FROM STDIN' <"$tmp/rows" &&
		[ "$(sql -c 'SELECT count(*) FROM again')" = 80 ] && [ "$(digest again)" = "$(digest large)" ]
}
binary() {
	sql -c 'TRUNCATE again' -c 'COPY large TO STDOUT (FORMAT binary)' >"$tmp/binary" &&
		sql -c 'COPY again FROM STDIN (FORMAT binary)' <"$tmp/binary" &&
		[ "$(digest again)" = "$(digest large)" ]
}
dump() {
	pg_dump -t large >"$tmp/dump" && sql -c 'DROP TABLE large' && sql -f "$tmp/dump" >/dev/null &&
		[ "$(digest again)" = "$(digest large)" ]
}

server "${nobody[@]}" "$programs/postgres" -D "$tmp/cluster" \
	-h "$address" -p 8432 -k '' -c fsync=off -c ssl=off -c autovacuum=off >"$tmp/log" 2>&1 &
up sql -c 'SELECT 1' || exit

try 'pgbench -i' init
try 'pgbench, 4 clients' transactions
try 'pgbench, prepared' transactions -M prepared
try 'pgbench, select only' selects
try 'make large rows' large_rows
try 'COPY out' copy_out
try 'COPY in' copy_in
try 'COPY binary' binary
try 'dump and restore' dump
finish
