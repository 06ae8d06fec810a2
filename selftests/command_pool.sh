#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The sockloan command on pools and attached sockets: pool, monitor.

cd "$(dirname "$0")" || exit 1
. ./tap.sh

holder=${SOCKLOAN_TESTS:-../build/selftests}/pool_holder
[ -x "$holder" ] || holder=./pool_holder

# start FILE [ARGUMENT]: a process with a pool, until the end of the shell that this is;
# what it says goes to FILE
start() {
	local said=$1
	shift
	"$holder" "$@" >"$said" &
	# shellcheck disable=SC2064 # of this process
	trap "kill $! 2>/dev/null || true" EXIT
	within 60 grep -q '^ready' "$said"
}

# start_here FILE [ARGUMENT]: in this network namespace, as ss(8) is
start_here() { SOCKLOAN_NETNS=0 start "$@"; }

# said NAME [FILE]: a number that the process has told
# shellcheck disable=SC2016 # awk's fields
said() { awk -v name="$1" '$1 == name { print $2 }' "${2:-$tmp/said}"; }

# field NAME: of the JSON object in the standard input, one line
field() { sed -n "s/.*\"$1\": *\(\"[^\"]*\"\|\[[^]]*\]\|[^,}]*\).*/\1/p" | tr -d '"'; }

# pool_of PID: its JSON object
pool_of() { sockloan pool -j | grep "\"pid\": $1,"; }

# socket INODE [OPTION...]: its JSON object in a report
socket() {
	local inode=$1
	shift
	sockloan monitor -n 1 -i 0.5 -j "$@" | tr '{' '\n' | grep "\"inode\": $inode,"
}

# cell NAME: of the first row of a table in the standard input, by its head
cell() {
	# shellcheck disable=SC2016 # awk's fields
	awk -v name="$1" '
		NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i }
		NR == 2 { if (at) print $at }'
}

# same WHAT ONE OTHER
same() {
	[ "$2" = "$3" ] && return
	echo "# $1: '$2' is not '$3'"
	return 1
}

# with_ss SCRIPT COMMAND...: with an ss(8) that is this script
with_ss() {
	mkdir -p "$tmp/bin"
	printf '#!/bin/sh\n%s\n' "$1" >"$tmp/bin/ss"
	chmod +x "$tmp/bin/ss"
	shift
	PATH=$tmp/bin:$PATH "$@"
}

numbers='buf_size bufs free held in_flight lowest_free window_pages window_used window_stale
	copy_pages copy_used xout_bytes bytes_mapped bytes_copied bytes_released bytes_forwarded
	alloc_failures bad_ids bad_releases window_full'

pool_shows_what_the_module_says() {
	local name
	pool_of "$pid" >"$tmp/json"
	for name in $numbers fd; do
		same "$name" "$(field "$name" <"$tmp/json")" "$(said "$name")"
	done
	# What the process has done, whatever the module says
	for name in bufs:8 held:3 alloc_failures:4 bad_ids:1 xout_bytes:10000 bytes_released:4096 \
		bytes_forwarded:100 bad_releases:1; do
		same "${name%:*}" "$(field "${name%:*}" <"$tmp/json")" "${name#*:}"
	done
	for name in bytes_mapped window_used bytes_copied copy_used in_flight; do
		[ "$(field $name <"$tmp/json")" -gt 0 ] || { echo "# $name is 0"; false; }
	done
	same sockets "$(field sockets <"$tmp/json")" "[$(said joined_ino)]"
}

