#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# libsockloan as it is installed: its symbols, its man pages, programs against it.

cd "$(dirname "$0")" || exit 1
. ./tap.sh

lib=../lib
# Calls, as the library's map names them
calls=$(sed -n 's/^\t\(sl_[a-z_]*\);$/\1/p' $lib/sockloan.map)
version=$(sed -n 's/^\(SOCKLOAN_[0-9.]*\) {$/\1/p' $lib/sockloan.map)

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
prefix=/usr/local
root=$tmp/root
man=$root$prefix/share/man

make_lib() { make -s -C $lib OUTPUT="$tmp/lib" DESTDIR="$root" PREFIX=$prefix "$@" >/dev/null; }

# pkg ARGUMENT...: of the installed library
pkg() {
	PKG_CONFIG_PATH=$root$prefix/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root pkg-config "$@" sockloan
}

# -- symbols ---------------------------------------------------------------------

map_and_header_name_the_same_calls() {
	[ -n "$calls" ] && [ -n "$version" ]
	diff <(sort <<<"$calls") <(declarations | grep -o 'sl_[a-z_]*(' | tr -d '(' | sort)
}

exports_each_with_its_version_and_nothing_else() {
	diff <(for call in $calls; do echo "T $call@@$version"; done | sort) \
		<(nm -D --defined-only --with-symbol-versions "$root$prefix/lib/libsockloan.so" |
			cut -d' ' -f2- | grep -v "^A $version" | sort)
}

static_library_has_each() {
	nm --defined-only "$root$prefix/lib/libsockloan.a" | sed -n 's/^[0-9a-f]* T //p' >"$tmp/static"
	for call in $calls; do
		grep -qx "$call" "$tmp/static"
	done
	# And takes no name that a program may have
	fails grep -v '^sl_' "$tmp/static"
}

# -- man pages --------------------------------------------------------------------

# The header's calls, one a line, without comments
declarations() {
	sed 's,/\*.*\*/,,; /^\/\*/,/\*\/$/d; /^#/d' $lib/sockloan.h | tr '\t\n' '  ' |
		tr ';{}' '\n' | sed 's/  */ /g; s/^ //; s/.*" *C" //' | grep -E '^[a-z].*[ *]sl_[a-z_]*\(.*\)$'
}

# Each page as man(1) shows it, on lines as long as need be, in $tmp/pages
render_pages() {
	local file
	mkdir "$tmp/pages"
	for file in "$man"/man3/*.3 "$man"/man7/*.7; do
		(cd "$man" && groff -man -ww -rLL=400n -Tascii -P -cbou "${file#"$man"/}") \
			>"$tmp/pages/${file##*/}" 2>>"$tmp/complaints"
	done
}

# section NAME CALL: of its page
section() {
	awk -v name="$1" '/^[A-Z]/ { inside = $0 == name; next } inside' "$tmp/pages/$2.3"
}

each_call_has_a_page() {
	for call in $calls; do
		[ -e "$man/man3/$call.3" ] || { echo "# none of $call"; return 1; }
		# Its own, or the one that it shares
		section NAME "$call" | grep -qE "(^| )$call(,| -)" ||
			{ echo "# $call is not in NAME"; return 1; }
	done
}

pages_are_accepted() {
	[ "$(find "$tmp/pages" -size +0 | wc -l)" -gt "$(wc -w <<<"$calls")" ]
	sed 's/^/# /' "$tmp/complaints"
	[ ! -s "$tmp/complaints" ]
}

synopses_say_what_the_header_does() {
	local declaration call
	declarations >"$tmp/declarations"
	[ "$(wc -l <"$tmp/declarations")" = "$(wc -w <<<"$calls")" ]
	while read -r declaration; do
		call=$(grep -o 'sl_[a-z_]*(' <<<"$declaration" | tr -d '(')
		section SYNOPSIS "$call" | tr '\n' ' ' | sed 's/  */ /g' >"$tmp/synopsis"
		grep -qF " $declaration;" "$tmp/synopsis" ||
			{ echo "# not in the page of $call: $declaration"; return 1; }
		grep -qF '#include <sockloan.h>' "$tmp/synopsis"
	done <"$tmp/declarations"
}

# No page refers to one that is not there.
pages_refer_to_pages() {
	local name section
	grep -ohE '(sl_[a-z_]*\(3\)|libsockloan\(7\))' "$tmp"/pages/* | sort -u >"$tmp/references"
	[ "$(grep -c . "$tmp/references")" -gt "$(wc -w <<<"$calls")" ]
	while IFS='()' read -r name section; do
		[ -e "$man/man$section/$name.$section" ] || { echo "# there is no $name($section)"; return 1; }
	done <"$tmp/references"
}

examples_compile() {
	local file source number=0
	for file in "$man"/man3/*.3 "$man"/man7/*.7; do
		source=$tmp/$(basename "$file").c
		awk '/^\.SH/ { in_it = $2 == "EXAMPLES" } /^\.EE/ { show = 0 } in_it && show; /^\.EX/ { show = 1 }' \
			"$file" | sed 's/\\&//g; s/\\-/-/g; s/\\e/\\/g' >"$source"
		[ -s "$source" ] || continue
		number=$((number + 1))
		# shellcheck disable=SC2046 # words
		gcc -D_GNU_SOURCE -Wall -Wextra -Werror -Wno-unused-parameter $(pkg --cflags) -c -o /dev/null "$source"
	done
	[ "$number" -ge 5 ]
}

# -- programs -----------------------------------------------------------------------

# round_trip COMPILER...: the program, with the library that it is linked with
round_trip() {
	"$@" -Wall -Wextra -Wpedantic -Werror -o "$tmp/roundtrip"
	LD_LIBRARY_PATH=$root$prefix/lib "$tmp/roundtrip" | grep -qx 'all of it'
}

# shellcheck disable=SC2046 # words
c_program() {
	round_trip gcc library/roundtrip.c $(pkg --cflags --libs)
	readelf -d "$tmp/roundtrip" | grep -q 'NEEDED.*libsockloan\.so\.0'
}

# shellcheck disable=SC2046 # words
c_program_static() {
	round_trip gcc -static library/roundtrip.c $(pkg --static --cflags --libs)
	fails grep -q NEEDED <(readelf -d "$tmp/roundtrip")
}

# shellcheck disable=SC2046 # words
cxx_program() {
	command -v g++ >/dev/null || skip 'there is no g++'
	round_trip g++ -std=c++17 -x c++ library/roundtrip.c -x none $(pkg --cflags --libs)
}

# shellcheck disable=SC2046 # words
cxx_program_static() {
	command -v g++ >/dev/null || skip 'there is no g++'
	round_trip g++ -std=c++17 -static -x c++ library/roundtrip.c -x none $(pkg --static --cflags --libs)
}

uninstall_leaves_nothing() {
	[ "$(find "$root" -type f | wc -l)" -gt 30 ]
	make_lib uninstall
	[ -z "$(find "$root" ! -type d | tee /dev/stderr)" ]
}

make_lib install || exit 1
render_pages
tap map_and_header_name_the_same_calls exports_each_with_its_version_and_nothing_else \
	static_library_has_each each_call_has_a_page pages_are_accepted \
	synopses_say_what_the_header_does pages_refer_to_pages examples_compile c_program \
	c_program_static cxx_program cxx_program_static uninstall_leaves_nothing
