# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# TAP for the tests that are scripts: each case is a function that fails or not.

# tap CASE...: names the cases, which are functions; SOCKLOAN_CASES names others to run
tap() {
	local case number=0 status=0 ret
	# shellcheck disable=SC2086 # a list
	[ -z "${SOCKLOAN_CASES:-}" ] || set -- $SOCKLOAN_CASES
	echo "TAP version 13"
	echo "1..$#"
	for case; do
		number=$((number + 1))
		# Not behind "||", where bash heeds no set -e.
		(
			set -eE
			# Neither what is skipped, nor what $(...) fails with
			tap_level=$BASH_SUBSHELL
			trap '[ $? = 4 ] || [ "$BASH_SUBSHELL" != "$tap_level" ] ||
				echo "# ${BASH_SOURCE[0]##*/}:$LINENO: failed: $BASH_COMMAND" >&2' ERR
			"$case"
		)
		ret=$?
		if [ "$ret" = 0 ]; then
			echo "ok $number $case"
		elif [ "$ret" = 4 ]; then
			echo "ok $number $case # SKIP"
		else
			echo "not ok $number $case"
			status=1
		fi
	done
	return $status
}

# counter NAME: of this network namespace
counter() {
	# shellcheck disable=SC2016 # awk's fields
	awk -v name="$1" '$1 == name { print $2 }' /proc/net/sockloan
}

# within SECONDS COMMAND...: until it succeeds; SOCKLOAN_SLOW multiplies the time
within() {
	local end=$((SECONDS + $1 * ${SOCKLOAN_SLOW:-1}))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || { echo "# not within time: $*"; return 1; }
		sleep 0.1
	done
}

# skip REASON: ends the case, which is neither good nor bad
skip() {
	echo "# $*"
	exit 4
}

# fails COMMAND...: the negation that set -e heeds
fails() {
	if "$@"; then
		echo "# did not fail: $*"
		return 1
	fi
}
