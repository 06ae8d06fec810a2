#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs other people's tests and programs twice, without the module and with it, on the
# machine that it is on, as root, the module not loaded. Each line is one of them:
# its results in both runs, the bytes that were lent in the second, and why others were
# copied. Equal results pass.
#
# usage: run.sh DIRECTORY [NAME]
#   DIRECTORY has the kernel's tests in net/; it gets logs in log/.
set -u

peers=$(cd "$(dirname "$0")" && pwd)
out=${1:?}
only=${2:-}
events=/sys/kernel/tracing/events/sockloan
group=/sys/fs/cgroup/peers
# Far beyond what any of them needs: a hang of an emulated machine may last minutes.
limit=600
passed=0 failed=0 skipped=0

. "$peers/items.sh"

# Totals over all network namespaces, also those that are gone by the end of a test.
load() {
	insmod "${SOCKLOAN_KO:?}"
	echo 'hist:keys=pages:vals=sent' >$events/sockloan_loan/trigger
	echo 'hist:keys=reason' >$events/sockloan_fallback/trigger
}

# Bytes lent since load
lent() {
	sed -n 's/.* sent: *\([0-9]*\).*/\1/p' $events/sockloan_loan/hist |
		awk '{ n += $1 } END { print n + 0 }'
}

# The fallback reasons met since load, with their counts
reasons() {
	local key count text
	sed -n 's/.*reason: *\([0-9]*\) .*hitcount: *\([0-9]*\).*/\1 \2/p' $events/sockloan_fallback/hist |
		while read -r key count; do
			text=$(grep -oE "\{ *$key, *\"Fb[A-Za-z]*" $events/sockloan_fallback/format)
			printf '%s %s, ' "${text##*\"}" "$count"
		done | sed 's/, $//'
}

# The module can go as soon as the last attached socket is closed.
unload() {
	local end=$((SECONDS + 120))
	echo '!hist:keys=pages:vals=sent' >$events/sockloan_loan/trigger
	echo '!hist:keys=reason' >$events/sockloan_fallback/trigger
	until rmmod sockloan 2>/dev/null; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.5
	done
}

# run LOG COMMAND...: from the kernel tests' directory; programs in a network namespace of
# their own, but for the kernel's tests, which need settings of the first. All that can
# be is lent there; namespaces that a test makes have the defaults, and only `sockloan run`
# attaches there. Sets status.
run() {
	local log=$1 own=(unshare -n)
	shift
	[[ $name != net/* ]] || own=()
	mkdir -p $group
	(
		echo $BASHPID >$group/cgroup.procs
		cd "$out/net" || exit
		exec timeout -k 10 $limit ${own[@]+"${own[@]}"} bash -c 'ip link set lo up
			[ ! -e /dev/sockloan ] || sysctl -q net.sockloan.{auto=1,adapt=0,file=1}
			exec "$@"' bash "$@"
	) </dev/null >"$log" 2>&1
	status=$?
	# What it left running would hold sockets.
	echo 1 >$group/cgroup.kill
	until ! grep -q 'populated 1' $group/cgroup.events; do sleep 0.1; done
}

# The cases that a program tells of, if it does, one a line and without numbers
cases() {
	grep -oE '^(# )*(not )?ok [0-9]+.*|\[ *(PASS|OK|FAIL|SKIP) *\].*' "$1" |
		sed -E 's/^(# )*//; s/^((not )?ok) [0-9]+/\1/'
}

# The verdict on a run, for the table
verdict() {
	local log=$1 status=$2 word=pass all good
	case $status in
	0) ;;
	4) word=skip ;;
	124 | 137) word=timeout ;;
	*) word="fail ($status)" ;;
	esac
	all=$(cases "$log" | grep -cvE '# *SKIP|\[ *SKIP')
	good=$(cases "$log" | grep -vE '# *SKIP|\[ *SKIP' | grep -cvE '^not ok|\[ *FAIL')
	[ "$all" = 0 ] || word="$word $good/$all"
	echo "$word"
}

# line RESULT WITHOUT WITH LENT REMARK: of the table
line() {
	printf '%-7s %-42s %-16s %-16s %11s  %s\n' "$1" "$name" "$2" "$3" "$4" "$5"
	case $1 in
	ok) passed=$((passed + 1)) ;;
	skip) skipped=$((skipped + 1)) ;;
	*) failed=$((failed + 1)) ;;
	esac
}

