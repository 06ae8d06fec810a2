#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs the selftests on the machine that it is on, as root, with the module
# loaded.  Prints the TAP of each program as it comes; the last line is
# "N passed, N failed, N skipped", over single test cases.
#
# usage: run.sh [NAME]
#
# SOCKLOAN_LIMIT=SECONDS   for one program (default 540)
# SOCKLOAN_SLOW=FACTOR     the machine is slow: multiplies the time limits of the
#                          cases, which their programs heed, and of the programs
# SOCKLOAN_BUDGET=SECONDS  start no program after this long; the ones left out are
#                          named, and counted nowhere
# SOCKLOAN_FIRST="NAME..." the ones to begin with
# SOCKLOAN_WITHOUT="NAME..." the ones to leave out, unless one is asked for by name
# SOCKLOAN_AGAIN=1         run a program that failed once more; one that passes then is
#                          counted by its second run, and named as unsteady at the end
set -u

dir=$(cd "$(dirname "$0")" && pwd)
bin=${SOCKLOAN_TESTS:-$dir/../build/selftests}
limit=$((${SOCKLOAN_LIMIT:-540} * ${SOCKLOAN_SLOW:-1}))
budget=${SOCKLOAN_BUDGET:-}

# One that needs a freshly booted machine comes first, the one that switches
# the processor's virtualization on last.
names=(ktls_first)
for source in "$dir"/*.c "$dir"/*.sh; do
	name=$(basename "$source")
	case $name in
	sl_*.c | pool_holder.c | usb_flow.c | usb_device.c | usb_abuse.c | ktls_first.c | kvm.c | run.sh | tap.sh | usb_lib.sh | usb_leak.sh) ;;
	*.c) names+=("${name%.c}") ;;
	*) names+=("$name") ;;
	esac
done
names+=(kvm)
if [ $# -gt 0 ]; then
	names=()
	for name in "$1" "$1.sh"; do
		[ -e "$dir/${name%.sh}.c" ] && [ "$name" = "$1" ] && names+=("$name")
		[ "${name%.sh}" != "$name" ] && [ -e "$dir/$name" ] && names+=("$name")
	done
fi

# first NAME...: puts them in front
first() {
	local name ordered=()
	for name in "$@" "${names[@]}"; do
		case " ${names[*]} " in *" $name "*) ;; *) continue ;; esac
		case " ${ordered[*]-} " in *" $name "*) continue ;; esac
		ordered+=("$name")
	done
	names=("${ordered[@]}")
}
# shellcheck disable=SC2086 # a list
[ -z "${SOCKLOAN_FIRST:-}" ] || [ $# -gt 0 ] || first ktls_first $SOCKLOAN_FIRST

without=''
# However it was broken into lines
# shellcheck disable=SC2086,SC2116 # a list
[ $# -gt 0 ] || without=$(echo ${SOCKLOAN_WITHOUT:-})

passed=0 failed=0 skipped=0 left_out='' unsteady='' bad_ones=''
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# count NAME STATUS: the cases in $log, to ok, bad and skip
count() {
	local plan
	plan=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$log" | tail -n 1)
	skip=$(grep -cE '^ok .*# *SKIP' "$log")
	ok=$(($(grep -cE '^ok ' "$log") - skip))
	bad=$(grep -cE '^not ok ' "$log")
	if [ -z "$plan" ]; then
		echo "not ok - $1: no plan, status $2"
		bad=$((bad + 1))
	elif [ "$plan" = 0 ] && [ "$2" = 4 ]; then
		skip=$((skip + 1))
	elif [ $((ok + bad + skip)) != "$plan" ]; then
		echo "not ok - $1: $((ok + bad + skip)) of $plan cases ran, status $2"
		bad=$((bad + 1))
	elif [ "$bad" = 0 ] && [ "$2" != 0 ] && [ "$2" != 4 ]; then
		echo "not ok - $1: status $2"
		bad=$((bad + 1))
	fi
	[ "$bad" = 0 ]
}

# cases_of NAME: those in $log that failed, and where a script did; or the program itself
cases_of() {
	local cases
	cases=$(awk -v name="$1" '
		/^# [^ ]*:[0-9]+: failed: / { where = " (" substr($0, 3, 100) ")" }
		/^not ok [0-9]/ { sub(/^not ok [0-9]* */, ""); printf "; %s: %s%s", name, $0, where; where = "" }
		/^ok / { where = "" }' "$log")
	echo "${cases:-; $1}"
}

# judge NAME: adds up what was counted
judge() {
	passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
	[ "$bad" = 0 ] || bad_ones="$bad_ones$(cases_of "$1")"
}

# run PROGRAM: its output in $log, its exit status in $status
run() {
	(cd "$dir" && timeout -k 10 "$limit" "$1" </dev/null 2>&1) | tee "$log"
	status=${PIPESTATUS[0]}
}

for name in ${names[@]+"${names[@]}"}; do
	case " $without " in *" $name "*) continue ;; esac
	if [ -n "$budget" ] && [ "$SECONDS" -ge "$budget" ]; then
		left_out="$left_out $name"
		continue
	fi
	echo "# == $name"
	started=$SECONDS
	case $name in
	*.sh) program=$dir/$name ;;
	*) program=$bin/$name ;;
	esac
	run "$program"
	# An emulated machine may stall for longer than a case's time limit. A hang
	# of our own making would come again.
	if grep -q 'Test terminated by timeout' "$log"; then
		echo "# == $name: a case ran out of time, once more"
		run "$program"
	fi
	if ! count "$name" "$status" && [ -n "${SOCKLOAN_AGAIN:-}" ]; then
		unsteady="$unsteady$(cases_of "$name")"
		echo "# == $name: failed, once more"
		run "$program"
		count "$name" "$status"
	fi
	judge "$name"
	echo "# == $name: $((SECONDS - started)) s"
done

[ -z "$without" ] || echo "not run (as asked): $without"
[ -z "$left_out" ] || echo "not run (time):$left_out"
[ -z "$unsteady" ] || echo "failed at first: ${unsteady#; }"
[ -z "$bad_ones" ] || echo "failed: ${bad_ones#; }"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