# Each under its head, and as many heads as there are
pool_table_has_the_same() {
	local head name
	sockloan pool -p "$pid" >"$tmp/table"
	same rows "$(wc -l <"$tmp/table")" 2
	same cells "$(head -n 1 "$tmp/table" | wc -w)" "$(tail -n 1 "$tmp/table" | wc -w)"
	for name in PID:$pid FD:fd SOCKETS:1 OTHERS:1 BUF-SIZE:buf_size BUFS:bufs FREE:free HELD:held \
		FLIGHT:in_flight LOWEST:lowest_free WINDOW:window_pages MAPPED:window_used \
		STALE:window_stale COPY:copy_pages USED:copy_used NO-BUF:alloc_failures BAD-ID:bad_ids \
		BAD-RELEASE:bad_releases FULL:window_full; do
		head=${name%:*} name=${name#*:}
		[[ $name == [0-9]* ]] || name=$(said "$name")
		same "$head" "$(cell "$head" <"$tmp/table")" "$name"
	done
	# shellcheck disable=SC1003 # a backslash of its own
	same COMMAND "$(cell COMMAND <"$tmp/table")" 'pool\x20"holder"'
	same JSON "$(grep -c '"command": "pool \\u0022holder\\u0022", ' <(pool_of "$pid"))" 1
}

# One descriptor, another of the same process, and both again in its child
pool_is_shown_once() {
	local number
	number=$(pool_of "$pid" | field pool)
	sockloan pool -j >"$tmp/json"
	same rows "$(grep -c "\"pool\": $number," "$tmp/json")" 1
	same others "$(field others < <(grep "\"pool\": $number," "$tmp/json"))" 3
	sockloan pool -j -p "$(said child)" >"$tmp/json"
	same "the child's" "$(grep "\"pool\": $number," "$tmp/json" | field pid)" "$(said child)"
	same "the child's others" "$(grep "\"pool\": $number," "$tmp/json" | field others)" 1
}

pools_have_numbers_of_their_own() {
	local other
	start "$tmp/other"
	other=$!
	fails same number "$(pool_of $other | field pool)" "$(pool_of "$pid" | field pool)"
	same sockets "$(pool_of $other | field sockets)" "[$(said joined_ino "$tmp/other")]"
	kill $other
	wait $other || true
	same 'after its end' "$(pool_of $other)" ''
}

pool_follows_a_socket_that_leaves() {
	local other
	start "$tmp/other"
	other=$!
	kill -USR1 $other
	within 30 grep -q '^left' "$tmp/other"
	same sockets "$(pool_of $other | field sockets)" '[]'
}

# A device file is known by its number, not by its name.
pool_is_found_by_any_name() {
	local other
	mknod "$tmp/other_device" c "0x$(stat -c %t /dev/sockloan)" "0x$(stat -c %T /dev/sockloan)"
	start "$tmp/other" "$tmp/other_device"
	other=$!
	same fd "$(pool_of $other | field fd)" "$(said fd "$tmp/other")"
}

the_device_alone_is_no_pool() {
	local status=0
	# shellcheck disable=SC2016 # the inner shell's
	bash -c 'exec 5<>/dev/sockloan; sockloan pool -p $$; exit $?' >"$tmp/out" 2>"$tmp/err" || status=$?
	same status $status 0
	same output "$(cat "$tmp/out")" ''
	grep -q 'has no pool open' "$tmp/err"
}

pool_of_others_is_not_seen() {
	as_nobody sockloan pool -j >"$tmp/json"
	same JSON "$(cat "$tmp/json")" '[]'
	as_nobody sockloan pool >"$tmp/out" 2>"$tmp/err"
	grep -q 'try as root' "$tmp/err"
	fails as_nobody sockloan pool -p "$pid" 2>"$tmp/err"
	grep -q 'no permission' "$tmp/err"
}
as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }

pool_again_and_again() {
	local status=0
	timeout --preserve-status -s INT 10 sockloan pool -j -w0.2 >"$tmp/json" || status=$?
	same status $status 0
	[ "$(grep -c "^\[.*\"pid\": $pid,.*\]$" "$tmp/json")" -ge 3 ]
	timeout --preserve-status -s INT 10 sockloan pool -w 0.2 -p "$pid" >"$tmp/table"
	[ "$(grep -c '^POOL ' "$tmp/table")" -ge 3 ]
	same heads "$(grep -c '^POOL ' "$tmp/table")" "$(grep -c '^$' "$tmp/table")"
}

# status_of COMMAND...: its exit status; messages to $tmp/err
status_of() {
	local status=0
	"$@" >"$tmp/out" 2>"$tmp/err" || status=$?
	echo $status
}

wrong_usage() {
	local arguments
	for arguments in 'pool 1' 'pool -p x' 'pool -w0' 'pool -q' 'monitor 1' 'monitor -n 0' \
		'monitor -i 0' 'monitor -i' 'monitor -p -1'; do
		# shellcheck disable=SC2086 # words
		same "$arguments" "$(status_of sockloan $arguments)" 2
		grep -q -- --help "$tmp/err"
	done
	same 'no such process' "$(status_of sockloan pool -p 4194305)" 1
	grep -q 'No such process' "$tmp/err"
	same 'no such process' "$(status_of sockloan monitor -p 4194305)" 1
	grep -q 'No such process' "$tmp/err"
}

# monitor and ss(8) agree on who is connected to whom.
monitor_knows_what_ss_knows() {
	local name inode
	for inode in $(said joined_ino) $(said busy_ino) $(said datagram_ino); do
		socket "$inode" >"$tmp/json"
		ss -Hantue | grep " ino:$inode " >"$tmp/ss"
		for name in protocol:1 connection:2 local:5 remote:6; do
			same "$inode ${name%:*}" "$(field "${name%:*}" <"$tmp/json")" \
				"$(awk -v at="${name#*:}" '{ print $at }' "$tmp/ss")"
		done
	done
	same 'bytes not released' "$(socket "$(said joined_ino)" | field recv_q)" $((5904 + 65536))
	same 'datagrams' "$(socket "$(said datagram_ino)" | field protocol)" udp
}

monitor_knows_pools() {
	local number
	number=$(pool_of "$pid" | field pool)
	same 'who has joined' "$(socket "$(said joined_ino)" | field pool)" "$number"
	same 'its peer' "$(socket "$(said joined_peer_ino)" | field pool)" ''
}

# In a report a rate is about the time since the report before it.
monitor_measures_rates() {
	sockloan monitor -n 3 -i 2 -j -p "$pid" | tr '{' '\n' |
		grep "\"inode\": $(said busy_ino)," >"$tmp/json"
	same reports "$(wc -l <"$tmp/json")" 3
	paste <(field bytes_lent <"$tmp/json") <(field lent_per_second <"$tmp/json") |
		sed 's/^/# /'
	# shellcheck disable=SC2016 # awk's fields
	paste <(field bytes_lent <"$tmp/json") <(field lent_per_second <"$tmp/json") | awk '
		NR > 1 { seconds = ($1 - before) / $2; if (seconds < 1.9 || seconds > 8) bad = 1 }
		{ before = $1; if ($2 <= 0) bad = 1 }
		END { exit bad }'
	same 'the idle' "$(socket "$(said joined_peer_ino)" | field lent_per_second)" 0
}

monitor_table_has_the_same() {
	sockloan monitor -n 1 -i 0.5 -p "$pid" >"$tmp/report"
	grep -Eq '^[0-9:]{8}  5 sockets, lent [0-9.]+ MB/s, copied [0-9.]+ MB/s$' "$tmp/report"
	# shellcheck disable=SC2016 # awk's fields
	awk -v fd="$(said busy_fd)" 'NR == 2 || (NR > 2 && $3 == fd)' "$tmp/report" >"$tmp/table"
	same rows "$(wc -l <"$tmp/table")" 2
	same cells "$(head -n 1 "$tmp/table" | wc -w)" "$(tail -n 1 "$tmp/table" | wc -w)"
	socket "$(said busy_ino)" >"$tmp/json"
	same LOCAL "$(cell LOCAL <"$tmp/table")" "$(field local <"$tmp/json")"
	same REMOTE "$(cell REMOTE <"$tmp/table")" "$(field remote <"$tmp/json")"
	same CONN "$(cell CONN <"$tmp/table")" ESTAB
	same STATE "$(cell STATE <"$tmp/table")" attached
	same POOL "$(cell POOL <"$tmp/table")" -
	fails same LENT-MB/S "$(cell LENT-MB/S <"$tmp/table")" 0.0
}

monitor_shows_a_shared_socket_once() {
	sockloan monitor -n 1 -i 0.1 -j | tr '{' '\n' >"$tmp/json"
	same objects "$(grep -c "\"inode\": $(said busy_ino)," "$tmp/json")" 1
	same process "$(grep "\"inode\": $(said busy_ino)," "$tmp/json" | field pid)" "$pid"
	socket "$(said busy_ino)" -p "$(said child)" >"$tmp/json"
	same "the child's" "$(field pid <"$tmp/json")" "$(said child)"
}

monitor_tells_what_is_detached() {
	local other
	start_here "$tmp/other"
	other=$!
	sockloan detach $other "$(said busy_fd "$tmp/other")" >/dev/null
	same state "$(socket "$(said busy_ino "$tmp/other")" | field state)" detached
	same 'the peer' "$(socket "$(said busy_peer_ino "$tmp/other")" | field state)" attached
}

