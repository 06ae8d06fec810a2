#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The packages as they are, and what DKMS makes of them; on the machine that builds.
#
# usage: packages.sh DIRECTORY [CASE...]
#
# DIRECTORY/kernels names the kernels; DIRECTORY/packages gets the packages and
# DIRECTORY/modules/RELEASE the modules.

here=$(cd "$(dirname "$0")" && pwd)
. "$here/../tap.sh"
top=$here/../..
out=$1
shift

PATH=$PATH:/usr/sbin:/sbin
# A key that nobody needs to be root for
export mok_signing_key=$out/mok.key mok_certificate=$out/mok.pub

are_made() {
	"$top/scripts/deb" -n -o "$out/packages" >"$out/deb.out" 2>&1 ||
		{ cat "$out/deb.out"; return 1; }
	[ "$(cut -d_ -f1 "$out/deb.out" | tr '\n' ' ')" = \
		'libsockloan-dev libsockloan0 sockloan-dkms sockloan ' ]
	# So that what they hold can be looked at
	dpkg-deb -x "$out"/packages/sockloan-dkms_*.deb "$out/dkms-package"
}

have_no_errors_and_warnings() {
	lintian --allow-root --fail-on error,warning "$out"/packages/*.changes
}

are_the_same_when_made_again() {
	local sums=$out/sums
	(cd "$out/packages" && sha256sum -- *.deb *.dsc) >"$sums"
	(
		umask 077
		TZ=Asia/Tokyo TMPDIR=$out "$top/scripts/deb" -n -o "$out/again" >/dev/null
	)
	(cd "$out/again" && sha256sum --quiet -c "$sums")
}

hold_no_untracked_file() {
	(cd "$out/dkms-package/usr/src/sockloan-"* && find . -type f) | sed 's,^\./,,' | sort \
		>"$out/held"
	(cd "$top" && git ls-files kmod uapi Kbuild dkms.conf) | sort | diff - "$out/held"
}

have_the_version_of_the_module() {
	local version
	version=$(sed -n 's/MODULE_VERSION("\(.*\)");/\1/p' "$top/kmod/core/main.c")
	[ -n "$version" ]
	grep -qx "PACKAGE_VERSION=\"$version\"" "$top/dkms.conf"
	[ "$(dpkg-deb -f "$out"/packages/sockloan-dkms_*.deb Version)" = "$version" ]
}

# built KERNEL: DKMS builds, from the files of the package, what that kernel can have
built() {
	local name release headers tree=$out/dkms
	read -r name release headers < <(grep "^$1 " "$out/kernels")
	mkdir -p "$tree" "$out/modules"
	dkms build sockloan/"$(basename "$out"/dkms-package/usr/src/* | cut -d- -f2)" \
		-k "$release" -a x86_64 --kernelsourcedir "$headers" --dkmstree "$tree" \
		--sourcetree "$out/dkms-package/usr/src" >"$out/dkms-$name.out" 2>&1 || {
		cat "$out/dkms-$name.out" "$tree"/sockloan/*/build/make.log
		return 1
	}
	fails grep -i 'warning' "$tree"/sockloan/*/"$release"/x86_64/log/make.log
	cp -a "$tree"/sockloan/*/"$release"/x86_64/module "$out/modules/$release"
	(cd "$out/modules/$release" && echo *) | sed 's/\.ko[.a-z]*//g' >"$out/built"
	if [ "$name" = cloud ]; then
		grep -qx sockloan "$out/built"
	else
		grep -qx 'rndis_loan sl_rndis sockloan usb_f_rndis_loan' "$out/built"
	fi
}

cases=(are_made have_no_errors_and_warnings are_the_same_when_made_again hold_no_untracked_file
	have_the_version_of_the_module)
while read -r name _; do
	eval "are_built_for_$name() { built $name; }"
	cases+=("are_built_for_$name")
done <"$out/kernels"
[ $# -gt 0 ] || set -- "${cases[@]}"
tap "$@"