# both COMMAND...: runs it without the module and with it. Sets without, with, bytes, why.
both() {
	run "$log.without" "$@"
	without=$status
	load
	run "$log.with" sockloan run "$@"
	with=$status
	bytes=$(lent) why=$(reasons)
	unload && return
	line FAIL "$(verdict "$log.without" "$without")" "$(verdict "$log.with" "$with")" "$bytes" \
		'the module stays in use'
	echo "$passed passed, $failed failed, $skipped skipped: cannot go on"
	exit 1
}

same() { [ "$without" = "$with" ] && cmp -s <(cases "$log.without") <(cases "$log.with"); }

# Without the module, too, it failed and tells of no case that went well.
useless() { [ "$without" != 0 ] && [ "$without" != 4 ] && ! cases "$log.without" | grep -q '^ok'; }

# item NAME EXPECT COMMAND...: EXPECT is "lends" or "none", for a test that sends nothing
# large over an attached socket
item() {
	local name=$1 expect=$2 log again='' bytes why result=ok remark without with
	shift 2
	[ -z "$only" ] || [[ $name == *$only* ]] || return 0
	if [[ $1 == ./* ]] && [ ! -e "$out/net/$1" ]; then
		line skip skip skip 0 "${1#./} was not built"
		return
	fi
	log=$out/log/${name//[^[:alnum:]._-]/-}

	both "$@"
	# Some tests give a receiver two seconds for a sender that has one, and a busy
	# emulator may need three. What is our doing would come again.
	if ! same || useless; then
		echo "# $name: $without without, $with with the module; once more"
		diff -U0 <(cases "$log.without") <(cases "$log.with")
		tail -q -n 3 "$log.without" "$log.with" | sed 's/^/# /'
		again='second try; '
		both "$@"
	fi
	remark=$again${why:+copied: $why}
	if ! same && [ "$with" = 0 ] && [ "$without" != 0 ]; then
		result=skip remark="fails at times without the module, too; $remark"
	elif ! same; then
		result=FAIL remark="the runs differ; $remark"
		{
			diff -U0 <(cases "$log.without") <(cases "$log.with")
			tail -n 20 "$log.with"
		} | sed 's/^/# /'
	elif [ "$without" = 4 ] || useless; then
		result=skip remark=$(tail -n 1 "$log.without")
	elif [ "$expect" = lends ] && [ "$bytes" = 0 ]; then
		result=FAIL remark="nothing was lent; $remark"
	fi
	line $result "$(verdict "$log.without" "$without")" "$(verdict "$log.with" "$with")" "$bytes" "$remark"
}

# Files of sizes around a page, a chunk and what a socket buffer holds
make_data() {
	local size
	export PEERS_DATA=/tmp/peers-data
	mkdir -p $PEERS_DATA
	for size in 0 1 4095 4096; do
		head -c $size /dev/urandom >"$PEERS_DATA/$size"
	done
	head -c 65536 /dev/urandom >$PEERS_DATA/64k
	head -c 1048576 /dev/urandom >$PEERS_DATA/1m
	head -c 8388611 /dev/urandom >$PEERS_DATA/8m
	head -c 52428800 /dev/urandom >$PEERS_DATA/50m
	chmod -R a+rX $PEERS_DATA
}

# A database cluster, empty, to start each run of PostgreSQL from
make_cluster() {
	export PEERS_INITDB=/usr/lib/postgresql/15/bin/initdb PEERS_CLUSTER=/tmp/peers-cluster
	install -d -o nobody -g nogroup -m 700 $PEERS_CLUSTER
	setpriv --reuid=65534 --regid=65534 --clear-groups $PEERS_INITDB -D $PEERS_CLUSTER -U nobody \
		-A trust --locale=C -E UTF8 -N >"$out/log/initdb" 2>&1 || cat "$out/log/initdb"
	echo 'host all all all trust' >>$PEERS_CLUSTER/pg_hba.conf
}

rm -rf "$out/log"
mkdir -p "$out/log"
make_data
printf '%-7s %-42s %-16s %-16s %11s  %s\n' '' test without with 'bytes lent' ''
kernel_items
program_items
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