# ss(8) knows only its own namespace; the rest is there.
monitor_of_another_namespace() {
	local other
	start "$tmp/other"
	other=$!
	socket "$(said busy_ino "$tmp/other")" >"$tmp/json"
	same connection "$(field connection <"$tmp/json")" ''
	grep -Eq '"local": "\[::1\]:[0-9]+", "remote": "\[::1\]:[0-9]+"' "$tmp/json"
	[ "$(field lent_per_second <"$tmp/json")" -gt 0 ]
}

# Lines of both kinds, as ss(8) prints them: those of a socket without an inode, and
# those below it, are nobody's.
monitor_reads_details_of_tcp() {
	local inode
	inode=$(said busy_ino)
	with_ss "echo 'tcp ESTAB 0 4711 [fe80::1%eth0]:1 [fe80::2]:22 timer:(on,200ms,0) ino:$inode sk:1'
		printf '\t ts sack cubic bytes_acked:1 retrans:3/17 reordering:9\n'
		echo 'tcp TIME-WAIT 0 0 10.0.0.1:1 10.0.0.2:2 timer:(timewait,9sec,0) ino:0 sk:2'
		printf '\t ts retrans:0/99\n'
		echo 'garbage'" socket "$inode" >"$tmp/json"
	same retransmits "$(field retransmits <"$tmp/json")" 17
	same send_q "$(field send_q <"$tmp/json")" 4711
	grep -q '"local": "\[fe80::1%eth0\]:1", "remote": "\[fe80::2\]:22"' "$tmp/json"
}

monitor_without_ss() {
	local command
	command=$(command -v sockloan)
	same status "$(PATH=$tmp/none status_of "$command" monitor -n 1)" 1
	grep -q 'no ss here: install the package iproute2' "$tmp/err"
	same status "$(with_ss 'exit 3' status_of sockloan monitor -n 1)" 1
	grep -q 'ss failed: exit status 3' "$tmp/err"
}

monitor_ends_when_told() {
	local started=$SECONDS
	same SIGINT "$(status_of timeout --preserve-status -s INT 5 sockloan monitor -i 100)" 0
	same SIGTERM "$(status_of timeout --preserve-status 5 sockloan monitor -i 0.1)" 0
	[ $((SECONDS - started)) -lt 60 ]
	same messages "$(cat "$tmp/err")" ''
	grep -q '^ *PID ' "$tmp/out"
	# While it waits for ss(8): Ctrl-C is for both.
	# shellcheck disable=SC2016 # of the script
	same 'a slow ss' "$(with_ss 'exec sleep 100' status_of timeout --preserve-status -s INT 5 \
		sockloan monitor)" 0
	[ $((SECONDS - started)) -lt 90 ]
}

# Each report comes when it is made, though the reader is no terminal: this one is small,
# and a buffer full of them would take two minutes.
monitor_in_a_pipe() {
	local line i
	exec 5< <(exec timeout 60 sockloan monitor -i 2 -p $$ 2>/dev/null)
	for i in 1 2; do
		read -r -t 25 line <&5
		echo "# $line"
		[[ $line == *' 0 sockets, lent '* ]]
		read -r -t 25 line <&5
		same "line behind report $i" "$line" ''
	done
	exec 5<&-
}

monitor_of_others_is_not_shown() {
	as_nobody sockloan monitor -n 1 -i 0.1 >"$tmp/out"
	grep -Eq ' 0 sockets, .* \(without [0-9]+ processes: try as root\)$' "$tmp/out"
	same lines "$(grep -c . "$tmp/out")" 1
}

tmp=$(mktemp -d)
chmod 755 "$tmp"
start_here "$tmp/said" || exit 1
pid=$!
trap 'kill "$pid"; rm -rf "$tmp"' EXIT

tap pool_shows_what_the_module_says pool_table_has_the_same pool_is_shown_once \
	pools_have_numbers_of_their_own pool_follows_a_socket_that_leaves \
	pool_is_found_by_any_name the_device_alone_is_no_pool pool_of_others_is_not_seen \
	pool_again_and_again wrong_usage monitor_knows_what_ss_knows monitor_knows_pools \
	monitor_measures_rates monitor_table_has_the_same monitor_shows_a_shared_socket_once \
	monitor_tells_what_is_detached monitor_of_another_namespace monitor_reads_details_of_tcp \
	monitor_without_ss monitor_ends_when_told monitor_in_a_pipe monitor_of_others_is_not_shown
